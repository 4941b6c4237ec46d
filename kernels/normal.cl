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
 * For the gradient, in which G cancels against another term, G has to be wide itself: with v = 1 / (a + 4)
 * and q = (a - 4) / (a + 4) = 1 - 8 v it is v H(q), where H is between 0.4 and 2.
 *
 * The coefficients of H come from its interpolation at Chebyshev's points (f64 and f16), or are Sollya's
 *   a = 4*(1+x)/(1-x); h = (a+4)*exp(a^2/2)*erfc(a/sqrt(2))/2;
 *   fpminimax(h, [|0,...,10|], [|48,48,48,SG...|], [-1; (20-4)/(20+4)], relative);
 * (f32), with the degree and the relative error of H given at each. As |q| is up to 1, the last three
 * steps have to be wide.
 */
INLINE real normal_tail(real q)
{
#if defined(CLACT_STORAGE_F64) /* degree 25, 2^-56.4 */
    real h = fma((real)0x1.6cf054f45afdfp-33, q, (real)0x1.a7b097bc91731p-32);
    h = fma(h, q, (real)-0x1.33980d416cf2cp-30);
    h = fma(h, q, (real)-0x1.10db1070a56e1p-28);
    h = fma(h, q, (real)0x1.1c369b2d554cdp-29);
    h = fma(h, q, (real)0x1.79ba4445f1cbbp-26);
    h = fma(h, q, (real)0x1.d867a733b034bp-27);
    h = fma(h, q, (real)-0x1.784cd573af665p-24);
    h = fma(h, q, (real)-0x1.4e6741cd91573p-23);
    h = fma(h, q, (real)0x1.253c44924f0ecp-22);
    h = fma(h, q, (real)0x1.125dd97ac3e54p-20);
    h = fma(h, q, (real)-0x1.5254d547670e1p-21);
    h = fma(h, q, (real)-0x1.8d4fb07f8c2d4p-18);
    h = fma(h, q, (real)0x1.80d3000d3a587p-21);
    h = fma(h, q, (real)0x1.26d0c37ef3eafp-15);
    h = fma(h, q, (real)-0x1.001ff57f8ac68p-19);
    h = fma(h, q, (real)-0x1.e4a4274d398f9p-13);
    h = fma(h, q, (real)0x1.17a4af073ad07p-13);
    h = fma(h, q, (real)0x1.ab825fc750dcdp-10);
    h = fma(h, q, (real)-0x1.c81719d650e0ep-9);
    h = fma(h, q, (real)-0x1.ee276104966eap-8);
    h = fma(h, q, (real)0x1.eec4cc3e4dd2fp-5);
    return fma(h, q, (real)-0x1.7dff2bff6834dp-3);
#elif defined(REAL_IS_DOUBLE) /* degree 12, 2^-32.9 */
    real h = fma((real)0x1.b4ceac04e3274p-18, q, (real)0x1.02a5196e0aedfp-15);
    h = fma(h, q, (real)-0x1.5476e035a267ep-17);
    h = fma(h, q, (real)-0x1.e4a5d5bdb860bp-13);
    h = fma(h, q, (real)0x1.208234dfd7919p-13);
    h = fma(h, q, (real)0x1.abb80bdc3375fp-10);
    h = fma(h, q, (real)-0x1.c838eda6260a8p-9);
    h = fma(h, q, (real)-0x1.ee2b6a7d4f5c9p-8);
    h = fma(h, q, (real)0x1.eec5084263d44p-5);
    return fma(h, q, (real)-0x1.7dff28d2105a8p-3);
#elif defined(CLACT_PAIRS) /* degree 10, 2^-28.4 */
    real h = fma((real)-0x1.2365c6p-15f, q, (real)-0x1.a15d8p-13f);
    h = fma(h, q, (real)0x1.6c8964p-13f);
    h = fma(h, q, (real)0x1.a8aaecp-10f);
    h = fma(h, q, (real)-0x1.ca6a64p-9f);
    h = fma(h, q, (real)-0x1.ee0beep-8f);
    h = fma(h, q, (real)0x1.eecb94p-5f);
    return fma(h, q, (real)-0x1.7dff3ep-3f);
#else /* degree 9, 2^-24.6 */
    real h = fma((real)-0x1.24f2f6p-13f, q, (real)0x1.4d20b2p-13f);
    h = fma(h, q, (real)0x1.985c96p-10f);
    h = fma(h, q, (real)-0x1.cb44b8p-9f);
    h = fma(h, q, (real)-0x1.ec947p-8f);
    h = fma(h, q, (real)0x1.eed346p-5f);
    return fma(h, q, (real)-0x1.7e00dep-3f);
#endif
}

#if defined(CLACT_STORAGE_F64)
#define H0 wide_constant(0x1.82b4bb8c94dcep-1, -0x1.9b1b36229ec85p-56)
#define H1 wide_constant(-0x1.373e3a893c28ap-1, -0x1.066317a5e147ap-55)
#define H2 wide_constant(0x1.8c6dbf2cfc2afp-2, -0x1.dd3a0bfb43af6p-57)
#elif defined(REAL_IS_DOUBLE)
#define H0 wide_of((real)0x1.82b4bb8ce1b5ep-1)
#define H1 wide_of((real)-0x1.373e3a8e5f283p-1)
#define H2 wide_of((real)0x1.8c6dbedb4de83p-2)
#elif defined(CLACT_PAIRS)
#define H0 wide_constant(0x1.82b4bcp-1f, -0x1.85cf1p-27f)
#define H1 wide_constant(-0x1.373e3ap-1f, -0x1.6acc1p-27f)
#define H2 wide_constant(0x1.8c6db2p-2f, -0x1.87056p-27f)
#else
#define H0 wide_of((real)0x1.82b4bcp-1f)
#define H1 wide_of((real)-0x1.373e36p-1f)
#define H2 wide_of((real)0x1.8c6d96p-2f)
#endif

/* G(a), for a from 0 to 20 (f64: 55), to the precision of a wide. */
INLINE wide wide_normal_ratio(real a)
{
    const wide v = wide_inverse(wide_exact_sum((real)4, a));
    wide q;
    q.hi = fma(v.hi, (real)-8, (real)1);
#ifdef CLACT_PAIRS
    q.lo = fma(v.lo, (real)-8, fma(v.hi, (real)-8, 1 - q.hi));
#endif
    const real tail = normal_tail(q.hi);
    const wide h2 = wide_step(H2, q.hi, wide_of(tail));
    const wide h1 = wide_step(H1, q.hi, h2);
    wide h = wide_step(H0, q.hi, h1);
#ifdef CLACT_PAIRS
    /* What q.lo makes of it: it times the slope of H. */
    h.lo = fma(q.lo, fma(q.hi, fma(q.hi, tail, h2.hi), h1.hi), h.lo);
#endif
    return wide_mul(v, h);
}
