/* SPDX-License-Identifier: MIT */
/*
 * The operators: per row of ops.def a <name>_forward(x), and a <name>_from_output(grad, y) and a
 * <name>_from_input(grad, x) where the row has them.
 */

/*
 * e^t is followed down to where any result in any storage is 0: FORWARD_FLOOR, or GRADIENT_FLOOR where
 * the gradient that comes in may be as large as can be.
 *
 * A numerator may be subnormal where the quotient's remainder must not be, so it is carried with a part
 * of its exponent left out: 2^LIFT in the forward direction, which costs one multiplication by a
 * constant; what lies below 2^SCALE_MIN in a gradient, which may be multiplied by anything before.
 */
#ifdef REAL_IS_DOUBLE
#define FORWARD_FLOOR -1000.0
#define GRADIENT_FLOOR -1500.0
#define LIFT 512
#define TWO_TO_LIFT 0x1p512
#define TWO_TO_MINUS_LIFT 0x1p-512
#define SCALE_MIN -500
#else
#define FORWARD_FLOOR -120.0f
#define GRADIENT_FLOOR -200.0f
#define LIFT 64
#define TWO_TO_LIFT 0x1p64f
#define TWO_TO_MINUS_LIFT 0x1p-64f
#define SCALE_MIN -100
#endif

/* y = 1 / (1 + e^-x), written with E = e^-|x| <= 1 as 1 / (1 + E) or E / (1 + E) by x's sign. */
static real sigmoid_forward(real x)
{
    const scaled e = exp_scaled(at_least(-fabs(x), FORWARD_FLOOR));
    const wide lifted = wide_scale(e.m, power_of_two(e.n + LIFT));
    const wide numerator =
        wide_select((mask)(AS_MASK(x) < 0), lifted, wide_from((real)TWO_TO_LIFT));
    return wide_quotient(numerator, wide_one_plus(lifted, (real)TWO_TO_MINUS_LIFT)) *
           TWO_TO_MINUS_LIFT;
}

static real sigmoid_from_output(real grad, real y)
{
    return grad * y * (1 - y);
}

/* dx = grad * E / (1 + E)^2, which is grad * s(x) * s(-x) for either sign of x. */
static real sigmoid_from_input(real grad, real x)
{
    const real t = -fabs(x);
    const scaled e = exp_scaled(at_least(t, GRADIENT_FLOOR));
    const mask n = max(e.n, (mask)SCALE_MIN);
    const wide numerator = wide_scale(e.m, power_of_two(n));
    wide slope = wide_div(numerator, wide_square(wide_one_plus(numerator, (real)1)));
    slope = wide_select((mask)(t == -INFINITY), wide_from((real)0), slope);

    /* What is left of the exponent, in two halves: it may be below EXPONENT_MIN. */
    const mask rest = e.n - n;
    const mask half_rest = rest >> 1;
    return wide_times(slope, grad) * power_of_two(half_rest) * power_of_two(rest - half_rest);
}
