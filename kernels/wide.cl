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

/* By how much a value is lifted that might underflow before its time: half the exponents of the type
 * that results are stored in. */
#ifdef CLACT_STORAGE_F64
#define LIFT 512
#define TWO_TO_MINUS_LIFT 0x1p-512
#else
#define LIFT 64
#define TWO_TO_MINUS_LIFT 0x1p-64f
#endif

/*
 * A constant as a wide: its two parts in float, for f32 results, and in double, for f64 results. What
 * the arithmetic has no room for is left out.
 */
INLINE wide wide_constant(ELEMENT hi, ELEMENT lo)
{
    wide c;
#ifdef CLACT_PAIRS
    c.hi = hi;
    c.lo = lo;
#else
    c.hi = hi + lo;
#endif
    return c;
}

#ifdef CLACT_STORAGE_F64
#define WIDE_CONSTANT(hi32, lo32, hi64, lo64) wide_constant(hi64, lo64)
#else
#define WIDE_CONSTANT(hi32, lo32, hi64, lo64) wide_constant(hi32, lo32)
#endif

INLINE wide wide_of(real a)
{
    wide b;
    b.hi = a;
#ifdef CLACT_PAIRS
    b.lo = 0;
#endif
    return b;
}

/* The nearest real. */
INLINE real wide_round(wide a)
{
#ifdef CLACT_PAIRS
    return a.hi + a.lo;
#else
    return a.hi;
#endif
}

INLINE wide wide_select(mask which, wide if_true, wide if_false)
{
    wide a;
    a.hi = which ? if_true.hi : if_false.hi;
#ifdef CLACT_PAIRS
    a.lo = which ? if_true.lo : if_false.lo;
#endif
    return a;
}

INLINE wide wide_negate(wide a)
{
    a.hi = -a.hi;
#ifdef CLACT_PAIRS
    a.lo = -a.lo;
#endif
    return a;
}

/* -|a| */
INLINE wide wide_minus_abs(wide a)
{
    return wide_select(a.hi > 0, wide_negate(a), a);
}

/* 2^n, for n from 1 - EXPONENT_BIAS to EXPONENT_BIAS. */
INLINE real power_of_two(mask n)
{
    return AS_REAL((n + EXPONENT_BIAS) << MANTISSA_BITS);
}

/* t, but not below `low`. NaN stays NaN, which max() would lose. */
INLINE real at_least(real t, ELEMENT low)
{
    return t < low ? (real)low : t;
}

/* t, but not above `high`; the same. */
INLINE real at_most(real t, ELEMENT high)
{
    return t > high ? (real)high : t;
}

/* An approximation of 1/d, good to 2^-22 (float) or 2^-44 (double). For f32 results in double, d is in
 * float's range, and a float division, which costs a quarter, and one Newton step do. */
INLINE real reciprocal(real d)
{
#ifdef CLACT_DOUBLES
    const real q = TO_REAL(1.0f / TO_FLOAT(d));
    return fma(fma(-d, q, (real)1), q, q);
#else
    return 1 / d;
#endif
}

/* a * s, for s a power of two. */
INLINE wide wide_scale(wide a, real s)
{
    a.hi *= s;
#ifdef CLACT_PAIRS
    a.lo *= s;
#endif
    return a;
}

/* a with |a.lo| at most half an ulp of a.hi, for an a with |a.lo| <= |a.hi|. */
INLINE wide wide_normalise(wide a)
{
#ifdef CLACT_PAIRS
    const real hi = a.hi + a.lo;
    a.lo = (a.hi - hi) + a.lo;
    a.hi = hi;
#endif
    return a;
}

/* c + a * s, normalised, for s a power of two, c and a positive. a itself need not be normalised. */
INLINE wide wide_sum(real c, wide a, real s)
{
    wide sum;
#ifdef CLACT_PAIRS
    /* The larger term minus the sum is exact, and so is adding the smaller. */
    const real term = a.hi * s;
    const real larger = c > term ? c : term;
    const real smaller = c > term ? term : c;
    sum.hi = fma(a.hi + a.lo, s, c);
    sum.lo = fma(a.lo, s, (larger - sum.hi) + smaller);
#else
    sum.hi = fma(a.hi, s, c);
#endif
    return sum;
}

/* a + b, normalised, for any two. */
INLINE wide wide_add(wide a, wide b)
{
    wide sum;
    sum.hi = a.hi + b.hi;
#ifdef CLACT_PAIRS
    const real of_b = sum.hi - a.hi;
    const real left = (a.hi - (sum.hi - of_b)) + (b.hi - of_b);
    sum.lo = left + (a.lo + b.lo);
    sum = wide_normalise(sum);
#endif
    return sum;
}

/* a * b, exactly where pairs have it. */
INLINE wide wide_product(real a, real b)
{
    wide c;
    c.hi = a * b;
#ifdef CLACT_PAIRS
    c.lo = fma(a, b, -c.hi);
#endif
    return c;
}

INLINE wide wide_mul(wide a, wide b)
{
    wide c = wide_product(a.hi, b.hi);
#ifdef CLACT_PAIRS
    c.lo = fma(a.hi, b.lo, fma(a.lo, b.hi, c.lo));
#endif
    return c;
}

INLINE wide wide_square(wide a)
{
    wide c = wide_product(a.hi, a.hi);
#ifdef CLACT_PAIRS
    c.lo = fma(2 * a.hi, a.lo, c.lo);
#endif
    return c;
}

/* a * b, rounded once. The low product of a zero b may have another sign than the high one. */
INLINE real wide_scaled_by(wide a, real b)
{
#ifdef CLACT_PAIRS
    return fma(a.hi, b, b == 0 ? a.hi * b : a.lo * b);
#else
    return a.hi * b;
#endif
}

/* a / b. The remainder corrects the quotient, so that the error of reciprocal() enters only squared. */
INLINE wide wide_div(wide a, wide b)
{
    const real q = reciprocal(b.hi);
    wide c;
    c.hi = a.hi * q;
#ifdef CLACT_PAIRS
    c.lo = (fma(-c.hi, b.hi, a.hi) + fma(-c.hi, b.lo, a.lo)) * q;
#endif
    return c;
}

/* 1 / b, rounded to a real. */
INLINE real wide_reciprocal(wide b)
{
    const real q = reciprocal(b.hi);
#ifdef CLACT_PAIRS
    return fma(fma(-q, b.lo, fma(-q, b.hi, (real)1)), q, q);
#else
    return q;
#endif
}

/*
 * a * g * 2^n, rounded once, and once more if it is subnormal. For any g, 0 < a <= 1, and n <= 0 down to
 * twice the lowest exponent.
 */
INLINE real wide_times(wide a, real g, mask n)
{
    const mask half_n = n >> 1;
#ifdef CLACT_PAIRS
    /* The low product must not underflow where the high one does not, so a small g is lifted first. */
    const mask lift = fabs(g) < 1 ? (mask)LIFT : (mask)0;
    const real lifted = g * power_of_two(lift);
    /* With an infinite g the low term could be NaN, or an infinity of the other sign. */
    const real finite = at_least(at_most(lifted, REAL_MAX), -REAL_MAX);
    /* With a g of 0 it could be a 0 of the other sign. */
    const real low = g == 0 ? a.hi * g : a.lo * finite;
    const real product = fma(a.hi, lifted, low) * power_of_two(half_n);
    return product * power_of_two(n - half_n) * power_of_two(-lift);
#else
    return a.hi * g * power_of_two(half_n) * power_of_two(n - half_n);
#endif
}
