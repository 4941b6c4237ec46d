/* SPDX-License-Identifier: MIT */
#include "dtype.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define FORMAT_F32 24, -126, 127
#define FORMAT_F16 11, -14, 15
#define FORMAT_BF16 8, -126, 127
#define FORMAT_F64 53, -1022, 1023

static const struct dtype_format formats[] = {
#define XX(value, NAME, name, size) [value] = {FORMAT_##NAME, size},
    CLACT_DTYPE_MAP(XX)
#undef XX
};

const struct dtype_format *dtype_format(clact_dtype dtype)
{
    assert((size_t)dtype < sizeof formats / sizeof formats[0] && formats[dtype].size != 0);
    return &formats[dtype];
}

static uint64_t sign_bit(const struct dtype_format *format)
{
    return (uint64_t)1 << (8 * format->size - 1);
}

static uint64_t infinity_bits(const struct dtype_format *format)
{
    /* The exponent field counts from 0 for the subnormal numbers, so infinity's is one more than
     * that of the largest number. */
    uint64_t field = (uint64_t)(format->max_exponent - format->min_exponent + 2);
    return field << (format->precision - 1);
}

static double expand(const struct dtype_format *format, uint64_t bits)
{
    uint64_t magnitude = bits & (sign_bit(format) - 1);
    int field = (int)(magnitude >> (format->precision - 1));
    uint64_t hidden = (uint64_t)1 << (format->precision - 1);
    uint64_t fraction = magnitude & (hidden - 1);
    double value;
    if (magnitude > infinity_bits(format))
        value = NAN;
    else if (magnitude == infinity_bits(format))
        value = INFINITY;
    else if (field == 0)
        value = ldexp((double)fraction, format->min_exponent - format->precision + 1);
    else
        value = ldexp((double)(hidden | fraction),
                      field - 1 + format->min_exponent - format->precision + 1);
    return (bits & sign_bit(format)) != 0 ? -value : value;
}

static uint64_t narrow(const struct dtype_format *format, double value)
{
    uint64_t sign = signbit(value) ? sign_bit(format) : 0;
    uint64_t infinity = infinity_bits(format);
    if (isnan(value))
        return sign | infinity | (uint64_t)1 << (format->precision - 2);
    if (value == 0)
        return sign;
    if (isinf(value) || ilogb(value) > format->max_exponent)
        return sign | infinity;
    int exponent = ilogb(value);
    if (exponent < format->min_exponent)
        exponent = format->min_exponent;
    /* In units of the last place the value is an integer and a rest. Scaling by a power of two is
     * exact, so rint, to nearest even, rounds once. */
    double units = rint(ldexp(fabs(value), format->precision - 1 - exponent));
    /* The hidden bit adds one to the exponent field, and a significand that rounded up to the next
     * power of two adds two: from the largest binade that is infinity. */
    uint64_t field = (uint64_t)(exponent - format->min_exponent);
    return sign | ((field << (format->precision - 1)) + (uint64_t)units);
}

/* The host's own float and double serve for f32 and f64: the exhaustive tests need the speed. */
double dtype_from_bits(clact_dtype dtype, uint64_t bits)
{
    if (dtype == CLACT_F32) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return (double)value;
    }
    if (dtype == CLACT_F64) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return expand(dtype_format(dtype), bits);
}

uint64_t dtype_to_bits(clact_dtype dtype, double value)
{
    if (dtype == CLACT_F32) {
        float rounded = (float)value;
        uint32_t bits;
        memcpy(&bits, &rounded, sizeof bits);
        return bits;
    }
    if (dtype == CLACT_F64) {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    return narrow(dtype_format(dtype), value);
}

double dtype_round(clact_dtype dtype, double value)
{
    if (dtype == CLACT_F32)
        return (double)(float)value;
    return dtype_from_bits(dtype, dtype_to_bits(dtype, value));
}

uint64_t dtype_load_bits(clact_dtype dtype, const void *array, size_t i)
{
    size_t size = dtype_format(dtype)->size;
    const unsigned char *element = (const unsigned char *)array + i * size;
    uint16_t half;
    uint32_t single;
    uint64_t whole;
    switch (size) {
    case sizeof half:
        memcpy(&half, element, sizeof half);
        return half;
    case sizeof single:
        memcpy(&single, element, sizeof single);
        return single;
    default:
        memcpy(&whole, element, sizeof whole);
        return whole;
    }
}

double dtype_load(clact_dtype dtype, const void *array, size_t i)
{
    return dtype_from_bits(dtype, dtype_load_bits(dtype, array, i));
}

void dtype_store_bits(clact_dtype dtype, void *array, size_t i, uint64_t bits)
{
    size_t size = dtype_format(dtype)->size;
    unsigned char *element = (unsigned char *)array + i * size;
    uint16_t half = (uint16_t)bits;
    uint32_t single = (uint32_t)bits;
    switch (size) {
    case sizeof half:
        memcpy(element, &half, sizeof half);
        break;
    case sizeof single:
        memcpy(element, &single, sizeof single);
        break;
    default:
        memcpy(element, &bits, sizeof bits);
        break;
    }
}

void dtype_store(clact_dtype dtype, void *array, size_t i, double value)
{
    dtype_store_bits(dtype, array, i, dtype_to_bits(dtype, value));
}

double dtype_next_up(clact_dtype dtype, double value)
{
    if (isnan(value) || value == INFINITY)
        return value;
    if (value == 0)
        return dtype_from_bits(dtype, 1);
    /* Patterns of one sign are in the order of their magnitudes. */
    uint64_t bits = dtype_to_bits(dtype, value);
    return dtype_from_bits(dtype, value > 0 ? bits + 1 : bits - 1);
}

double dtype_next_down(clact_dtype dtype, double value)
{
    return -dtype_next_up(dtype, -value);
}
