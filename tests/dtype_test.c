/* SPDX-License-Identifier: MIT */
#include "dtype.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const clact_dtype halves[] = {CLACT_F16, CLACT_BF16};

static void assert_value(clact_dtype dtype, uint64_t bits, double expected)
{
    double value = dtype_from_bits(dtype, bits);
    if (value != expected || signbit(value) != signbit(expected))
        fail_msg("dtype %d: 0x%llx is %a and not %a", (int)dtype, (unsigned long long)bits, value,
                 expected);
}

static void assert_bits(clact_dtype dtype, double value, uint64_t expected)
{
    uint64_t bits = dtype_to_bits(dtype, value);
    if (bits != expected)
        fail_msg("dtype %d: %a is stored as 0x%llx and not 0x%llx", (int)dtype, value,
                 (unsigned long long)bits, (unsigned long long)expected);
}

static void known_patterns_have_their_values(void **state)
{
    (void)state;
    assert_value(CLACT_F16, 0x3c00, 1.0);
    assert_value(CLACT_F16, 0xc000, -2.0);
    assert_value(CLACT_F16, 0x7bff, 65504.0);
    assert_value(CLACT_F16, 0x0400, 0x1p-14);
    assert_value(CLACT_F16, 0x03ff, 0x1.ff8p-15);
    assert_value(CLACT_F16, 0x8001, -0x1p-24);
    assert_value(CLACT_F16, 0x8000, -0.0);
    assert_value(CLACT_F16, 0x7c00, INFINITY);
    assert_value(CLACT_F16, 0x3555, 0x1.554p-2);
    assert_value(CLACT_BF16, 0x3f80, 1.0);
    assert_value(CLACT_BF16, 0x7f7f, 0x1.fep127);
    assert_value(CLACT_BF16, 0x0080, 0x1p-126);
    assert_value(CLACT_BF16, 0x0001, 0x1p-133);
    assert_value(CLACT_BF16, 0xff80, -INFINITY);
    assert_value(CLACT_F32, 0x3f800000, 1.0);
    assert_value(CLACT_F32, 0x80000001, -0x1p-149);
    assert_value(CLACT_F64, 0x3ff0000000000000, 1.0);
}

/* A bf16 is the upper half of an f32, which the host knows how to read. */
static void bf16_is_the_upper_half_of_f32(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        double value = dtype_from_bits(CLACT_F32, (uint64_t)bits << 16);
        if (isnan(value))
            assert_true(isnan(dtype_from_bits(CLACT_BF16, bits)));
        else
            assert_value(CLACT_BF16, bits, value);
    }
}

static void all_half_patterns_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t bits = 0; bits < 0x10000; bits++) {
            double value = dtype_from_bits(halves[i], bits);
            if (isnan(value))
                assert_true(isnan(dtype_round(halves[i], value)));
            else
                assert_bits(halves[i], value, bits);
        }
    }
}

/* Between any two neighbours: the middle goes to the even one, what is nearer to one goes there.
 * Past the largest number the neighbour is infinity, at the next power of two. */
static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        clact_dtype dtype = halves[i];
        double beyond = ldexp(1, dtype_format(dtype)->max_exponent + 1);
        uint64_t infinity = dtype_to_bits(dtype, INFINITY);
        for (uint64_t bits = 0; bits < infinity; bits++) {
            double low = dtype_from_bits(dtype, bits);
            double high = bits + 1 == infinity ? beyond : dtype_from_bits(dtype, bits + 1);
            double middle = low + (high - low) / 2;
            uint64_t even = bits % 2 == 0 ? bits : bits + 1;
            assert_bits(dtype, middle, even);
            assert_bits(dtype, nextafter(middle, 0), bits);
            assert_bits(dtype, nextafter(middle, INFINITY), bits + 1);
            assert_bits(dtype, -middle, 0x8000 | even);
        }
    }
}

static void large_numbers_become_infinity_and_small_ones_zero(void **state)
{
    (void)state;
    assert_bits(CLACT_F16, 1e6, 0x7c00);
    assert_bits(CLACT_F16, -DBL_MAX, 0xfc00);
    assert_bits(CLACT_BF16, 0x1p128, 0x7f80);
    assert_bits(CLACT_F32, 1e300, 0x7f800000);
    assert_bits(CLACT_F16, DBL_TRUE_MIN, 0);
    assert_bits(CLACT_BF16, -1e-300, 0x8000);
    assert_bits(CLACT_F32, 0x1p-150, 0);
    assert_bits(CLACT_F32, 0x1.000002p-150, 1);
    assert_bits(CLACT_F32, 1 + 0x1p-24, 0x3f800000);
    assert_bits(CLACT_F32, 1 + 0x1.8p-23, 0x3f800002);
}

static void nan_stays_nan(void **state)
{
    (void)state;
#define XX(value, NAME, name, size)                                                                \
    assert_true(isnan(dtype_round(CLACT_##NAME, NAN)));                                            \
    assert_true(isnan(dtype_round(CLACT_##NAME, -NAN)));                                           \
    assert_true(isnan(dtype_next_up(CLACT_##NAME, NAN)));
    CLACT_DTYPE_MAP(XX)
#undef XX
    /* A payload in the low bits alone must not turn into an infinity. */
    assert_true(isnan(dtype_round(CLACT_BF16, dtype_from_bits(CLACT_F32, 0x7f800001))));
    assert_bits(CLACT_F16, NAN, 0x7e00);
}

static void neighbours_are_one_pattern_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        clact_dtype dtype = halves[i];
        uint64_t infinity = dtype_to_bits(dtype, INFINITY);
        for (uint64_t bits = 1; bits < infinity; bits++) {
            double value = dtype_from_bits(dtype, bits);
            assert_bits(dtype, dtype_next_up(dtype, value), bits + 1);
            assert_bits(dtype, dtype_next_down(dtype, value), bits - 1);
            assert_bits(dtype, dtype_next_down(dtype, -value), 0x8000 | (bits + 1));
        }
    }
    assert_bits(CLACT_F32, dtype_next_up(CLACT_F32, -0.0), 1);
    assert_bits(CLACT_F32, dtype_next_down(CLACT_F32, 0.0), 0x80000001);
    assert_true(dtype_next_up(CLACT_F32, FLT_MAX) == INFINITY);
    assert_true(dtype_next_up(CLACT_F32, INFINITY) == INFINITY);
    assert_true(dtype_next_up(CLACT_F32, -INFINITY) == -FLT_MAX);
    assert_true(dtype_next_up(CLACT_F64, 1.0) == 1 + DBL_EPSILON);
}

/* An element is written where it belongs, also at an odd address, and nothing else is. */
static void elements_are_stored_in_their_place(void **state)
{
    (void)state;
    unsigned char bytes[8 * 4 + 1];
#define XX(value, NAME, name, size)                                                                \
    memset(bytes, 0xa5, sizeof bytes);                                                             \
    dtype_store(CLACT_##NAME, bytes + 1, 2, -1.5);                                                 \
    assert_true(dtype_load(CLACT_##NAME, bytes + 1, 2) == -1.5);                                   \
    for (size_t i = 0; i < sizeof bytes; i++)                                                      \
        if (i < 1 + 2 * (size) || i >= 1 + 3 * (size))                                             \
            assert_int_equal(bytes[i], 0xa5);                                                      \
    dtype_store_bits(CLACT_##NAME, bytes, 0, 3);                                                   \
    assert_int_equal(dtype_load_bits(CLACT_##NAME, bytes, 0), 3);
    CLACT_DTYPE_MAP(XX)
#undef XX
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patterns_have_their_values),
        cmocka_unit_test(bf16_is_the_upper_half_of_f32),
        cmocka_unit_test(all_half_patterns_round_trip),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(large_numbers_become_infinity_and_small_ones_zero),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(neighbours_are_one_pattern_apart),
        cmocka_unit_test(elements_are_stored_in_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
