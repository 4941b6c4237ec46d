/* SPDX-License-Identifier: MIT */
/*
 * e^t as m * 2^n with n apart, so that nothing overflows or underflows before the operator that uses it
 * has done the one rounding that its result needs.
 *
 * t = n * ln 2 + r, |r| <= 0.3466, where n is rounded by adding and subtracting ROUNDER, whose last
 * place is 1, and whose low bits are such that power_of_two(n - LIFT) is a single shift.
 *
 * ln 2 = LN2_HI + LN2_LO, and t - n * LN2_HI is exact with fma: where n is not 0, |t| is at least 0.34,
 * so that t and LN2_HI are multiples of half an ulp of LN2_HI, and the difference has no more bits than
 * fit. Then m = e^r = 1 + r + r^2 / 2 + r^3 P(r).
 *
 * The coefficients of P are Sollya's
 *   fpminimax(exp(x), [|3,...,degree|], [|SG...|] or [|D...|], [-0.3466; 0.3466], relative, 1+x+x^2/2);
 * with the degree and the relative error of e^r given at each.
 */
#ifdef REAL_IS_DOUBLE
#define ROUNDER (0x1.8p52 + (EXPONENT_BIAS - LIFT))
#define LOG2_E 0x1.71547652b82fep0
#define LN2_HI 0x1.62e42fefa39efp-1
#define LN2_LO 0x1.abc9e3b39803fp-56
#define POWER_ROUNDER (0x1.8p52 + EXPONENT_BIAS) /* power_of_two(n) is a single shift of its sum */
#else
#define ROUNDER (0x1.8p23f + (EXPONENT_BIAS - LIFT))
#define LOG2_E 0x1.715476p0f
#define LN2_HI 0x1.62e430p-1f
#define LN2_LO -0x1.05c610p-29f
#define POWER_ROUNDER (0x1.8p23f + EXPONENT_BIAS) /* the same */
#endif

#define LN2 WIDE_CONSTANT(0x1.62e43p-1f, -0x1.05c61p-29f, 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56)

/* t = n ln 2 + r, r = r_hi but for n * LN2_LO, which r_hi leaves out. */
typedef struct {
    mask exponent; /* n as integers */
    real n, r_hi, r;
} reduced;

/* P(r), to a float's precision: degree 6, 2^-28.0. r2 = r * r. */
INLINE real exp_tail_of_float(real r, real r2)
{
    const real p = fma((real)0x1.6b6764p-10f, r, (real)0x1.122f1ep-7f);
    return fma(p, r2, fma((real)0x1.55568ep-5f, r, (real)0x1.5554a4p-3f));
}

/* P(r), to the precision that the result's storage asks for. Two coefficients at a time, which halves
 * the chain of dependent operations. */
INLINE real exp_tail(real r, real r2)
{
#if defined(CLACT_STORAGE_F64) /* degree 12, 2^-63.8 */
    real p = fma((real)0x1.1e48a42ba62e3p-29, r, (real)0x1.af66bfea65e53p-26);
    p = fma(p, r2, fma((real)0x1.27e5a14bcfeb6p-22, r, (real)0x1.71ddf383e8623p-19));
    p = fma(p, r2, fma((real)0x1.a01a0148b2281p-16, r, (real)0x1.a01a01b1e672fp-13));
    p = fma(p, r2, fma((real)0x1.6c16c16c28fabp-10, r, (real)0x1.111111110f162p-7));
    return fma(p, r2, fma((real)0x1.555555555552cp-5, r, (real)0x1.555555555555ap-3));
#elif defined(REAL_IS_DOUBLE) /* degree 8, 2^-39.5 */
    real p = fma((real)0x1.9f3d514e0369bp-16, r, (real)0x1.a17c73b2afcaap-13);
    p = fma(p, r2, fma((real)0x1.6c17edf40c5bep-10, r, (real)0x1.1110a9205faa7p-7));
    return fma(p, r2, fma((real)0x1.555554d7c1a6ep-5, r, (real)0x1.55555578f0458p-3));
#elif defined(CLACT_PAIRS) /* degree 7, 2^-32.9 */
    const real p = fma((real)0x1.9a58a8p-13f, r2,
                       fma((real)0x1.6d4cbap-10f, r, (real)0x1.1115dp-7f));
    return fma(p, r2, fma((real)0x1.5554e8p-5f, r, (real)0x1.555552p-3f));
#else
    return exp_tail_of_float(r, r2);
#endif
}

/* The n is that of a `guide` near t. For |t| up to 2000 (float) or 2^40 (double). NaN gives an r of NaN
 * and an undefined exponent. */
INLINE reduced exp_reduce_by(real guide, real t)
{
    const real rounded = fma(guide, (real)LOG2_E, (real)ROUNDER);
    reduced x;
    x.exponent = AS_MASK(rounded) - AS_MASK((real)ROUNDER);
    x.n = rounded - ROUNDER;
    x.r_hi = fma(x.n, (real)-LN2_HI, t);
    x.r = fma(x.n, (real)-LN2_LO, x.r_hi);
    return x;
}

INLINE reduced exp_reduce(real t)
{
    return exp_reduce_by(t, t);
}

/* start + r^2 / 2 + r^3 P(r), the smallest terms first, and the largest not rounded before it is added. */
INLINE real exp_rest(real r, real start)
{
    const real r2 = r * r;
    return fma((real)0.5f * r, r, fma(r * r2, exp_tail(r, r2), start));
}

/* The same with less work, and an error of up to 1/16 ulp of e^r. */
INLINE real exp_rest_nested(real r, real start)
{
    const real r2 = r * r;
    return fma(r2, fma(r, exp_tail(r, r2), (real)0.5f), start);
}

/*
 * (1 + e^t) / 2^LIFT, for the same t.hi as exp_reduce: 1 + 2^n + 2^n (e^r - 1), where the first sum is
 * exact but where one of its terms is next to nothing. In two steps, of which the first leaves
 * scale = 2^(n - LIFT) and e^r - 1 as r + rest.
 */
typedef struct {
    real scale, rest;
#ifdef CLACT_PAIRS
    real r;
#endif
} exp_parts;

INLINE exp_parts lifted_exp_parts(wide t)
{
    const reduced x = exp_reduce(t.hi);
    exp_parts e;
    e.scale = power_of_two(x.exponent - LIFT);
#ifdef CLACT_PAIRS
    const real r_lo = fma(x.n, (real)-LN2_LO, t.lo);
    const real of_r_hi = exp_rest_nested(x.r_hi, r_lo);
    e.rest = fma(r_lo, x.r_hi + of_r_hi, of_r_hi);
    e.r = x.r_hi;
#else
    e.rest = exp_rest_nested(x.r, x.r);
#endif
    return e;
}

INLINE wide lifted_one_plus(exp_parts e)
{
    const real one = (real)TWO_TO_MINUS_LIFT;
    const real sum = one + e.scale;
    wide d;
#ifdef CLACT_PAIRS
    const real larger = one > e.scale ? one : e.scale;
    const real smaller = one > e.scale ? e.scale : one;
    d.hi = fma(e.scale, e.r + e.rest, sum);
    d.lo = fma(e.scale, e.rest, fma(e.scale, e.r, sum - d.hi)) + ((larger - sum) + smaller);
#else
    d.hi = fma(e.scale, e.rest, sum);
#endif
    return d;
}

/* e^(t.hi + t.lo), with m in [0.7, 1.42] normalised but for a t.lo that is more than its last place, for
 * the same t.hi as exp_reduce. */
INLINE scaled exp_of(wide t)
{
    const reduced x = exp_reduce(t.hi);
    scaled e;
    e.n = x.exponent;
#ifdef CLACT_PAIRS
    const real r_lo = fma(x.n, (real)-LN2_LO, t.lo);
    const real one_plus_r = 1 + x.r_hi;
    const real rest = exp_rest(x.r_hi, (1 - one_plus_r) + x.r_hi);
    e.m.hi = one_plus_r + rest;
    e.m.lo = fma(r_lo, e.m.hi, (one_plus_r - e.m.hi) + rest);
#else
    e.m.hi = exp_rest(x.r, x.r) + 1;
#endif
    return e;
}

/* t, but not below `low`; where it is replaced t.lo says nothing. */
INLINE wide wide_at_least(wide t, ELEMENT low)
{
    wide above = wide_of(at_least(t.hi, low));
#ifdef CLACT_PAIRS
    above.lo = above.hi == t.hi ? t.lo : (real)0;
#endif
    return above;
}

/* 1 - e^t for -64 <= t <= 0, normalised; +0 for t = 0. It keeps its precision as t goes to 0. */
INLINE wide one_minus_exp(real t)
{
    const reduced x = exp_reduce(t);
    const real scale = power_of_two(x.exponent);
    const real of_scale = 1 - scale;
    wide c;
#ifdef CLACT_PAIRS
    /* 1 - scale - scale * r_hi exactly: 1 - scale is 0 or at least 1/2, and so the larger term. */
    const real of_r = -scale * x.r_hi;
    c.hi = of_scale + of_r;
    c.lo = ((1 - of_scale) - scale) + ((of_scale - c.hi) + of_r);
    /* Then r^2 / 2 exactly too: all of it counts where the result is near to r. */
    const real r2 = x.r * x.r;
    const real half_square = (real)-0.5f * scale * r2;
    const real sum = c.hi + half_square;
    const real left = (c.hi - sum) + half_square;
    const real of_square = fma(x.r, x.r, -r2) * (real)0.5f;
    const real rest = fma(x.r * r2, exp_tail(x.r, r2), fma(x.n, (real)-LN2_LO, of_square));
    c.hi = sum;
    c.lo = fma(-scale, rest, c.lo + left);
    c = wide_normalise(c);
#else
    c.hi = fma(-scale, exp_rest(x.r, x.r), of_scale);
#endif
    return c;
}

/*
 * e^t for t <= 0, t.lo being what t.hi leaves over. A result may be subnormal, or be 0 in a real,
 * where what is made of it is neither. So what lies below 2^SCALE_MIN of its exponent is in n, which is
 * 0 elsewhere. Beyond EXP_FLOOR it makes no difference what is returned, unless t.hi is -infinity: then
 * m is 0. With a k it is e^t 2^k, and what lies above 1 of its exponent is in n as well. From SCALE_FLOOR
 * on n is 0; e^LOG_SLOPE_MIN is the least value of a slope but for its exponential (activations.cl).
 */
#ifdef CLACT_STORAGE_F64
#define EXP_FLOOR -3200.0
#define SCALE_MIN -900
#define SCALE_FLOOR -620.0
#define LOG_SLOPE_MIN -40.0
#else
#define EXP_FLOOR -400.0f
#define SCALE_MIN -100
#define SCALE_FLOOR -69.0f
#define LOG_SLOPE_MIN -20.0f
#endif

INLINE scaled exp_negative_times(wide t, mask k)
{
    scaled e = exp_of(wide_at_least(t, EXP_FLOOR));
    e.n += k;
    const mask n = min(max(e.n, (mask)SCALE_MIN), (mask)0);
    e.m = wide_scale(e.m, t.hi == -INFINITY ? (real)0 : power_of_two(n));
    e.n -= n;
    return e;
}

INLINE scaled exp_negative(wide t)
{
    return exp_negative_times(t, (mask)0);
}

/* exp_negative_times(t, k) where it leaves nothing in n. */
INLINE scaled exp_in_range(wide t, mask k)
{
    scaled e = exp_of(t);
    e.m = wide_scale(e.m, power_of_two(e.n + k));
    e.n = (mask)0;
    return e;
}
