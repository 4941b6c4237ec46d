/* SPDX-License-Identifier: MIT */
/*
 * Wide numbers: the arithmetic in which the operators are written, so that each formula stands once.
 *
 * A wide carries the bits beyond the result's precision that an intermediate value needs. Where there
 * is a type with that many bits to spare it is one real: f64 for f32 results, f32 for f16 and bf16
 * results. Elsewhere (CLACT_PAIRS) it is an unevaluated sum hi + lo of two reals, |lo| at most about
 * an ulp of hi, with a relative error below 2^-(2p-4), p the precision of a real.
 *
 * The sums and products of pairs are Dekker's and Knuth's error-free transformations (T. J. Dekker,
 * "A floating-point technique for extending the available precision", Numer. Math. 18, 1971), with
 * fma for the products.
 */
#ifdef CLACT_PAIRS
typedef struct {
    real hi, lo;
} wide;
#else
typedef struct {
    real hi;
} wide;
#endif

#ifdef REAL_IS_DOUBLE
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#else
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#endif
#define EXPONENT_MIN (1 - EXPONENT_BIAS)

/* 2^n, for EXPONENT_MIN <= n <= EXPONENT_BIAS. */
static real power_of_two(mask n)
{
    return AS_REAL((n + EXPONENT_BIAS) << MANTISSA_BITS);
}

/* t, but not below `low`. NaN stays NaN, which max() would lose. */
static real at_least(real t, ELEMENT low)
{
    return t < low ? (real)low : t;
}

/* An approximation of 1/d for 1 <= d <= 4, good to at least 2^-22 (float) or 2^-44 (double): a double
 * starts from a float division, which costs a quarter, and takes one Newton step. */
static real reciprocal(real d)
{
#ifdef REAL_IS_DOUBLE
    const real q = TO_REAL(1.0f / TO_FLOAT(d));
    return fma(fma(-d, q, (real)1), q, q);
#else
    return 1.0f / d;
#endif
}

static wide wide_select(mask condition, wide a, wide b)
{
    wide c;
    c.hi = condition ? a.hi : b.hi;
#ifdef CLACT_PAIRS
    c.lo = condition ? a.lo : b.lo;
#endif
    return c;
}

static wide wide_from(ELEMENT a)
{
    wide c;
    c.hi = a;
#ifdef CLACT_PAIRS
    c.lo = 0;
#endif
    return c;
}

/* a * s, for s a power of two. */
static wide wide_scale(wide a, real s)
{
    a.hi *= s;
#ifdef CLACT_PAIRS
    a.lo *= s;
#endif
    return a;
}

/* 1 + a, for |a| < 2. */
static wide wide_one_plus(wide a)
{
    wide c;
    c.hi = 1 + a.hi;
#ifdef CLACT_PAIRS
    /* |a| may exceed 1 by a rounding error: then a.hi has one bit less behind the point than 1 has
     * room for, and the sum is still exact. */
    c.lo = ((1 - c.hi) + a.hi) + a.lo;
#endif
    return c;
}

static wide wide_square(wide a)
{
    wide c;
    c.hi = a.hi * a.hi;
#ifdef CLACT_PAIRS
    c.lo = fma(2 * a.hi, a.lo, fma(a.hi, a.hi, -c.hi));
#endif
    return c;
}

/* a / b, for 1 <= b <= 4. The remainder corrects the quotient, so that the error of reciprocal()
 * enters only squared. */
static wide wide_div(wide a, wide b)
{
    const real q = reciprocal(b.hi);
    wide c;
    c.hi = a.hi * q;
#ifdef CLACT_PAIRS
    const real remainder = fma(-c.hi, b.hi, a.hi) + fma(-c.hi, b.lo, a.lo);
    c.lo = remainder * q;
#endif
    return c;
}

/* a, rounded to a real. */
static real wide_round(wide a)
{
#ifdef CLACT_PAIRS
    return a.hi + a.lo;
#else
    return a.hi;
#endif
}

/* a * g, rounded once to a real. */
static real wide_times(wide a, real g)
{
#ifdef CLACT_PAIRS
    const real product = fma(a.hi, g, a.lo * g);
    /* An infinite g makes NaN of the two terms where their signs differ or lo is 0. */
    return isinf(g) ? a.hi * g : product;
#else
    return a.hi * g;
#endif
}
