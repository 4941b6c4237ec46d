/* SPDX-License-Identifier: MIT */
/*
 * Which elements the sigmoid takes to a threshold or above, decided as if it were computed without
 * any rounding.
 *
 * s(x) = 1 / (1 + e^-x) increases and s(-x) = 1 - s(x). For a threshold t below 1/2 let u = t, above
 * it u = 1 - t, which a double holds exactly; then all that has to be known is the largest a >= 0
 * among the elements with s(-a) >= u, which is
 *
 *     e^-a (1 - u) >= u
 *
 * The two sides are never equal: e^-a is transcendental for a rational a other than 0 (Lindemann),
 * and u is not 1/2. But they come close:
 *
 * - Where a < 2^-26, s(-a) = 1/2 - a/4 + a^3/48 - ..., and 1/2 - a/4 may be a double: then the sides
 *   differ by a^3/24, and a is at least 2^-52, so by 2^-160.6 or more. Where it is not a double they
 *   differ by more than 2^-108, as an element has no more than 53 bits and u is not 1/2.
 * - Elsewhere, by about 2^-53 of themselves for most u that are the double nearest to some s(-a), and
 *   by about 2^-115 for some of all the 2^62 thresholds, going by how many there are.
 *
 * So pairs of doubles would not do, and the two sides are computed in integers, with an error below
 * 2^-180. That settles the former, leaves no doubt about the latter, and does not depend on the
 * machine's floating-point arithmetic, its rounding mode or its libm. Doubles only say where to start
 * to look.
 */
#include "internal.h"

#include <string.h>

/* A binary format without its sign. */
typedef struct format {
    unsigned mantissa_bits; /* those that are stored */
    int bias;
    cl_long infinity; /* the bits of it */
} format;

static const format formats[] = {
    [CLACT_F32] = {23, 127, 0x7f800000},
    [CLACT_F16] = {10, 15, 0x7c00},
    [CLACT_BF16] = {7, 127, 0x7f80},
    [CLACT_F64] = {52, 1023, 0x7ff0000000000000},
};

static const format *const binary64 = &formats[CLACT_F64];

/* significand * 2^exponent */
typedef struct number {
    uint64_t significand;
    int exponent;
} number;

/* The number with these bits. */
static number from_bits(const format *f, uint64_t bits)
{
    const uint64_t hidden = (uint64_t)1 << f->mantissa_bits;
    const int field = (int)(bits >> f->mantissa_bits);
    const uint64_t mantissa = bits & (hidden - 1);
    return (number){field ? mantissa | hidden : mantissa,
                    (field ? field : 1) - f->bias - (int)f->mantissa_bits};
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* The bits of the largest number of the format up to `value`, which it must be able to reach. */
static uint64_t to_bits(const format *f, double value)
{
    const uint64_t bits = bits_of(value);
    const int least = binary64->bias - f->bias + 1; /* the exponent field of normal numbers */
    const int field = (int)(bits >> binary64->mantissa_bits);
    const unsigned fewer = binary64->mantissa_bits - f->mantissa_bits;
    if (field >= least)
        return (bits >> fewer) - ((uint64_t)(least - 1) << f->mantissa_bits);
    const unsigned shift = fewer + (unsigned)(least - field);
    return shift < 64 ? from_bits(binary64, bits).significand >> shift : 0;
}

/* Fixed point: a number below 2^32 is the sum of limbs[i] * 2^(32 (i - POINT)). What lies below its
 * last place, 2^-192, is cut off. */
enum { LIMBS = 7, POINT = LIMBS - 1 };

typedef struct fixed {
    uint32_t limbs[LIMBS];
} fixed;

static const fixed zero = {{0}};
static const fixed one = {{[POINT] = 1}};
static const fixed ln2 = {
    {0x7298b62d, 0x40f34326, 0x03f2f6af, 0xc9e3b398, 0xd1cf79ab, 0xb17217f7, 0}};

static fixed to_fixed(number x)
{
    int place = x.exponent + 32 * POINT; /* of the significand's last bit */
    uint64_t significand = x.significand;
    if (place < 0) {
        significand = place > -64 ? significand >> -place : 0;
        place = 0;
    }
    uint64_t carry = (significand & 0xffffffff) << place % 32;
    uint64_t upper = significand >> 32 << place % 32;
    fixed result = {{0}};
    for (int i = place / 32; i < LIMBS; i++) {
        result.limbs[i] = (uint32_t)carry;
        carry = (carry >> 32) + upper;
        upper = 0;
    }
    return result;
}

static fixed total(fixed a, fixed b)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a.limbs[i] + b.limbs[i];
        a.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return a;
}

static fixed difference(fixed a, fixed b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        const uint64_t d = (uint64_t)a.limbs[i] - b.limbs[i] - borrow;
        a.limbs[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    return a;
}

static fixed product(const fixed *a, const fixed *b)
{
    uint32_t full[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < LIMBS; k++) {
            carry += (uint64_t)a->limbs[i] * b->limbs[k] + full[i + k];
            full[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        full[i + LIMBS] = (uint32_t)carry;
    }
    fixed result;
    memcpy(result.limbs, full + POINT, sizeof(result.limbs));
    return result;
}

static fixed quotient(fixed a, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | a.limbs[i];
        a.limbs[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return a;
}

static fixed multiple(fixed a, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a.limbs[i] * factor;
        a.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return a;
}

static bool is_less(const fixed *a, const fixed *b)
{
    int i = LIMBS - 1;
    while (i > 0 && a->limbs[i] == b->limbs[i])
        i--;
    return a->limbs[i] < b->limbs[i];
}

/* e^-r for 0 <= r < 1: 1 - r + r^2/2 - r^3/6 + ..., as far as there is anything to add. */
static fixed exp_minus(fixed r)
{
    fixed sum = one, term = one;
    for (uint32_t n = 1; is_less(&zero, &term); n++) {
        term = quotient(product(&term, &r), n);
        sum = n % 2 ? difference(sum, term) : total(sum, term);
    }
    return sum;
}

/* Whether e^-a (1 - u) >= u, for a < 1024 and near the last that does. With a = k ln 2 + r it is
 * e^-r (1 - u) > 2^k u, as the sides are never equal. */
static bool reaches(number a, number u)
{
    const fixed wide = to_fixed(a);
    /* 0x171547 * 2^-20 is a little less than 1 / ln 2, so that r is not negative. */
    const uint64_t times_2_32 = (uint64_t)wide.limbs[POINT] << 32 | wide.limbs[POINT - 1];
    const uint32_t k = (uint32_t)((times_2_32 * 0x171547) >> 52);
    const fixed power = exp_minus(difference(wide, multiple(ln2, k)));
    const fixed rest = difference(one, to_fixed(u));
    const fixed left = product(&power, &rest);
    const fixed right = to_fixed((number){u.significand, u.exponent + (int)k});
    return is_less(&right, &left);
}

/* ln((1 - u) / u), to a few units in the last place, for 0 < u < 1/2. */
static double guess(double u)
{
    double rest = 1 - u, ratio = 1 - 2 * u, exponent = 0;
    if (u < 0.25) {
        /* u = f * 2^exponent */
        number x = from_bits(binary64, bits_of(u));
        while (x.significand >> binary64->mantissa_bits == 0) {
            x.significand <<= 1;
            x.exponent--;
        }
        const double f = (double)x.significand * 0x1p-52;
        exponent = x.exponent + 52;
        ratio = (rest - f) / (rest + f);
    }
    /* The logarithm of (1 + ratio) / (1 - ratio) is 2 ratio (1 + ratio^2 / 3 + ratio^4 / 5 + ...). */
    double sum = 0;
    for (int n = 59; n > 0; n -= 2)
        sum = sum * ratio * ratio + 1.0 / n;
    return 2 * ratio * sum - exponent * 0x1.62e42fefa39efp-1;
}

clact__range clact__threshold(clact_dtype dtype, double threshold)
{
    const format *f = &formats[dtype];
    clact__range range = {.highest = f->infinity};
    if (threshold == 0.5) { /* from -0 on */
        range.lowest = -1;
    } else if (threshold <= 0 || threshold >= 1) {
        range.lowest = threshold >= 1 ? f->infinity : ~f->infinity;
    } else {
        const double u = threshold < 0.5 ? threshold : 1 - threshold;
        const number exact = from_bits(binary64, bits_of(u));
        uint64_t a = to_bits(f, guess(u));
        while (!reaches(from_bits(f, a), exact))
            a--;
        while (reaches(from_bits(f, a + 1), exact))
            a++;
        /* s(-a) is at least u, and for t = 1 - u that of the next element after a is the first. */
        range.lowest = threshold < 0.5 ? ~(cl_long)a : (cl_long)a + 1;
    }
    return range;
}
