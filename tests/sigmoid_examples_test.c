/* SPDX-License-Identifier: MIT */
/* What is published about the logistic function, and what follows from its definition. */
#include "cases.h"
#include "device.h"
#include "dtype.h"
#include "operands.h"
#include "ulp.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 4096 };

static double least(clact_dtype dtype)
{
    return dtype_from_bits(dtype, 1);
}

/* How far a stored number next to `value` may be from the number that was meant. */
static double half_ulp(clact_dtype dtype, double value)
{
    double up = dtype_next_up(dtype, fabs(dtype_round(dtype, value)));
    return (up - dtype_next_down(dtype, up)) / 2;
}

/* Runs a direction on n <= MOST elements that are given as doubles and rounded to the dtype, and
 * gives doubles back. */
static void compute(const struct op_case *c, enum direction direction, size_t n, const double *grad,
                    const double *saved, double *output)
{
    static double grad_elements[MOST];
    static double saved_elements[MOST];
    static double output_elements[MOST];
    struct op_case own = *c;
    own.direction = direction;
    for (size_t i = 0; i < n; i++) {
        dtype_store(c->dtype, grad_elements, i, grad != NULL ? grad[i] : 1);
        dtype_store(c->dtype, saved_elements, i, saved[i]);
    }
    device_compute(device_context(c, NULL), &own, n, grad_elements, saved_elements,
                   output_elements);
    for (size_t i = 0; i < n; i++)
        output[i] = dtype_load(c->dtype, output_elements, i);
}

static void assert_near(const struct op_case *c, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance + half_ulp(c->dtype, expected)))
        fail_msg("%a and not %a", got, expected);
}

/* Equal, a NaN to a NaN, and a zero to a zero of its sign. */
static void assert_equal(double got, double expected, double grad, double saved)
{
    if (isnan(got) && isnan(expected))
        return;
    if (got != expected || (got == 0 && signbit(got) != signbit(expected)))
        fail_msg("%g and not %g at %g, grad %g", got, expected, saved, grad);
}

/* Operands that are evenly spaced between -limit and limit, and exact in every dtype. */
static size_t spaced(double limit, double *x)
{
    size_t n = 0;
    for (double value = -limit; value <= limit; value += limit / 64)
        x[n++] = value;
    return n;
}

/* Published values. */

/* To the four digits that are published. */
static void textbook_values(void **state)
{
    const struct op_case *c = *state;
    static const double x[] = {-2, 0, 2};
    static const double expected[] = {0.1192, 0.5, 0.8808};
    double y[3];
    compute(c, FORWARD, 3, NULL, x, y);
    for (size_t i = 0; i < 3; i++)
        assert_near(c, y[i], expected[i], 5e-5);
    assert_true(y[1] == 0.5);
}

/* e^-100 is 3.72e-44. In f32 that is subnormal, with 27 steps; f16 and bf16 do not reach so far
 * down. */
static void values_at_100(void **state)
{
    const struct op_case *c = *state;
    static const double x[] = {-100, 0, 100};
    double small = dtype_round(c->dtype, 3.720075976020836e-44);
    if (c->dtype == CLACT_F32 && !device_has_subnormals(device_context(c, NULL)))
        small = 0;
    double y[3];
    double dx[3];
    compute(c, FORWARD, 3, NULL, x, y);
    assert_near(c, y[0], small, 0);
    assert_true(y[1] == 0.5 && y[2] == 1);
    compute(c, FROM_INPUT, 3, NULL, x, dx);
    assert_near(c, dx[0], small, 0);
    assert_true(dx[1] == 0.25 && dx[2] == dx[0]);
    compute(c, FROM_OUTPUT, 3, NULL, y, dx);
    assert_near(c, dx[0], small, 0);
    assert_true(dx[1] == 0.25 && dx[2] == 0);
}

static void values_at_1000(void **state)
{
    const struct op_case *c = *state;
    static const double x[] = {-1000, 1000};
    double y[2];
    double dx[2];
    compute(c, FORWARD, 2, NULL, x, y);
    assert_true(y[0] == 0 && !signbit(y[0]) && y[1] == 1);
    compute(c, FROM_INPUT, 2, NULL, x, dx);
    assert_true(dx[0] == 0 && dx[1] == 0);
    compute(c, FROM_OUTPUT, 2, NULL, y, dx);
    assert_true(dx[0] == 0 && dx[1] == 0);
}

/* Identities. */

/* s(x) + s(-x) = 1, but for the errors of both. */
static void symmetry(void **state)
{
    const struct op_case *c = *state;
    double x[MOST];
    double minus_x[MOST];
    double y[MOST];
    double minus_y[MOST];
    size_t n = spaced(16, x);
    for (size_t i = 0; i < n; i++)
        minus_x[i] = -x[i];
    compute(c, FORWARD, n, NULL, x, y);
    compute(c, FORWARD, n, NULL, minus_x, minus_y);
    for (size_t i = 0; i < n; i++) {
        long double sum = (long double)y[i] + (long double)minus_y[i];
        double units = 2 * (half_ulp(c->dtype, y[i]) + half_ulp(c->dtype, minus_y[i]));
        if (fabsl(sum - 1) > (long double)(units * case_budget(c, false)))
            fail_msg("s(%a) + s(-%a) = %La", x[i], x[i], sum);
    }
}

static void assert_within_budget(const struct op_case *c, double x, double got, long double exact)
{
    double error =
        c->dtype == CLACT_F64 ? ulp_error_f64(got, exact) : ulp_error(c->dtype, got, (double)exact);
    if (error > case_budget(c, false))
        fail_msg("%a at %a is %.4f ULP from %La", got, x, error, exact);
}

/* The first of softmax((a, b)) is s(a - b). */
static void softmax_of_two(void **state)
{
    const struct op_case *c = *state;
    double x[MOST];
    double y[MOST];
    size_t n = spaced(8, x);
    compute(c, FORWARD, n, NULL, x, y);
    for (size_t i = 0; i < n; i++) {
        long double b = 1.5L;
        long double first = expl((long double)x[i] + b);
        assert_within_budget(c, x[i], y[i], first / (first + expl(b)));
    }
}

/* s(2x) = (1 + tanh(x)) / 2, which is tanh(x) = 2 s(2x) - 1 where no digit is lost: only positive
 * x. */
static void tanh_of_half(void **state)
{
    const struct op_case *c = *state;
    double x[MOST];
    double y[MOST];
    size_t n = spaced(8, x);
    compute(c, FORWARD, n, NULL, x, y);
    for (size_t i = 0; i < n; i++)
        if (x[i] >= 0)
            assert_within_budget(c, x[i], y[i], (1 + tanhl((long double)x[i] / 2)) / 2);
}

/* The slope of the device's own forward direction, between points that are h to each side. */
static void central_differences(void **state)
{
    const struct op_case *c = *state;
    const double h = 0x1p-7;
    double x[MOST];
    double left[MOST];
    double right[MOST];
    double y[3][MOST];
    double dx[2][MOST];
    size_t n = spaced(8, x);
    for (size_t i = 0; i < n; i++) {
        left[i] = x[i] - h;
        right[i] = x[i] + h;
    }
    compute(c, FORWARD, n, NULL, left, y[0]);
    compute(c, FORWARD, n, NULL, x, y[1]);
    compute(c, FORWARD, n, NULL, right, y[2]);
    compute(c, FROM_INPUT, n, NULL, x, dx[0]);
    compute(c, FROM_OUTPUT, n, NULL, y[1], dx[1]);
    for (size_t i = 0; i < n; i++) {
        double slope = (y[2][i] - y[0][i]) / (2 * h);
        if (fabs(dx[0][i] - slope) > 1e-4 || fabs(dx[1][i] - slope) > 1e-4)
            fail_msg("at %g: %g from the input, %g from the output, and not %g", x[i], dx[0][i],
                     dx[1][i], slope);
    }
}

/* The formula from the output. */

/* grad * y * (1 - y) from left to right, in the type that the arithmetic computes in, then rounded.
 */
static double formula(const struct op_case *c, double grad, double y)
{
    if (c->dtype == CLACT_F64 || c->arithmetic == CLACT_ARITHMETIC_DOUBLES)
        return dtype_round(c->dtype, grad * y * (1 - y));
    const float g = (float)grad;
    const float s = (float)y;
    const float product = g * s;
    const float rest = 1 - s;
    return dtype_round(c->dtype, (double)(product * rest));
}

static bool is_subnormal(double value)
{
    return value != 0 && fabs(value) < (double)FLT_MIN;
}

/* Every third y is in the range of the function and every third anywhere. The rest are short
 * numbers, at which many products lie in the middle between two elements, for the rounding to go to
 * even. */
static double varied_output(clact_dtype dtype, size_t i)
{
    uint64_t hash = operands_hash(i + MOST);
    switch (i % 3) {
    case 0:
        return dtype_round(dtype, ldexp((double)(hash >> 11), -53));
    case 1:
        return dtype_from_bits(dtype, hash >> (64 - 8 * dtype_format(dtype)->size));
    default:
        return (double)(hash >> 61) / 8;
    }
}

static void exactly_the_formula(void **state)
{
    const struct op_case *c = *state;
    double grad[MOST];
    double y[MOST];
    double dx[MOST];
    bool flushes = c->dtype != CLACT_F64 && !device_has_subnormals(device_context(c, NULL));
    for (size_t i = 0; i < MOST; i++) {
        size_t shift = 64 - 8 * dtype_format(c->dtype)->size;
        grad[i] = dtype_from_bits(c->dtype, operands_hash(i) >> shift);
        y[i] = varied_output(c->dtype, i);
    }
    compute(c, FROM_OUTPUT, MOST, grad, y, dx);
    for (size_t i = 0; i < MOST; i++) {
        double expected = formula(c, grad[i], y[i]);
        if (flushes && (is_subnormal(expected) || is_subnormal(grad[i]) || is_subnormal(y[i]) ||
                        is_subnormal(grad[i] * y[i])))
            continue;
        assert_equal(dx[i], expected, grad[i], y[i]);
    }
}

/* Special values. */

static void special_inputs(void **state)
{
    const struct op_case *c = *state;
    clact_dtype dtype = c->dtype;
    double largest = dtype_next_down(dtype, INFINITY);
    double normal = ldexp(1, dtype_format(dtype)->min_exponent);
    const double table[][2] = {
        {0, 0.5},
        {-0.0, 0.5},
        {least(dtype), 0.5},
        {-least(dtype), 0.5},
        {normal, 0.5},
        {-normal, 0.5},
        {dtype_next_down(dtype, normal), 0.5},
        {INFINITY, 1},
        {-INFINITY, 0},
        {largest, 1},
        {-largest, 0},
        {(double)NAN, (double)NAN},
        {-(double)NAN, (double)NAN},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double y;
        compute(c, FORWARD, 1, NULL, &table[i][0], &y);
        assert_equal(y, table[i][1], 1, table[i][0]);
    }
}

/* Operands on both sides of where results round to 1 and to 0. 1 - y is about e^-x and y about e^x.
 */
static void saturation(void **state)
{
    static const struct edge {
        clact_dtype dtype;
        double below_one;
        double one;
        double not_zero;
        double zero;
    } edges[] = {
        {CLACT_F32, 17, 17.5, -103.25, -106},
        {CLACT_F16, 8.25, 8.375, -17.25, -17.4375},
        {CLACT_BF16, 6.1875, 6.3125, -92.5, -93.5},
        {CLACT_F64, 36.5, 40, -744.375, -747},
    };
    const struct op_case *c = *state;
    bool flushes = !device_has_subnormals(device_context(c, NULL)) &&
                   (c->dtype == CLACT_F32 || c->dtype == CLACT_BF16);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        if (edges[i].dtype != c->dtype)
            continue;
        const double x[] = {edges[i].below_one, edges[i].one, edges[i].not_zero, edges[i].zero};
        double y[4];
        compute(c, FORWARD, 4, NULL, x, y);
        assert_equal(y[0], dtype_next_down(c->dtype, 1), 1, x[0]);
        assert_equal(y[1], 1, 1, x[1]);
        if (!flushes)
            assert_equal(y[2], least(c->dtype), 1, x[2]);
        assert_equal(y[3], 0, 1, x[3]);
    }
}

struct gradient {
    double grad;
    double saved;
    double expected;
};

static void check_gradients(const struct op_case *c, const struct gradient *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double dx;
        compute(c, c->direction, 1, &table[i].grad, &table[i].saved, &dx);
        assert_equal(dx, table[i].expected, table[i].grad, table[i].saved);
    }
}

/* The gradient is positive at any finite x, however small, so an infinite grad stays infinite. */
static void special_gradients_from_input(void **state)
{
    const struct op_case *c = *state;
    const double nan = (double)NAN;
    double largest = dtype_next_down(c->dtype, INFINITY);
    const struct gradient table[] = {
        {1, INFINITY, 0},
        {1, -INFINITY, 0},
        {-1, INFINITY, -0.0},
        {largest, -INFINITY, 0},
        {INFINITY, 0, INFINITY},
        {-INFINITY, 0, -INFINITY},
        {INFINITY, 8, INFINITY},
        {INFINITY, -8, INFINITY},
        {INFINITY, 1000, INFINITY},
        {-INFINITY, -1000, -INFINITY},
        {INFINITY, largest, INFINITY},
        {INFINITY, INFINITY, nan},
        {INFINITY, -INFINITY, nan},
        {nan, 0, nan},
        {1, nan, nan},
        {nan, INFINITY, nan},
        {0, nan, nan},
        {0, 0, 0},
        {-0.0, 0, -0.0},
        {0, INFINITY, 0},
        {0, largest, 0},
        {1, 0, 0.25},
        {1, -0.0, 0.25},
        {-4, 0, -1},
        {largest, 0, largest / 4},
        {1, largest, 0},
        {-1, -largest, -0.0},
    };
    check_gradients(c, table, sizeof table / sizeof table[0]);
}

static void special_gradients_from_output(void **state)
{
    const struct op_case *c = *state;
    const double nan = (double)NAN;
    double largest = dtype_next_down(c->dtype, INFINITY);
    const struct gradient table[] = {
        {1, 0, 0},
        {1, 1, 0},
        {1, 0.5, 0.25},
        {-4, 0.5, -1},
        {-1, 0, -0.0},
        {-1, 1, -0.0},
        {INFINITY, 0.5, INFINITY},
        {-INFINITY, 0.5, -INFINITY},
        {INFINITY, 0, nan},
        {INFINITY, 1, nan},
        {nan, 0.5, nan},
        {1, nan, nan},
        {0, nan, nan},
        {0, 0.5, 0},
        {-0.0, 0.5, -0.0},
        {largest, 0.5, largest / 4},
    };
    check_gradients(c, table, sizeof table / sizeof table[0]);
}

/* Which cases. */

static bool is_forward(const struct op_case *c)
{
    return c->op == CLACT_SIGMOID && c->direction == FORWARD;
}

/* Differences of f16 or bf16 numbers leave no digit to compare. */
static bool is_precise_forward(const struct op_case *c)
{
    return is_forward(c) && (c->dtype == CLACT_F32 || c->dtype == CLACT_F64);
}

static bool is_from_output(const struct op_case *c)
{
    return c->op == CLACT_SIGMOID && c->direction == FROM_OUTPUT;
}

static bool is_from_input(const struct op_case *c)
{
    return c->op == CLACT_SIGMOID && c->direction == FROM_INPUT;
}

int main(void)
{
    static const struct property properties[] = {
        {"textbook values", is_forward, textbook_values},
        {"values and gradients at 100", is_forward, values_at_100},
        {"values and gradients at 1000", is_forward, values_at_1000},
        {"s(x) + s(-x) = 1", is_forward, symmetry},
        {"softmax of two", is_forward, softmax_of_two},
        {"tanh(x) = 2 s(2x) - 1", is_forward, tanh_of_half},
        {"special inputs", is_forward, special_inputs},
        {"saturation", is_forward, saturation},
        {"gradients are central differences", is_precise_forward, central_differences},
        {"exactly grad * y * (1 - y)", is_from_output, exactly_the_formula},
        {"special values", is_from_output, special_gradients_from_output},
        {"special values", is_from_input, special_gradients_from_input},
    };
    int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    device_close();
    return failed;
}
