/* SPDX-License-Identifier: MIT */
/* What softmax.h says of values that are not measured: special ones, two classes beside the sigmoid,
 * very long rows, and that the references of the gradients are the gradients of the others. */
#include "dtype.h"
#include "host_fixture.h"
#include "reference.h"
#include "softmax_reference.h"
#include "ulp.h"

#include <math.h>
#include <stdlib.h>

enum { DTYPES = 4 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

static struct fixture shared;

/* Special values. */

enum { COLS = 4 };

/* The row between two others of another row's elements, which it must not change, in a matrix of rows
 * that are as short as given and, with columns of -inf, of ones that are longer. */
static void check_row(enum softmax_kind kind, clact_dtype dtype, size_t cols, const double x[COLS],
                      const double expected[COLS])
{
    static const double other[COLS] = {0.5, -1, 2, 0};
    static _Alignas(8) unsigned char elements[3 * 400 * 8], alone[400 * 8];
    const size_t size = clact_dtype_size(dtype);
    for (size_t i = 0; i < 3 * cols; i++) {
        const double *row = i / cols == 1 ? x : other;
        dtype_store(dtype, elements, i, i % cols < COLS ? row[i % cols] : (double)-INFINITY);
        if (i < cols)
            dtype_store(dtype, alone, i, dtype_load(dtype, elements, i));
    }
    assert_ok(softmax_call(shared.ctx, kind, dtype, 3, cols, elements, NULL, elements));
    assert_ok(softmax_call(shared.ctx, kind, dtype, 1, cols, alone, NULL, alone));
    assert_memory_equal(elements, alone, cols * size);
    assert_memory_equal(elements + 2 * cols * size, alone, cols * size);
    for (size_t c = 0; c < COLS; c++) {
        const double got = dtype_load(dtype, elements, cols + c);
        if (ulp_error(dtype, got, expected[c]) > 1)
            fail_msg("%s of %s, %zu columns, (%g, %g, %g, %g): %g, not %g", softmax_name(kind),
                     clact_dtype_name(dtype), cols, x[0], x[1], x[2], x[3], got, expected[c]);
    }
}

static void test_special_values(void **state)
{
    static const struct {
        double x[COLS], softmax[COLS], log_softmax[COLS];
    } rows[] = {
        {{1, NAN, 2, 3}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{1, INFINITY, 2, 3}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{INFINITY, INFINITY, 2, 3}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{-INFINITY, -INFINITY, -INFINITY, -INFINITY}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{-INFINITY, NAN, -INFINITY, 1}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{-INFINITY, INFINITY, -INFINITY, 1}, {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}},
        {{-INFINITY, 7, -INFINITY, -INFINITY}, {0, 1, 0, 0}, {-INFINITY, 0, -INFINITY, -INFINITY}},
        {{0.0, -0.0, -INFINITY, -INFINITY},
         {0.5, 0.5, 0, 0},
         {-M_LN2, -M_LN2, -INFINITY, -INFINITY}},
        {{60000, 60000, -60000, -60000},
         {0.5, 0.5, 0, 0},
         {-M_LN2, -M_LN2, -120000 - M_LN2, -120000 - M_LN2}},
    };
    static const size_t cols[] = {COLS, 20, 300};
    (void)state;
    for (int d = 0; d < DTYPES; d++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
            for (size_t k = 0; k < 3 && dtype_works(shared.ctx, dtypes[d]); k++) {
                const bool is_large = fabs(rows[i].x[0]) > 1000 && isfinite(rows[i].x[0]);
                if (is_large && dtypes[d] == CLACT_BF16)
                    continue; /* has no such element */
                check_row(KIND_softmax, dtypes[d], cols[k], rows[i].x, rows[i].softmax);
                if (!is_large || dtypes[d] != CLACT_F16)
                    check_row(KIND_log_softmax, dtypes[d], cols[k], rows[i].x, rows[i].log_softmax);
            }
}

/* A row of one column is all there is, and sums that overflow are infinite. */
static void test_single_columns_and_overflow(void **state)
{
    const float x[3] = {-5, 0, 1e30f};
    const float grads[2] = {3e38f, 3e38f}, halves[2] = {1, 1}, zeros[2] = {0, 0};
    float y[3];
    (void)state;
    assert_ok(clact_softmax(shared.ctx, CLACT_F32, 3, 1, x, y));
    for (int i = 0; i < 3; i++)
        assert_true(y[i] == 1);
    assert_ok(clact_log_softmax(shared.ctx, CLACT_F32, 3, 1, x, y));
    for (int i = 0; i < 3; i++)
        assert_true(y[i] == 0 && !signbit(y[i]));
    assert_ok(clact_softmax_backward(shared.ctx, CLACT_F32, 1, 2, grads, halves, y));
    assert_true(y[0] == -INFINITY && y[1] == -INFINITY);
    assert_ok(clact_log_softmax_backward(shared.ctx, CLACT_F32, 1, 2, grads, zeros, y));
    assert_true(y[0] == -INFINITY && y[1] == -INFINITY);
}

/* Two classes. */

struct budget {
    double normal, subnormal, half, f64;
};
#define CLACT_BUDGET(normal, subnormal, half, f64)                                                 \
    {                                                                                              \
        normal, subnormal, half, f64                                                               \
    }
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, limits, slopes, forward, ...)         \
    [CLACT_##NAME] = forward,
#define CLACT_PARAMETERS(...) 0
#define CLACT_NO_PARAMETERS 0
#define CLACT_LIMITS(...) 0
static const struct budget budgets[] = {
#include <clact/ops.def>
};
#undef CLACT_OPERATOR

static double allowed(clact_operator op, clact_dtype dtype, long double exact)
{
    const struct budget *b = &budgets[op];
    return dtype == CLACT_F64                             ? b->f64
           : dtype != CLACT_F32                           ? b->half
           : fabsl(exact) < 0x1p-126L && fabsl(exact) > 0 ? b->subnormal
                                                          : b->normal;
}

/* Of (x, 0), with the 0 in either column, the element of x is the operator's result. */
static void check_two_classes(enum softmax_kind kind, clact_operator op, clact_dtype dtype)
{
    enum { N = 200000 };
    const struct reference *reference = reference_of(op);
    const clact_params none = {0, 0, 0};
    unsigned char *x = calloc(N * 2, 8), *y = calloc(N * 2, 8);
    assert_true(x && y);
    for (size_t i = 0; i < N; i++) {
        const double near = ((double)i - N / 2.0) * 8 / N, far = ((double)i - N / 2.0) * 240 / N;
        dtype_store(dtype, x, 2 * i + i % 2, dtype_round(dtype, i / 2 % 2 ? near : far));
    }
    assert_ok(softmax_call(shared.ctx, kind, dtype, N, 2, x, NULL, y));
    for (size_t i = 0; i < N; i++) {
        const double operand = dtype_load(dtype, x, 2 * i + i % 2);
        const double got = dtype_load(dtype, y, 2 * i + i % 2);
        const long double exact = reference->forward_long(operand, &none);
        const double error =
            dtype == CLACT_F64 ? ulp_error_f64(got, exact) : ulp_error(dtype, got, (double)exact);
        if (!(error <= allowed(op, dtype, exact)))
            fail_msg("%s of %s of (%a, 0): %a, not %La: %g ULP", softmax_name(kind),
                     clact_dtype_name(dtype), operand, got, exact, error);
    }
    free(x);
    free(y);
}

static void test_two_classes(void **state)
{
    (void)state;
    for (int d = 0; d < DTYPES; d++)
        if (dtype_works(shared.ctx, dtypes[d]) &&
            (dtypes[d] != CLACT_F64 || REFERENCE_JUDGES_F64)) {
            check_two_classes(KIND_softmax, CLACT_SIGMOID, dtypes[d]);
            check_two_classes(KIND_log_softmax, CLACT_LOG_SIGMOID, dtypes[d]);
        }
}

/* Long rows. */

/* Equal elements, whose rounding errors all have the same sign: y is 1 / n, and the log-softmax -log(n). */
static void test_long_rows(void **state)
{
    enum { N = 5000001 };
    float *x = malloc(N * sizeof(float));
    (void)state;
    assert_non_null(x);
    for (size_t i = 0; i < N; i++)
        x[i] = 0.1f;
    for (int kind = KIND_softmax; kind <= KIND_log_softmax; kind++) {
        const long double exact = kind == KIND_softmax ? 1 / (long double)N : -logl(N);
        assert_ok(softmax_call(shared.ctx, (enum softmax_kind)kind, CLACT_F32, 1, N, x, NULL, x));
        for (size_t i = 0; i < N; i++)
            if (ulp_error(CLACT_F32, (double)x[i], (double)exact) > 0.51)
                fail_msg("%s of %d equal elements: %a, not %La",
                         softmax_name((enum softmax_kind)kind), N, (double)x[i], exact);
        for (size_t i = 0; i < N; i++)
            x[i] = 0.1f;
    }
    free(x);
}

/* The gradients' reference. */

/* Of sum of grad y over the row by x[c]. */
static double difference_quotient(enum softmax_kind forward, const double *grad, double *x,
                                  size_t cols, size_t c)
{
    enum { MOST = 16 };
    const double h = 1e-5, at = x[c];
    long double y[2][MOST], unused[MOST], sum = 0;
    for (int side = 0; side < 2; side++) {
        x[c] = at + (side ? h : -h);
        softmax_reference(forward, cols, x, NULL, y[side], unused);
    }
    x[c] = at;
    for (size_t i = 0; i < cols; i++)
        sum += grad[i] * (y[1][i] - y[0][i]);
    return (double)(sum / (2 * h));
}

static void test_gradients_are_gradients(void **state)
{
    enum { MOST = 16 };
    double x[MOST], grad[MOST], y[MOST];
    long double exact[MOST], terms[MOST];
    (void)state;
    for (size_t cols = 1; cols <= MOST; cols++)
        for (int forward = KIND_softmax; forward <= KIND_log_softmax; forward++) {
            for (size_t c = 0; c < cols; c++) {
                x[c] = (double)((c * 37 + cols * 11) % 41) / 10 - 2;
                grad[c] = (double)((c * 23 + cols * 7) % 31) / 10 - 1.5;
            }
            softmax_reference((enum softmax_kind)forward, cols, x, NULL, exact, terms);
            for (size_t c = 0; c < cols; c++)
                y[c] = (double)exact[c];
            softmax_reference(forward == KIND_softmax ? KIND_softmax_backward
                                                      : KIND_log_softmax_backward,
                              cols, grad, y, exact, terms);
            for (size_t c = 0; c < cols; c++) {
                const double quotient =
                    difference_quotient((enum softmax_kind)forward, grad, x, cols, c);
                assert_true(fabs(quotient - (double)exact[c]) < 1e-8);
            }
        }
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_single_columns_and_overflow),
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_gradients_are_gradients),
        NOTHING_IS_LEFT(&shared),
    };
    return cmocka_run_group_tests_name("softmax values", tests, open_shared, NULL);
}
