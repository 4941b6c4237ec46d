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
#define REAL_EPSILON DBL_EPSILON
#else
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define REAL_MAX FLT_MAX
#define REAL_EPSILON FLT_EPSILON
#endif

/* By how much a value is lifted that might underflow before its time: half the exponents of the type
 * that results are stored in. */
#ifdef CLACT_STORAGE_F64
#define LIFT 512
#define TWO_TO_MINUS_LIFT 0x1p-512
#define TIMES_SMALL 0x1p-900
#else
#define LIFT 64
#define TWO_TO_MINUS_LIFT 0x1p-64f
#define TIMES_SMALL 0x1p-90f
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
    b.lo = (real)0;
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

/* a + b, exactly where pairs have it. */
INLINE wide wide_exact_sum(real a, real b)
{
    wide sum;
    sum.hi = a + b;
#ifdef CLACT_PAIRS
    const real of_b = sum.hi - a;
    sum.lo = (a - (sum.hi - of_b)) + (b - of_b);
#endif
    return sum;
}

/* a + b, normalised, for any two. */
INLINE wide wide_add(wide a, wide b)
{
    wide sum = wide_exact_sum(a.hi, b.hi);
#ifdef CLACT_PAIRS
    sum.lo += a.lo + b.lo;
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

/* a * b. Where that is infinite the high part is, and the low part says nothing. */
INLINE wide wide_times_real(wide a, real b)
{
    wide c = wide_product(a.hi, b);
#ifdef CLACT_PAIRS
    c.lo = fma(a.lo, b, c.lo);
#endif
    return c;
}

/* m * 2^n */
typedef struct {
    wide m;
    mask n;
} scaled;

/* a as m 2^n with |m| from 1 to 2, or m = 0. */
INLINE scaled split(real a)
{
    const mask lift = fabs(a) < 1 ? (mask)LIFT : (mask)0;
    const mask bits = AS_MASK(a * power_of_two(lift));
    const mask exponent = ((bits >> MANTISSA_BITS) & (2 * EXPONENT_BIAS + 1)) - EXPONENT_BIAS;
    const real m = AS_REAL(bits - (exponent << MANTISSA_BITS));
    scaled s;
    s.m = wide_of(a == 0 ? a : m);
    s.n = exponent - lift;
    return s;
}

/* a b as m 2^n with |m| from 1 to 4, or 0: what over- and underflows is apart in n. */
INLINE scaled scaled_product(real a, real b)
{
    const scaled x = split(a), y = split(b);
    scaled c;
    c.m = wide_product(x.m.hi, y.m.hi);
    c.n = x.n + y.n;
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

/* c + a * b, not normalised: a step of Horner's scheme, without the low part of a. */
INLINE wide wide_step(wide c, real a, wide b)
{
#ifdef CLACT_PAIRS
    const wide product = wide_product(a, b.hi);
    wide sum = wide_exact_sum(c.hi, product.hi);
    sum.lo += fma(a, b.lo, product.lo + c.lo);
    return sum;
#else
    return wide_of(fma(a, b.hi, c.hi));
#endif
}

/* a * b, rounded once if it is not subnormal. */
INLINE real wide_scaled_by(wide a, real b)
{
    const real high = a.hi * b;
#ifdef CLACT_PAIRS
    /* Next to a zero or an infinity the low product could be one of the other sign. */
    const mask bare = (high == 0) | (fabs(high) == INFINITY);
    return fma(a.hi, b, bare ? high : a.lo * b);
#else
    return high;
#endif
}

/* 1 / d, in pairs a little less, so that what corrects it or a quotient made of it is of the same sign. */
INLINE real reciprocal_from_below(real d)
{
#ifdef CLACT_PAIRS
    return (1 - 4 * REAL_EPSILON) / d;
#else
    return reciprocal(d);
#endif
}

/* a / b of a q near 1 / b. The remainder corrects the quotient, so that the error of q enters only squared. */
INLINE wide wide_div_by(wide a, wide b, real q)
{
    wide c;
    c.hi = a.hi * q;
#ifdef CLACT_PAIRS
    c.lo = (fma(-c.hi, b.hi, a.hi) + fma(-c.hi, b.lo, a.lo)) * q;
#endif
    return c;
}

INLINE wide wide_div(wide a, wide b)
{
    return wide_div_by(a, b, reciprocal(b.hi));
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

/* 1 / b of a q near it */
INLINE wide wide_inverse_by(wide b, real q)
{
    wide c = wide_of(q);
#ifdef CLACT_PAIRS
    c.lo = q * fma(-q, b.lo, fma(-q, b.hi, (real)1));
#endif
    return c;
}

INLINE wide wide_inverse(wide b)
{
    return wide_inverse_by(b, reciprocal(b.hi));
}

/* 1 / b with both parts of the same sign: see quotient_times(). */
INLINE wide wide_inverse_from_below(wide b)
{
    return wide_inverse_by(b, reciprocal_from_below(b.hi));
}

/* a * b for an a whose parts have the same sign where b is 0 or infinite, as one made by
 * reciprocal_from_below() has. Rounded once if it is not subnormal. */
INLINE real quotient_times(wide a, real b)
{
#ifdef CLACT_PAIRS
    return fma(a.hi, b, a.lo * b);
#else
    return a.hi * b;
#endif
}

/* 1 - a for |a| <= 1, not normalised. */
INLINE wide wide_one_minus(wide a)
{
    wide c;
    c.hi = 1 - a.hi;
#ifdef CLACT_PAIRS
    c.lo = ((1 - c.hi) - a.hi) - a.lo;
#endif
    return c;
}

/* a * g * 2^n, rounded once, and once more if it is subnormal. For any g; |a| is at most 1 where n < 0, so
 * that nothing overflows on the way, and at most 64. */
INLINE real wide_times_far(wide a, real g, mask n)
{
    /* A product that is not to underflow must not do so here, its low part neither: a small g is lifted. */
    const mask lift = fabs(g) < 1 ? (mask)LIFT : (mask)0;
    const mask left = min(max(n - lift, (mask)(2 - 2 * EXPONENT_BIAS)), (mask)(2 * EXPONENT_BIAS));
    const mask half_left = left >> 1;
    const real product = wide_scaled_by(a, g * power_of_two(lift));
    return product * power_of_two(half_left) * power_of_two(left - half_left);
}

/* The same. It is worth a branch that hardly a product needs such care. */
INLINE real wide_times(wide a, real g, mask n)
{
    const real product = wide_scaled_by(a, g);
    const real size = fabs(product);
    const mask exact = (size >= TIMES_SMALL) & (size <= REAL_MAX) & (n == 0);
    const mask far = !exact & (a.hi != 0) & (g != 0);
    return rarely(far) ? (far ? wide_times_far(a, g, n) : product) : product;
}
