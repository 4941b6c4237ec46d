/* SPDX-License-Identifier: MIT */
/*
 * log(1 + e) for 0 <= e <= 1, as e - 5/16 e^2 + e^2 Q(e): no division, a small e keeps its precision, and Q
 * is so small, at most 3/16, that its rounding hardly counts.
 *
 * Q is a polynomial in d = e - 1/2, as its terms would cancel in one in e. Its coefficients are Sollya's
 *   e = x + 1/2;
 *   fpminimax((log1p(e)-e+5/16*e^2)/e^2, degree, [|SG...|] or [|D...|], [-1/2;1/2], absolute);
 * with the degree and the relative error of log(1 + e) given at each.
 */
INLINE real log_tail(real e)
{
    const real d = e - (real)0.5f;
    const real d2 = d * d;
#if defined(CLACT_STORAGE_F64) /* degree 21, 2^-59.0 */
    real q = fma((real)0x1.0dbfe96301278p-16, d, (real)-0x1.8c9ed6d62469ap-16);
    q = fma(q, d2, fma((real)0x1.f15e2f09bb3d4p-17, d, (real)-0x1.a8f316e78e0d6p-16));
    q = fma(q, d2, fma((real)0x1.be8a6d1428af3p-15, d, (real)-0x1.5bcf6a8a485e5p-14));
    q = fma(q, d2, fma((real)0x1.09fd5fcb2c80ep-13, d, (real)-0x1.a76f987ba2cedp-13));
    q = fma(q, d2, fma((real)0x1.529f20789c70fp-12, d, (real)-0x1.0f0c35f5e8b19p-11));
    q = fma(q, d2, fma((real)0x1.b3e97085d642ap-11, d, (real)-0x1.607342afe016ep-10));
    q = fma(q, d2, fma((real)0x1.1ebcf8d566b19p-9, d, (real)-0x1.d5fb04861ab73p-9));
    q = fma(q, d2, fma((real)0x1.849050d0d6ef2p-8, d, (real)-0x1.44ba45b5c365cp-7));
    q = fma(q, d2, fma((real)0x1.131116f880e31p-6, d, (real)-0x1.da348248cbdbdp-6));
    q = fma(q, d2, fma((real)0x1.a279c04c7e214p-5, d, (real)-0x1.7ddf1fe86aa3p-4));
    return fma(q, d2, fma((real)0x1.6f0d7bd624bd8p-3, d, (real)-0x1.0cdc134067b41p-4));
#elif defined(REAL_IS_DOUBLE) /* degree 13, 2^-38.1 */
    real q = fma((real)0x1.ff8951f05e269p-12, d, (real)-0x1.839dd70f6a79ep-11);
    q = fma(q, d2, fma((real)0x1.8e323422a6ec9p-11, d, (real)-0x1.4aece46a0402ep-10));
    q = fma(q, d2, fma((real)0x1.20c36d9060494p-9, d, (real)-0x1.d7e1be7210d86p-9));
    q = fma(q, d2, fma((real)0x1.8472ba4dd83dp-8, d, (real)-0x1.44af649ad4a07p-7));
    q = fma(q, d2, fma((real)0x1.13118623f5da3p-6, d, (real)-0x1.da34bd276403p-6));
    q = fma(q, d2, fma((real)0x1.a279bed94a8a3p-5, d, (real)-0x1.7ddf1facee3a5p-4));
    return fma(q, d2, fma((real)0x1.6f0d7bd6da52cp-3, d, (real)-0x1.0cdc13408edbbp-4));
#elif defined(CLACT_PAIRS) /* degree 10, 2^-29.1 */
    real q = fma((real)-0x1.9ed168p-10f, d2, fma((real)0x1.7aae54p-9f, d, (real)-0x1.d8eec8p-9f));
    q = fma(q, d2, fma((real)0x1.7808f6p-8f, d, (real)-0x1.43f9bep-7f));
    q = fma(q, d2, fma((real)0x1.136f42p-6f, d, (real)-0x1.da4382p-6f));
    q = fma(q, d2, fma((real)0x1.a27774p-5f, d, (real)-0x1.7ddeecp-4f));
    return fma(q, d2, fma((real)0x1.6f0d7ep-3f, d, (real)-0x1.0cdc14p-4f));
#else /* degree 7, 2^-22.2 */
    real q = fma((real)0x1.eeb166p-8f, d, (real)-0x1.884ab6p-7f);
    q = fma(q, d2, fma((real)0x1.0d1caap-6f, d, (real)-0x1.d4ad62p-6f));
    q = fma(q, d2, fma((real)0x1.a2b924p-5f, d, (real)-0x1.7df144p-4f));
    return fma(q, d2, fma((real)0x1.6f0d1ep-3f, d, (real)-0x1.0cdbeep-4f));
#endif
}

/* log(1 + e) 2^k of e 2^k (`scaled_e`, normalised) and e, without its low part. Not normalised. */
INLINE wide log_one_plus(wide scaled_e, real e)
{
    const wide square = wide_product(scaled_e.hi, e);
    wide y;
#ifdef CLACT_PAIRS
    y.hi = fma(square.hi, (real)-0.3125f, scaled_e.hi);
    const real left = fma(square.hi, (real)-0.3125f, scaled_e.hi - y.hi);
    /* The slope, 1 / (1 + e), need not be exact for so little. */
    const real slope = fma(e, (real)-0.375f, (real)0.875f);
    const real low = fma(slope, scaled_e.lo, fma(square.lo, (real)-0.3125f, left));
    y.lo = fma(square.hi, log_tail(e), low);
#else
    y.hi = fma(square.hi, log_tail(e), fma(square.hi, (real)-0.3125f, scaled_e.hi));
#endif
    return y;
}

/* 2^LIFT e^t for t <= 0: lifted, as it may be subnormal. Beyond LOG_FLOOR it makes no difference to the
 * logarithm what is returned. */
#ifdef CLACT_STORAGE_F64
#define LOG_FLOOR -1000.0
#else
#define LOG_FLOOR -120.0f
#endif

INLINE wide lifted_exp_normalised(wide t)
{
    const scaled e = exp_of(wide_at_least(t, LOG_FLOOR));
    return wide_scale(wide_normalise(e.m), power_of_two(e.n + LIFT));
}

/* 2^LIFT log(1 + e) of 2^LIFT e. Not normalised. */
INLINE wide lifted_log_one_plus(wide e)
{
    return log_one_plus(e, e.hi * TWO_TO_MINUS_LIFT);
}

/* log(1 + e^t) for t <= 0 as exp_negative() has e^t: whatever it is divided by. */
INLINE scaled log_one_plus_exp(wide t)
{
    scaled y = exp_negative(t);
    y.m = wide_normalise(y.m);
    y.m = log_one_plus(y.m, y.m.hi);
    return y;
}
