/* SPDX-License-Identifier: MIT */
/*
 * The tail of the normal distribution without its exponential:
 *   G(a) = e^(a^2 / 2) erfc(a / sqrt(2)) / 2, for a >= 0,
 * which falls from 1/2 as slowly as 1 / a. It is (1 + s) / (71/32 a + 15/8) with |s| below 0.075: the
 * division has to be wide, but s need not be.
 *
 * s is -1/16 + w T(w - 1/2), where w = a / (a + 4) takes all a there are to below 1: s has little to do
 * with the rounding of w, nor of T where w is small, and where it is not, w - 1/2 is. It serves a up to 15
 * (f64: 40), behind which e^(-a^2 / 2) takes any product with G to 0.
 *
 * The coefficients of T are Sollya's, with c = 1/2,
 *   w = x+c; a = 4*w/(1-w); s = (71/32*a+15/8)*exp(a^2/2)*erfc(a/sqrt(2))/2-1;
 *   fpminimax((s+1/16)/w, degree, [|SG...|] or [|D...|], [1b-20-c; 14.25/18.25-c] or [1b-30-c; 40/44-c],
 *             absolute);
 * with the degree and the relative error of 1 + s given at each.
 */

/* a / d, to the precision of a float. */
INLINE real quotient(real a, real d)
{
#ifdef CLACT_DOUBLES
    return TO_REAL(TO_FLOAT(a) / TO_FLOAT(d));
#else
    return a / d;
#endif
}

INLINE real normal_rest(real a)
{
    const real d = a + 4;
    const real w = quotient(a, d);
    const real q = w - (real)0.5f;
#if defined(CLACT_STORAGE_F64) /* degree 23, 2^-57.4 */
    real t = fma((real)-0x1.4e8fe5b78d88cp-7, q, (real)-0x1.517eea7ebc16p-6);
    t = fma(t, q, (real)0x1.bc1964cf4a378p-9);
    t = fma(t, q, (real)0x1.3f13b4f4f1ab6p-5);
    t = fma(t, q, (real)0x1.461f1709d500cp-6);
    t = fma(t, q, (real)-0x1.43f4a93fe44f3p-5);
    t = fma(t, q, (real)-0x1.75fe9c91c3fd8p-5);
    t = fma(t, q, (real)0x1.b504e2bfd8d1p-6);
    t = fma(t, q, (real)0x1.1b28b804f2546p-4);
    t = fma(t, q, (real)-0x1.f48e0898bbf63p-8);
    t = fma(t, q, (real)-0x1.84bf49229215dp-4);
    t = fma(t, q, (real)-0x1.9c22e11139a3cp-7);
    t = fma(t, q, (real)0x1.16eb5f7235e89p-3);
    t = fma(t, q, (real)0x1.9cece5430bebbp-6);
    t = fma(t, q, (real)-0x1.c73f1247bae39p-3);
    t = fma(t, q, (real)0x1.8594c7cd21b14p-7);
    t = fma(t, q, (real)0x1.9ef469eba2137p-2);
    t = fma(t, q, (real)-0x1.3f52d33bc9a38p-2);
    t = fma(t, q, (real)-0x1.21944850a45b3p-1);
    t = fma(t, q, (real)0x1.a650a77eec31dp0);
    t = fma(t, q, (real)-0x1.119d53c248627p1);
    t = fma(t, q, (real)0x1.c60e7f31cd9f4p0);
    t = fma(t, q, (real)-0x1.de015a493a788p-1);
    const real t0 = (real)0x1.3d16e02740464p-3;
#elif defined(CLACT_STORAGE_F32) /* degree 10, 2^-28.9 */
    real t = fma((real)-0x1.5d9cbcp-4f, q, (real)-0x1.d5c284p-3f);
    t = fma(t, q, (real)0x1.f83fbp-6f);
    t = fma(t, q, (real)0x1.a3590cp-2f);
    t = fma(t, q, (real)-0x1.406b2p-2f);
    t = fma(t, q, (real)-0x1.21bf72p-1f);
    t = fma(t, q, (real)0x1.a65212p0f);
    t = fma(t, q, (real)-0x1.119d0ep1f);
    t = fma(t, q, (real)0x1.c60e7ep0f);
    t = fma(t, q, (real)-0x1.de015cp-1f);
    const real t0 = (real)0x1.3d16ep-3f;
#else /* degree 9, 2^-26.4 */
    real t = fma((real)-0x1.11072cp-3f, q, (real)0x1.80605cp-5f);
    t = fma(t, q, (real)0x1.9438ap-2f);
    t = fma(t, q, (real)-0x1.44edacp-2f);
    t = fma(t, q, (real)-0x1.2161a4p-1f);
    t = fma(t, q, (real)0x1.a6639ep0f);
    t = fma(t, q, (real)-0x1.119d74p1f);
    t = fma(t, q, (real)0x1.c60e2ap0f);
    t = fma(t, q, (real)-0x1.de015ap-1f);
    const real t0 = (real)0x1.3d16e2p-3f;
#endif
#ifdef CLACT_PAIRS
    /* a + 4 was rounded by `left`, which w is the more sensitive to the larger it is. */
    const real left = (d - 4) - a;
    const real s0 = fma(left, (real)-0.0125f, (real)-0.0625f);
#else
    const real s0 = (real)-0.0625f;
#endif
    return fma(t, w * q, fma(t0, w, s0));
}

/* G(a) as main (1 + rest). */
typedef struct {
    real main, rest;
} normal_ratio;

INLINE normal_ratio normal_ratio_of(real a)
{
    normal_ratio g;
    const real d = fma(a, (real)2.21875f, (real)1.875f);
    g.main = reciprocal(d);
    g.rest = normal_rest(a);
#ifdef CLACT_PAIRS
    /* What the rounding of d, which is found exactly as its constants have few bits, and that of its
     * inverse have left out. */
    const real left = fma(a, (real)2.21875f, (real)1.875f - d);
    g.rest += fma(-g.main, left, fma(-g.main, d, (real)1));
#endif
    return g;
}

/* a (1 + s), for a small s, not normalised. */
INLINE wide wide_increase(wide a, real s)
{
#ifdef CLACT_PAIRS
    a.lo = fma(s, a.hi + a.lo, a.lo);
#else
    a.hi = fma(s, a.hi, a.hi);
#endif
    return a;
}

/* a - b, rounded, for an a that is 0 or at least b. */
INLINE real difference_of(real a, wide b)
{
    const real high = a - b.hi;
#ifdef CLACT_PAIRS
    return high - (b.lo + (b.hi - (a - high)));
#else
    return high;
#endif
}

/*
 * For the gradient, in which G cancels against another term, with their zero a0 divided out:
 *   (a / sqrt(2 pi) - G(a)) / (a - a0) = (1 + s) / 2, for a from 0 to 20 (f64: 55).
 *
 * It falls from 2/3 to 2/5, and 1 + s is c + w (t0 + q T(q)), with w as above and q = w - 1/2. c + w t0 is
 * not rounded, and the rest, which is, is below 1/5.
 *
 * The coefficients of t0 + q T are Sollya's, with c = 1/2 and a0 to 400 bits,
 *   w = x+c; a = 4*w/(1-w); s = 2*(a/sqrt(2*pi)-exp(a^2/2)*erfc(a/sqrt(2))/2)/(a-a0)-1;
 *   fpminimax((s+1-1/a0)/w, degree, [|SG...|] or [|D...|], [1b-20-c; 20/24-c] or [1b-30-c; 55/59-c],
 *             absolute);
 * with the degree and the error of s given at each.
 */
INLINE wide normal_gap_ratio(real a)
{
    const real d = a + 4;
#ifdef CLACT_PAIRS
    const real w = a / d;
#else /* Nothing corrects it here, so that for f32 results quotient() would be too coarse. */
    const real w = a * reciprocal(d);
#endif
    const real q = w - (real)0.5f;
    const wide c = WIDE_CONSTANT(0x1.54851ap0f, 0x1.7307b2p-26f,
                                 0x1.54851a5cc1ec8p0, -0x1.f6bf434dcfba2p-55);
#ifdef CLACT_STORAGE_F64 /* degree 23, 2^-56.2 */
    real t = fma((real)-0x1.4e097d3f2d64cp-13, q, (real)-0x1.c1fed48ed8f0cp-12);
    t = fma(t, q, (real)-0x1.25b052b32ff0dp-11);
    t = fma(t, q, (real)0x1.20228acd091dcp-13);
    t = fma(t, q, (real)0x1.6760cd8b621fcp-10);
    t = fma(t, q, (real)0x1.de28c1fdc4a5ep-11);
    t = fma(t, q, (real)-0x1.8d4f5be553468p-10);
    t = fma(t, q, (real)-0x1.1f85f1eccebd2p-9);
    t = fma(t, q, (real)0x1.0eb23f219bf73p-10);
    t = fma(t, q, (real)0x1.dbc1975e902ep-9);
    t = fma(t, q, (real)-0x1.af663dff04099p-14);
    t = fma(t, q, (real)-0x1.73cc0f08da57cp-8);
    t = fma(t, q, (real)-0x1.393624346445ap-10);
    t = fma(t, q, (real)0x1.3d1aa1767f0d8p-7);
    t = fma(t, q, (real)0x1.3bc13e3e0a82cp-9);
    t = fma(t, q, (real)-0x1.424f9397166e3p-6);
    t = fma(t, q, (real)0x1.d17857bac2472p-11);
    t = fma(t, q, (real)0x1.81f6ab7ccd44ep-5);
    t = fma(t, q, (real)-0x1.631b07b6b9355p-5);
    t = fma(t, q, (real)-0x1.7c01603cf2d8dp-4);
    t = fma(t, q, (real)0x1.66f579890dd74p-2);
    t = fma(t, q, (real)-0x1.3fcc71743007dp-1);
    t = fma(t, q, (real)0x1.978e34bab3cd5p-1);
    const real t0 = (real)-0x1.9f789a6abd259p-1;
#else /* degree 8, 2^-27.2 */
    real t = fma((real)-0x1.f1908p-7f, q, (real)0x1.025e56p-9f);
    t = fma(t, q, (real)0x1.7bc37ap-5f);
    t = fma(t, q, (real)-0x1.6453fep-5f);
    t = fma(t, q, (real)-0x1.7bc788p-4f);
    t = fma(t, q, (real)0x1.66f752p-2f);
    t = fma(t, q, (real)-0x1.3fcca8p-1f);
    t = fma(t, q, (real)0x1.978e32p-1f);
    const real t0 = (real)-0x1.9f789ap-1f;
#endif
    wide g;
    g.hi = fma(t0, w, c.hi);
#ifdef CLACT_PAIRS
    /* What the roundings of a + 4 and of w have left out of a, times about the slope of s over d. */
    const real left = fma(w, (d - 4) - a, fma(-w, d, a));
    g.lo = fma(t0, w, c.hi - g.hi) + fma(left, fma(q, (real)0.145f, (real)-0.0514f), c.lo);
    g.lo = fma(t, w * q, g.lo);
#else
    g.hi = fma(t, w * q, g.hi);
#endif
    return wide_normalise(g);
}

/* (a0 - a) / 2, where a0 / 2 is 3/8 and the two of `rest`, of which the first has so few bits that next to
 * a0, where a / 2 takes nearly all of 3/8, no sum is rounded. Elsewhere what is rounded off is in lo. */
INLINE wide half_normal_gap(real a)
{
    const wide rest = WIDE_CONSTANT(0x1.d5a33p-11f, -0x1.fe9844p-39f,
                                    0x1.d5a32fe0167bcp-11, -0x1.f3a62c656d4p-64);
    const real near = fma(a, (real)-0.5f, (real)0.375f);
    wide gap;
    gap.hi = near + rest.hi;
#ifdef CLACT_PAIRS
    const real of_near = fma(a, (real)-0.5f, (real)0.375f - near);
    gap.lo = ((near - gap.hi) + rest.hi) + (of_near + rest.lo);
#endif
    return gap;
}
