/* SPDX-License-Identifier: MIT */
/* More operators, as activations.cl has them: the GELUs and mish. */

/*
 * Where to stop: beyond GELU_END the GELU of a negative x is 0; beyond NORMAL_END and GELU_TANH_END the tails
 * of the GELUs are 0 even when multiplied by the largest gradient; beyond NORMAL_NEAR_END the operands of
 * GELU's gradient that are near (is_far_down()) are positive.
 */
#ifdef CLACT_STORAGE_F64
#define GELU_END 40.0
#define NORMAL_END 55.0
#define NORMAL_NEAR_END 35.25
#define GELU_TANH_END 32.0
#define GELU_TANH_FLOOR -23.5
#else
#define GELU_END 15.0f
#define NORMAL_END 20.0f
#define NORMAL_NEAR_END 11.75f
#define GELU_TANH_END 16.0f
#define GELU_TANH_FLOOR -11.25f
#endif

/* e^(-x^2 / 2), and |x| clamped to where that is not yet 0, or, where all elements are near, to where only
 * the x > 0 are clamped, and it makes no difference to 1. */
typedef struct {
    real a;
    scaled e;
} bell;

INLINE bell bell_of(real x, const reach *r)
{
    bell b;
    b.a = at_most(fabs(x), r->near ? NORMAL_NEAR_END : NORMAL_END);
    wide t = wide_product(b.a, (real)-0.5f * b.a);
    if (r->near) {
        b.e = exp_in_range(t, (mask)0);
    } else {
        t.hi = fabs(x) == INFINITY ? (real)-INFINITY : t.hi;
        b.e = exp_negative(t);
    }
    return b;
}

/* y = x P(x) is max(x, 0) - |x| E G(|x|). What may be subnormal is lifted to the end. */
typedef normal_ratio gelu_forward_step;

INLINE normal_ratio gelu_forward_first(real x)
{
    return normal_ratio_of(at_most(fabs(x), GELU_END));
}

INLINE real gelu_forward_last(real x, normal_ratio g)
{
    const real a = at_most(fabs(x), GELU_END);
    const scaled e = exp_of(wide_product(a, (real)-0.5f * a));
    const wide main = wide_mul(wide_product(a * power_of_two(e.n + LIFT), g.main), e.m);
    const wide tail = wide_increase(main, g.rest);
    /* max(x, 0), but -0 for -0, so that this is what it makes of itself. */
    const real above = AS_MASK(x) < 0 ? (real)-0.0f : a;
    const real lifted = above * (real)(1 / TWO_TO_MINUS_LIFT);
    const real y = difference_of(lifted, tail) * TWO_TO_MINUS_LIFT;
    return x > GELU_END ? x : y;
}

INLINE real gelu_forward(real x)
{
    return gelu_forward_last(x, gelu_forward_first(x));
}

/* The slope is E (G(|x|) - |x| / sqrt(2 pi)) for x < 0, and 1 less that for x >= 0. So that nothing cancels
 * next to the zero of the bracket, the distance from it is a factor of its own. */
INLINE real gelu_from_input(real grad, real x, reach *r)
{
    /* For x > 0 what is made of E is only what 1 is less than, and counts for nothing where E is small. */
    const real down = at_most(x, 0);
    r->far |= is_far_down(-0.5f * down * down, grad);
    const bell b = bell_of(x, r);
    const mask negative = x < 0;
    const wide tail = wide_mul(wide_mul(half_normal_gap(b.a), b.e.m), normal_gap_ratio(b.a));
    const wide slope = wide_select(negative, tail, wide_one_minus(tail));
    const real dx = slope_times(slope, grad, negative ? b.e.n : (mask)0, r);
    return r->near ? dx : slope_from_below(grad, x, dx);
}

/*
 * The slope of x s(z(x)), s(z) + w s(z) s(-z) with w = x z'(x): (1 + E + w E) / (1 + E)^2 for z >= 0,
 * E (1 + E + w) / (1 + E)^2 for z < 0.
 */
INLINE real gate_slope_far(real grad, wide z, wide w, crossing near)
{
    const logistic l = logistic_of(z);
    const mask negative = z.hi < 0;
    const wide one = wide_of((real)1);
    const wide factor = wide_select(negative, l.e.m, one);
    const wide other = wide_select(negative, one, l.e.m);
    const wide numerator = wide_mul(factor, wide_add(l.d, wide_mul(w, other)));
    const wide slope = wide_div(numerator, wide_square(l.d));
    return wide_times_far(wide_select(near.here, near.slope, slope), grad,
                          negative ? l.e.n : (mask)0);
}

INLINE real gate_slope(real grad, wide z, wide w, crossing near, reach *r)
{
    const wide s = wide_inverse(lifted_denominator(z));
    const wide other = wide_one_minus(wide_scale(s, (real)TWO_TO_MINUS_LIFT));
    const wide sum = wide_add(wide_of((real)1), wide_mul(w, other));
    const wide near_slope = wide_scale(near.slope, (real)(1 / TWO_TO_MINUS_LIFT));
    const wide slope = wide_select(near.here, near_slope, wide_mul(s, sum));
    const real dx = wide_scaled_by(slope, grad) * TWO_TO_MINUS_LIFT;
    const mask far = is_far(z.hi, grad);
    return is_any_far(r, far) ? (far ? gate_slope_far(grad, z, w, near) : dx) : dx;
}

/* 2 u = 2 sqrt(2 / pi) (x + 0.044715 x^3) with cubic_terms = 1, and x times its derivative with 3. */
#define GELU_LINEAR                                                                                \
    WIDE_CONSTANT(0x1.988454p0f, -0x1.857936p-25f, 0x1.9884533d43651p0, -0x1.cbc0d30ebfd15p-54)
#define GELU_CUBIC                                                                                 \
    WIDE_CONSTANT(0x1.2444f2p-4f, 0x1.49b16ap-29f, 0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61)

INLINE wide gelu_tanh_argument(wide x, real cubic_terms)
{
    const wide cubic = wide_mul(wide_square(x), wide_mul(wide_of(cubic_terms), GELU_CUBIC));
    return wide_mul(x, wide_add(GELU_LINEAR, cubic));
}

/* x, but no further out than makes a difference to the sigmoid. */
INLINE wide gelu_tanh_clamped(real x)
{
    return wide_of(at_most(at_least(x, -GELU_TANH_END), GELU_TANH_END));
}

typedef struct {
    real z;
    exp_parts e;
} gelu_tanh_forward_step;

INLINE gelu_tanh_forward_step gelu_tanh_forward_first(real x)
{
    const wide clamped = gelu_tanh_clamped(at_least(x, GELU_TANH_FLOOR));
    const wide z = gelu_tanh_argument(clamped, (real)1);
    gelu_tanh_forward_step step;
    step.z = z.hi;
    step.e = gate_first(z);
    return step;
}

INLINE real gelu_tanh_forward_last(real x, gelu_tanh_forward_step step)
{
    return gate_last(at_least(x, GELU_TANH_FLOOR), step.z, step.e);
}

INLINE real gelu_tanh_forward(real x)
{
    return gelu_tanh_forward_last(x, gelu_tanh_forward_first(x));
}

INLINE real gelu_tanh_from_input(real grad, real x, reach *r)
{
    const wide clamped = gelu_tanh_clamped(x);
    const real dx = gate_slope(grad, gelu_tanh_argument(clamped, (real)1),
                               gelu_tanh_argument(clamped, (real)3), gelu_tanh_crossing(x), r);
    return slope_from_below(grad, x, dx);
}

/* x, but no further out than makes a difference to e^-|x|. */
INLINE real clamp_tail(real x)
{
    return at_most(at_least(x, EXP_FLOOR), -EXP_FLOOR);
}

/*
 * With E = e^-|x|, y = x e^x (e^x + 2) / (e^x (e^x + 2) + 2) is
 *   x E (2 + E) / (2 + 2 E + E^2) for x < 0, x (1 + 2 E) / (1 + 2 E + 2 E^2) for x >= 0.
 */
typedef struct {
    scaled e;
    mask negative;
    wide square;    /* E^2 */
    wide factor;    /* E or 1 */
    wide numerator; /* 2 + E or 1 + 2 E */
    wide denominator;
} mish_terms;

INLINE mish_terms mish_terms_of(real x, bool near)
{
    mish_terms t;
    const wide one = wide_of((real)1);
    const wide two = wide_of((real)2);
    const real a = -fabs(x);
    t.e = near ? exp_in_range(wide_of(at_least(a, SCALE_FLOOR)), (mask)0)
               : exp_negative(wide_of(a));
    t.negative = x < 0;
    t.square = wide_square(t.e.m);
    t.factor = wide_select(t.negative, t.e.m, one);
    const wide twice = wide_scale(t.e.m, (real)2);
    t.numerator = wide_select(t.negative, wide_add(two, t.e.m), wide_add(one, twice));
    const wide rest = wide_select(t.negative, wide_add(two, t.square),
                                  wide_add(one, wide_scale(t.square, (real)2)));
    t.denominator = wide_add(rest, twice);
    return t;
}

INLINE real mish_forward(real x)
{
    const mish_terms t = mish_terms_of(x, false);
    const wide ratio = wide_div(wide_mul(t.factor, t.numerator), t.denominator);
    return wide_times(ratio, at_least(x, -REAL_MAX), t.negative ? t.e.n : (mask)0);
}

/* With N the numerator and D the denominator, the slope is E (N D + 4 x (1 + E)) / D^2 for x < 0, and
 * (N D + 4 x E^2 (1 + E)) / D^2 for x >= 0. */
INLINE real mish_from_input(real grad, real x, reach *r)
{
    r->far |= is_far_down(at_most(x, 0), grad);
    const mish_terms t = mish_terms_of(x, r->near);
    const wide one = wide_of((real)1);
    const wide part = wide_mul(wide_add(one, t.e.m), wide_select(t.negative, one, t.square));
    const wide second = wide_mul(wide_of(4 * clamp_tail(x)), part);
    const wide sum = wide_add(wide_mul(t.numerator, t.denominator), second);
    const wide slope = wide_div(wide_mul(t.factor, sum), wide_square(t.denominator));
    const crossing near = mish_crossing(x);
    const real dx = slope_times(wide_select(near.here, near.slope, slope), grad,
                                t.negative ? t.e.n : (mask)0, r);
    return slope_from_below(grad, x, dx);
}
