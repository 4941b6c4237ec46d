/* SPDX-License-Identifier: MIT */
/*
 * Binary cross-entropy with logits: its loss, its gradient, or both in one pass. It is compiled where
 * CLACT_BCE is defined; beside that, where it is so:
 *
 *   CLACT_BCE_LOSS        the losses are wanted
 *   CLACT_BCE_DX          the gradient is wanted
 *   CLACT_BCE_REDUCED     the losses are added up, and grad is one number
 *   CLACT_BCE_GRAD        there is a grad; else it is 1
 *   CLACT_BCE_BYTES       targets are bytes
 *   CLACT_BCE_WEIGHT      there is a weight
 *   CLACT_BCE_POS_WEIGHT  there is a pos_weight
 *
 * The target has two shares, p y of class 1 and 1 - y of class 0. The logit's sign speaks for one of
 * them (`along`) and against the other, and with E = e^-|x|
 *
 *   loss = w (against |x| + total log(1 + E)), with total = against + along, 1 without pos_weight
 *   dx   = +- grad w (against - total E / (1 + E)), with the sign of x
 *
 * of which both are made of one exponential. The one difference that is left, in dx, is 0 where s(x) is
 * the target; where `against` is 0, as it is for a logit far on the right side, dx is its other term and
 * keeps all of its bits.
 */
#ifdef CLACT_BCE

/* Weights further out than that are computed with in another way, which holds for all. */
#define GAIN_MOST 0x1p20f
#define GAIN_LEAST 0x1p-60f
/* The same for logits. */
#define SIZE_MOST 0x1p60f
#if defined(CLACT_BCE_WEIGHT) || defined(CLACT_BCE_POS_WEIGHT) || defined(CLACT_BCE_GRAD)
#define HAS_FAR
#endif

/* What a result is made of; what is not there is not looked at. */
typedef struct {
    real x, y, weight, pos_weight, grad;
} operands;

typedef struct {
    mask negative;
    real size;   /* |x|, but 0 where it has no effect */
    wide lifted; /* 2^LIFT E */
    wide against;
    wide total; /* only with pos_weight */
    wide gain;  /* of dx */
    mask far;   /* where the weights need more care */
} terms;

/* Where a factor is so large or small that its products might overflow or lose their low part; of two
 * factors neither may be 0. */
INLINE mask is_far_off(real product, real a, real b)
{
    const real size = fabs(product);
    return !((size >= GAIN_LEAST) & (size <= GAIN_MOST)) & (a != 0) & (b != 0);
}

INLINE mask is_finite(real v)
{
    return fabs(v) <= REAL_MAX;
}

INLINE wide share_of_one(operands o)
{
#ifdef CLACT_BCE_POS_WEIGHT
    return wide_product(o.y, o.pos_weight);
#else
    return wide_of(o.y);
#endif
}

INLINE wide share_of_zero(operands o)
{
#ifdef CLACT_BCE_BYTES
    return wide_of(1 - o.y);
#else
    return wide_one_minus(wide_of(o.y));
#endif
}

/* `scale` is the mean's 1 / n, which a gradient has for a factor. */
INLINE wide gain_of(operands o, wide scale)
{
    wide gain = scale;
#ifdef CLACT_BCE_GRAD
    gain = wide_mul(gain, wide_of(o.grad));
#endif
#ifdef CLACT_BCE_WEIGHT
    gain = wide_mul(gain, wide_of(o.weight));
#endif
    return gain;
}

INLINE mask far_of(operands o, wide one, wide gain)
{
    mask far = (mask)0;
#ifdef CLACT_BCE_POS_WEIGHT
    far |= is_far_off(one.hi, o.y, o.pos_weight);
#endif
#if defined(CLACT_BCE_DX) && defined(CLACT_BCE_GRAD) && defined(CLACT_BCE_WEIGHT)
    far |= is_far_off(gain.hi, o.grad, o.weight);
#elif defined(CLACT_BCE_DX) && defined(CLACT_BCE_GRAD)
    far |= is_far_off(gain.hi, o.grad, o.grad);
#endif
#ifdef CLACT_BCE_WEIGHT
    far |= is_far_off(o.weight, o.weight, o.weight);
#endif
#if defined(CLACT_BCE_LOSS) && (defined(CLACT_BCE_WEIGHT) || defined(CLACT_BCE_POS_WEIGHT))
    far |= fabs(o.x) > SIZE_MOST;
#endif
    return far;
}

/* 2^LIFT e^-|x|, with a low part of hardly more than half of the last place. */
INLINE wide lifted_exp(real x)
{
    const reduced t = exp_reduce(at_least(-fabs(x), LOG_FLOOR));
    wide e;
#ifdef CLACT_PAIRS
    const real r_lo = fma(t.n, (real)-LN2_LO, t.r_hi - t.r);
    const real rest = exp_rest_nested(t.r, (real)0);
    e.hi = 1 + (t.r + rest);
    e.lo = fma(r_lo, e.hi, ((1 - e.hi) + t.r) + rest);
#else
    e.hi = exp_rest(t.r, t.r) + 1;
#endif
    return wide_scale(e, power_of_two(t.exponent + LIFT));
}

INLINE terms terms_of(operands o, wide lifted, wide scale)
{
    terms t;
    t.negative = o.x < 0;
    t.lifted = lifted;
    const wide one = share_of_one(o);
    const wide zero = share_of_zero(o);
    t.against = wide_select(t.negative, one, zero);
    mask without = t.against.hi == 0;
#ifdef CLACT_BCE_POS_WEIGHT
    /* A product may have become 0. */
    without = t.negative ? (o.y == 0) | (o.pos_weight == 0) : without;
#endif
#ifdef CLACT_BCE_WEIGHT
    without |= o.weight == 0;
#endif
    t.size = without ? (real)0 : fabs(o.x);
#ifdef CLACT_BCE_POS_WEIGHT
    t.total = wide_add(one, zero);
#endif
    t.gain = gain_of(o, scale);
    t.far = far_of(o, one, t.gain);
    return t;
}

/* a + b. Where that is infinite the high part is, and the low part says nothing. */
INLINE wide wide_loose_sum(wide a, wide b)
{
    wide sum = wide_exact_sum(a.hi, b.hi);
#ifdef CLACT_PAIRS
    sum.lo += a.lo + b.lo;
#endif
    return sum;
}

/* The nearest real to such a sum. */
INLINE real round_loose(wide a)
{
#ifdef CLACT_PAIRS
    return fabs(a.hi) == INFINITY ? a.hi : a.hi + a.lo;
#else
    return a.hi;
#endif
}

/* The loss times a power of two, with its two terms already so. */
INLINE wide loss_of(operands o, wide first, wide second)
{
    const wide loss = wide_loose_sum(first, second);
#ifdef CLACT_BCE_WEIGHT
    return wide_mul(loss, wide_of(o.weight));
#else
    return loss;
#endif
}

INLINE wide times_total(terms t, wide a)
{
#ifdef CLACT_BCE_POS_WEIGHT
    return wide_mul(a, t.total);
#else
    return a;
#endif
}

/* The loss to be rounded: what may be subnormal is lifted until then. */
INLINE real rounded_loss(operands o, terms t)
{
    const wide second = times_total(t, log_one_plus(t.lifted, t.lifted.hi * TWO_TO_MINUS_LIFT));
    const mask large = t.against.hi * t.size >= 1;
    const real lift = large ? (real)1 : (real)(1 / TWO_TO_MINUS_LIFT);
    const real drop = large ? (real)TWO_TO_MINUS_LIFT : (real)1;
    const wide first = wide_times_real(wide_scale(t.against, lift), t.size);
    const real unlift = large ? (real)1 : (real)TWO_TO_MINUS_LIFT;
    return round_loose(loss_of(o, first, wide_scale(second, drop))) * unlift;
}

/* The loss to be added to others. */
INLINE wide wide_loss(operands o, terms t)
{
    const wide e = wide_scale(t.lifted, (real)TWO_TO_MINUS_LIFT);
    const wide second = times_total(t, log_one_plus(e, e.hi));
    return loss_of(o, wide_times_real(t.against, t.size), second);
}

/* 1 + e for 0 <= e <= 1 */
INLINE wide one_plus(wide e)
{
    wide d = wide_of(1 + e.hi);
#ifdef CLACT_PAIRS
    d.lo = ((1 - d.hi) + e.hi) + e.lo;
#endif
    return d;
}

/* a * b, rounded once; infinite where the high parts say so. */
INLINE real rounded_product(wide a, wide b)
{
#ifdef CLACT_PAIRS
    const real low = fma(a.hi, b.lo, a.lo * b.hi);
#ifdef HAS_FAR
    const real high = a.hi * b.hi;
    return fma(a.hi, b.hi, fabs(high) == INFINITY ? (real)0 : low);
#else
    return fma(a.hi, b.hi, low);
#endif
#else
    return a.hi * b.hi;
#endif
}

INLINE real gradient(terms t)
{
    const wide e = wide_scale(t.lifted, (real)TWO_TO_MINUS_LIFT);
    const wide other = wide_div(times_total(t, t.lifted), one_plus(e));
    const wide against = wide_scale(t.against, (real)(1 / TWO_TO_MINUS_LIFT));
    const wide slope = wide_loose_sum(against, wide_negate(other));
    const real drop = t.negative ? (real)-TWO_TO_MINUS_LIFT : (real)TWO_TO_MINUS_LIFT;
    return rounded_product(slope, t.gain) * drop;
}

#ifdef HAS_FAR
/* The same for weights of any size, with all exponents apart. */

INLINE scaled scaled_of(wide a)
{
    scaled s;
    s.m = a;
    s.n = (mask)0;
    return s;
}

INLINE scaled scaled_mul(scaled a, scaled b)
{
    scaled c;
    c.m = wide_mul(a.m, b.m);
    c.n = a.n + b.n;
    return c;
}

/* For parts near 1 or 0. */
INLINE scaled scaled_add(scaled a, scaled b)
{
    /* Of what is 0 the exponent says nothing. */
    const mask n = a.m.hi == 0 ? b.n : b.m.hi == 0 ? a.n : max(a.n, b.n);
    const mask least = (mask)(1 - EXPONENT_BIAS);
    scaled c;
    c.m = wide_add(wide_scale(a.m, power_of_two(max(min(a.n - n, (mask)0), least))),
                   wide_scale(b.m, power_of_two(max(min(b.n - n, (mask)0), least))));
    c.n = n;
    return c;
}

typedef struct {
    scaled e;
    scaled against, along;
} far_terms;

INLINE scaled scaled_select(mask which, scaled if_true, scaled if_false)
{
    scaled s;
    s.m = wide_select(which, if_true.m, if_false.m);
    s.n = which ? if_true.n : if_false.n;
    return s;
}

INLINE far_terms far_terms_of(operands o, terms t)
{
    far_terms f;
    f.e = exp_of(wide_of(at_least(-fabs(o.x), EXP_FLOOR)));
    f.e.m = wide_scale(wide_normalise(f.e.m), fabs(o.x) == INFINITY ? (real)0 : (real)1);
#ifdef CLACT_BCE_POS_WEIGHT
    const scaled one = scaled_product(o.y, o.pos_weight);
#else
    const scaled one = split(o.y);
#endif
    const scaled zero = scaled_of(share_of_zero(o));
    f.against = scaled_select(t.negative, one, zero);
    f.along = scaled_select(t.negative, zero, one);
    return f;
}

INLINE real far_loss(operands o, terms t)
{
    const far_terms f = far_terms_of(o, t);
    scaled log = f.e;
    const real e = f.e.m.hi * power_of_two(max(f.e.n, (mask)(1 - EXPONENT_BIAS)));
    log.m = wide_normalise(log_one_plus(f.e.m, e));
    const scaled second = scaled_mul(scaled_add(f.against, f.along), log);
    scaled loss = scaled_add(scaled_mul(f.against, split(t.size)), second);
#ifdef CLACT_BCE_WEIGHT
    loss = scaled_mul(loss, split(o.weight));
#endif
    return wide_times_far(loss.m, (real)1, loss.n);
}

INLINE real far_gradient(operands o, terms t, wide scale)
{
    const far_terms f = far_terms_of(o, t);
    scaled second = scaled_mul(f.along, f.e);
    second.m = wide_negate(second.m);
    const scaled slope = scaled_add(f.against, second);
    const real factor = power_of_two(max(f.e.n, (mask)(1 - EXPONENT_BIAS)));
    scaled dx = scaled_of(wide_mul(wide_div(slope.m, wide_sum((real)1, f.e.m, factor)), scale));
    dx.n = slope.n;
#ifdef CLACT_BCE_GRAD
    dx = scaled_mul(dx, split(o.grad));
#endif
#ifdef CLACT_BCE_WEIGHT
    dx = scaled_mul(dx, split(o.weight));
#endif
    const real result = wide_times_far(dx.m, (real)1, dx.n);
    return t.negative ? -result : result;
}

/* Where all factors are finite; elsewhere IEEE 754 says what the result is. */
INLINE mask all_finite(operands o)
{
    mask finite = is_finite(o.y);
#ifdef CLACT_BCE_POS_WEIGHT
    finite &= is_finite(o.pos_weight);
#endif
#ifdef CLACT_BCE_GRAD
    finite &= is_finite(o.grad);
#endif
#ifdef CLACT_BCE_WEIGHT
    finite &= is_finite(o.weight);
#endif
    return finite & (o.x == o.x);
}

/* An infinite loss is right as it is. */
INLINE mask use_far_loss(operands o, terms t)
{
    return t.far & all_finite(o) & is_finite(t.size);
}
#endif

INLINE wide careful_wide_loss(operands o, terms t)
{
    const wide y = wide_loss(o, t);
#ifdef HAS_FAR
    if (rarely(t.far))
        return wide_select(use_far_loss(o, t), wide_of(far_loss(o, t)), y);
#endif
    return y;
}

INLINE real careful_loss(operands o, terms t)
{
    const real y = rounded_loss(o, t);
#ifdef HAS_FAR
    if (rarely(t.far))
        return use_far_loss(o, t) ? far_loss(o, t) : y;
#endif
    return y;
}

INLINE real careful_gradient(operands o, terms t, wide scale)
{
    const real dx = gradient(t);
#ifdef HAS_FAR
    if (rarely(t.far))
        return t.far & all_finite(o) ? far_gradient(o, t, scale) : dx;
#endif
    return dx;
}

#endif
