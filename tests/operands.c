/* SPDX-License-Identifier: MIT */
#include "operands.h"

#include "dtype.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Where exponentials and what is made of them round to 0, to 1 or to a subnormal number. */
static const double edges[] = {5.4,  6.5, 8.3,   9,     9.5,   10,    10.7,  12.8,   14.2,
                               16.6, 17,  17.3,  18.7,  19.06, 36.7,  37,    37.5,   38.6,
                               43.6, 44,  52,    87.3,  88.7,  91,    103.3, 103.97, 108.6,
                               354,  373, 708.4, 709.8, 744.5, 745.2, 752,   0x1p-60};

/* Stretches on which results leave the normal range, of f32 and of f64. */
static const struct stretch {
    double low;
    double high;
} stretches[] = {{9.9, 10.9}, {12, 14.5}, {43, 53},     {87, 109},
                 {21, 22},    {37, 38.7}, {353, 374.5}, {707, 753}};

/* Where a gradient passes through zero, and the kinks of what is made of straight lines. */
static const double points[] = {1.278464542761073795,
                                0.751791524693564457,
                                0.752461422071016258,
                                1.192431214515495212,
                                1.5,
                                2.5,
                                3};

/* Where errors in f32 have been largest, found with all operands: there are few others like them.
 */
static const double hard[] = {0x1.ab02a2p+4, 0x1.2e33cp+5, 0x1.21274ep+2, 0x1.42fdfp+6};

/* How many patterns a coverage has in each place. */
struct density {
    uint64_t even;    /* over all patterns */
    uint64_t middle;  /* of each sign, where the operators are neither flat nor linear */
    uint64_t stretch; /* on each of them, of each sign */
    uint64_t edge;    /* next to each of them, of each sign */
    uint64_t radius;  /* next to a point, on each side */
};

/* f64 has less, as its reference takes ten times as long. */
static struct density density_of(clact_dtype dtype, enum coverage coverage)
{
    static const struct density normal = {800000, 4000000, 100000, 20000, 32};
    static const struct density dense = {3000000, 10000000, 200000, 50000, 32};
    static const struct density less = {300000, 600000, 40000, 8000, 32};
    switch (coverage) {
    case COVERAGE_QUICK:
        return (struct density){200, 0, 0, 0, 0};
    case COVERAGE_COARSE:
        return (struct density){100000, 0, 1000, 1000, 8};
    case COVERAGE_NORMAL:
        return dtype == CLACT_F64 ? less : normal;
    default:
        return dtype == CLACT_F64 ? normal : dense;
    }
}

static void add(struct operands *operands, uint64_t first, uint64_t step, uint64_t count)
{
    assert(operands->count < COUNT(operands->segments));
    operands->segments[operands->count++] = (struct segment){first, step, count};
    operands->total += count;
}

static uint64_t sign_bit(clact_dtype dtype)
{
    return (uint64_t)1 << (8 * dtype_format(dtype)->size - 1);
}

/* The patterns within `radius` of that of a value that is not negative, and the same with the other
 * sign. */
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
    uint64_t step = span / (count + 1) | 1; /* odd, so that the low bits vary */
    add(operands, first, step, span / step);
    add(operands, first | sign_bit(operands->dtype), step, span / step);
}

/* What is special at x is so at scale * x. */
static void add_scaled(struct operands *operands, const struct density *density, double scale)
{
    for (size_t i = 0; i < COUNT(stretches); i++)
        add_range(operands, scale * stretches[i].low, scale * stretches[i].high, density->stretch);
    for (size_t i = 0; i < COUNT(edges); i++)
        add_range(operands, scale * edges[i] * (1 - 0x1p-8), scale * edges[i] * (1 + 0x1p-8),
                  density->edge);
    for (size_t i = 0; i < COUNT(points); i++)
        add_window(operands, scale * points[i], 64 * density->radius);
    for (size_t i = 0; i < COUNT(hard); i++)
        add_window(operands, scale * hard[i], density->radius);
}

static void add_special(struct operands *operands, const struct density *density)
{
    const struct dtype_format *format = dtype_format(operands->dtype);
    add_window(operands, 0, 64 * density->radius);
    add_window(operands, INFINITY, density->radius);
    /* The step keeps to the segments that there are. */
    int step = 1 + (format->max_exponent - format->min_exponent) / 256;
    for (int e = format->min_exponent - format->precision + 1; e <= format->max_exponent; e += step)
        add_window(operands, ldexp(1, e), density->radius);
}

/* beta is a factor of x, or alpha x + beta bends where it is 0 and where it is 1. */
static void add_parameters(struct operands *operands, const struct op_case *c,
                           const struct density *density)
{
    const unsigned has = clact_operator_parameters(c->op);
    if ((has & CLACT_BETA) == 0)
        return;
    if ((has & CLACT_ALPHA) == 0)
        add_scaled(operands, density, 1 / c->params.beta);
    else
        for (int bend = 0; bend <= 1; bend++)
            add_window(operands, fabs((bend - c->params.beta) / c->params.alpha),
                       64 * density->radius);
}

void operands_init(struct operands *operands, const struct op_case *c, enum coverage coverage)
{
    const size_t bits = 8 * dtype_format(c->dtype)->size;
    operands->dtype = c->dtype;
    operands->total = 0;
    operands->count = 0;
    if (bits <= 16 || (bits == 32 && coverage == COVERAGE_EXHAUSTIVE)) {
        uint64_t all = (uint64_t)1 << bits;
        uint64_t step = coverage == COVERAGE_QUICK ? 509 : 1;
        add(operands, 0, step, all / step);
        return;
    }
    const struct density density = density_of(c->dtype, coverage);
    add(operands, 0, UINT64_MAX / density.even >> (64 - bits) | 1, density.even);
    add_range(operands, 0x1p-27, 0x1p10, density.even / 2);
    if (density.middle != 0)
        add_range(operands, 0x1p-4, bits == 64 ? 0x1p10 : 0x1p7, density.middle);
    if (density.edge == 0)
        return;
    add_special(operands, &density);
    add_scaled(operands, &density, 1);
    add_parameters(operands, c, &density);
}

bool operands_are_all(const struct operands *operands)
{
    return operands->count == 1 && operands->segments[0].step == 1;
}

/* The elements [first, first + n) of a segment; in f32 a loop that the compiler can make fast. */
static void store_segment(clact_dtype dtype, const struct segment *segment, uint64_t first,
                          size_t n, void *array, size_t at)
{
    uint64_t bits = segment->first + first * segment->step;
    if (dtype == CLACT_F32) {
        unsigned char *elements = (unsigned char *)array + at * sizeof(uint32_t);
        for (size_t i = 0; i < n; i++) {
            const uint32_t element = (uint32_t)bits + (uint32_t)i * (uint32_t)segment->step;
            memcpy(elements + i * sizeof element, &element, sizeof element);
        }
        return;
    }
    for (size_t i = 0; i < n; i++, bits += segment->step)
        dtype_store_bits(dtype, array, at + i, bits);
}

void operands_store(const struct operands *operands, uint64_t first, size_t n, void *array)
{
    const struct segment *segment = operands->segments;
    size_t stored = 0;
    assert(first + n <= operands->total);
    while (stored < n) {
        while (first >= segment->count)
            first -= segment++->count;
        const uint64_t there = segment->count - first;
        const size_t part = there < n - stored ? (size_t)there : n - stored;
        store_segment(operands->dtype, segment, first, part, array, stored);
        stored += part;
        first += part;
    }
}

/* The finaliser of splitmix64. */
uint64_t operands_hash(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
