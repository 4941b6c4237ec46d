/* SPDX-License-Identifier: MIT */
/*
 * Every label is right, however near the probability is to the threshold. MPFR decides, in so many
 * bits that no case is left open: s(x) >= t where e^x (1 - t) >= t.
 */
#include "dtype.h"
#include "host_fixture.h"

#include <math.h>
#include <stdlib.h>

#include <mpfr.h>

/* These hold 1 - t for every double t, and tell e^x from 1 for every x but 0. */
enum { PRECISION = 1200 };

static struct fixture shared;
static mpfr_t left, right;

/* Whether s(x) >= t; x is a number or an infinity. MPFR's e^x may be infinite too, and then 1 - t must
 * not be 0. */
static bool reaches(double x, double t)
{
    if (x == INFINITY || t == 1)
        return x == INFINITY;
    mpfr_set_d(left, x, MPFR_RNDN);
    mpfr_exp(left, left, MPFR_RNDN);
    mpfr_set_d(right, t, MPFR_RNDN);
    mpfr_ui_sub(right, 1, right, MPFR_RNDN);
    mpfr_mul(left, left, right, MPFR_RNDN);
    return mpfr_cmp_d(left, t) >= 0;
}

/* The double that is nearest to s(x); *distance, unless it is NULL, is s(x) less that. */
static double probability_and_distance(double x, double *distance)
{
    mpfr_set_d(left, -x, MPFR_RNDN);
    mpfr_exp(left, left, MPFR_RNDN);
    mpfr_add_ui(left, left, 1, MPFR_RNDN);
    mpfr_ui_div(left, 1, left, MPFR_RNDN);
    const double nearest = mpfr_get_d(left, MPFR_RNDN);
    mpfr_sub_d(left, left, nearest, MPFR_RNDN);
    if (distance)
        *distance = mpfr_get_d(left, MPFR_RNDN);
    return nearest;
}

static double probability(double x)
{
    return probability_and_distance(x, NULL);
}

/* The smallest element with s(x) >= t, which the search starts near to. */
static double smallest_that_reaches(clact_dtype dtype, double t)
{
    const double near = t < 0.25 ? log(t) - log1p(-t) : 2 * atanh(2 * t - 1);
    double x = dtype_round(dtype, near);
    while (!reaches(x, t))
        x = dtype_next_up(dtype, x);
    for (double down = dtype_next_down(dtype, x); down != x && reaches(down, t);
         down = dtype_next_down(dtype, x))
        x = down;
    return x;
}

/* The labels of the n logits are those of a sigmoid that increases; NaN is not at least anything. */
static void check(clact_dtype dtype, double t, size_t n, const void *logits, unsigned char *labels)
{
    const double smallest = smallest_that_reaches(dtype, t);
    for (size_t i = 0; i < n; i++)
        labels[i] = 0xa5;
    assert_ok(clact_predict(shared.ctx, dtype, t, n, logits, labels));
    for (size_t i = 0; i < n; i++) {
        const double x = dtype_load(dtype, logits, i);
        if (labels[i] != (x >= smallest))
            fail_msg("%s: the label of %a is %d, not %d, at the threshold %a",
                     clact_dtype_name(dtype), x, labels[i], x >= smallest, t);
    }
}

/* All elements of a type of 16 bits. */
static void check_all_elements(clact_dtype dtype)
{
    enum { ALL = 0x10000 };
    const double thresholds[] = {0,
                                 0x1p-1074,
                                 1e-300,
                                 0x1p-24,
                                 1e-7,
                                 0.1,
                                 0.25,
                                 nextafter(0.5, 0),
                                 0.5,
                                 nextafter(0.5, 1),
                                 probability(dtype_round(dtype, 0.3)),
                                 0.7,
                                 0.9,
                                 1 - 0x1p-20,
                                 1 - 0x1p-53,
                                 1};
    static uint16_t logits[ALL];
    static unsigned char labels[ALL];
    for (size_t i = 0; i < ALL; i++)
        dtype_store_bits(dtype, logits, i, i);
    for (size_t i = 0; i < sizeof(thresholds) / sizeof(*thresholds); i++)
        check(dtype, thresholds[i], ALL, logits, labels);
}

static void test_all_of_f16(void **state)
{
    (void)state;
    check_all_elements(CLACT_F16);
}

static void test_all_of_bf16(void **state)
{
    (void)state;
    check_all_elements(CLACT_BF16);
}

/* The elements next to where the label changes, and those that are apart from all others. */
static void check_boundary(clact_dtype dtype, double t)
{
    enum { BESIDE = 3, COUNT = 2 * BESIDE + 9 };
    const double largest = dtype_next_down(dtype, INFINITY), least = dtype_next_up(dtype, 0);
    double values[COUNT] = {NAN, -NAN, -INFINITY, -largest, -least, -0.0, 0.0, least};
    double logits[COUNT];
    unsigned char labels[COUNT];
    double x = smallest_that_reaches(dtype, t);
    for (int i = 0; i < BESIDE; i++)
        x = dtype_next_down(dtype, x);
    for (size_t i = 8; i < COUNT - 1; i++) {
        values[i] = x;
        x = dtype_next_up(dtype, x);
    }
    values[COUNT - 1] = INFINITY;
    for (size_t i = 0; i < COUNT; i++)
        dtype_store(dtype, logits, i, values[i]);
    check(dtype, t, COUNT, logits, labels);
}

static uint64_t random_bits(void)
{
    static uint64_t seed = 1;
    seed += 0x9e3779b97f4a7c15;
    const uint64_t mixed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
    const uint64_t again = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return again ^ again >> 31;
}

/* From 0 to 1, without 1. */
static double random_fraction(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

/* The thresholds that tests go through, each from a number of the test's. */

static double any_fraction(clact_dtype dtype, unsigned i)
{
    (void)dtype;
    (void)i;
    return random_fraction();
}

/* Of all sizes down to the smallest numbers. */
static double small(clact_dtype dtype, unsigned i)
{
    (void)dtype;
    (void)i;
    return ldexp(1 + random_fraction(), -1 - (int)(random_bits() % 1074));
}

static double subnormal(clact_dtype dtype, unsigned i)
{
    (void)dtype;
    if (i < 64)
        return i * 0x1p-1074;
    return ldexp((double)((random_bits() >> 12 | 1) >> random_bits() % 50), -1074);
}

static double next_to_one(clact_dtype dtype, unsigned i)
{
    (void)dtype;
    return i < 64 ? 1 - i * 0x1p-53 : 1 - ldexp(random_fraction(), -(int)(random_bits() % 50));
}

/* Near 1/2, where 1/2 + x/4 is a double for some x, and s(x) is nearly that. */
static double next_to_half(clact_dtype dtype, unsigned i)
{
    (void)dtype;
    const int64_t steps = i < 256 ? (int64_t)i - 128 : (int64_t)random_bits() >> random_bits() % 60;
    const double distance = ldexp((double)(steps >> 12), -54);
    return fabs(distance) < 0.25 ? 0.5 + distance : 0.5;
}

/* What a forward pass that rounds correctly writes for some element. */
static double of_an_element(clact_dtype dtype, unsigned i)
{
    const double x = ldexp(1 + random_fraction(), (int)(random_bits() % 64) - 54);
    if (i % 2)
        return probability(dtype_round(dtype, fmin(x, 37)));
    return probability(dtype_round(dtype, -fmin(x, 745)));
}

static void check_boundaries(double (*threshold)(clact_dtype dtype, unsigned i))
{
    enum { COUNT = 1500 };
    static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F64};
    for (int d = 0; d < 2; d++) {
        if (!dtype_works(shared.ctx, dtypes[d])) {
            print_message("no %s on this device\n", clact_dtype_name(dtypes[d]));
            continue;
        }
        for (unsigned i = 0; i < COUNT; i++)
            check_boundary(dtypes[d], threshold(dtypes[d], i));
    }
}

static void test_random_thresholds(void **state)
{
    (void)state;
    check_boundaries(any_fraction);
}

static void test_small_thresholds(void **state)
{
    (void)state;
    check_boundaries(small);
}

static void test_subnormal_thresholds(void **state)
{
    (void)state;
    check_boundaries(subnormal);
}

static void test_thresholds_next_to_one(void **state)
{
    (void)state;
    check_boundaries(next_to_one);
}

static void test_thresholds_next_to_half(void **state)
{
    (void)state;
    check_boundaries(next_to_half);
}

static void test_thresholds_of_elements(void **state)
{
    (void)state;
    check_boundaries(of_an_element);
}

/*
 * Logits whose probability is very near to a double: above it, and below it. A search through 2^48
 * numbers found them, by V. Lefevre's algorithm for the hardest cases of rounding. Among numbers that
 * are like them, series of e^x converge most slowly.
 */
static void test_hardest_thresholds(void **state)
{
    enum { PAIRS = 3 };
    static const double hard[PAIRS][2] = {
        {-0x1.5aa54ce6aa827p-1, -0x1.4876ebaf1f9fp-1},
        {-0x1.5143f9cddabb5p-1, -0x1.603cde2ba4883p-1},
        {-0x1.5b963ff807c64p+0, -0x1.56ed279000a03p+0},
    };
    (void)state;
    if (!dtype_works(shared.ctx, CLACT_F64))
        skip();
    for (int i = 0; i < 2 * PAIRS; i++) {
        double distance;
        const double t = probability_and_distance(hard[i / 2][i % 2], &distance);
        assert_true(fabs(distance) < 0x1p-99 && (distance < 0) == (i % 2));
        check_boundary(CLACT_F64, t);
        check_boundary(CLACT_F64, 1 - t);
    }
}

/* What the header says in words, without MPFR. */
static void test_special_values(void **state)
{
    enum { COUNT = 7 };
    const double values[COUNT] = {NAN, -INFINITY, -3e38, -0.0, 0.0, 3e38, INFINITY};
    static const struct {
        double threshold;
        unsigned char labels[COUNT];
    } cases[] = {
        {0, {0, 1, 1, 1, 1, 1, 1}},
        {0.5, {0, 0, 0, 1, 1, 1, 1}},
        {1, {0, 0, 0, 0, 0, 0, 1}},
    };
    float logits[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        logits[i] = (float)values[i];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned char labels[COUNT];
        assert_ok(clact_predict(shared.ctx, CLACT_F32, cases[i].threshold, COUNT, logits, labels));
        assert_memory_equal(labels, cases[i].labels, COUNT);
    }
}

static int open_shared(void **state)
{
    (void)state;
    mpfr_inits2(PRECISION, left, right, (mpfr_ptr)NULL);
    fixture_open(&shared, NULL);
    return 0;
}

static int close_shared(void **state)
{
    (void)state;
    fixture_close(&shared);
    mpfr_clears(left, right, (mpfr_ptr)NULL);
    mpfr_free_cache();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_f16),
        cmocka_unit_test(test_all_of_bf16),
        cmocka_unit_test(test_random_thresholds),
        cmocka_unit_test(test_small_thresholds),
        cmocka_unit_test(test_subnormal_thresholds),
        cmocka_unit_test(test_thresholds_next_to_one),
        cmocka_unit_test(test_thresholds_next_to_half),
        cmocka_unit_test(test_thresholds_of_elements),
        cmocka_unit_test(test_hardest_thresholds),
        cmocka_unit_test(test_special_values),
    };
    return cmocka_run_group_tests_name("predict exact", tests, open_shared, close_shared);
}
