/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits: its losses and gradients are as near to the exact ones as its
 * header says, in every dtype and arithmetic, with and without weights. */
#include "device.h"
#include "dtype.h"
#include "loss_reference.h"
#include "reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLS = 10, ROWS = 20000, N = ROWS * COLS };

/* Operands as the dtype has them. */
struct arrays {
    clact_dtype dtype;
    clact_arithmetic arithmetic;
    bool weighted;
    struct bce *samples;
    void *x, *y, *weight, *pos_weight, *grad, *loss, *dx;
};

static void fill(struct arrays *a)
{
    for (size_t i = 0; i < N; i++) {
        struct bce *b = &a->samples[i];
        *b = bce_sample(a->dtype, i);
        /* A pos_weight is that of its column: two of them are of no common size. */
        b->pos_weight = bce_sample(a->dtype, 7 + i % COLS).pos_weight;
        if (!a->weighted)
            b->weight = b->pos_weight = b->grad = 1;
        dtype_store(a->dtype, a->x, i, b->x);
        dtype_store(a->dtype, a->y, i, b->y);
        dtype_store(a->dtype, a->weight, i, b->weight);
        dtype_store(a->dtype, a->grad, i, b->grad);
        if (i < COLS)
            dtype_store(a->dtype, a->pos_weight, i, b->pos_weight);
    }
}

static void *element_array(const struct arrays *a)
{
    return device_allocate(N * clact_dtype_size(a->dtype));
}

static void allocate(struct arrays *a)
{
    a->samples = device_allocate(N * sizeof(*a->samples));
    a->x = element_array(a);
    a->y = element_array(a);
    a->weight = element_array(a);
    a->pos_weight = element_array(a);
    a->grad = element_array(a);
    a->loss = element_array(a);
    a->dx = element_array(a);
}

static void release(struct arrays *a)
{
    free(a->samples);
    free(a->x);
    free(a->y);
    free(a->weight);
    free(a->pos_weight);
    free(a->grad);
    free(a->loss);
    free(a->dx);
}

static const char *arithmetic_name(clact_arithmetic arithmetic)
{
    return arithmetic == CLACT_ARITHMETIC_DOUBLES ? " in doubles" : "";
}

static void check_losses(const struct arrays *a)
{
    double worst = 0;
    for (size_t i = 0; i < N; i++) {
        const struct bce *b = &a->samples[i];
        const long double exact = bce_loss(b);
        const double got = dtype_load(a->dtype, a->loss, i);
        double error;
        if (!bce_loss_is_right(a->dtype, bce_budget(a->dtype).loss, got, exact, 0, &error))
            fail_msg("%s%s: the loss of x = %a, y = %a, weight %a, pos_weight %a is %a, not %La: "
                     "%g ULP",
                     clact_dtype_name(a->dtype), arithmetic_name(a->arithmetic), b->x, b->y,
                     b->weight, b->pos_weight, got, exact, error);
        worst = fmax(worst, error);
    }
    print_message("%s%s%s: losses to %.4f ULP\n", clact_dtype_name(a->dtype),
                  arithmetic_name(a->arithmetic), a->weighted ? ", weighted" : "", worst);
}

static void check_gradients(const struct arrays *a)
{
    double worst = 0;
    for (size_t i = 0; i < N; i++) {
        const struct bce *b = &a->samples[i];
        const double got = dtype_load(a->dtype, a->dx, i);
        double error;
        long double larger;
        if (!bce_gradient_is_right(a->dtype, got, b, &error))
            fail_msg("%s%s: dx of x = %a, y = %a, weight %a, pos_weight %a, grad %a is %a, not "
                     "%La: %g ULP",
                     clact_dtype_name(a->dtype), arithmetic_name(a->arithmetic), b->x, b->y,
                     b->weight, b->pos_weight, b->grad, got, bce_gradient(b, &larger), error);
        worst = fmax(worst, error);
    }
    print_message("%s%s%s: gradients to %.4f ULP\n", clact_dtype_name(a->dtype),
                  arithmetic_name(a->arithmetic), a->weighted ? ", weighted" : "", worst);
}

static void compute(clact_context *ctx, const struct arrays *a)
{
    const clact_bce_arrays options = {
        .reduction = CLACT_REDUCTION_NONE,
        .weight = a->weighted ? a->weight : NULL,
        .pos_weight = a->weighted ? a->pos_weight : NULL,
    };
    clact_status status = clact_bce_with_logits_forward_backward(ctx, &options, a->dtype, ROWS,
                                                                 COLS, a->x, a->y, a->loss, a->dx);
    if (status == CLACT_SUCCESS && a->weighted)
        status = clact_bce_with_logits_backward(ctx, &options, a->dtype, ROWS, COLS, a->grad, a->x,
                                                a->y, a->dx);
    if (status != CLACT_SUCCESS)
        fail_msg("%s", clact_last_error(ctx)->message);
}

static void check(clact_dtype dtype, clact_arithmetic arithmetic)
{
    clact_context *ctx = device_open(&(clact_options){.arithmetic = arithmetic});
    if (!device_has_subnormals(ctx) || (dtype == CLACT_F64 && !REFERENCE_JUDGES_F64)) {
        clact_context_destroy(ctx);
        print_message("skipped: the reference says nothing of these results\n");
        skip();
    }
    for (int weighted = 0; weighted <= 1; weighted++) {
        struct arrays a = {.dtype = dtype, .arithmetic = arithmetic, .weighted = weighted};
        allocate(&a);
        fill(&a);
        compute(ctx, &a);
        check_losses(&a);
        check_gradients(&a);
        release(&a);
    }
    clact_context_destroy(ctx);
}

static void test_f32_pairs(void **state)
{
    (void)state;
    check(CLACT_F32, CLACT_ARITHMETIC_PAIRS);
}

static void test_f32_doubles(void **state)
{
    (void)state;
    check(CLACT_F32, CLACT_ARITHMETIC_DOUBLES);
}

static void test_f16(void **state)
{
    (void)state;
    check(CLACT_F16, CLACT_ARITHMETIC_AUTO);
}

static void test_bf16(void **state)
{
    (void)state;
    check(CLACT_BF16, CLACT_ARITHMETIC_AUTO);
}

static void test_f64(void **state)
{
    (void)state;
    check(CLACT_F64, CLACT_ARITHMETIC_AUTO);
}

/* The reference's gradient is its loss's slope: the central difference in long double. */
static void test_central_differences(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        struct bce b = bce_sample(CLACT_F64, i);
        if (!(fabs(b.x) < 30) || !(b.weight < 16) || !(b.pos_weight < 16))
            continue;
        b.grad = 1;
        const double h = 0x1p-15;
        struct bce above = b, below = b;
        above.x += h;
        below.x -= h;
        long double larger;
        const long double slope = bce_gradient(&b, &larger);
        const long double difference =
            (bce_loss(&above) - bce_loss(&below)) / ((long double)above.x - below.x);
        if (fabsl(difference - slope) > 1e-8L * (1 + larger))
            fail_msg("x = %a, y = %a: slope %Lg, difference %Lg", b.x, b.y, slope, difference);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32_pairs), cmocka_unit_test(test_f32_doubles),
        cmocka_unit_test(test_f16),       cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_f64),       cmocka_unit_test(test_central_differences),
    };
    return cmocka_run_group_tests_name("loss_accuracy", tests, NULL, NULL);
}
