/* SPDX-License-Identifier: MIT */
/*
 * Slopes near the x0 < 0 where they are 0. There the terms of their formulas cancel, and what is left of
 * them is their rounding. With d = x - x0 the slope is d T(d), T nowhere near 0; so no
 * precision is lost.
 *
 * x0 and T are computed from the slopes' formulas: T, for |d| <= 1/4, by interpolation at Chebyshev's
 * points. Its constant is wide. The relative error of T is given at each.
 */
typedef struct {
    mask here;
    wide slope;
} crossing;

/* x - x0, where minus_x0 is the sum of two. */
INLINE wide distance_from(real x, ELEMENT minus_x0, ELEMENT low)
{
#ifdef CLACT_PAIRS
    wide d = wide_exact_sum(x, (real)minus_x0);
    d.lo += low;
    return wide_normalise(d);
#else
    return wide_of((x + minus_x0) + low);
#endif
}

/* Of constants in float and in double, those that are reals. */
#ifdef REAL_IS_DOUBLE
#define OF_TWO(hi32, lo32, hi64, lo64) hi64, lo64
#else
#define OF_TWO(hi32, lo32, hi64, lo64) hi32, lo32
#endif

/* d (t + d s), and whether that is to be used. */
INLINE crossing crossing_of(wide d, wide t, real s)
{
    crossing c;
    c.here = fabs(d.hi) <= (real)0.25f;
    c.slope = wide_mul(d, wide_add(t, wide_of(d.hi * s)));
    return c;
}

/* x s(2 u) */
INLINE crossing gelu_tanh_crossing(real x)
{
    const wide d = distance_from(x, OF_TWO(0x1.8142ap-1f, -0x1.85a06cp-27f,
                                        0x1.81429f9e97e4dp-1, -0x1.4f523ed77dbdcp-55));
    const wide t = WIDE_CONSTANT(0x1.b8bacep-2f, -0x1.a3182ap-27f,
                                 0x1.b8bacd2c96b91p-2, 0x1.89bbf8e56809ep-56);
#ifdef CLACT_STORAGE_F64 /* degree 13, 2^-55.3 */
    real s = fma((real)0x1.7deef19862ccap-18, d.hi, (real)-0x1.02e371d561796p-16);
    s = fma(s, d.hi, (real)-0x1.250e57afda6fp-15);
    s = fma(s, d.hi, (real)0x1.047ba24aea5e1p-13);
    s = fma(s, d.hi, (real)0x1.14bf4420ef649p-12);
    s = fma(s, d.hi, (real)-0x1.e63ee89c22a42p-11);
    s = fma(s, d.hi, (real)-0x1.3d8d63de85d01p-9);
    s = fma(s, d.hi, (real)0x1.58c9ed440e39bp-8);
    s = fma(s, d.hi, (real)0x1.427996dc0ce7cp-6);
    s = fma(s, d.hi, (real)-0x1.104a83eda2d06p-6);
    s = fma(s, d.hi, (real)-0x1.d2b773464701fp-4);
    s = fma(s, d.hi, (real)-0x1.029615edb095ap-6);
    s = fma(s, d.hi, (real)0x1.8cd1a2b2fff32p-2);
#else /* degree 6, 2^-26.5 */
    real s = fma((real)0x1.51479ep-8f, d.hi, (real)0x1.3e2bccp-6f);
    s = fma(s, d.hi, (real)-0x1.1037dp-6f);
    s = fma(s, d.hi, (real)-0x1.d2aedep-4f);
    s = fma(s, d.hi, (real)-0x1.029652p-6f);
    s = fma(s, d.hi, (real)0x1.8cd19ep-2f);
#endif
    return crossing_of(d, t, s);
}

/* x tanh(log(1 + e^x)) */
INLINE crossing mish_crossing(real x)
{
    const wide d = distance_from(x, OF_TWO(0x1.31432cp0f, 0x1.a25b08p-29f,
                                        0x1.31432c0d12d84p0, 0x1.bf319154da21p-55));
    const wide t = WIDE_CONSTANT(0x1.115accp-2f, -0x1.7c622ap-27f,
                                 0x1.115acb42500bbp-2, 0x1.238d2b8e42686p-56);
#ifdef CLACT_STORAGE_F64 /* degree 13, 2^-57.0 */
    real s = fma((real)0x1.86fd21432b62ap-19, d.hi, (real)0x1.3ae0df176aa51p-20);
    s = fma(s, d.hi, (real)-0x1.223d40b55bc3cp-16);
    s = fma(s, d.hi, (real)-0x1.d47decd63b10cp-15);
    s = fma(s, d.hi, (real)-0x1.5fff985cce48ap-15);
    s = fma(s, d.hi, (real)0x1.0a798e55deee6p-12);
    s = fma(s, d.hi, (real)0x1.0379918126df7p-10);
    s = fma(s, d.hi, (real)0x1.1e5e17f9cf699p-10);
    s = fma(s, d.hi, (real)-0x1.b87ddfb518f93p-9);
    s = fma(s, d.hi, (real)-0x1.03369d4abbb3cp-6);
    s = fma(s, d.hi, (real)-0x1.4c222fe64d502p-6);
    s = fma(s, d.hi, (real)0x1.574f121a86871p-5);
    s = fma(s, d.hi, (real)0x1.a34a251d8ad7bp-3);
#else /* degree 6, 2^-26.6 */
    real s = fma((real)0x1.2688c8p-10f, d.hi, (real)-0x1.aa59f6p-9f);
    s = fma(s, d.hi, (real)-0x1.033bbp-6f);
    s = fma(s, d.hi, (real)-0x1.4c305p-6f);
    s = fma(s, d.hi, (real)0x1.574f1ap-5f);
    s = fma(s, d.hi, (real)0x1.a34a28p-3f);
#endif
    return crossing_of(d, t, s);
}
