/* SPDX-License-Identifier: MIT */
/*
 * e^t as m * 2^n with n apart, so that nothing overflows or underflows before the operator that uses it
 * has done the one rounding that its result needs.
 *
 * t = n * ln 2 + r, |r| <= 0.3466, where n is rounded by adding and subtracting ROUNDER, whose last
 * place is 1. ln 2 = LN2_HI + LN2_LO, and t - n * LN2_HI is exact with fma: where n is not 0, |t| is at
 * least 0.34, so that t and LN2_HI are multiples of half an ulp of LN2_HI, and the difference has no
 * more bits than fit. Then m = e^r = 1 + r + r^2 Q(r).
 *
 * The coefficients of Q are Sollya's
 *   fpminimax(exp(x), [|2,...,degree|], [|SG...|] or [|D...|], [-0.3466; 0.3466], relative, 1+x);
 * with the degree and the relative error given at each.
 */
#ifdef REAL_IS_DOUBLE
#define ROUNDER 0x1.8p52
#define LOG2_E 0x1.71547652b82fep0
#define LN2_HI 0x1.62e42fefa39efp-1
#define LN2_LO 0x1.abc9e3b39803fp-56
#else
#define ROUNDER 0x1.8p23f
#define LOG2_E 0x1.715476p0f
#define LN2_HI 0x1.62e430p-1f
#define LN2_LO -0x1.05c610p-29f
#endif

typedef struct {
    wide m; /* in [0.7, 1.42], not normalised: |m.lo| <= m.hi / 8 */
    mask n;
} scaled;

/* Q(r), to the precision that the result's storage asks for. Two coefficients at a time, which halves
 * the chain of dependent operations. r2 = r * r. */
INLINE real exp_tail(real r, real r2)
{
#if defined(CLACT_STORAGE_F64) /* degree 12, 2^-63.5 */
    real q = fma((real)0x1.1eecf81473ac5p-29, r2,
                 fma((real)0x1.af6e588465f22p-26, r, (real)0x1.27e533aae1bc3p-22));
    q = fma(q, r2, fma((real)0x1.71ddee87f037ap-19, r, (real)0x1.a01a017d443e5p-16));
    q = fma(q, r2, fma((real)0x1.a01a01b43d87cp-13, r, (real)0x1.6c16c16c1e5c5p-10));
    q = fma(q, r2, fma((real)0x1.111111110ea07p-7, r, (real)0x1.5555555555544p-5));
    return fma(q, r2, fma((real)0x1.555555555555cp-3, r, (real)0x1p-1));
#elif defined(REAL_IS_DOUBLE) /* degree 8, 2^-39.7 */
    real q = fma((real)0x1.9e893aa9fcde7p-16, r2,
                 fma((real)0x1.a1855b78f85d8p-13, r, (real)0x1.6c18d323b2a5dp-10));
    q = fma(q, r2, fma((real)0x1.1110a26227812p-7, r, (real)0x1.5555541e5c541p-5));
    return fma(q, r2, fma((real)0x1.5555557dd1aap-3, r, (real)0x1.000000005de9ep-1));
#elif defined(CLACT_PAIRS) /* degree 7, 2^-32.8 */
    real q = fma((real)0x1.9a97f6p-13f, r, (real)0x1.6d5144p-10f);
    q = fma(q, r2, fma((real)0x1.1115b4p-7f, r, (real)0x1.5554e4p-5f));
    return fma(q, r2, fma((real)0x1.555552p-3f, r, (real)0x1p-1f));
#else /* degree 5, 2^-23.2 */
    return fma(fma((real)0x1.1062cap-7f, r, (real)0x1.572a18p-5f), r2,
               fma((real)0x1.5557aep-3f, r, (real)0x1.fffdfcp-2f));
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
    scaled e;
    e.n = AS_MASK(rounded) - AS_MASK((real)ROUNDER);
#ifdef CLACT_PAIRS
    e.m.hi = 1 + r_hi;
    e.m.lo = fma(r2, exp_tail(r, r2), fma(n, (real)-LN2_LO, (1 - e.m.hi) + r_hi));
#else
    e.m.hi = fma(exp_tail(r, r2), r2, r) + 1;
#endif
    return e;
}
