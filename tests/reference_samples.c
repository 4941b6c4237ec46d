/* SPDX-License-Identifier: MIT */
#include "reference_samples.h"

#include "dtype.h"
#include "reference.h"

#include <math.h>
#include <stddef.h>

static int sign_at(const struct reference *reference, const clact_params *p, double x)
{
    double slope = reference->from_input(1, x, p);
    return slope > 0 ? 1 : slope < 0 ? -1 : 0;
}

static void find_places(struct sample_source *source, const struct reference *reference,
                        const clact_params *p)
{
    for (double left = -16; left < 16 && source->place_count < SAMPLE_MOST_PLACES; left += 0.125) {
        double low = left;
        double high = left + 0.125;
        int sign = sign_at(reference, p, low);
        if (sign == sign_at(reference, p, high))
            continue;
        for (double middle = (low + high) / 2; middle != low && middle != high;
             middle = (low + high) / 2)
            *(sign_at(reference, p, middle) == sign ? &low : &high) = middle;
        source->places[source->place_count++] = high;
    }
}

void sample_source_init(struct sample_source *source, clact_operator op, clact_dtype dtype,
                        const clact_params *p)
{
    const struct reference *reference = reference_of(op);
    *source = (struct sample_source){.dtype = dtype, .random = 1};
    if (reference->from_input != NULL)
        find_places(source, reference, p);
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t next_random(struct sample_source *source)
{
    uint64_t z = source->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

double sample_uniform(struct sample_source *source)
{
    return (double)(next_random(source) >> 11) * 0x1p-52 - 1;
}

/* Random bits: every binade of either sign as often as any other, subnormal numbers among them. */
static double random_bits(struct sample_source *source)
{
    for (;;) {
        double value = dtype_from_bits(source->dtype, next_random(source));
        if (isfinite(value))
            return value;
    }
}

/* At or just below a value where a function, a formula or the format changes its behaviour. */
static double near_edge(struct sample_source *source)
{
    static const double edges[] = {0,   0.5, 1,   3,   17,   37,    88,
                                   100, 104, 709, 745, 1000, 11355, 20000};
    const size_t count = sizeof edges / sizeof edges[0];
    size_t choice = next_random(source) % (count + 1);
    double smallest = ldexp(1, dtype_format(source->dtype)->min_exponent);
    double value = dtype_round(source->dtype, choice < count ? edges[choice] : smallest);
    for (uint64_t steps = next_random(source) % 4; steps > 0; steps--)
        value = dtype_next_down(source->dtype, value);
    return next_random(source) % 2 == 0 ? value : -value;
}

/* Any distance from a place as often as one of another binade. */
static double near_place(struct sample_source *source)
{
    double place = source->places[next_random(source) % (uint64_t)source->place_count];
    int bits = (int)(next_random(source) % (uint64_t)dtype_format(source->dtype)->precision);
    return place + ldexp(sample_uniform(source), -bits);
}

double sample_operand(struct sample_source *source)
{
    /* A little more than the x at which e^-x is less than half the smallest number. */
    double tail = source->dtype == CLACT_F64 ? 760 : 110;
    double value;
    switch (next_random(source) % (source->place_count > 0 ? 6 : 5)) {
    case 0:
        return random_bits(source);
    case 1:
        return near_edge(source);
    case 2:
        value = sample_uniform(source); /* as outputs are */
        break;
    case 3:
        value = 16 * sample_uniform(source);
        break;
    case 4:
        value = tail * sample_uniform(source);
        break;
    default:
        value = near_place(source);
        break;
    }
    return dtype_round(source->dtype, value);
}

double sample_grad(struct sample_source *source)
{
    switch (next_random(source) % 3) {
    case 0:
        return 1;
    case 1:
        return dtype_round(source->dtype, sample_uniform(source));
    default:
        return random_bits(source);
    }
}
