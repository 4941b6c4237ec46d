/* SPDX-License-Identifier: MIT */
/* How far the results of softmax.h are from the exact ones: on rows of every length there is a kernel
 * for, of elements that are near and far, equal and extreme, in each dtype and arithmetic. */
#include "dtype.h"
#include "host_fixture.h"
#include "reference.h"
#include "softmax_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DTYPES = 4, SETS = 6, ROOM = 60000 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

static uint64_t state_of_random;

/* Knuth's generator of 64 bits, and of its better half a number from 0 to 1. */
static double random_number(void)
{
    state_of_random =
        state_of_random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state_of_random >> 32) / 4294967296.0;
}

static double between(double low, double high)
{
    return low + (high - low) * random_number();
}

/* A finite element of any size. */
static double any_element(clact_dtype dtype)
{
    double x = NAN;
    while (!isfinite(x)) {
        random_number();
        x = dtype_from_bits(dtype, dtype == CLACT_F64   ? state_of_random
                                   : dtype == CLACT_F32 ? state_of_random >> 32
                                                        : state_of_random >> 48);
    }
    return x;
}

/* One of several ways to choose a row's logits. */
static double logit(clact_dtype dtype, int set, size_t c, size_t place)
{
    switch (set) {
    case 0:
        return between(-4, 4);
    case 1: /* results down to the smallest, and 0 */
        return between(-120, 0);
    case 2: /* one that is far larger than all others */
        return c == place ? between(0, 3) : between(-dtype_format(dtype)->precision * 8, -10);
    case 3: /* all equal, for which every rounding error of a sum has the same sign */
        return 0.7;
    case 4: /* near each other, and far from 0 */
        return between(2000, 2010) * (place % 2 ? 1 : -1);
    default:
        return any_element(dtype);
    }
}

static double gradient(clact_dtype dtype, int set, size_t c, size_t place)
{
    switch (set) {
    case 0:
        return between(-1, 1);
    case 1: /* that of a loss of which one class is right */
        return c == place ? between(-30, -1) : 0;
    case 2: /* equal to each other and so to their mean, nearly */
        return 1 + between(0, 0x1p-9);
    case 3:
        return 1;
    case 4:
        return ldexp(between(-1, 1), (int)between(-40, 40));
    default:
        return any_element(dtype) * (dtype == CLACT_F16 ? 1 : 0x1p-60);
    }
}

struct measured {
    double used, ulp;
    long count;
};

struct operands {
    clact_dtype dtype;
    size_t rows, cols;
    double *a, *b;        /* as numbers */
    void *as, *bs, *gots; /* as elements */
    long double *exact, *terms;
};

static void fill(enum softmax_kind kind, struct operands *o, int set)
{
    const enum softmax_kind forward =
        kind == KIND_softmax_backward ? KIND_softmax : KIND_log_softmax;
    for (size_t r = 0; r < o->rows; r++) {
        const size_t place = (size_t)(random_number() * (double)o->cols);
        double *a = o->a + r * o->cols, *b = o->b + r * o->cols;
        for (size_t c = 0; c < o->cols; c++)
            a[c] = dtype_round(o->dtype, logit(o->dtype, set, c, place));
        if (softmax_is_backward(kind)) {
            softmax_reference(forward, o->cols, a, NULL, o->exact, o->terms);
            for (size_t c = 0; c < o->cols; c++) {
                b[c] = dtype_round(o->dtype, (double)o->exact[c]);
                a[c] = dtype_round(o->dtype, gradient(o->dtype, set, c, place));
            }
        }
        for (size_t c = 0; c < o->cols; c++) {
            dtype_store(o->dtype, o->as, r * o->cols + c, a[c]);
            dtype_store(o->dtype, o->bs, r * o->cols + c, b[c]);
        }
    }
}

static void measure_set(clact_context *ctx, enum softmax_kind kind, struct operands *o, int set,
                        struct measured *worst)
{
    fill(kind, o, set);
    assert_ok(softmax_call(ctx, kind, o->dtype, o->rows, o->cols, o->as, o->bs, o->gots));
    for (size_t r = 0; r < o->rows; r++) {
        softmax_reference(kind, o->cols, o->a + r * o->cols, o->b + r * o->cols, o->exact,
                          o->terms);
        for (size_t c = 0; c < o->cols; c++) {
            const double got = dtype_load(o->dtype, o->gots, r * o->cols + c);
            double ulp;
            const double used = softmax_judge(kind, o->dtype, got, o->exact[c], o->terms[c], &ulp);
            worst->count++;
            worst->ulp = fmax(worst->ulp, ulp);
            worst->used = fmax(worst->used, used);
            if (!(used <= 1))
                fail_msg(
                    "%s of %s, %zu x %zu, set %d, (%zu, %zu): %a, not %La, of terms of %Lg: %g "
                    "times what is allowed",
                    softmax_name(kind), clact_dtype_name(o->dtype), o->rows, o->cols, set, r, c,
                    got, o->exact[c], o->terms[c], used);
        }
    }
}

static void measure_dtype(clact_context *ctx, enum softmax_kind kind, clact_dtype dtype)
{
    static const size_t shapes[][2] = {{3000, 2}, {700, 3},  {300, 16}, {200, 17}, {40, 65},
                                       {40, 64},  {30, 200}, {12, 300}, {5, 1111}, {1, 50257}};
    struct operands o = {.dtype = dtype,
                         .a = calloc(ROOM, sizeof(double)),
                         .b = calloc(ROOM, sizeof(double)),
                         .as = calloc(ROOM, sizeof(double)),
                         .bs = calloc(ROOM, sizeof(double)),
                         .gots = calloc(ROOM, sizeof(double)),
                         .exact = calloc(ROOM, sizeof(long double)),
                         .terms = calloc(ROOM, sizeof(long double))};
    assert_true(o.a && o.b && o.as && o.bs && o.gots && o.exact && o.terms);
    struct measured worst = {0, 0, 0};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        for (int set = 0; set < SETS; set++) {
            o.rows = shapes[i][0];
            o.cols = shapes[i][1];
            measure_set(ctx, kind, &o, set, &worst);
        }
    print_message("%s of %s: at most %.4f ULP, or %.3f of what is allowed, in %ld\n",
                  softmax_name(kind), clact_dtype_name(dtype), worst.ulp, worst.used, worst.count);
    free(o.a);
    free(o.b);
    free(o.as);
    free(o.bs);
    free(o.gots);
    free(o.exact);
    free(o.terms);
}

static void measure_all(const clact_options *options, int count)
{
    struct fixture f;
    state_of_random = 1;
    fixture_open(&f, options);
    for (int d = 0; d < count; d++)
        for (int kind = 0; kind < KINDS; kind++)
            if (dtype_works(f.ctx, dtypes[d]) && (dtypes[d] != CLACT_F64 || REFERENCE_JUDGES_F64))
                measure_dtype(f.ctx, (enum softmax_kind)kind, dtypes[d]);
    fixture_close(&f);
}

static void test_accuracy(void **state)
{
    (void)state;
    measure_all(NULL, DTYPES);
}

/* Of the dtypes only f32 knows another arithmetic. */
static void test_accuracy_in_doubles(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    const bool has_doubles = dtype_works(f.ctx, CLACT_F64);
    fixture_close(&f);
    if (!has_doubles)
        skip();
    measure_all(&(clact_options){.arithmetic = CLACT_ARITHMETIC_DOUBLES}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_accuracy_in_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
