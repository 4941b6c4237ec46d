/* SPDX-License-Identifier: MIT */
/* Epilogues: the bits of the calls that they stand for, and sums against sums in more precision. */
#include "dtype.h"
#include "epilogue_calls.h"
#include "op_rows.h"
#include "reference.h"
#include "ulp.h"

#include <math.h>
#include <string.h>

enum { DTYPES = 4 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* The sums. */

static double bias_at(const struct call *c, const struct arrays *a, size_t k)
{
    return call_has(c, BIAS)
               ? dtype_load(c->dtype, a->at[BIAS], call_is_per_row(c) ? k / c->cols : k % c->cols)
               : 0;
}

static void add_bias(const struct call *c, const struct arrays *a, void *sums)
{
    for (size_t k = 0; k < c->rows * c->cols; k++)
        dtype_store(c->dtype, sums, k, dtype_load(c->dtype, a->at[SAVED], k) + bias_at(c, a, k));
}

/* dbias against the sum of g, of which each may be off by so many ULP. */
static void check_sums(const struct call *c, const struct arrays *a, const double *g, double slack)
{
    for (size_t i = 0; i < call_rows(c, DBIAS) * call_cols(c, DBIAS); i++) {
        long double sum = 0, size = 0;
        const size_t count = call_is_per_row(c) ? c->cols : c->rows;
        for (size_t k = 0; k < count; k++) {
            const double term = g[call_is_per_row(c) ? i * c->cols + k : k * c->cols + i];
            sum += term;
            size += fabs(term);
        }
        const double got = dtype_load(c->dtype, a->at[DBIAS], i);
        const double unit = 0.501 * ldexp(1, ilogb((double)sum == 0 ? 0x1p-60 : (double)sum) -
                                                 dtype_format(c->dtype)->precision + 1);
        if (!(fabsl(got - sum) <= unit + slack * (double)size))
            fail_msg("sum %zu of %zu is %a, not %La", i, count, got, sum);
    }
}

/* The results of fused calls are those of two calls, bit for bit; beta * dx is added with one rounding;
 * the bias' gradient is the sum. */
static void check_fused(clact_context *ctx, const struct call *c)
{
    static struct arrays before, after;
    static unsigned char sums[ROOM * 8], expected[ROOM * 8];
    static double g[ROOM];
    const size_t n = c->rows * c->cols;
    arrays_fill(&before, c->dtype);
    after = before;
    call_run(ctx, c, &after);
    add_bias(c, &before, sums);
    if (c->kind == 0)
        assert_ok(clact_forward(ctx, c->op, NULL, c->dtype, n, sums, expected));
    else
        assert_ok(clact_backward(ctx, c->op, NULL, c->dtype, c->kind, n, before.at[GRAD], sums,
                                 expected));
    for (size_t k = 0; k < n; k++) {
        g[k] = dtype_load(c->dtype, expected, k);
        const double old = dtype_load(c->dtype, before.at[DX], k);
        const double got = dtype_load(c->dtype, after.at[DX], k);
        const double wanted = c->options.beta != 0 ? fma(c->options.beta, old, g[k]) : g[k];
        /* fma in double rounds f32 twice, which is another result once in 2^29. */
        if (c->dtype == CLACT_F32 ? got != (double)(float)wanted : got != wanted)
            fail_msg("operator %d, element %zu: %a, not %a", c->op, k, got, wanted);
    }
    if (call_has(c, DBIAS))
        check_sums(c, &after, g, c->dtype == CLACT_F64 ? 0x1p-63 : 0x1p-40);
}

/* All operators; else one with parameters and one without. */
static bool all;

static bool is_wanted(clact_operator op)
{
    return all || op == QUICK || op == any_operator();
}

/* f32 and f64, in which what is fused rounds as what is not. */
static void test_fused_is_the_same(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.arithmetic = CLACT_ARITHMETIC_PAIRS});
    for (size_t i = 0; i < OP_ROWS; i++)
        for (int axis = 0; is_wanted(op_rows[i].op) && axis < 2; axis++) {
            struct call c = {.op = op_rows[i].op,
                             .options = {.bias = (clact_bias)axis},
                             .dtype = CLACT_F32,
                             .rows = 83,
                             .cols = 101,
                             .bias = true,
                             .dbias = true};
            check_fused(f.ctx, &c);
            c.kind = CLACT_SAVED_INPUT;
            check_fused(f.ctx, &c);
            c.options.beta = 0.75;
            check_fused(f.ctx, &c);
        }
    fixture_close(&f);
}

/* Each combination of what may be left out, on shapes with few and many rows and columns. */
static void check_combinations(clact_context *ctx, clact_dtype dtype, clact_operator op)
{
    static const size_t shapes[][2] = {{1, 8500}, {8500, 1}, {200, 43}, {3, 16}, {1, 1}, {64, 7}};
    for (unsigned i = 0; i < 16 * sizeof(shapes) / sizeof(*shapes); i++) {
        struct call c = {.op = op,
                         .options = {.bias = (clact_bias)(i & 1), .beta = i & 2 ? -1.5 : 0},
                         .dtype = dtype,
                         .rows = shapes[i / 16][0],
                         .cols = shapes[i / 16][1],
                         .kind = CLACT_SAVED_INPUT,
                         .bias = (i & 4) != 0,
                         .dbias = (i & 8) != 0};
        if (op != QUICK) {
            c.bias = false;
            c.kind = CLACT_SAVED_OUTPUT;
        }
        check_fused(ctx, &c);
    }
}

static void test_combinations(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.arithmetic = CLACT_ARITHMETIC_PAIRS});
    check_combinations(f.ctx, CLACT_F32, QUICK);
    check_combinations(f.ctx, CLACT_F32, CLACT_RELU); /* from the output */
    if (dtype_works(f.ctx, CLACT_F64))
        check_combinations(f.ctx, CLACT_F64, QUICK);
    fixture_close(&f);
}

/* Against the reference: what is fused in the other arithmetics rounds less. */

static void check_reference(clact_context *ctx, clact_dtype dtype, clact_operator op)
{
    static struct arrays before, after;
    static double g[ROOM];
    const clact_params p = reference_defaults(op, dtype);
    const struct call c = {.op = op,
                           .options = {.bias = CLACT_BIAS_PER_ROW, .beta = 0.5},
                           .dtype = dtype,
                           .rows = 61,
                           .cols = 101,
                           .kind = CLACT_SAVED_INPUT,
                           .bias = true,
                           .dbias = true};
    const bool half = dtype == CLACT_F16 || dtype == CLACT_BF16;
    struct call forward = c;
    forward.kind = 0;
    forward.options.beta = 0;
    arrays_fill(&before, dtype);
    after = before;
    call_run(ctx, &forward, &after);
    for (size_t k = 0; k < c.rows * c.cols; k++) {
        double s = dtype_load(dtype, before.at[X], k) + bias_at(&c, &before, k);
        s = half ? s : (double)(float)s;
        const double error =
            ulp_error(dtype, dtype_load(dtype, after.at[Y], k), reference_of(op)->forward(s, &p));
        assert_true(error <= (half ? CLACT_EPILOGUE_HALF_BUDGET : 1));
        g[k] = reference_of(op)->from_input(dtype_load(dtype, before.at[GRAD], k), s, &p);
    }
    after = before;
    call_run(ctx, &c, &after);
    for (size_t k = 0; k < c.rows * c.cols; k++) {
        const double old = 0.5 * dtype_load(dtype, before.at[DX], k), exact = old + g[k];
        const double unit =
            ldexp(1, ilogb(exact == 0 ? 0x1p-60 : exact) - dtype_format(dtype)->precision + 1);
        assert_true(fabs(dtype_load(dtype, after.at[DX], k) - exact) <=
                    CLACT_EPILOGUE_HALF_BUDGET * unit + 0x1p-22 * (fabs(old) + fabs(g[k])));
    }
    check_sums(&c, &after, g, 0x1p-21);
}

static void test_reference(void **state)
{
    (void)state;
    for (int doubles = 0; doubles <= 1; doubles++) {
        struct fixture f;
        fixture_open(&f, doubles ? &(clact_options){.arithmetic = CLACT_ARITHMETIC_DOUBLES} : NULL);
        for (int d = 0; d < DTYPES; d++)
            if (doubles ? dtypes[d] == CLACT_F32 && dtype_works(f.ctx, CLACT_F64)
                        : dtypes[d] == CLACT_F16 || dtypes[d] == CLACT_BF16)
                check_reference(f.ctx, dtypes[d], CLACT_SIGMOID);
        fixture_close(&f);
    }
}

/* Gradients against differences of the loss, the sum of grad * act(x + bias), in f64. */
static void test_differences(void **state)
{
    enum { ROWS = 5, COLS = 3, N = ROWS * COLS };
    struct fixture f;
    double x[N], grad[N], dx[N], dbias[COLS];
    const double bias[COLS] = {0.3, -0.7, 1.9};
    const clact_operator op = CLACT_TANH;
    const clact_params p = {0, 0, 0};
    const long double h = 0x1p-16L;
    (void)state;
    fixture_open(&f, NULL);
    if (dtype_works(f.ctx, CLACT_F64)) {
        for (int i = 0; i < N; i++) {
            x[i] = (i * 7 % 11) / 4.0 - 1.2;
            grad[i] = (i * 5 % 13) / 8.0 - 0.6;
        }
        assert_ok(clact_epilogue_backward(f.ctx, op, NULL, NULL, CLACT_F64, CLACT_SAVED_INPUT, ROWS,
                                          COLS, grad, x, bias, dx, dbias));
        for (int c = 0; c < COLS; c++) {
            long double sum = 0;
            for (int r = 0; r < ROWS; r++) {
                const long double s = (long double)x[r * COLS + c] + bias[c];
                const long double slope = grad[r * COLS + c] *
                                          (reference_of(op)->forward_long(s + h, &p) -
                                           reference_of(op)->forward_long(s - h, &p)) /
                                          (2 * h);
                assert_true(fabsl(dx[r * COLS + c] - slope) < 1e-8L);
                sum += slope;
            }
            assert_true(fabsl(dbias[c] - sum) < 1e-7L);
        }
    }
    fixture_close(&f);
}

/* With beta = 0 a NaN in dx is no operand; with another it is. */
static void test_what_dx_held(void **state)
{
    struct fixture f;
    const float ones[2] = {1, 1}, bias[2] = {0, 0};
    float dx[2] = {(float)NAN, 3};
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_epilogue_backward(f.ctx, QUICK, NULL, &(clact_epilogue_options){.beta = 2},
                                      CLACT_F32, CLACT_SAVED_INPUT, 1, 2, ones, ones, bias, dx,
                                      NULL));
    assert_true(isnan(dx[0]) && dx[1] == 7);
    assert_ok(clact_epilogue_backward(f.ctx, QUICK, NULL, NULL, CLACT_F32, CLACT_SAVED_INPUT, 1, 2,
                                      ones, ones, bias, dx, NULL));
    assert_true(dx[0] == 1 && dx[1] == 1);
    fixture_close(&f);
}

/* A sum that overflows is infinite, and NaN stays NaN. */
static void test_special_sums(void **state)
{
    struct fixture f;
    const float x[3] = {1, 1, 1}, bias[3] = {0, 0, 0};
    const float grads[3][3] = {
        {0x1.fffffep127f, 0x1.fffffep127f, 1}, {-INFINITY, 1, 2}, {INFINITY, (float)NAN, 1}};
    const float sums[3] = {INFINITY, -INFINITY, (float)NAN};
    (void)state;
    fixture_open(&f, NULL);
    for (int i = 0; i < 3; i++)
        for (int axis = 0; axis < 2; axis++) {
            float dx[3], dbias[3];
            assert_ok(clact_epilogue_backward(
                f.ctx, QUICK, NULL, &(clact_epilogue_options){.bias = (clact_bias)axis}, CLACT_F32,
                CLACT_SAVED_INPUT, axis ? 1 : 3, axis ? 3 : 1, grads[i], x, bias, dx, dbias));
            assert_true(isnan(sums[i]) ? isnan(dbias[0]) : dbias[0] == sums[i]);
        }
    fixture_close(&f);
}

int main(int argc, char **argv)
{
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_dx_held),
        cmocka_unit_test(test_special_sums),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_fused_is_the_same),
        NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("epilogue", tests, NULL, NULL);
}
