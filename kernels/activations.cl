/* SPDX-License-Identifier: MIT */
/*
 * The operators: per row of ops.def a <name>_forward(x), and a <name>_from_output(grad, y) and a
 * <name>_from_input(grad, x) where the row has them, each with the parameters as its last argument
 * where the row has any, but for a reach (prelude.cl), which those take that are listed here. They are in
 * this file, gelu.cl and piecewise.cl.
 *
 * Those listed below them are in two steps (elementwise.cl): <function>_first, and <function>_last, which
 * takes what the first returns, a <function>_step, before the reach.
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

#define HAS_STEPS_sigmoid_forward 1
#define HAS_STEPS_sigmoid_from_input 1
#define HAS_STEPS_tanh_forward 1
#define HAS_STEPS_tanh_from_input 1
#define HAS_STEPS_log_sigmoid_forward 1
#define HAS_STEPS_log_sigmoid_from_input 1
#define HAS_STEPS_softplus_forward 1
#define HAS_STEPS_softplus_from_input 1
#define HAS_STEPS_silu_forward 1
#define HAS_STEPS_gelu_forward 1
#define HAS_STEPS_gelu_tanh_forward 1
#define HAS_STEPS_elu_forward 1
#define HAS_STEPS_elu_from_input 1
#define HAS_STEPS_selu_forward 1
#define HAS_STEPS_selu_from_input 1
#define HAS_STEPS_straight_through_sigmoid_from_input 1

/* Operators of one parameter whose default is 1. It has a loop of its own, which multiplies nothing by it. */
#define IS_OFTEN_PLAIN_softplus_forward 1
#define IS_OFTEN_PLAIN_softplus_from_input 1
#define IS_OFTEN_PLAIN_silu_forward 1
#define IS_OFTEN_PLAIN_silu_from_input 1
#define IS_OFTEN_PLAIN_elu_forward 1
#define IS_OFTEN_PLAIN_elu_from_input 1

/* Where to stop: beyond FORWARD_FLOOR e^x is 0 in any storage, and beyond FORWARD_CEILING 1 + e^-x is 1. */
#ifdef CLACT_STORAGE_F64
#define FORWARD_FLOOR -1000.0
#define FORWARD_CEILING 64.0
#else
#define FORWARD_FLOOR -120.0f
#define FORWARD_CEILING 32.0f
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

/* The first step of what follows. */
INLINE exp_parts lifted_denominator_parts(wide z)
{
    return lifted_exp_parts(denominator_argument(z));
}

/* (1 + e^-z) / 2^LIFT, from z = FORWARD_FLOOR on: results that may be subnormal are lifted to the end, as
 * what leads to them must not be. */
INLINE wide lifted_denominator(wide z)
{
    return lifted_one_plus(lifted_denominator_parts(z));
}

/* y = 1 / (1 + e^-x) */
typedef exp_parts sigmoid_forward_step;

INLINE exp_parts sigmoid_forward_first(real x)
{
    return lifted_denominator_parts(wide_of(x));
}

INLINE real sigmoid_forward_last(real x, exp_parts e)
{
    return wide_reciprocal(lifted_one_plus(e)) * TWO_TO_MINUS_LIFT;
}

INLINE real sigmoid_forward(real x)
{
    return sigmoid_forward_last(x, sigmoid_forward_first(x));
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

/* The first step of a * s(z) and of a * s(z) s(-z). */
INLINE exp_parts logistic_first(wide z, real a, reach *r)
{
    r->far |= is_far(z.hi, a);
    return lifted_denominator_parts(z);
}

/* factor * grad * s(z) s(-z) for z <= 0, which is grad * s(x) * s(-x) of either sign of x. */
INLINE real logistic_slope(real grad, real z, real factor, exp_parts e, reach *r)
{
    const wide s = wide_inverse(lifted_one_plus(e));
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

typedef exp_parts sigmoid_from_input_step;

INLINE exp_parts sigmoid_from_input_first(real grad, real x, reach *r)
{
    return logistic_first(wide_of(-fabs(x)), grad, r);
}

INLINE real sigmoid_from_input_last(real grad, real x, exp_parts e, reach *r)
{
    return logistic_slope(grad, -fabs(x), (real)1, e, r);
}

INLINE real sigmoid_from_input(real grad, real x, reach *r)
{
    return sigmoid_from_input_last(grad, x, sigmoid_from_input_first(grad, x, r), r);
}

/* a * s(z) */
INLINE real logistic_times(wide z, real a, exp_parts e, reach *r)
{
    const wide s = wide_inverse_from_below(lifted_one_plus(e));
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
    return logistic_times(z, a, logistic_first(z, a, &r), &r);
}

/* x * s(z) in two steps, for z from FORWARD_FLOOR on, where z is a multiple of x that is not so small that x
 * needs more room than 2^LIFT. */
INLINE exp_parts gate_first(wide z)
{
    wide t = wide_negate(z);
    t.hi = -at_most(z.hi, FORWARD_CEILING);
    return lifted_exp_parts(t);
}

INLINE real gate_last(real x, real z, exp_parts e)
{
    const wide s = wide_inverse_from_below(lifted_one_plus(e));
    const real y = quotient_times(s, x) * TWO_TO_MINUS_LIFT;
    return z > FORWARD_CEILING ? x : y;
}

/* y = (1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x */
typedef wide tanh_forward_step;

INLINE wide tanh_forward_first(real x)
{
    return one_minus_exp(at_least(-2 * fabs(x), -64));
}

INLINE real tanh_forward_last(real x, wide rest)
{
    const wide y = wide_div(rest, wide_add(wide_of((real)2), wide_negate(rest)));
    return copysign(wide_round(y), x);
}

INLINE real tanh_forward(real x)
{
    return tanh_forward_last(x, tanh_forward_first(x));
}

/* No tanh is beyond 1, but the formula has a value there too. */
INLINE real tanh_from_output(real grad, real y)
{
    const wide square = wide_product(y, y);
    wide slope = wide_exact_sum((real)1, -square.hi);
#ifdef CLACT_PAIRS
    slope.lo -= square.lo;
#endif
    return wide_scaled_by(slope, grad);
}

/* dx = grad * 4 E / (1 + E)^2 with E = e^-2|x| */
INLINE real minus_twice(real x)
{
    /* Twice a large x could be infinite, where E is 0 and no longer only tiny. */
    const real z = -fabs(x);
    return z < EXP_FLOOR ? z : 2 * z;
}

typedef exp_parts tanh_from_input_step;

INLINE exp_parts tanh_from_input_first(real grad, real x, reach *r)
{
    return logistic_first(wide_of(minus_twice(x)), grad, r);
}

INLINE real tanh_from_input_last(real grad, real x, exp_parts e, reach *r)
{
    return logistic_slope(grad, minus_twice(x), (real)4, e, r);
}

INLINE real tanh_from_input(real grad, real x, reach *r)
{
    return tanh_from_input_last(grad, x, tanh_from_input_first(grad, x, r), r);
}

/* max(x, 0) + small / 2^LIFT. It is subnormal only where there is no sum. */
INLINE real softplus_sum(real x, wide small)
{
    const real lift = (real)TWO_TO_MINUS_LIFT;
    const real sum = wide_round(wide_sum(x, small, lift));
    return x > 0 ? sum : wide_round(small) * lift;
}

typedef wide log_sigmoid_forward_step;

INLINE wide log_sigmoid_forward_first(real x)
{
    return lifted_exp_normalised(wide_of(-fabs(x)));
}

INLINE real log_sigmoid_forward_last(real x, wide e)
{
    return -(x < -FORWARD_CEILING ? -x : softplus_sum(-x, lifted_log_one_plus(e)));
}

INLINE real log_sigmoid_forward(real x)
{
    return log_sigmoid_forward_last(x, log_sigmoid_forward_first(x));
}

typedef exp_parts log_sigmoid_from_input_step;

INLINE exp_parts log_sigmoid_from_input_first(real grad, real x, reach *r)
{
    return logistic_first(wide_of(-x), grad, r);
}

INLINE real log_sigmoid_from_input_last(real grad, real x, exp_parts e, reach *r)
{
    return logistic_times(wide_of(-x), grad, e, r);
}

INLINE real log_sigmoid_from_input(real grad, real x, reach *r)
{
    return log_sigmoid_from_input_last(grad, x, log_sigmoid_from_input_first(grad, x, r), r);
}

/* (max(z, 0) + log(1 + e^-|z|)) / beta with z = beta x, for a beta that takes far what it divides. */
INLINE real softplus_far(wide z, ELEMENT beta)
{
    const scaled divisor = split((real)beta);
    const scaled rest = log_one_plus_exp(wide_minus_abs(z));
    const wide small = wide_normalise(rest.m);
    const wide y = wide_select(z.hi > 0, wide_add(z, small), small);
    return wide_times_far(wide_div(y, divisor.m), (real)1, rest.n - divisor.n);
}

/* beta * x. Whether that is x is decided once for a call where it matters: see IS_OFTEN_PLAIN_. */
INLINE wide beta_times(ELEMENT beta, real x)
{
    return beta == 1 ? wide_of(x) : wide_product(x, (real)beta);
}

typedef wide softplus_forward_step;

INLINE wide softplus_forward_first(real x, params p)
{
    return lifted_exp_normalised(wide_minus_abs(beta_times(p.beta, x)));
}

INLINE real softplus_forward_last(real x, params p, wide e)
{
    const wide z = beta_times(p.beta, x);
    real y;
    if (p.extreme) {
        y = softplus_far(z, p.beta);
    } else {
        const wide small = lifted_log_one_plus(e);
        /* The inverse is the same for all elements, and computed once. */
        const wide inverse = wide_inverse(wide_of((real)p.beta));
        y = softplus_sum(x, p.beta == 1 ? small : wide_mul(small, inverse));
    }
    return z.hi > FORWARD_CEILING ? x : y;
}

INLINE real softplus_forward(real x, params p)
{
    return softplus_forward_last(x, p, softplus_forward_first(x, p));
}

/* beta x, -infinity only where x is. Of a z that is out of range z.lo says nothing. */
INLINE wide finite_product(real x, ELEMENT beta)
{
    wide z = beta_times(beta, x);
    const mask overflows = (z.hi == -INFINITY) & (x != -INFINITY);
    z.hi = overflows ? (real)-REAL_MAX : z.hi;
    return z;
}

typedef exp_parts softplus_from_input_step;

INLINE exp_parts softplus_from_input_first(real grad, real x, params p, reach *r)
{
    return logistic_first(finite_product(x, p.beta), grad, r);
}

INLINE real softplus_from_input_last(real grad, real x, params p, exp_parts e, reach *r)
{
    return logistic_times(finite_product(x, p.beta), grad, e, r);
}

INLINE real softplus_from_input(real grad, real x, params p, reach *r)
{
    return softplus_from_input_last(grad, x, p, softplus_from_input_first(grad, x, p, r), r);
}

typedef exp_parts silu_forward_step;

INLINE exp_parts silu_forward_first(real x, params p)
{
    return gate_first(beta_times(p.beta, at_least(x, FORWARD_FLOOR / p.beta)));
}

INLINE real silu_forward_last(real x, params p, exp_parts e)
{
    /* -infinity times 0 has no value, the limit is 0. */
    if (p.extreme)
        return any_logistic_times(beta_times(p.beta, x), at_least(x, -REAL_MAX));
    const real above = at_least(x, FORWARD_FLOOR / p.beta);
    return gate_last(above, above * p.beta, e);
}

INLINE real silu_forward(real x, params p)
{
    return silu_forward_last(x, p, silu_forward_first(x, p));
}

/* A slope that is below 0 as it goes to 0 with x to -infinity, where its terms have no value. */
INLINE real slope_from_below(real grad, real x, real dx)
{
    return x == -INFINITY ? grad * (real)-0.0f : dx;
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
    const real left = above == INFINITY ? (real)0 : fma(above, (real)p.beta, -z);
    const real z_lo = p.beta == 1 ? (real)0 : left;
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
