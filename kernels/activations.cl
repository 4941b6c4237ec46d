/* SPDX-License-Identifier: MIT */
/*
 * The operators: per row of ops.def a <name>_forward(x), and a <name>_from_output(grad, y) and a
 * <name>_from_input(grad, x) where the row has them.
 */

/*
 * Where to stop: beyond FORWARD_FLOOR a result is 0 in any storage, beyond FORWARD_CEILING it is that of
 * infinity, and beyond GRADIENT_FLOOR it is 0 even when the gradient that comes in is as large as can be.
 *
 * A result may be subnormal where what leads to it must not be. In the forward direction it is carried
 * 2^LIFT times too large; in a gradient, which may be multiplied by anything before, what lies below
 * 2^SCALE_MIN of its exponent is left out to the end.
 */
#ifdef CLACT_STORAGE_F64
#define FORWARD_FLOOR -1000.0
#define FORWARD_CEILING 64.0
#define GRADIENT_FLOOR -1500.0
#define SCALE_MIN -500
#else
#define FORWARD_FLOOR -120.0f
#define FORWARD_CEILING 32.0f
#define GRADIENT_FLOOR -200.0f
#define SCALE_MIN -100
#endif

/* y = 1 / (1 + e^-x) */
INLINE real sigmoid_forward(real x)
{
    const scaled e = exp_scaled(-at_least(at_most(x, FORWARD_CEILING), FORWARD_FLOOR));
    const real one = TWO_TO_MINUS_LIFT;
    return wide_reciprocal(wide_sum(one, e.m, power_of_two(e.n - LIFT))) * one;
}

INLINE real sigmoid_from_output(real grad, real y)
{
    return grad * y * (1 - y);
}

/* dx = grad * E / (1 + E)^2 with E = e^-|x|, which is grad * s(x) * s(-x) for either sign of x. */
INLINE real sigmoid_from_input(real grad, real x)
{
    const real t = -fabs(x);
    const scaled e = exp_scaled(at_least(t, GRADIENT_FLOOR));
    const mask n = max(e.n, (mask)SCALE_MIN);
    const real scale = t == -INFINITY ? (real)0 : power_of_two(n);
    const wide numerator = wide_scale(wide_normalise(e.m), scale);
    const wide slope = wide_div(numerator, wide_square(wide_sum((real)1, e.m, scale)));
    return wide_times(slope, grad, e.n - n);
}
