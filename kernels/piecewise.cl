/* SPDX-License-Identifier: MIT */
/* More operators, as activations.cl has them: those with an exponential on one side at most. */

/* Where a slope is 0 over an interval it makes 0 of any grad but NaN. */
INLINE real relu_slope(real grad, real x)
{
    return x > 0 ? grad : x <= 0 ? (grad != grad ? grad : (real)0) : x;
}

INLINE real relu_forward(real x)
{
    return x <= 0 ? (real)0 : x;
}

INLINE real relu_from_output(real grad, real y)
{
    return relu_slope(grad, y);
}

INLINE real relu_from_input(real grad, real x)
{
    return relu_slope(grad, x);
}

INLINE real no_slope(real grad)
{
    return relu_slope(grad, (real)0);
}

/* With alpha = 0 this is relu, also of -infinity. */
INLINE real leaky_relu_forward(real x, params p)
{
    const real below = p.alpha == 0 ? (real)0 : x * p.alpha;
    return x <= 0 ? below : x;
}

INLINE real leaky_relu_from_input(real grad, real x, params p)
{
    const real below = p.alpha == 0 ? no_slope(grad) : grad * p.alpha;
    return x > 0 ? grad : x <= 0 ? below : x;
}

/* alpha gamma, by which elu and selu are multiplied. Whether that is 1 is decided as for beta_times(). */
typedef struct {
    scaled by;
    bool is_one;
} elu_factor;

INLINE wide elu_product(elu_factor below, wide a)
{
    return below.is_one ? a : wide_mul(below.by.m, a);
}

INLINE elu_factor elu_below(params p)
{
    const elu_factor below = {split((real)p.alpha), p.alpha == 1};
    return below;
}

INLINE elu_factor selu_below(params p)
{
    const elu_factor below = {scaled_product((real)p.alpha, (real)p.gamma), false};
    return below;
}

/* -below * (1 - e^x) for x < 0, above * x for x >= 0; and its slope */
INLINE wide elu_of_first(real x)
{
    return one_minus_exp(at_least(-fabs(x), -64));
}

INLINE real elu_of_last(real x, elu_factor below, real above, wide one_minus)
{
    /* Lifted, as a small x leaves no room for the low part of the product. */
    const wide rest = wide_scale(one_minus, power_of_two((mask)LIFT));
    const mask n = max(below.by.n - LIFT, (mask)(2 - 2 * EXPONENT_BIAS));
    /* From 0, so that a 0 is +0. */
    const real lifted = 0 - wide_round(elu_product(below, rest));
    const real y = lifted * power_of_two(n >> 1) * power_of_two(n - (n >> 1));
    return x >= 0 ? (above == 0 ? (real)0 : x * above) : x < 0 ? y : x;
}

INLINE scaled elu_slope_first(real grad, real x, elu_factor below, reach *r)
{
    const wide t = wide_of(at_most(x, 0));
    const mask n = below.by.n;
    /* The exponent of `below` counts as E's, which it must not take beyond 1. */
    r->far |= is_far_down(fma(TO_REAL(n), (real)LN2_HI, t.hi), grad) | (n > 0);
    return r->near ? exp_in_range(t, n) : exp_negative_times(t, n);
}

INLINE real elu_slope_last(real grad, real x, elu_factor below, real above, scaled e, reach *r)
{
    const real dx = slope_times(elu_product(below, e.m), grad, e.n, r);
    const real rising = above == 0 ? no_slope(grad) : grad * above;
    return x > 0 ? rising : x <= 0 ? (below.by.m.hi == 0 ? no_slope(grad) : dx) : x;
}

typedef wide elu_forward_step;

INLINE wide elu_forward_first(real x, params p)
{
    return elu_of_first(x);
}

INLINE real elu_forward_last(real x, params p, wide one_minus)
{
    return elu_of_last(x, elu_below(p), (real)1, one_minus);
}

INLINE real elu_forward(real x, params p)
{
    return elu_forward_last(x, p, elu_forward_first(x, p));
}

typedef scaled elu_from_input_step;

INLINE scaled elu_from_input_first(real grad, real x, params p, reach *r)
{
    return elu_slope_first(grad, x, elu_below(p), r);
}

INLINE real elu_from_input_last(real grad, real x, params p, scaled e, reach *r)
{
    return elu_slope_last(grad, x, elu_below(p), (real)1, e, r);
}

INLINE real elu_from_input(real grad, real x, params p, reach *r)
{
    return elu_from_input_last(grad, x, p, elu_from_input_first(grad, x, p, r), r);
}

typedef wide selu_forward_step;

INLINE wide selu_forward_first(real x, params p)
{
    return elu_of_first(x);
}

INLINE real selu_forward_last(real x, params p, wide one_minus)
{
    return elu_of_last(x, selu_below(p), (real)p.gamma, one_minus);
}

INLINE real selu_forward(real x, params p)
{
    return selu_forward_last(x, p, selu_forward_first(x, p));
}

typedef scaled selu_from_input_step;

INLINE scaled selu_from_input_first(real grad, real x, params p, reach *r)
{
    return elu_slope_first(grad, x, selu_below(p), r);
}

INLINE real selu_from_input_last(real grad, real x, params p, scaled e, reach *r)
{
    return elu_slope_last(grad, x, selu_below(p), (real)p.gamma, e, r);
}

INLINE real selu_from_input(real grad, real x, params p, reach *r)
{
    return selu_from_input_last(grad, x, p, selu_from_input_first(grad, x, p, r), r);
}

/* x, of which alpha = 0 makes 0 also where it is infinite. */
INLINE real factor_of_alpha(real x, params p)
{
    return p.alpha == 0 ? at_most(at_least(x, -REAL_MAX), REAL_MAX) : x;
}

INLINE real hard_sigmoid_forward(real x, params p)
{
    const real sum = fma(factor_of_alpha(x, p), (real)p.alpha, (real)p.beta);
    return at_most(at_least(sum, 0), 1);
}

/* dx is alpha grad where alpha x + beta > 0 and alpha x + (beta - 1) < 0. */
INLINE real hard_sigmoid_from_input(real grad, real x, params p)
{
    const real factor = factor_of_alpha(x, p);
    const ELEMENT shifted = p.beta - 1;
    const ELEMENT left = p.beta - (shifted + 1);
    /* Their signs, also where they round to 0; an exact 0 is +0. */
    const real over = fma(-factor, (real)p.alpha, (real)(0 - p.beta));
    const real under = fma(factor, (real)p.alpha, (real)shifted);
    const mask inside = AS_MASK(over) & AS_MASK(left == 0 ? under : under + left);
    const real dx = p.alpha == 0 ? no_slope(grad) : grad * p.alpha;
    return x != x ? x : inside < 0 ? dx : no_slope(grad);
}

#define SIXTH                                                                                      \
    WIDE_CONSTANT(0x1.555556p-3f, -0x1.555556p-28f, 0x1.5555555555555p-3, 0x1.5555555555555p-57)

/* 3 times this is a little more than 1/2, not less. */
#define MORE_THAN_SIXTH                                                                            \
    WIDE_CONSTANT(0x1.555556p-3f, -0x1.555554p-28f, 0x1.5555555555555p-3, 0x1.5555555555556p-57)

/* x (x + 3) / 6 between -3 and 3. Both parts of (x + 3) / 6 are positive for x = 0, so that -0 stays. */
INLINE real hard_swish_forward(real x)
{
    wide sum = wide_of(3 + x);
#ifdef CLACT_PAIRS
    /* Exactly what the sum has lost, as 3 is the larger. */
    sum.lo = x - (sum.hi - 3);
#endif
    const real y = quotient_times(wide_mul(sum, MORE_THAN_SIXTH), x);
    return x <= -3 ? (real)-0.0f : x >= 3 ? x : y;
}

INLINE real hard_swish_from_input(real grad, real x)
{
    const wide sum = wide_add(wide_of(2 * x), wide_of((real)3));
    const real dx = wide_scaled_by(wide_mul(sum, SIXTH), grad);
    return x >= 3 ? grad : x > -3 ? dx : relu_slope(grad, x);
}

INLINE real straight_through_sigmoid_forward(real x)
{
    return x >= 0 ? (real)1 : x < 0 ? (real)0 : x;
}

typedef exp_parts straight_through_sigmoid_from_input_step;

INLINE exp_parts straight_through_sigmoid_from_input_first(real grad, real x, reach *r)
{
    return sigmoid_from_input_first(grad, x, r);
}

INLINE real straight_through_sigmoid_from_input_last(real grad, real x, exp_parts e, reach *r)
{
    return sigmoid_from_input_last(grad, x, e, r);
}

INLINE real straight_through_sigmoid_from_input(real grad, real x, reach *r)
{
    return sigmoid_from_input(grad, x, r);
}

/* y = |x| / (1 + |x|), with the sign of x. From 2^64 on it is 1. */
INLINE real softsign_forward(real x)
{
    const wide a = wide_of(at_most(fabs(x), 0x1p64f));
    return copysign(wide_round(wide_div(a, wide_add(wide_of((real)1), a))), x);
}

/* dx = grad / d^2 with d = 1 + |x|. Half of its exponent is taken from d so that d^2 is in range. */
INLINE real softsign_from_input(real grad, real x)
{
    const wide d = wide_add(wide_of((real)1), wide_of(at_most(fabs(x), REAL_MAX)));
    const mask k = min((AS_MASK(d.hi) >> MANTISSA_BITS) - EXPONENT_BIAS, (mask)(EXPONENT_BIAS - 1));
    const real one = fabs(x) == INFINITY ? (real)0 : (real)1;
    const wide scaled_d = wide_scale(d, power_of_two(-k));
    return wide_times_far(wide_div(wide_of(one), wide_square(scaled_d)), grad, -2 * k);
}
