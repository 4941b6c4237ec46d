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
#define REAL_MAX DBL_MAX
#else
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define REAL_MAX FLT_MAX
#endif

/* 2^n, for n from 1 - EXPONENT_BIAS to EXPONENT_BIAS. */
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

static wide wide_from(real a)
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

/* 1 + a * s, for s a power of two and |a * s| <= 1 or about that. */
static wide wide_one_plus(wide a, real s)
{
    wide c;
    c.hi = fma(a.hi, s, (real)1);
#ifdef CLACT_PAIRS
    c.lo = fma(a.lo, s, fma(a.hi, s, 1 - c.hi));
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

/*
 * a / b, for 1 <= b <= 4. The remainder corrects the quotient, so that the error of reciprocal()
 * enters only squared.
 */
static wide wide_div(wide a, wide b)
{
    const real q = reciprocal(b.hi);
    wide c;
    c.hi = a.hi * q;
#ifdef CLACT_PAIRS
    c.lo = (fma(-c.hi, b.hi, a.hi) + fma(-c.hi, b.lo, a.lo)) * q;
#endif
    return c;
}

/* The same, rounded to a real. */
static real wide_quotient(wide a, wide b)
{
    const real q = reciprocal(b.hi);
    const real c = a.hi * q;
#ifdef CLACT_PAIRS
    return fma(fma(-c, b.hi, a.hi) + fma(-c, b.lo, a.lo), q, c);
#else
    return c;
#endif
}

/* a * g, rounded once to a real. */
static real wide_times(wide a, real g)
{
#ifdef CLACT_PAIRS
    /* With an infinite g the low term could be NaN, or an infinity of the other sign. */
    real finite = g > REAL_MAX ? (real)REAL_MAX : g;
    finite = finite < -REAL_MAX ? (real)-REAL_MAX : finite;
    return fma(a.hi, g, a.lo * finite);
#else
    return a.hi * g;
#endif
}
