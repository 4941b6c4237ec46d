/* SPDX-License-Identifier: MIT */
/* The references of reference.h: in double and long double against those in quad, the gradients
 * against the forward passes, and both against what ops.def says of them and against known values. */
#include "dtype.h"
#include "reference.h"
#include "reference_error.h"
#include "reference_samples.h"
#include "reference_values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

enum direction { FORWARD, FROM_OUTPUT, FROM_INPUT, DIRECTIONS };

struct row {
    clact_operator op;
    const char *name;
    unsigned saved;
    unsigned parameters;
    unsigned positive; /* those of them that have to be greater than 0 */
    double limits[4];
    double slopes[4];
};

#define CLACT_NO_PARAMETERS CLACT_PARAMETERS(0, 0, 0, 0, 0)
#define CLACT_PARAMETERS(used, positive, alpha, beta, gamma) used, positive
#define CLACT_LIMITS(...)                                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
static const struct row rows[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, limits, slopes, ...)                  \
    {CLACT_##NAME, #name, saved, parameters, limits, slopes},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* What a test is about; which of it counts depends on the test. */
struct subject {
    const struct row *row;
    enum direction direction;
    clact_dtype dtype;
};

enum { CHOICES = 4 };

/* The operator's parameters: choice 0 is the defaults, 1 others, 2 and 3 an alpha or gamma of 0.
 * Whether the operator has that choice. */
static bool choose_params(const struct row *row, clact_dtype dtype, int choice, clact_params *p)
{
    const unsigned zero = choice == 2 ? CLACT_ALPHA : choice == 3 ? CLACT_GAMMA : 0;
    *p = reference_defaults(row->op, CLACT_F64);
    if (choice == 1) {
        p->alpha *= 1.7;
        p->beta *= 0.7;
        p->gamma *= 1.3;
    }
    if (zero == CLACT_ALPHA)
        p->alpha = 0;
    if (zero == CLACT_GAMMA)
        p->gamma = 0;
    *p = reference_params(dtype, p);
    return choice == 0 || (choice == 1 && row->parameters != 0) ||
           (row->parameters & ~row->positive & zero) != 0;
}

/* In the type that results in this dtype are judged in. */
static long double slope_at(const struct subject *s, const clact_params *p, double grad, double x)
{
    const struct reference *reference = reference_of(s->row->op);
    return s->dtype == CLACT_F64 ? reference->from_input_long(grad, x, p)
                                 : (long double)reference->from_input(grad, x, p);
}

/* Tests */

#if REFERENCE_HAS_QUAD

enum { SAMPLES = 40000, DIFFERENCES = 4000 };

static long double got_at(const struct subject *s, const clact_params *p, double grad, double x)
{
    const struct reference *reference = reference_of(s->row->op);
    bool wide = s->dtype == CLACT_F64;
    switch (s->direction) {
    case FORWARD:
        return wide ? reference->forward_long(x, p) : (long double)reference->forward(x, p);
    case FROM_OUTPUT:
        return wide ? reference->from_output_long(grad, x, p)
                    : (long double)reference->from_output(grad, x, p);
    default:
        return slope_at(s, p, grad, x);
    }
}

static reference_quad exact_at(const struct subject *s, const clact_params *p, double grad,
                               double x)
{
    const struct reference *reference = reference_of(s->row->op);
    switch (s->direction) {
    case FORWARD:
        return reference->forward_quad(x, p);
    case FROM_OUTPUT:
        return reference->from_output_quad(grad, x, p);
    default:
        return reference->from_input_quad(grad, x, p);
    }
}

static void is_as_good_as_it_says(void **state)
{
    const struct subject *s = *state;
    struct sample_source source;
    clact_params p;
    double worst = -1;
    double worst_x = 0;
    double worst_grad = 0;
    if (s->dtype == CLACT_F64 && !REFERENCE_JUDGES_F64) {
        print_message("long double is no wider than double: there is nothing to judge f64 by\n");
        skip();
    }
    for (int choice = 0; choice < CHOICES; choice++) {
        if (!choose_params(s->row, s->dtype, choice, &p))
            continue;
        sample_source_init(&source, s->row->op, s->dtype, &p);
        for (int i = 0; i < SAMPLES; i++) {
            double x = sample_operand(&source);
            double grad = sample_grad(&source);
            reference_quad exact = exact_at(s, &p, grad, x);
            long double got = got_at(s, &p, grad, x);
            double error =
                reference_error(s->dtype, got, (long double)exact, (long double)(got - exact));
            if (!(error <= worst)) {
                worst = error;
                worst_x = x;
                worst_grad = grad;
            }
        }
    }
    print_message("max 2^%.2f ULP at x = %a, grad = %a\n", log2(worst), worst_x, worst_grad);
    assert_true(worst <= reference_bound(s->dtype));
}

/* The derivative of forward at x: central differences of three widths, h, h / 2 and h / 4, combined
 * so that what is left out is of the order of h^6 (Richardson). */
static reference_quad derivative(const struct reference *reference, const clact_params *p,
                                 reference_quad x)
{
    reference_quad d[3];
    reference_quad h = 0x1p-14;
    for (int i = 0; i < 3; i++, h /= 2)
        d[i] = (reference->forward_quad(x + h, p) - reference->forward_quad(x - h, p)) / (2 * h);
    reference_quad wide = (4 * d[1] - d[0]) / 3;
    reference_quad narrow = (4 * d[2] - d[1]) / 3;
    return (16 * narrow - wide) / 15;
}

/* Whether a function might have a corner next to x. */
static bool near_corner(const struct sample_source *source, double x)
{
    for (int i = 0; i < source->place_count; i++)
        if (fabs(x - source->places[i]) < 0x1p-10)
            return true;
    return fabs(x) < 0x1p-10 || fabs(fabs(x) - 3) < 0x1p-10;
}

/* The straight-through sigmoid is flat; by its definition it has the gradient of the sigmoid. */
static clact_operator operator_to_differentiate(clact_operator op)
{
    return op == CLACT_STRAIGHT_THROUGH_SIGMOID ? CLACT_SIGMOID : op;
}

static void gradient_is_the_derivative(void **state)
{
    const struct subject *s = *state;
    const struct reference *reference = reference_of(s->row->op);
    struct sample_source source;
    clact_params p;
    for (int choice = 0; choice < CHOICES; choice++) {
        if (!choose_params(s->row, s->dtype, choice, &p))
            continue;
        sample_source_init(&source, s->row->op, s->dtype, &p);
        for (int i = 0; i < DIFFERENCES; i++) {
            double x = 12 * sample_uniform(&source);
            if (near_corner(&source, x))
                continue;
            const struct reference *primitive = reference_of(operator_to_differentiate(s->row->op));
            long double exact = (long double)derivative(primitive, &p, x);
            long double got = (long double)reference->from_input_quad(1, x, &p);
            long double scale = fabsl(got) + fabsl((long double)primitive->forward_quad(x, &p));
            if (!(fabsl(got - exact) <= 0x1p-60L * scale))
                fail_msg("%.20Lg, not %.20Lg, at x = %a", got, exact, x);
        }
    }
}

#else

static void is_as_good_as_it_says(void **state)
{
    (void)state;
    print_message("the compiler has no functions for _Float128 to judge the references by\n");
    skip();
}

static void gradient_is_the_derivative(void **state)
{
    is_as_good_as_it_says(state);
}

#endif

static void gradients_agree(void **state)
{
    const struct subject *s = *state;
    const struct reference *reference = reference_of(s->row->op);
    struct sample_source source;
    clact_params p;
    for (int choice = 0; choice < CHOICES; choice++) {
        if (!choose_params(s->row, s->dtype, choice, &p))
            continue;
        sample_source_init(&source, s->row->op, s->dtype, &p);
        for (int i = 0; i < 1000; i++) {
            /* Farther out, too much of x is lost in y. */
            double x = 4 * sample_uniform(&source);
            double grad = sample_uniform(&source);
            long double y = reference->forward_long(x, &p);
            long double by_input = reference->from_input_long(grad, x, &p);
            long double by_output = reference->from_output_long(grad, y, &p);
            if (!(fabsl(by_output - by_input) <= 0x1p-40L * fabsl(by_input)))
                fail_msg("%Lg, but %Lg from the input, at x = %a", by_output, by_input, x);
        }
    }
}

static void assert_as_written(long double got, double written, double x)
{
    bool same = written == 0 || isinf(written)
                    ? got == written && !signbit(got) == !signbit(written)
                    : fabsl(got / written - 1) <= 0x1p-50L;
    if (!same)
        fail_msg("%Lg, not %g, at %g", got, written, x);
}

static void limits_and_slopes_are_as_written(void **state)
{
    static const double points[4] = {-INFINITY, -0.0, 0.0, INFINITY};
    const struct subject *s = *state;
    const struct reference *reference = reference_of(s->row->op);
    const clact_params p = reference_defaults(s->row->op, CLACT_F64);
    for (int i = 0; i < 4; i++) {
        assert_as_written(reference->forward(points[i], &p), s->row->limits[i], points[i]);
        assert_as_written(reference->forward_long(points[i], &p), s->row->limits[i], points[i]);
        if (reference->from_input == NULL)
            continue;
        assert_as_written(reference->from_input(1, points[i], &p), s->row->slopes[i], points[i]);
        assert_as_written(reference->from_input_long(1, points[i], &p), s->row->slopes[i],
                          points[i]);
    }
}

static void infinite_inputs_give_the_limit(void **state)
{
    const struct subject *s = *state;
    const struct reference *reference = reference_of(s->row->op);
    clact_params p;
    for (int choice = 0; choice < CHOICES; choice++) {
        if (!choose_params(s->row, CLACT_F32, choice, &p))
            continue;
        for (int sign = -1; sign <= 1; sign += 2) {
            double y = reference->forward(sign * (double)INFINITY, &p);
            double far = reference->forward(sign * (double)FLT_MAX, &p);
            long double y_long = reference->forward_long(sign * (long double)INFINITY, &p);
            if (!(isinf(y) ? fabs(far) > 1e30 && far * y > 0 : y == far) || y_long != y)
                fail_msg("%g and %Lg, but %g at the largest number", y, y_long, far);
        }
    }
}

/* What an infinite grad gives at x, by the slopes there and around it. */
static double with_infinite_grad(const struct subject *s, const clact_params *p, double x)
{
    long double slope = slope_at(s, p, 1, x);
    /* No slope changes its sign farther out, and up to there none is too small for its type. */
    long double inner = slope_at(s, p, 1, fmax(-20, fmin(20, x)));
    bool flat = inner == 0;
    if (flat && slope_at(s, p, 1, dtype_next_up(s->dtype, x)) != 0 &&
        slope_at(s, p, 1, dtype_next_down(s->dtype, x)) != 0)
        return NAN;
    if (flat)
        return 0;
    return isinf(x) && slope == 0 ? NAN : copysign(INFINITY, (double)inner);
}

static void infinite_grads_give_the_limit(void **state)
{
    const struct subject *s = *state;
    struct sample_source source;
    clact_params p;
    for (int choice = 0; choice < CHOICES; choice++) {
        if (!choose_params(s->row, s->dtype, choice, &p))
            continue;
        sample_source_init(&source, s->row->op, s->dtype, &p);
        for (int i = 0; i < 4000; i++) {
            double x = i == 0 ? -INFINITY : i == 1 ? INFINITY : sample_operand(&source);
            double expected = with_infinite_grad(s, &p, x);
            double up = (double)slope_at(s, &p, INFINITY, x);
            double down = (double)slope_at(s, &p, -INFINITY, x);
            bool as_expected = isnan(expected) ? isnan(up) && isnan(down)
                               : expected == 0
                                   ? up == 0 && down == 0 && !signbit(up) && !signbit(down)
                                   : up == expected && down == -expected;
            if (!as_expected)
                fail_msg("%g and %g, not %g, at x = %a", up, down, expected, x);
        }
    }
}

/* Of a gradient: with NaN as either operand and any value as the other. */
#define ASSERT_NAN_IN_NAN_OUT(gradient, other, p)                                                  \
    if ((gradient) != NULL) {                                                                      \
        assert_true(isnan((gradient)(NAN, other, p)));                                             \
        assert_true(isnan((gradient)(other, NAN, p)));                                             \
    }

static void nan_comes_out_where_it_goes_in(void **state)
{
    static const double others[] = {-INFINITY, -30, -3, -1, -0.0, 0, 0.5, 1, 3, 30, INFINITY};
    const struct subject *s = *state;
    const struct reference *reference = reference_of(s->row->op);
    const clact_params p = reference_defaults(s->row->op, CLACT_F64);
    assert_true(isnan(reference->forward(NAN, &p)));
    assert_true(isnan(reference->forward_long(NAN, &p)));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ASSERT_NAN_IN_NAN_OUT(reference->from_output, others[i], &p)
        ASSERT_NAN_IN_NAN_OUT(reference->from_output_long, others[i], &p)
        ASSERT_NAN_IN_NAN_OUT(reference->from_input, others[i], &p)
        ASSERT_NAN_IN_NAN_OUT(reference->from_input_long, others[i], &p)
    }
}

static void known_values_come_out(void **state)
{
    (void)state;
    if (!REFERENCE_JUDGES_F64) {
        print_message("long double is no wider than double: there is nothing to judge f64 by\n");
        skip();
    }
    for (size_t i = 0; i < sizeof reference_values / sizeof reference_values[0]; i++) {
        const struct reference_value *v = &reference_values[i];
        const clact_params p = reference_defaults(v->op, CLACT_F64);
        long double y = reference_of(v->op)->forward_long(v->x, &p);
        long double slope = reference_of(v->op)->from_input_long(1, v->x, &p);
        if (!(reference_error(CLACT_F64, y, v->y, y - v->y) <= reference_bound(CLACT_F64)))
            fail_msg("value %zu: %.21Lg, not %.21Lg, at x = %a", i, y, v->y, v->x);
        if (!(reference_error(CLACT_F64, slope, v->slope, slope - v->slope) <=
              reference_bound(CLACT_F64)))
            fail_msg("value %zu: slope %.21Lg, not %.21Lg, at x = %a", i, slope, v->slope, v->x);
    }
}

/* Elements whose alpha x + beta is as close to 0 or 1 as can be but for the rounding. */
static void hard_sigmoid_is_decided_exactly(void **state)
{
    static const struct {
        double x;
        double beta;
        double slope; /* with alpha = 1 */
    } cases[] = {
        {-0x1p-100, 1, 1},        {0, 1, 0},        {0x1p-100, 1, 0},
        {1, -0x1p-100, 1},        {1, 0x1p-100, 0}, {-1, 1, 0},
        {0x1p-149, 0, 1},         {0, 0, 0},        {-0x1p-149, 0, 0},
        {-0x1p-149, 0x1p-149, 0},
    };
    const struct reference *reference = reference_of(CLACT_HARD_SIGMOID);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const clact_params p = {.alpha = 1, .beta = cases[i].beta};
        assert_true(reference->from_input(1, cases[i].x, &p) == cases[i].slope);
        assert_true(reference->from_input_long(1, cases[i].x, &p) == cases[i].slope);
    }
}

/* Where beta x is as near as can be to where the slope is 0. The slopes were calculated with 400 bits. */
static void silu_keeps_its_precision_next_to_its_zero(void **state)
{
    static const struct {
        double beta;
        double x;
        long double slope;
    } cases[] = {
        {0x1.d18d9ep+0, -0x1.67f078p-1, 0x1.58927062e36a9efep-46L},
        {0x1.f854aep+0, -0x1.4c438ep-1, -0x1.cff1ed1c05db8a4cp-46L},
        {0x1.f810f53b14059p+0, -0x1.4c7031d3f695bp-1, 0x1.8f2851e5da7d9fa4p-105L},
        {0x1.ba6808d51cc81p+0, -0x1.7ac57d421afb2p-1, -0x1.b53d4c9d6f2d3e10p-105L},
    };
    const struct reference *reference = reference_of(CLACT_SILU);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const clact_params p = {.beta = cases[i].beta};
        const long double slope = cases[i].slope;
        if (i < 2) {
            const double got = reference->from_input(1, cases[i].x, &p);
            assert_true(reference_error(CLACT_F32, got, slope, got - slope) <=
                        reference_bound(CLACT_F32));
        }
        const long double got = reference->from_input_long(1, cases[i].x, &p);
        assert_true(reference_error(CLACT_F64, got, slope, got - slope) <=
                    reference_bound(CLACT_F64));
    }
}

static void values_that_are_no_operator_have_no_reference(void **state)
{
    (void)state;
    assert_null(reference_of((clact_operator)0));
    assert_null(reference_of((clact_operator)10000));
}

enum { MOST_TESTS = ROWS * 16 + 4 };

static struct CMUnitTest tests[MOST_TESTS];
static struct subject subjects[MOST_TESTS];
static char names[MOST_TESTS][96];
static size_t test_count;

static void add(const struct row *row, enum direction direction, clact_dtype dtype,
                const char *name, CMUnitTestFunction test)
{
    size_t i = test_count++;
    subjects[i] = (struct subject){row, direction, dtype};
    snprintf(names[i], sizeof names[i], "%s: %s", row->name, name);
    tests[i] =
        (struct CMUnitTest){.name = names[i], .test_func = test, .initial_state = &subjects[i]};
}

static void add_row(const struct row *row)
{
    static const char *const names_of[DIRECTIONS][2] = {
        {"forward in double", "forward in long double"},
        {"gradient from output in double", "gradient from output in long double"},
        {"gradient from input in double", "gradient from input in long double"},
    };
    bool has[DIRECTIONS] = {true, (row->saved & CLACT_SAVED_OUTPUT) != 0,
                            (row->saved & CLACT_SAVED_INPUT) != 0};
    for (enum direction direction = FORWARD; direction < DIRECTIONS; direction++) {
        if (!has[direction])
            continue;
        add(row, direction, CLACT_F32, names_of[direction][0], is_as_good_as_it_says);
        add(row, direction, CLACT_F64, names_of[direction][1], is_as_good_as_it_says);
    }
    add(row, FORWARD, CLACT_F64, "limits and slopes", limits_and_slopes_are_as_written);
    add(row, FORWARD, CLACT_F64, "infinite inputs", infinite_inputs_give_the_limit);
    add(row, FORWARD, CLACT_F64, "NaN", nan_comes_out_where_it_goes_in);
    if (has[FROM_INPUT]) {
        add(row, FROM_INPUT, CLACT_F64, "gradient vs differences", gradient_is_the_derivative);
        add(row, FROM_INPUT, CLACT_F32, "infinite grads in double", infinite_grads_give_the_limit);
        add(row, FROM_INPUT, CLACT_F64, "infinite grads in long double",
            infinite_grads_give_the_limit);
    }
    if (has[FROM_INPUT] && has[FROM_OUTPUT])
        add(row, FROM_OUTPUT, CLACT_F64, "gradients agree", gradients_agree);
}

int main(void)
{
    for (size_t i = 0; i < ROWS; i++)
        add_row(&rows[i]);
    tests[test_count++] = (struct CMUnitTest)cmocka_unit_test(known_values_come_out);
    tests[test_count++] = (struct CMUnitTest)cmocka_unit_test(hard_sigmoid_is_decided_exactly);
    tests[test_count++] =
        (struct CMUnitTest)cmocka_unit_test(silu_keeps_its_precision_next_to_its_zero);
    tests[test_count++] =
        (struct CMUnitTest)cmocka_unit_test(values_that_are_no_operator_have_no_reference);
    /* cmocka passes over the entries that are left empty. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
