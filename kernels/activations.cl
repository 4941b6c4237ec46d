/* SPDX-License-Identifier: MIT */
/*
 * The operators: per row of ops.def a <name>_forward(x), and a <name>_from_output(grad, y) and a
 * <name>_from_input(grad, x) where the row has them, each with the parameters as its last argument
 * where the row has any, but for a reach (prelude.cl), which those take that are listed here.
 */
#define HAS_REACH_sigmoid_from_input 1
#define HAS_REACH_tanh_from_input 1
#define HAS_REACH_log_sigmoid_from_input 1
#define HAS_REACH_softplus_from_input 1
#define HAS_REACH_silu_from_input 1
#define HAS_REACH_gelu_from_input 1
#define HAS_REACH_gelu_tanh_from_input 1
#define HAS_REACH_elu_from_input 1
#define HAS_REACH_selu_from_input 1
#define HAS_REACH_mish_from_input 1
#define HAS_REACH_straight_through_sigmoid_from_input 1

/*
 * Where to stop: beyond FORWARD_FLOOR e^x is 0 in any storage, and beyond FORWARD_CEILING 1 + e^-x is 1;
 * beyond GELU_END the GELU of a negative x is 0; beyond NORMAL_END and GELU_TANH_END the tails of the
 * GELUs are 0 even when multiplied by the largest gradient; beyond NORMAL_NEAR_END the operands of GELU's
 * gradient that are near (is_far_down()) are positive; beyond TANH_END 1 - y^2 is -y^2.
 */
#ifdef CLACT_STORAGE_F64
#define FORWARD_FLOOR -1000.0
#define FORWARD_CEILING 64.0
#define GELU_END 40.0
#define NORMAL_END 55.0
#define NORMAL_NEAR_END 35.25
#define TANH_END 0x1p60
#define GELU_TANH_END 32.0
#define GELU_TANH_FLOOR -23.5
#else
#define FORWARD_FLOOR -120.0f
#define FORWARD_CEILING 32.0f
#define GELU_END 15.0f
#define NORMAL_END 20.0f
#define NORMAL_NEAR_END 11.75f
#define TANH_END 0x1p30f
#define GELU_TANH_END 16.0f
#define GELU_TANH_FLOOR -11.25f
#endif

/* -z, but no further out than makes a difference to what is made of e^-z. */
INLINE wide denominator_argument(wide z)
{
    wide t = wide_of(at_least(at_most(z.hi, FORWARD_CEILING), FORWARD_FLOOR));
#ifdef CLACT_PAIRS
    t.lo = t.hi == z.hi ? z.lo : (real)0;
#endif
    return wide_negate(t);
}

/* (1 + e^-z) / 2^LIFT, from z = FORWARD_FLOOR on: results that may be subnormal are lifted to the end, as
 * what leads to them must not be. */
INLINE wide lifted_denominator(wide z)
{
    return lifted_one_plus_exp(denominator_argument(z));
}

/* y = 1 / (1 + e^-x) */
INLINE real sigmoid_forward(real x)
{
    return wide_reciprocal(lifted_denominator(wide_of(x))) * TWO_TO_MINUS_LIFT;
}

INLINE real sigmoid_from_output(real grad, real y)
{
    return grad * y * (1 - y);
}

/* What the functions below are made of: E = e^-|z| = e.m * 2^e.n, and d = 1 + E. */
typedef struct {
    scaled e;
    wide d;
} logistic;

INLINE logistic logistic_of(wide z)
{
    logistic l;
    l.e = exp_negative(wide_minus_abs(z));
    l.d = wide_sum((real)1, l.e.m, (real)1);
    return l;
}

/* Where a * s(z) needs more room than 2^LIFT gives it. */
INLINE mask is_far(real z, real a)
{
    return (z < FORWARD_FLOOR) | (fabs(a) > (real)(0x1p-4f / TWO_TO_MINUS_LIFT));
}

/* factor * grad * s(z) s(-z) for z <= 0, which is grad * s(x) * s(-x) of either sign of x. */
INLINE real logistic_slope(real grad, real z, real factor, reach *r)
{
    const wide s = wide_inverse(lifted_denominator(wide_of(z)));
    const wide other = wide_one_minus(wide_scale(s, (real)TWO_TO_MINUS_LIFT));
    const wide slope = wide_mul(s, other);
    const real dx = wide_scaled_by(slope, grad) * (factor * TWO_TO_MINUS_LIFT);
    const mask far = is_far(z, grad);
    if (!is_any_far(r, far))
        return dx;
    const logistic l = logistic_of(wide_of(z));
    const wide scaled_m = wide_scale(l.e.m, factor);
    return far ? wide_times_far(wide_div(scaled_m, wide_square(l.d)), grad, l.e.n) : dx;
}

INLINE real sigmoid_from_input(real grad, real x, reach *r)
{
    return logistic_slope(grad, -fabs(x), (real)1, r);
}

/* a * s(z) */
INLINE real logistic_times(wide z, real a, reach *r)
{
    const wide s = wide_inverse_from_below(lifted_denominator(z));
    const real y = quotient_times(s, a) * TWO_TO_MINUS_LIFT;
    const mask far = is_far(z.hi, a);
    if (!is_any_far(r, far))
        return y;
    /* 1 / (1 + E) or E / (1 + E) */
    const logistic l = logistic_of(z);
    const mask negative = z.hi < 0;
    const wide numerator = wide_select(negative, l.e.m, wide_of((real)1));
    return far ? wide_times_far(wide_div(numerator, l.d), a, negative ? l.e.n : (mask)0) : y;
}

/* The same where nothing has been asked. */
INLINE real any_logistic_times(wide z, real a)
{
    reach r = {false};
    return logistic_times(z, a, &r);
}

/* x * s(z) for z from FORWARD_FLOOR on, where z is a multiple of x that is not so small that x needs more
 * room than 2^LIFT. */
INLINE real gate(real x, wide z)
{
    wide t = wide_negate(z);
    t.hi = -at_most(z.hi, FORWARD_CEILING);
    const wide s = wide_inverse_from_below(lifted_one_plus_exp(t));
    const real y = quotient_times(s, x) * TWO_TO_MINUS_LIFT;
    return z.hi > FORWARD_CEILING ? x : y;
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

/* A slope that is below 0 as it goes to 0 with x to -infinity, where its terms have no value. */
INLINE real slope_from_below(real grad, real x, real dx)
{
    return x == -INFINITY ? grad * (real)-0.0f : dx;
}

/* x, but no further out than makes a difference to e^-|x|. */
INLINE real clamp_tail(real x)
{
    return at_most(at_least(x, EXP_FLOOR), -EXP_FLOOR);
}

/* y = (1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x */
INLINE real tanh_forward(real x)
{
    const real t = at_least(-2 * fabs(x), -64);
    const wide rest = one_minus_exp(t);
    const wide y = wide_div(rest, wide_add(wide_of((real)2), wide_negate(rest)));
    return copysign(wide_round(y), x);
}

/* No tanh is beyond 1, but the formula has a value there too, and -y^2 is all of it before it overflows. */
INLINE real tanh_from_output(real grad, real y)
{
    const wide slope = wide_add(wide_of((real)1), wide_negate(wide_product(y, y)));
    return fabs(y) > TANH_END ? grad * -(y * y) : wide_scaled_by(slope, grad);
}

/* dx = grad * 4 E / (1 + E)^2 with E = e^-2|x| */
INLINE real tanh_from_input(real grad, real x, reach *r)
{
    /* Twice a large x could be infinite, where E is 0 and no longer only tiny. */
    const real z = -fabs(x);
    return logistic_slope(grad, z < EXP_FLOOR ? z : 2 * z, (real)4, r);
}

/* max(x, 0) + small / 2^LIFT. It is subnormal only where there is no sum. */
INLINE real softplus_sum(real x, wide small)
{
    const real lift = (real)TWO_TO_MINUS_LIFT;
    const real sum = wide_round(wide_sum(x, small, lift));
    return x > 0 ? sum : wide_round(small) * lift;
}

INLINE real log_sigmoid_forward(real x)
{
    const wide small = lifted_log_one_plus_exp(wide_of(-fabs(x)));
    return -(x < -FORWARD_CEILING ? -x : softplus_sum(-x, small));
}

INLINE real log_sigmoid_from_input(real grad, real x, reach *r)
{
    return logistic_times(wide_of(-x), grad, r);
}

/* (max(z, 0) + log(1 + e^-|z|)) / beta with z = beta x, for a beta that takes far what it divides. */
INLINE real softplus_far(real x, wide z, ELEMENT beta)
{
    const scaled divisor = split((real)beta);
    const scaled rest = log_one_plus_exp(wide_minus_abs(z));
    const wide small = wide_normalise(rest.m);
    const wide y = wide_select(z.hi > 0, wide_add(z, small), small);
    return wide_times_far(wide_div(y, divisor.m), (real)1, rest.n - divisor.n);
}

INLINE real softplus_forward(real x, params p)
{
    const wide z = wide_product(x, (real)p.beta);
    real y;
    if (p.extreme) {
        y = softplus_far(x, z, p.beta);
    } else {
        const wide small = lifted_log_one_plus_exp(wide_minus_abs(z));
        /* The inverse is the same for all elements, and computed once. */
        y = softplus_sum(x, wide_mul(small, wide_inverse(wide_of((real)p.beta))));
    }
    return z.hi > FORWARD_CEILING ? x : y;
}

/* beta x, -infinity only where x is. Of a z that is out of range z.lo says nothing. */
INLINE wide finite_product(real x, ELEMENT beta)
{
    wide z = wide_product(x, (real)beta);
    const mask overflows = (z.hi == -INFINITY) & (x != -INFINITY);
    z.hi = overflows ? (real)-REAL_MAX : z.hi;
    return z;
}

INLINE real softplus_from_input(real grad, real x, params p, reach *r)
{
    return logistic_times(finite_product(x, p.beta), grad, r);
}

INLINE real silu_forward(real x, params p)
{
    /* -infinity times 0 has no value, the limit is 0. */
    if (p.extreme)
        return any_logistic_times(wide_product(x, (real)p.beta), at_least(x, -REAL_MAX));
    const real above = at_least(x, FORWARD_FLOOR / p.beta);
    return gate(above, wide_product(above, (real)p.beta));
}

/*
 * The slope of silu is N / (1 + E)^2 with E = e^-z, z = beta x and N = 1 + E (1 + z). At its zero z0 the
 * terms of N cancel. So n and r are of z0 - z = n ln 2 + r, E = E0 2^n e^r; as E0 = -1 / (1 + z0), with
 * k = 1 / E0 and a = 2^-n
 *   a k N = k (a - 1) - n ln 2 + z r + (1 + z) (e^r - 1 - r),   a k (1 + E) = k a + e^r,
 * and near z0, where n is 0, all of N is the two terms with r, of which the first is by far the larger.
 */
#define SILU_K                                                                                     \
    WIDE_CONSTANT(0x1.1d25dp-2f, -0x1.bdf6fap-27f, 0x1.1d25cf210482ep-2, -0x1.ca2d0d94faaecp-60)
/* -z0 is the first, which has so few bits that no subtraction of it is rounded, and 2 LN2_HI, less the
 * other two. */
#ifdef REAL_IS_DOUBLE
#define SILU_ZERO -0x1.b9abc27627e3cp-4, -0x1.f1ae9793582a9p-55, 0x1.76b5fcfe8b101p-109
#else
#define SILU_ZERO -0x1.b9abcp-4f, 0x1.bdf6fap-27f, 0x1.03945ap-53f
#endif

INLINE real silu_from_input(real grad, real x, params p, reach *asked)
{
    const real above = at_most(at_least(x, EXP_FLOOR / p.beta), FORWARD_CEILING / p.beta);
    /* Of the smallest beta the quotients above are infinite. */
    const real z = at_most(above * p.beta, FORWARD_CEILING);
    const real z_lo = above == INFINITY ? (real)0 : fma(above, (real)p.beta, -z);
    const ELEMENT zero[] = {SILU_ZERO};
    const reduced t = exp_reduce_by(-z - zero[0], -z);
    const real r_hi = t.r_hi - zero[0];
    const wide r_lo = wide_exact_sum(fma(t.n - 2, (real)-LN2_LO, (real)zero[1]), -z_lo);
    wide r = wide_of(r_hi + r_lo.hi);
#ifdef CLACT_PAIRS
    /* Next to the zero all of the first two may cancel. */
    r.lo = ((r_hi - r.hi) + r_lo.hi) + (r_lo.lo + zero[2]);
#endif
    const real rest = exp_rest_nested(r.hi, (real)0);
    const mask n = t.exponent - 2;
    const real lifted = power_of_two(max(LIFT - n, (mask)(1 - EXPONENT_BIAS)));
    const real a = lifted * TWO_TO_MINUS_LIFT;
    const wide of_n = wide_step(wide_mul(wide_of(a - 1), SILU_K), 2 - t.n, LN2);
    const real of_rest = fma(rest, 1 + z, r.hi * z_lo);
    const wide zr = wide_product(z, r.hi);
    wide numerator = wide_of(of_n.hi + (zr.hi + of_rest));
    wide e = wide_of(1 + (r.hi + rest));
#ifdef CLACT_PAIRS
    /* of_n.hi is 0 or larger than what is added to it, and zr.hi is larger than of_rest. */
    const real sum = zr.hi + of_rest;
    numerator.lo = (of_n.hi - numerator.hi) + sum;
    numerator.lo += ((zr.hi - sum) + of_rest) + fma(z, r.lo, zr.lo + of_n.lo);
    e.lo = ((1 - e.hi) + r.hi) + (rest + r.lo);
#endif
    const wide denominator = wide_step(e, a, SILU_K);
    const wide square = wide_square(denominator);
    const real inverse = reciprocal_from_below(square.hi);
    const wide slope = wide_mul(wide_div_by(numerator, square, inverse), SILU_K);
    const real dx = quotient_times(wide_scale(slope, lifted), grad) * TWO_TO_MINUS_LIFT;
    const mask far =
        (x <= FORWARD_FLOOR / p.beta) | (fabs(grad) > (real)(0x1p-4f / TWO_TO_MINUS_LIFT));
    if (!is_any_far(asked, far))
        return dx;
    const mask part = min(max(-n, (mask)SCALE_MIN), (mask)-8);
    const real far_dx = wide_times_far(wide_scale(slope, power_of_two(part)), grad, -n - part);
    return far ? slope_from_below(grad, x, far_dx) : dx;
}

/*
 * Where a slope made of E = e^t, t <= 0, times grad is not simply wide_scaled_by(slope, grad). Elsewhere
 *   - E is from 2^SCALE_MIN to 1, so that exp_negative() leaves nothing in n;
 *   - grad is 0, or |slope * grad| is at least TIMES_SMALL. For |slope| is at least E / 16, or, next to where
 *     it is 0, e^LOG_SLOPE_MIN / 8: no number of the type is nearer to the crossings than 2^-29 (f64: 2^-56),
 *     and the slope is more than a quarter of that. `e` is E, or that least value, to within a factor of
 *     sqrt(2).
 * There wide_times() takes the product as it is. It does so of a large grad too, as nothing is left in n.
 */
INLINE mask is_far_down(real t, real grad)
{
    const real rounded = fma(at_most(t, LOG_SLOPE_MIN), (real)LOG2_E, (real)POWER_ROUNDER);
    const real e = AS_REAL(AS_MASK(rounded) << MANTISSA_BITS);
    return (t < SCALE_FLOOR) | ((grad != 0) & (fabs(grad) * e < 16 * TIMES_SMALL));
}

/* slope * grad * 2^n, n being 0 where all elements are near. */
INLINE real slope_times(wide slope, real grad, mask n, const reach *r)
{
    return r->near ? wide_scaled_by(slope, grad) : wide_times(slope, grad, n);
}

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
INLINE real gelu_forward(real x)
{
    const real a = at_most(fabs(x), GELU_END);
    const scaled e = exp_of(wide_product(a, (real)-0.5f * a));
    const normal_ratio g = normal_ratio_of(a);
    const wide main = wide_mul(wide_product(a * power_of_two(e.n + LIFT), g.main), e.m);
    const wide tail = wide_increase(main, g.rest);
    /* max(x, 0), but -0 for -0, so that this is what it makes of itself. */
    const real above = AS_MASK(x) < 0 ? (real)-0.0f : a;
    const real lifted = above * (real)(1 / TWO_TO_MINUS_LIFT);
    const real y = difference_of(lifted, tail) * TWO_TO_MINUS_LIFT;
    return x > GELU_END ? x : y;
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

INLINE real gelu_tanh_forward(real x)
{
    const real above = at_least(x, GELU_TANH_FLOOR);
    return gate(above, gelu_tanh_argument(gelu_tanh_clamped(above), (real)1));
}

INLINE real gelu_tanh_from_input(real grad, real x, reach *r)
{
    const wide clamped = gelu_tanh_clamped(x);
    const real dx = gate_slope(grad, gelu_tanh_argument(clamped, (real)1),
                               gelu_tanh_argument(clamped, (real)3), gelu_tanh_crossing(x), r);
    return slope_from_below(grad, x, dx);
}

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

/* below * (1 - e^x) for x < 0, above * x for x >= 0; and its slope, where below is -below */
INLINE real elu_of(real x, scaled below, real above)
{
    /* Lifted, as a small x leaves no room for the low part of the product. */
    const wide rest = wide_scale(one_minus_exp(at_least(-fabs(x), -64)), power_of_two((mask)LIFT));
    const mask n = max(below.n - LIFT, (mask)(2 - 2 * EXPONENT_BIAS));
    const real y =
        wide_round(wide_mul(below.m, rest)) * power_of_two(n >> 1) * power_of_two(n - (n >> 1));
    return x >= 0 ? (above == 0 ? (real)0 : x * above) : x < 0 ? y : x;
}

INLINE real elu_slope(real grad, real x, scaled below, real above, reach *r)
{
    const real t = at_most(x, 0);
    /* The exponent of `below` counts as E's, which it must not take beyond 1. */
    r->far |= is_far_down(fma(TO_REAL(below.n), (real)LN2_HI, t), grad) | (below.n > 0);
    const scaled e = r->near ? exp_in_range(wide_of(t), below.n)
                             : exp_negative_times(wide_of(t), below.n);
    const real dx = slope_times(wide_mul(below.m, e.m), grad, e.n, r);
    const real rising = above == 0 ? no_slope(grad) : grad * above;
    return x > 0 ? rising : x <= 0 ? (below.m.hi == 0 ? no_slope(grad) : dx) : x;
}

INLINE real elu_forward(real x, params p)
{
    return elu_of(x, split((real)-p.alpha), (real)1);
}

INLINE real elu_from_input(real grad, real x, params p, reach *r)
{
    return elu_slope(grad, x, split((real)p.alpha), (real)1, r);
}

INLINE real selu_forward(real x, params p)
{
    return elu_of(x, scaled_product((real)-p.alpha, (real)p.gamma), (real)p.gamma);
}

INLINE real selu_from_input(real grad, real x, params p, reach *r)
{
    const scaled below = scaled_product((real)p.alpha, (real)p.gamma);
    return elu_slope(grad, x, below, (real)p.gamma, r);
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

/* x (x + 3) / 6 between -3 and 3 */
INLINE real hard_swish_forward(real x)
{
    const wide ratio = wide_mul(wide_add(wide_of(x), wide_of((real)3)), SIXTH);
    const real y = wide_scaled_by(ratio, x);
    return x <= -3 ? (real)-0.0f : x >= 3 ? x : y;
}

INLINE real hard_swish_from_input(real grad, real x)
{
    const wide sum = wide_add(wide_of(2 * x), wide_of((real)3));
    const real dx = wide_scaled_by(wide_mul(sum, SIXTH), grad);
    return x >= 3 ? grad : x > -3 ? dx : relu_slope(grad, x);
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

INLINE real straight_through_sigmoid_forward(real x)
{
    return x >= 0 ? (real)1 : x < 0 ? (real)0 : x;
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
