/* SPDX-License-Identifier: MIT */
#include "operands.h"

#include "dtype.h"

#include <assert.h>
#include <math.h>

static void add(struct operands *operands, uint64_t first, uint64_t step, uint64_t count)
{
    assert(operands->count < sizeof operands->segments / sizeof operands->segments[0]);
    operands->segments[operands->count++] = (struct segment){first, step, count};
    operands->total += count;
}

static uint64_t sign_bit(clact_dtype dtype)
{
    return (uint64_t)1 << (8 * dtype_format(dtype)->size - 1);
}

/* The patterns within `radius` of that of a positive value, and the same with the other sign. */
static void add_window(struct operands *operands, double value, uint64_t radius)
{
    uint64_t bits = dtype_to_bits(operands->dtype, value);
    uint64_t first = bits > radius ? bits - radius : 0;
    add(operands, first, 1, bits - first + radius + 1);
    add(operands, first | sign_bit(operands->dtype), 1, bits - first + radius + 1);
}

/* About `count` patterns of each sign that lie between two positive values, evenly in the logarithm
 * but for the steps in which a significand grows. */
static void add_range(struct operands *operands, double low, double high, uint64_t count)
{
    uint64_t first = dtype_to_bits(operands->dtype, low);
    uint64_t span = dtype_to_bits(operands->dtype, high) - first;
    uint64_t step = span / count | 1;
    add(operands, first, step, span / step);
    add(operands, first | sign_bit(operands->dtype), step, span / step);
}

/* Where exponentials and what is made of them round to 0, to 1 or to a subnormal number. */
static const double edges[] = {8.3,   9,     16.6, 17,  17.3, 36.7, 37,     87.3,   88.7,
                               103.3, 103.9, 104,  708, 709,  745,  745.13, 0x1p-60};

/* Where errors in f32 have been largest, found with all operands: there are few others like them.
 */
static const double hard[] = {0x1.ab02a2p+4, 0x1.2e33cp+5, 0x1.21274ep+2, 0x1.42fdfp+6};

static void add_special(struct operands *operands, uint64_t radius)
{
    const struct dtype_format *format = dtype_format(operands->dtype);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        add_window(operands, edges[i], 64 * radius);
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        add_window(operands, hard[i], radius);
    add_window(operands, 0, 64 * radius);
    add_window(operands, INFINITY, radius);
    /* The step keeps to the segments that there are. */
    int step = 1 + (format->max_exponent - format->min_exponent) / 256;
    for (int e = format->min_exponent - format->precision + 1; e <= format->max_exponent; e += step)
        add_window(operands, ldexp(1, e), radius);
}

void operands_init(struct operands *operands, clact_dtype dtype, enum coverage coverage)
{
    const size_t bits = 8 * dtype_format(dtype)->size;
    *operands = (struct operands){.dtype = dtype};
    if (bits <= 16 || (bits == 32 && coverage == COVERAGE_EXHAUSTIVE)) {
        uint64_t all = (uint64_t)1 << bits;
        uint64_t step = coverage == COVERAGE_QUICK ? 509 : 1;
        add(operands, 0, step, all / step);
        return;
    }
    uint64_t count = coverage == COVERAGE_QUICK    ? 200
                     : coverage == COVERAGE_COARSE ? 100000
                                                   : 860000;
    /* An odd step, so that the low bits vary. */
    add(operands, 0, UINT64_MAX / count >> (64 - bits) | 1, count);
    add_range(operands, 0x1p-27, 0x1p10, count / 2);
    if (coverage != COVERAGE_QUICK)
        add_special(operands, 32);
    /* Where the operators are neither flat nor linear, the largest errors are at few operands. */
    if (coverage == COVERAGE_NORMAL || coverage == COVERAGE_EXHAUSTIVE)
        add_range(operands, 0x1p-4, 0x1p7, 4000000);
}

void operands_store(const struct operands *operands, uint64_t first, size_t n, void *array)
{
    const struct segment *segment = operands->segments;
    size_t stored = 0;
    assert(first + n <= operands->total);
    while (stored < n) {
        while (first >= segment->count)
            first -= segment++->count;
        for (; first < segment->count && stored < n; first++, stored++)
            dtype_store_bits(operands->dtype, array, stored,
                             segment->first + first * segment->step);
    }
}
