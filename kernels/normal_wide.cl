/* SPDX-License-Identifier: MIT */
/*
 * G(a) of normal.cl to the precision of a wide, for products in which nothing is rounded before the end,
 * and for all the a whose product with the largest number is not 0: from 0 to 20 (f64: 55).
 *
 * With v = 1 / (a + 4) and q = (a - 4) / (a + 4) = 1 - 8 v it is v H(q), where H is between 0.4 and 2, so
 * smooth that one polynomial serves all a.
 *
 * The coefficients of H come from its interpolation at Chebyshev's points (f64 and f16), or are Sollya's
 *   a = 4*(1+x)/(1-x); h = (a+4)*exp(a^2/2)*erfc(a/sqrt(2))/2;
 *   fpminimax(h, [|0,...,10|], [|48,48,48,SG...|], [-1; (20-4)/(20+4)], relative);
 * (f32), with the degree and the relative error of H given at each. As |q| is up to 1, the last three
 * steps have to be wide.
 */
#ifdef CLACT_GATED

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

/* G(a), for a from 0 to 20 (f64: 55). */
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

#endif
