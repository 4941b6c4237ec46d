/* SPDX-License-Identifier: MIT */
/*
 * Softmax and log-softmax over rows, and their gradients. It is compiled where CLACT_ROWS is defined:
 *
 *   CLACT_ROWS     one of the kinds below, such as softmax_forward
 *   CLACT_INPUTS   its operands: 1 (x) or 2 (grad and the saved y)
 *   CLACT_COUNTS   its sum leaves out the elements that are the row's largest, and counts them
 *
 * A kind adds up a _term of each element of a row, makes of the sum what the row's elements have in
 * _common, and then makes of that and of each element its _value: softmax_rows.cl goes through the rows.
 */
#ifdef CLACT_ROWS

/* hi + lo, whatever the arithmetic: a sum of many terms needs more than a real even for f16. */
typedef struct {
    real hi, lo;
#ifdef CLACT_COUNTS
    real count;
#endif
} total;

INLINE total total_of(real hi, real lo)
{
    total t;
    t.hi = hi;
    t.lo = lo;
#ifdef CLACT_COUNTS
    t.count = (real)0;
#endif
    return t;
}

/* a + b exactly. */
INLINE total exact_sum(real a, real b)
{
    const real sum = a + b;
    const real of_b = sum - a;
    return total_of(sum, (a - (sum - of_b)) + (b - of_b));
}

/* a + b with |lo| at most half an ulp of hi. It does not matter which of them is which. */
INLINE total total_add(total a, total b)
{
    const total sum = exact_sum(a.hi, b.hi);
    real low = sum.lo + (a.lo + b.lo);
#if CLACT_INPUTS == 2
    low = low == low ? low : (real)0; /* a sum may be infinite, where low has no value */
#endif
    total t;
    t.hi = sum.hi + low;
    t.lo = (sum.hi - t.hi) + low;
#ifdef CLACT_COUNTS
    t.count = a.count + b.count;
#endif
    return t;
}

/* The same without what makes the sum's low part small again: for a few terms between two that do. */
INLINE total total_add_term(total sum, total term)
{
    const total high = exact_sum(sum.hi, term.hi);
    sum.hi = high.hi;
    sum.lo += high.lo + term.lo;
#ifdef CLACT_COUNTS
    sum.count += term.count;
#endif
    return sum;
}

INLINE wide wide_of_total(total t)
{
    wide w;
#ifdef CLACT_PAIRS
    w.hi = t.hi;
    w.lo = t.lo;
#else
    w.hi = t.hi + t.lo;
#endif
    return w;
}

INLINE total total_of_wide(wide w)
{
#ifdef CLACT_PAIRS
    return total_of(w.hi, w.lo);
#else
    return total_of(w.hi, (real)0);
#endif
}

/* What the elements of a row have in common; each kind uses some of it. */
typedef struct {
    real max;
    real shift;   /* e^(x - shift) is what is added up */
    real low;     /* and from this x - shift down it counts for nothing */
    mask n;       /* the exponent of e^(max - shift), which terms are without; or a gradient's sum's */
    total of_all; /* 1 / sum, log(sum), or the sum of a gradient's terms */
    real top;     /* the result of the row's largest elements */
} common;

/*
 * 2^LIFT e^(x - max), but for a factor from 1/2 to 2 that all the row's elements have in common, and
 * lifted so that neither it nor its low part underflows where the result does not. Below max + ROW_FLOOR
 * all is as at that, where it is 0 for every result, and added up over any row too.
 *
 * Where max is not FAR from 0, e^x itself is m 2^n with n apart, however large, and only the exponent of
 * e^max is taken off. Elsewhere max is taken off x, and that is exact: elements that count are within a
 * factor of two of it.
 */
#ifdef CLACT_STORAGE_F64
#define FAR 4000
#define ROW_FLOOR -1060.0
#else
#define FAR 1000
#define ROW_FLOOR -130.0f
#endif

INLINE common common_of_max(real max)
{
    common row;
    const mask is_near = fabs(max) <= FAR;
    row.max = max;
    row.shift = is_near ? (real)0 : max;
    row.low = (is_near ? max : (real)0) + ROW_FLOOR;
    row.n = is_near ? exp_reduce(max).exponent : (mask)0;
    return row;
}

INLINE total lifted_exp(real x, common row)
{
    const real t = x - row.shift;
    const scaled e = exp_of(wide_of(t < row.low ? row.low : t));
    return total_of_wide(wide_scale(e.m, power_of_two(e.n - row.n + LIFT)));
}

/* y = e^(x - max) / sum */

INLINE total softmax_forward_term(real x, common row)
{
    return lifted_exp(x, row);
}

INLINE common softmax_forward_common(total sum, common row)
{
    const wide unlifted = wide_scale(wide_of_total(sum), (real)TWO_TO_MINUS_LIFT);
    row.of_all = total_of_wide(wide_inverse(unlifted));
    return row;
}

INLINE real softmax_forward_value(real x, total e, common row)
{
    const real hi = e.hi + e.lo;
    const real lo = (e.hi - hi) + e.lo;
    const real low = fma(hi, row.of_all.lo, lo * row.of_all.hi);
    return fma(hi, row.of_all.hi, low) * TWO_TO_MINUS_LIFT;
}

/*
 * y = (x - max) - log(sum), two terms of the same sign. Where one element is far larger than all others
 * the sum is 1 + rest with a rest that 1 would swallow, and that element's result is -log(1 + rest): so
 * the rest is added up by itself, and the largest elements are counted, of which 1 stands for the first.
 */
INLINE total log_softmax_forward_term(real x, common row)
{
    const mask is_max = x == row.max;
    const mask is_none = is_max | (x - row.shift < row.low);
    total e = lifted_exp(x, row);
    e.hi = is_none ? (real)0 : e.hi;
    e.lo = is_none ? (real)0 : e.lo;
#ifdef CLACT_COUNTS
    e.count = is_max ? (real)1 : (real)0;
#endif
    return e;
}

/* log(1 + rest) for a rest from 1 on: 1 + rest = 2^k (1 + f), and so k ln 2 + log(1 + f). */
INLINE wide log_of_sum(total rest)
{
    const total sum = total_add(total_of((real)1, (real)0), rest);
    const mask k = (AS_MASK(sum.hi) >> MANTISSA_BITS) - EXPONENT_BIAS;
    const real scale = power_of_two(-k);
    const total f = exact_sum(fma(sum.hi, scale, (real)-1), sum.lo * scale);
    const wide of_two = wide_mul(wide_of(TO_REAL(k)), wide_constant(LN2_HI, LN2_LO));
    return wide_add(of_two, log_one_plus(wide_of_total(f), f.hi));
}

INLINE common log_softmax_forward_common(total sum, common row)
{
#ifdef CLACT_COUNTS
    const real lift = power_of_two((mask)LIFT);
    /* It has no value where max is infinite, and neither has the result. */
    const wide factor = wide_normalise(exp_of(wide_of(row.max - row.shift)).m);
    const wide others = wide_normalise(wide_div(wide_of_total(sum), factor));
    const total rest = total_add(total_of_wide(others), total_of((sum.count - 1) * lift, (real)0));
    const wide lifted = log_one_plus(wide_of_total(rest), rest.hi * TWO_TO_MINUS_LIFT);
    const total unlifted = total_of(rest.hi * TWO_TO_MINUS_LIFT, rest.lo * TWO_TO_MINUS_LIFT);
    const wide far = log_of_sum(unlifted);
    const mask is_small = rest.hi <= lift;
    const wide small = wide_normalise(wide_scale(lifted, (real)TWO_TO_MINUS_LIFT));
    row.of_all = total_of_wide(wide_select(is_small, small, far));
    row.top = is_small ? (0 - wide_round(lifted)) * TWO_TO_MINUS_LIFT : -wide_round(far);
#endif
    return row;
}

INLINE real log_softmax_forward_value(real x, total e, common row)
{
    const total t = exact_sum(x, -row.max);
    const total y = exact_sum(t.hi, -row.of_all.hi);
    const real sum = y.hi + (y.lo + (t.lo - row.of_all.lo));
    return x == row.max ? row.top : y.hi == -INFINITY ? y.hi : sum;
}

/* dx = y (grad - sum of grad y) */

INLINE total softmax_backward_term(real grad, real y)
{
    return total_of_wide(wide_product(grad, y));
}

/* A sum that is infinite has no low part. */
INLINE total finite_low(total sum)
{
    sum.lo = sum.lo == sum.lo ? sum.lo : (real)0;
    return sum;
}

INLINE common softmax_backward_common(total sum, common row)
{
    row.of_all = finite_low(sum);
    return row;
}

INLINE real softmax_backward_value(real grad, real y, common row)
{
    total slope = exact_sum(grad, -row.of_all.hi);
    slope.lo -= row.of_all.lo;
    slope = finite_low(slope);
#ifdef CLACT_PAIRS
    /* Of two zeros only the high part's has the sign of the product. */
    return fma(slope.hi, y, y == 0 ? slope.hi * y : slope.lo * y);
#else
    return (slope.hi + slope.lo) * y;
#endif
}

/* dx = grad - e^y sum of grad */

INLINE total log_softmax_backward_term(real grad, real y)
{
    return total_of(grad, (real)0);
}

INLINE common log_softmax_backward_common(total sum, common row)
{
    /* Its exponent is left to the end, as e^y alone may be too small. */
    const mask exponent = (AS_MASK(sum.hi) >> MANTISSA_BITS) & (2 * EXPONENT_BIAS + 1);
    const mask is_finite = exponent != 2 * EXPONENT_BIAS + 1;
    row.n = is_finite ? min(exponent - EXPONENT_BIAS, (mask)(EXPONENT_BIAS - 1)) : (mask)0;
    const real scale = power_of_two(-row.n);
    sum = finite_low(sum);
    row.of_all = total_of(sum.hi * scale, sum.lo * scale);
    return row;
}

INLINE real log_softmax_backward_value(real grad, real y, common row)
{
    const real above = at_most(at_least(y, EXP_FLOOR), -EXP_FLOOR);
    const scaled e = exp_of(wide_of(above));
    const mask n = min(max(e.n + row.n, (mask)(2 - 2 * EXPONENT_BIAS)), (mask)(2 * EXPONENT_BIAS));
    const mask half_n = n >> 1;
    const wide m = wide_select(y == -INFINITY, wide_of((real)0), e.m);
    const wide product = wide_scale(wide_scale(wide_mul(m, wide_of_total(row.of_all)),
                                               power_of_two(half_n)), power_of_two(n - half_n));
    const total p = finite_low(total_of_wide(product));
    total dx = exact_sum(grad, -p.hi);
    dx.lo -= p.lo;
    dx = finite_low(dx);
    return dx.hi + dx.lo;
}

#endif
