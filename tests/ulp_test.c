/* SPDX-License-Identifier: MIT */
#include "ulp.h"

#include "dtype.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka compares doubles with a tolerance; these are exact, and a failure shows both. */
#define assert_same(got, expected)                                                                 \
    do {                                                                                           \
        double got_value = (got);                                                                  \
        double expected_value = (expected);                                                        \
        if (!(got_value == expected_value))                                                        \
            fail_msg(#got " is %a and not %a", got_value, expected_value);                         \
    } while (0)

static void one_spacing_is_one_ulp(void **state)
{
    (void)state;
    static const double exact[] = {1.0, 1.5, 0x1.fp-3, -3.0, 0x1p-10};
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
#define XX(value, NAME, name, size)                                                                \
    assert_same(ulp_error(CLACT_##NAME, exact[i], exact[i]), 0);                                   \
    if (exact[i] > 0)                                                                              \
        assert_same(ulp_error(CLACT_##NAME, dtype_next_up(CLACT_##NAME, exact[i]), exact[i]), 1);  \
    else                                                                                           \
        assert_same(ulp_error(CLACT_##NAME, dtype_next_down(CLACT_##NAME, exact[i]), exact[i]), 1);
        CLACT_DTYPE_MAP(XX)
#undef XX
    }
}

static void errors_are_fractions_of_the_spacing_at_the_exact_result(void **state)
{
    (void)state;
    assert_same(ulp_error(CLACT_F32, 1.0, 1 + 0x1p-25), 0.25);
    assert_same(ulp_error(CLACT_F32, 1.0, 1 - 0x1p-25), 0.5);
    assert_same(ulp_error(CLACT_F16, 4.0, 4 + 0x1p-9), 0.5);
    assert_same(ulp_error(CLACT_BF16, -4.0, -4 - 0x1p-7), 0.25);
    assert_same(ulp_error(CLACT_F64, 2.0, 2 + 0x1p-51), 1);
    assert_same(ulp_error(CLACT_F32, 0.0, 1.0), 0x1p23);
    assert_same(ulp_error(CLACT_F32, -1.0, 1.0), 0x1p24);
}

static void subnormal_results_count_at_their_fixed_spacing(void **state)
{
    (void)state;
    assert_same(ulp_error(CLACT_F32, 0x1p-149, 0.0), 1);
    assert_same(ulp_error(CLACT_F32, 0.0, 0x1p-150), 0.5);
    assert_same(ulp_error(CLACT_F32, 0.0, 0x1p-126), 0x1p23);
    assert_same(ulp_error(CLACT_F32, 0x1.8p-148, 0x1p-148), 1);
    assert_same(ulp_error(CLACT_F16, 0x1p-24, 0x1p-26), 0.75);
    assert_same(ulp_error(CLACT_BF16, 0.0, -0x1p-133), 1);
    assert_same(ulp_error_f64(0x1p-1074, 0x1p-1075L), 0.5);
    /* What flushing to zero costs at sigmoid(-100). */
    assert_same(ulp_error(CLACT_F32, 0.0, 0x1.a8c1fp-145), 0x1.a8c1fp4);
}

static void nan_is_right_only_for_nan(void **state)
{
    (void)state;
    assert_same(ulp_error(CLACT_F32, NAN, NAN), 0);
    assert_same(ulp_error(CLACT_F32, NAN, 1.0), INFINITY);
    assert_same(ulp_error(CLACT_F32, 1.0, NAN), INFINITY);
    assert_same(ulp_error(CLACT_F32, INFINITY, NAN), INFINITY);
    assert_same(ulp_error(CLACT_F32, NAN, INFINITY), INFINITY);
    assert_same(ulp_error_f64(NAN, 1.0L), INFINITY);
}

static void infinity_stands_for_the_power_after_the_largest_number(void **state)
{
    (void)state;
    assert_same(ulp_error(CLACT_F32, INFINITY, INFINITY), 0);
    assert_same(ulp_error(CLACT_F32, -INFINITY, INFINITY), INFINITY);
    assert_same(ulp_error(CLACT_F32, FLT_MAX, INFINITY), INFINITY);
    assert_same(ulp_error(CLACT_F32, INFINITY, 0x1p128), 0);
    assert_same(ulp_error(CLACT_F32, INFINITY, 1e300), 0);
    assert_same(ulp_error(CLACT_F32, -INFINITY, -1e300), 0);
    assert_same(ulp_error(CLACT_F32, INFINITY, 0x1.ffffffp127), 0.5);
    assert_same(ulp_error(CLACT_F32, INFINITY, FLT_MAX), 1);
    assert_same(ulp_error(CLACT_F32, FLT_MAX, 0x1p128), 1);
    assert_same(ulp_error(CLACT_F32, -INFINITY, 0x1p128), 0x1p25);
    assert_same(ulp_error(CLACT_F16, INFINITY, 65504.0), 1);
    assert_same(ulp_error(CLACT_F16, INFINITY, 65520.0), 0.5);
    assert_same(ulp_error_f64(INFINITY, DBL_MAX), 1);
}

static void f64_is_judged_below_its_own_precision(void **state)
{
    (void)state;
    if (LDBL_MANT_DIG < 64) {
        print_message("long double is no wider than double: nothing to judge f64 against\n");
        skip();
    }
    assert_same(ulp_error_f64(1.0, 1 + 0x1p-54L), 0.25);
    assert_same(ulp_error_f64(1.0, 1 + 0x1p-63L), 0x1p-11);
    assert_same(ulp_error_f64(INFINITY, 1e4000L), 0);
}

static void stats_keep_the_worst_of_each_class(void **state)
{
    (void)state;
    struct ulp_stats stats;
    ulp_stats_init(&stats, CLACT_F32);
    assert_true(stats.normal.worst.error < 0);
    ulp_stats_add(&stats, ULP_NO_GRAD, 1, 1.0, 1.0);
    ulp_stats_add(&stats, 7, 2, 1.0, 1 + 0x1p-24);
    ulp_stats_add(&stats, 7, 3, 1.0, 1 + 0x1.8p-24);
    ulp_stats_add(&stats, 7, 4, 1.0, 1 + 0x1.8p-24); /* as bad, but later */
    ulp_stats_add(&stats, 8, 4, 0x1p-126, 0x1p-126);
    ulp_stats_add(&stats, 8, 5, 0.0, 0x1p-149);
    ulp_stats_add(&stats, 8, 6, 0x1p-126, 0x1.fffffffp-127);
    assert_int_equal(stats.normal.count, 5);
    /* A tie counts where it goes to the even neighbour, as the second result did. */
    assert_int_equal(stats.normal.rounded, 3);
    assert_same(stats.normal.worst.error, 0.75);
    assert_same(stats.normal.worst.x, 3);
    assert_same(stats.normal.worst.grad, 7);
    assert_same(stats.normal.worst.got, 1);
    assert_int_equal(stats.subnormal.count, 2);
    assert_int_equal(stats.subnormal.rounded, 1);
    assert_same(stats.subnormal.worst.error, 1);
    assert_same(stats.subnormal.worst.x, 5);
    ulp_stats_add(&stats, ULP_NO_GRAD, 9, NAN, NAN);
    assert_int_equal(stats.normal.rounded, 4);
    ulp_stats_add(&stats, ULP_NO_GRAD, 10, NAN, 1);
    assert_same(stats.normal.worst.error, INFINITY);
    assert_same(stats.normal.worst.x, 10);
}

static void merged_stats_are_those_of_all_results(void **state)
{
    (void)state;
    struct ulp_stats parts[2];
    struct ulp_stats whole;
    ulp_stats_init(&whole, CLACT_F64);
    for (size_t i = 0; i < 2; i++)
        ulp_stats_init(&parts[i], CLACT_F64);
    static const double got[] = {1.0, 1.0 + DBL_EPSILON, 0x1p-1074, 1.0 + 3 * DBL_EPSILON, 0.0};
    for (size_t i = 0; i < sizeof got / sizeof got[0]; i++) {
        long double exact = got[i] < 0.5 ? 0 : 1;
        ulp_stats_add_f64(&whole, 1, (double)i, got[i], exact);
        ulp_stats_add_f64(&parts[i / 3], 1, (double)i, got[i], exact);
    }
    ulp_stats_merge(&parts[0], &parts[1]);
    assert_int_equal(parts[0].normal.count, 3);
    assert_int_equal(parts[0].normal.rounded, 1);
    assert_same(parts[0].normal.worst.error, 3);
    assert_same(parts[0].normal.worst.x, 3);
    assert_int_equal(parts[0].subnormal.count, whole.subnormal.count);
    assert_same(parts[0].subnormal.worst.x, 2);
    assert_same(whole.normal.worst.x, 3);
}

static void assert_same_class(const struct ulp_class *got, const struct ulp_class *expected)
{
    assert_int_equal(got->count, expected->count);
    assert_int_equal(got->rounded, expected->rounded);
    assert_same(got->worst.error, expected->worst.error);
    assert_same(got->worst.x, expected->worst.x);
}

/* Pairs of what came out and what is right, in an order without a pattern, so that the worst may be
 * anywhere. What is not between least and most is 1; an infinite `most` lets NaN in too. */
enum { PAIRS = 5000 };

struct kind_of_pairs {
    double least;
    double most;
    bool close; /* all errors are small */
};

static void make_pairs(const struct kind_of_pairs *kind, float got[PAIRS], double exact[PAIRS])
{
    static const float some[] = {
        0,     -0.0f,   FLT_MIN,   -FLT_MIN, 1e-40f,   0x1p-149f, 1,   -1.25f,
        3e38f, FLT_MAX, 0x1p-126f, -FLT_MAX, INFINITY, -INFINITY, NAN, 0x1.fffffcp-127f};
    uint32_t state = 1;
    for (size_t i = 0; i < PAIRS; i++) {
        state = state * 1103515245 + 12345;
        const uint32_t pick = state >> 8;
        const double right = (double)some[pick % 16];
        got[i] = some[pick / 16 % 16];
        exact[i] = pick % 5 == 0 && !kind->close   ? right
                   : pick % 5 == 1 && !kind->close ? right * 1e30
                                                   : (double)got[i] * (1 + 1e-8 * (pick % 97));
        const double low = fmin(fabs(exact[i]), (double)fabsf(got[i]));
        const double high = fmax(fabs(exact[i]), (double)fabsf(got[i]));
        if (kind->most < INFINITY && !(low >= kind->least && high <= kind->most))
            exact[i] = (double)(got[i] = 1);
    }
}

static void many_results_are_judged_as_one_by_one(void **state)
{
    static const struct kind_of_pairs kinds[] = {
        {0, 0, false},        {0, 0x1p-127, true},
        {0, 1, true},         {(double)FLT_MIN, 0x1p127, true},
        {0, 0x1p127, false},  {0, INFINITY, true},
        {0, INFINITY, false},
    };
    static float x[PAIRS], got[PAIRS];
    static double exact[PAIRS];
    (void)state;
    for (size_t i = 0; i < PAIRS; i++)
        x[i] = (float)i;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct ulp_stats one_by_one, at_once;
        const size_t part = 1537;
        make_pairs(&kinds[k], got, exact);
        ulp_stats_init(&one_by_one, CLACT_F32);
        ulp_stats_init(&at_once, CLACT_F32);
        for (size_t i = 0; i < PAIRS; i++)
            ulp_stats_add(&one_by_one, (double)x[i], (double)x[i], (double)got[i], exact[i]);
        ulp_stats_add_f32(&at_once, part, x, x, got, exact);
        ulp_stats_add_f32(&at_once, PAIRS - part, x + part, x + part, got + part, exact + part);
        assert_same_class(&at_once.normal, &one_by_one.normal);
        assert_same_class(&at_once.subnormal, &one_by_one.subnormal);
        assert_same(at_once.normal.worst.grad, at_once.normal.worst.x);
    }
}

static void print_names_the_worst_operands_in_hex(void **state)
{
    (void)state;
    struct ulp_stats stats;
    char text[1000] = "";
    ulp_stats_init(&stats, CLACT_F32);
    ulp_stats_add(&stats, ULP_NO_GRAD, -0x1.8p3, 1.0, 1 + 0x1p-24);
    ulp_stats_add(&stats, 1, 3, 1.0, 1.0);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ulp_stats_print(&stats, "sigmoid forward f32", file), 0);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "sigmoid forward f32, normal results: max 0.5000 ULP at "
                                 "x = -0x1.8p+3 (got 0x1p+0, exact "));
    assert_non_null(strstr(text, "; 100.0000% of 2 correctly rounded\n"));
    assert_non_null(strstr(text, "subnormal results: none\n"));
    assert_null(strstr(text, "grad"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_spacing_is_one_ulp),
        cmocka_unit_test(errors_are_fractions_of_the_spacing_at_the_exact_result),
        cmocka_unit_test(subnormal_results_count_at_their_fixed_spacing),
        cmocka_unit_test(nan_is_right_only_for_nan),
        cmocka_unit_test(infinity_stands_for_the_power_after_the_largest_number),
        cmocka_unit_test(f64_is_judged_below_its_own_precision),
        cmocka_unit_test(stats_keep_the_worst_of_each_class),
        cmocka_unit_test(merged_stats_are_those_of_all_results),
        cmocka_unit_test(many_results_are_judged_as_one_by_one),
        cmocka_unit_test(print_names_the_worst_operands_in_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
