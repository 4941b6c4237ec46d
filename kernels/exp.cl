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

/* t = n ln 2 + r, r = r_hi but for n * LN2_LO, which r_hi leaves out. */
typedef struct {
    mask exponent; /* n as integers */
    real n, r_hi, r;
} reduced;

/* P(r), to the precision that the result's storage asks for. Two coefficients at a time, which halves
 * the chain of dependent operations. r2 = r * r. */
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
#else /* degree 6, 2^-28.0 */
    const real p = fma((real)0x1.6b6764p-10f, r, (real)0x1.122f1ep-7f);
    return fma(p, r2, fma((real)0x1.55568ep-5f, r, (real)0x1.5554a4p-3f));
#endif
}

/* For |t| up to 2000 (float) or 2^40 (double). NaN gives an r of NaN and an undefined exponent. */
INLINE reduced exp_reduce(real t)
{
    const real rounded = fma(t, (real)LOG2_E, (real)ROUNDER);
    reduced x;
    x.exponent = AS_MASK(rounded) - AS_MASK((real)ROUNDER);
    x.n = rounded - ROUNDER;
    x.r_hi = fma(x.n, (real)-LN2_HI, t);
    x.r = fma(x.n, (real)-LN2_LO, x.r_hi);
    return x;
}

/* start + r^2 / 2 + r^3 P(r), the smallest terms first, and the largest not rounded before it is added. */
INLINE real exp_rest(real r, real start)
{
    const real r2 = r * r;
    return fma((real)0.5f * r, r, fma(r * r2, exp_tail(r, r2), start));
}

/* e^t, with m in [0.7, 1.42], not normalised: |m.lo| <= m.hi / 8. For the same t as exp_reduce. */
INLINE scaled exp_scaled(real t)
{
    const reduced x = exp_reduce(t);
    scaled e;
    e.n = x.exponent;
#ifdef CLACT_PAIRS
    /* e^r_hi, with 1 + r_hi exactly, what that sum leaves over, and then what r_hi has left out. */
    e.m.hi = 1 + x.r_hi;
    const real rest = exp_rest(x.r_hi, (1 - e.m.hi) + x.r_hi);
    e.m.lo = fma(x.n * (real)-LN2_LO, e.m.hi + rest, rest);
#else
    e.m.hi = exp_rest(x.r, x.r) + 1;
#endif
    return e;
}

/* m of e^t.hi, corrected for t.lo: e^(t.hi + t.lo) = e^t.hi (1 + t.lo), as t.lo is so small. Where t.hi
 * has been replaced, t.lo says nothing. */
INLINE wide exp_correct(wide m, wide t, mask is_itself)
{
#ifdef CLACT_PAIRS
    m.lo = fma(m.hi + m.lo, is_itself ? t.lo : (real)0, m.lo);
#endif
    return m;
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
    const real above = at_least(t.hi, EXP_FLOOR);
    scaled e = exp_scaled(above);
    e.n += k;
    const mask n = min(max(e.n, (mask)SCALE_MIN), (mask)0);
    e.m = wide_normalise(exp_correct(e.m, t, above == t.hi));
    e.m = wide_scale(e.m, t.hi == -INFINITY ? (real)0 : power_of_two(n));
    e.n -= n;
    return e;
}

INLINE scaled exp_negative(wide t)
{
    return exp_negative_times(t, (mask)0);
}

/* exp_negative_times(t, k) from the e^t of exp_scaled(), where it leaves nothing in n. */
INLINE scaled exp_in_range(scaled e, mask k)
{
    e.m = wide_scale(wide_normalise(e.m), power_of_two(e.n + k));
    e.n = (mask)0;
    return e;
}
