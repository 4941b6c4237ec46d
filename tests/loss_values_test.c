/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits: infinite logits, NaN, weights of 0, and sums and means. */
#include "loss_fixture.h"

#include "dtype.h"
#include "loss_reference.h"
#include "reference.h"
#include "ulp.h"

#include <math.h>
#include <stdlib.h>

static struct fixture shared;

static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* Special values. */

struct special {
    double x, y, weight, pos_weight;
    double loss, dx;
};

static const struct special specials[] = {
    {INFINITY, 1, 1, 1, 0, 0},
    {-INFINITY, 0, 1, 1, 0, 0},
    {INFINITY, 0, 1, 1, INFINITY, 1},
    {-INFINITY, 1, 1, 1, INFINITY, -1},
    {INFINITY, 0.5, 1, 1, INFINITY, 0.5},
    {-INFINITY, 0.25, 1, 1, INFINITY, -0.25},
    {INFINITY, 0, 2, 1, INFINITY, 2},
    {-INFINITY, 1, 2, 3, INFINITY, -6},
    /* What weighs nothing adds nothing. */
    {INFINITY, 0, 0, 1, 0, 0},
    {-INFINITY, 1, 0, 1, 0, 0},
    {-INFINITY, 1, 1, 0, 0, 0},
    {5, 0.5, 0, 1, 0, 0},
    {-3, 1, 1, 0, 0, 0},
    {INFINITY, 0.5, 1, 0, INFINITY, 0.5},
    {NAN, 0.5, 1, 1, NAN, NAN},
    {NAN, 0, 0, 1, NAN, NAN},
    {1, NAN, 1, 1, NAN, NAN},
    {1, 0.5, NAN, 1, NAN, NAN},
    {1, 0.5, 1, NAN, NAN, NAN},
    {-1, 0, 1, NAN, NAN, NAN},
    {0.0, 0.5, 1, 1, 0.69314718055994531, 0},
    {-0.0, 0.5, 1, 1, 0.69314718055994531, 0},
    {0, 1, 1, 1, 0.69314718055994531, -0.5},
    {0, 0, 1, 1, 0.69314718055994531, 0.5},
};
enum { SPECIALS = sizeof(specials) / sizeof(*specials) };

static void expect(clact_dtype dtype, const struct special *s, const char *name, const void *array,
                   double exact)
{
    const double got = dtype_load(dtype, array, 0);
    if (!(ulp_error(dtype, got, exact) <= 1))
        fail_msg("%s: %s of x = %g, y = %g, weight %g, pos_weight %g is %g, not %g",
                 clact_dtype_name(dtype), name, s->x, s->y, s->weight, s->pos_weight, got, exact);
}

/* By themselves, as the mean of one and the gradient of that, and with a NaN for grad. */
static void check_special(clact_dtype dtype, const struct special *s, clact_reduction reduction,
                          bool weights)
{
    struct loss_data d = {.dtype = dtype, .reduction = reduction, .rows = 1, .cols = 1};
    loss_data_make(&d, 0);
    dtype_store(dtype, d.logits, 0, s->x);
    dtype_store(dtype, d.targets, 0, s->y);
    dtype_store(dtype, d.weight, 0, s->weight);
    dtype_store(dtype, d.pos_weight, 0, s->pos_weight);
    assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, weights));
    expect(dtype, s, "the loss", d.loss, s->loss);
    expect(dtype, s, "dx", d.dx, s->dx);
    if (weights) {
        dtype_store(dtype, d.grad, 0, 1);
        assert_ok(loss_call(shared.ctx, &d, LOSS_BACKWARD, weights));
        expect(dtype, s, "dx", d.dx, s->dx);
        dtype_store(dtype, d.grad, 0, NAN);
        assert_ok(loss_call(shared.ctx, &d, LOSS_BACKWARD, weights));
        expect(dtype, s, "dx of a NaN", d.dx, NAN);
    }
    loss_data_free(&d);
}

static void test_special_values(void **state)
{
    (void)state;
    for (int d = 0; d < 4; d++)
        for (size_t i = 0; i < SPECIALS && dtype_works(shared.ctx, dtypes[d]); i++) {
            const struct special *s = &specials[i];
            check_special(dtypes[d], s, CLACT_REDUCTION_MEAN, true);
            check_special(dtypes[d], s, CLACT_REDUCTION_NONE, true);
            if (s->weight == 1 && s->pos_weight == 1) {
                check_special(dtypes[d], s, CLACT_REDUCTION_MEAN, false);
                check_special(dtypes[d], s, CLACT_REDUCTION_NONE, false);
            }
        }
}

/* Reductions. */

/* The exact sum of the losses that were asked for. */
static long double sum_of(const struct loss_data *d, bool weights)
{
    long double sum = 0;
    for (size_t i = 0; i < d->rows * d->cols; i++) {
        struct bce b = {.weight = 1, .pos_weight = 1, .grad = 1};
        b.x = dtype_load(d->dtype, d->logits, i);
        b.y = dtype_load(d->dtype, d->targets, i);
        if (weights) {
            b.weight = dtype_load(d->dtype, d->weight, i);
            b.pos_weight = dtype_load(d->dtype, d->pos_weight, i % d->cols);
        }
        sum += bce_loss(&b);
    }
    return sum;
}

static void check_sum(struct loss_data d, bool weights)
{
    const size_t n = d.rows * d.cols;
    const struct dtype_format *f = dtype_format(d.dtype);
    for (int reduction = CLACT_REDUCTION_MEAN; reduction <= CLACT_REDUCTION_SUM; reduction++) {
        d.reduction = (clact_reduction)reduction;
        loss_data_make(&d, (unsigned)n);
        /* So that the sum is one of f16, too. */
        for (size_t i = 0; i < n && d.dtype == CLACT_F16; i++)
            dtype_store(d.dtype, d.weight, i, 1.0 / 1024);
        const bool mean = reduction == CLACT_REDUCTION_MEAN;
        const long double exact = sum_of(&d, weights) / (mean ? (long double)n : 1);
        const long double lost = ldexpl(0.5L, f->min_exponent - f->precision + 1);
        assert_ok(loss_call(shared.ctx, &d, LOSS_FORWARD, weights));
        double error;
        if (!bce_loss_is_right(d.dtype, bce_budget(d.dtype).reduced, dtype_load(d.dtype, d.loss, 0),
                               exact, lost * (mean ? 1 : (long double)n), &error))
            fail_msg("%s, %zu x %zu: the %s is %a, not %La: %g ULP", clact_dtype_name(d.dtype),
                     d.rows, d.cols, mean ? "mean" : "sum", dtype_load(d.dtype, d.loss, 0), exact,
                     error);
        loss_data_free(&d);
    }
}

static void test_sums(void **state)
{
    static const size_t shapes[][2] = {{1, 1},      {1, 15},           {5, 3},    {1, 16},
                                       {1, 4097},   {71, 7},           {300, 70}, {8200, 1},
                                       {12345, 10}, {1, 64 * 4096 + 1}};
    (void)state;
    for (int d = 0; d < 4; d++)
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
            if (dtype_works(shared.ctx, dtypes[d]) &&
                (dtypes[d] != CLACT_F64 || REFERENCE_JUDGES_F64))
                check_sum((struct loss_data){.dtype = dtypes[d],
                                             .rows = shapes[i][0],
                                             .cols = shapes[i][1]},
                          true);
}

/*
 * The loss of a logit above 128 with target 0 is the logit itself, so that with whole numbers for
 * logits the sum is known exactly. An element is so small next to it that adding it to a plain sum
 * would lose bits of each.
 */
static void test_known_sum(void **state)
{
    enum { COUNT = 4 << 20 };
    (void)state;
    float *x = malloc(COUNT * sizeof(*x)), loss;
    unsigned char *y = calloc(COUNT, 1);
    assert_non_null(x);
    assert_non_null(y);
    double sum = 0; /* exact: below 2^53 */
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = 129 + (float)(i * 7919 % 60000) / 64;
        sum += x[i];
    }
    clact_bce_arrays options = {.reduction = CLACT_REDUCTION_SUM, .targets = CLACT_U8};
    assert_ok(clact_bce_with_logits(shared.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true((double)loss == (double)(float)sum);
    options.reduction = CLACT_REDUCTION_MEAN;
    assert_ok(clact_bce_with_logits(shared.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true(ulp_error(CLACT_F32, loss, sum / COUNT) <= 0.51);
    /* One that is infinite makes the sum so, wherever it is, and a NaN is not hidden by it. */
    x[COUNT / 3] = INFINITY;
    assert_ok(clact_bce_with_logits(shared.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true(isinf(loss) && loss > 0);
    x[COUNT / 2] = NAN;
    assert_ok(clact_bce_with_logits(shared.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true(isnan(loss));
    free(x);
    free(y);
}

/* The gradient of a mean is that of its elements over their number, times grad. */
static void test_gradient_of_mean(void **state)
{
    enum { ROWS = 300, COLS = 11, N = ROWS * COLS };
    struct loss_data d = {.dtype = CLACT_F32, .rows = ROWS, .cols = COLS};
    (void)state;
    loss_data_make(&d, 9);
    const float grad = 3;
    *(float *)d.grad = grad;
    assert_ok(loss_call(shared.ctx, &d, LOSS_BACKWARD, true));
    for (size_t i = 0; i < N; i++) {
        struct bce b = {.x = ((float *)d.logits)[i],
                        .y = ((float *)d.targets)[i],
                        .weight = ((float *)d.weight)[i],
                        .pos_weight = ((float *)d.pos_weight)[i % COLS]};
        b.grad = 3.0 / N;
        double error;
        if (!bce_gradient_is_right(CLACT_F32, ((float *)d.dx)[i], &b, &error))
            fail_msg("dx of x = %a, y = %a is %a: %g ULP", b.x, b.y, ((float *)d.dx)[i], error);
    }
    loss_data_free(&d);
}

static void test_nothing(void **state)
{
    const clact_bce_arrays none = {.reduction = CLACT_REDUCTION_NONE};
    float one = 1;
    (void)state;
    assert_ok(clact_bce_with_logits(shared.ctx, &none, CLACT_F32, 0, 3, NULL, NULL, NULL));
    assert_ok(clact_bce_with_logits_forward_backward(shared.ctx, &none, CLACT_F32, 3, 0, NULL, NULL,
                                                     NULL, NULL));
    for (int reduction = CLACT_REDUCTION_MEAN; reduction <= CLACT_REDUCTION_SUM; reduction++) {
        const clact_bce_arrays o = {.reduction = (clact_reduction)reduction};
        assert_error(&shared, CLACT_INVALID_ARGUMENT,
                     clact_bce_with_logits(shared.ctx, &o, CLACT_F32, 0, 3, &one, &one, &one));
        assert_error(&shared, CLACT_INVALID_ARGUMENT,
                     clact_bce_with_logits_backward(shared.ctx, &o, CLACT_F32, 3, 0, &one, &one,
                                                    &one, &one));
        assert_error(&shared, CLACT_INVALID_ARGUMENT,
                     clact_bce_with_logits_forward_backward(shared.ctx, &o, CLACT_F32, 0, 0, &one,
                                                            &one, &one, &one));
    }
    assert_true(one == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_values), cmocka_unit_test(test_sums),
        cmocka_unit_test(test_known_sum),      cmocka_unit_test(test_gradient_of_mean),
        cmocka_unit_test(test_nothing),        NOTHING_IS_LEFT(&shared),
    };
    fixture_open(&shared, NULL);
    return cmocka_run_group_tests_name("loss_values", tests, NULL, NULL);
}
