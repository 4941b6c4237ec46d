/* SPDX-License-Identifier: MIT */
/*
 * log(1 + E) for E = e^t, t <= 0.
 *
 * With s = E / (2 + E) it is log((1 + s) / (1 - s)) = 2 atanh(s) = 2 s + s^3 Q(s^2), where s is at most
 * 1/3: no cancellation, and a small E keeps its precision.
 *
 * The coefficients of Q are Sollya's
 *   fpminimax((2*atanh(sqrt(x))-2*sqrt(x))/(x*sqrt(x)), [|0,...,degree|], [|SG...|] or [|D...|],
 *             [0; 1/9], relative);
 * with the degree and the relative error of Q given at each. That of the result is at most a 27th.
 */
INLINE real log_tail(real u)
{
#if defined(CLACT_STORAGE_F64) /* degree 11, 2^-54 */
    const real u2 = u * u;
    real q = fma((real)0x1.7b33bf1a1acbbp-2, u, (real)-0x1.362d17a32e6fcp-4);
    q = fma(q, u2, fma((real)0x1.1a984f24020ecp-3, u, (real)0x1.944fe1ac2a96p-4));
    q = fma(q, u2, fma((real)0x1.e47e79ff8e433p-4, u, (real)0x1.10fbbe9cc65fcp-3));
    q = fma(q, u2, fma((real)0x1.3b14962d880b3p-3, u, (real)0x1.745d1117fd5ecp-3));
    q = fma(q, u2, fma((real)0x1.c71c71e1394cfp-3, u, (real)0x1.24924924739c4p-2));
    return fma(q, u2, fma((real)0x1.9999999999baep-2, u, (real)0x1.5555555555555p-1));
#elif defined(REAL_IS_DOUBLE) /* degree 6, 2^-37 */
    const real u2 = u * u;
    real q = fma((real)0x1.86a578e0e01ebp-3, u, (real)0x1.27cbe883bbd53p-3);
    q = fma(q, u2, fma((real)0x1.75e0435538106p-3, u, (real)0x1.c70d137fae8dap-3));
    q = fma(q, u2, fma((real)0x1.24926e0d92c3p-2, u, (real)0x1.9999995768bc2p-2));
    return fma(q, u, (real)0x1.555555555efe3p-1);
#else /* degree 5, 2^-25 */
    const real u2 = u * u;
    real q = fma((real)0x1.81b914p-4f, u, (real)0x1.ac991cp-3f);
    q = fma(q, u2, fma((real)0x1.c02242p-3f, u, (real)0x1.24bfe8p-2f));
    return fma(q, u2, fma((real)0x1.9998acp-2f, u, (real)0x1.555556p-1f));
#endif
}

/* 2^LIFT log(1 + e^t) for t <= 0: lifted, as it may be subnormal. Not normalised: |lo| <= hi / 26.
 * Beyond LOG_FLOOR it makes no difference what is returned. */
#ifdef CLACT_STORAGE_F64
#define LOG_FLOOR -1000.0
#else
#define LOG_FLOOR -120.0f
#endif

INLINE wide log_one_plus_exp(wide t)
{
    scaled e = exp_scaled(at_least(t.hi, LOG_FLOOR));
    e.m = wide_normalise(exp_correct(e.m, t, LOG_FLOOR));
    const wide lifted = wide_scale(e.m, power_of_two(e.n + LIFT));
    const real scale = power_of_two(max(e.n, (mask)SCALE_MIN));
    const wide s = wide_div(lifted, wide_sum((real)2, e.m, scale));
    const real small = s.hi * TWO_TO_MINUS_LIFT;
    wide y;
#ifdef CLACT_PAIRS
    const real u = fma(2 * small, s.lo * TWO_TO_MINUS_LIFT, small * small);
    y.hi = 2 * s.hi;
    y.lo = fma(s.hi, u * log_tail(u), 2 * s.lo);
#else
    const real u = small * small;
    y.hi = fma(s.hi, u * log_tail(u), 2 * s.hi);
#endif
    return y;
}
