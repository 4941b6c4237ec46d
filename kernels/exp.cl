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
#else
#define ROUNDER (0x1.8p23f + (EXPONENT_BIAS - LIFT))
#define LOG2_E 0x1.715476p0f
#define LN2_HI 0x1.62e430p-1f
#define LN2_LO -0x1.05c610p-29f
#endif

typedef struct {
    wide m; /* in [0.7, 1.42], not normalised: |m.lo| <= m.hi / 8 */
    mask n;
} scaled;

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

/* For |t| up to 2000 (float) or 2^40 (double). NaN gives an m of NaN and an undefined n. */
INLINE scaled exp_scaled(real t)
{
    const real rounded = fma(t, (real)LOG2_E, (real)ROUNDER);
    const real n = rounded - ROUNDER;
    const real r_hi = fma(n, (real)-LN2_HI, t);
    const real r = fma(n, (real)-LN2_LO, r_hi);
    const real r2 = r * r;
    const real r3 = r * r2;
    scaled e;
    e.n = AS_MASK(rounded) - AS_MASK((real)ROUNDER);
#ifdef CLACT_PAIRS
    /* 1 + r_hi exactly; what that sum leaves over; and the small terms, the smallest first. */
    e.m.hi = 1 + r_hi;
    const real left = fma(n, (real)-LN2_LO, (1 - e.m.hi) + r_hi);
    e.m.lo = fma(r2, (real)0.5f, fma(r3, exp_tail(r, r2), left));
#else
    e.m.hi = fma(r2, (real)0.5f, fma(r3, exp_tail(r, r2), r)) + 1;
#endif
    return e;
}
