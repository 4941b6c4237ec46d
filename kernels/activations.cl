/* SPDX-License-Identifier: MIT */
/*
 * The operators: per row of ops.def a <name>_forward(x), and a <name>_from_output(grad, y) and a
 * <name>_from_input(grad, x) where the row has them.
 */

/*
 * How far down the exponent of e^t is followed. Beyond FORWARD_FLOOR a result is 0 in any storage.
 * Beyond GRADIENT_FLOOR it is even when the gradient that comes in is as large as can be. A numerator
 * is kept no smaller than 2^SCALE_MIN, so that a quotient's remainder does not underflow, and the rest
 * of its exponent is applied to the rounded quotient.
 */
#ifdef REAL_IS_DOUBLE
#define FORWARD_FLOOR -1000.0
#define GRADIENT_FLOOR -1500.0
#define SCALE_MIN -500
#else
#define FORWARD_FLOOR -120.0f
#define GRADIENT_FLOOR -200.0f
#define SCALE_MIN -64
#endif

/* y = 1 / (1 + e^-x), written with E = e^-|x| <= 1 as 1 / (1 + E) or E / (1 + E) by x's sign. */
static real sigmoid_forward(real x)
{
    const scaled e = exp_scaled(at_least(-fabs(x), FORWARD_FLOOR));
    const mask n = max(e.n, (mask)SCALE_MIN);
    const mask negative = (mask)(x < 0);

    const wide numerator = wide_scale(e.m, power_of_two(n));
    const wide y = wide_div(wide_select(negative, numerator, wide_from(1)),
                            wide_one_plus(numerator));
    return wide_round(y) * (negative ? power_of_two(e.n - n) : (real)1);
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
    wide slope = wide_div(numerator, wide_square(wide_one_plus(numerator)));
    slope = wide_select((mask)(t == -INFINITY), wide_from(0), slope);

    const mask rest = e.n - n;
    const mask first = max(rest, (mask)EXPONENT_MIN);
    return wide_times(slope, grad) * power_of_two(first) * power_of_two(rest - first);
}
