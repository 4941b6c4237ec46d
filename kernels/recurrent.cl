/* SPDX-License-Identifier: MIT */
/*
 * What the kernels of the recurrent cells, in lstm.cl and gru.cl, are made of: their numbers first, then
 * the way to their operands. It is compiled where CLACT_RECURRENT is defined.
 *
 * A gate is 1 / (1 + e^-z), and a candidate tanh(g) = (1 - e^-2g) / (1 + e^-2g). Divisions are dear, so
 * what a cell is made of is brought to a common denominator, and each output costs one. The products of
 * denominators that this takes have no room for every z. Elements are ordinary where all pre-activations
 * are small; the others, which are rare, are computed by themselves and take the place of what came out of
 * the formula for ordinary ones. So an element's result depends on nothing but its operands.
 */
#ifdef CLACT_RECURRENT

/*
 * Pre-activations up to ORDINARY are ordinary, and 2 g for a candidate's: 1 + 2^n is exact for the n of
 * their exponentials. So is a result from ORDINARY_SMALL on, as no term that counts loses its low part,
 * and what a gate multiplies up to ORDINARY_LARGE. tanh(x) is x below TANH_IS_X, and its slope is 0 beyond
 * SLOPE_END.
 */
#define ORDINARY 16
#ifdef CLACT_STORAGE_F64
#define ORDINARY_SMALL 0x1p-400
#define ORDINARY_LARGE 0x1p400
#define TANH_IS_X 0x1p-28
#define SLOPE_END 300
#else
#define ORDINARY_SMALL 0x1p-60f
#define ORDINARY_LARGE 0x1p40f
#define TANH_IS_X 0x1p-14f
#define SLOPE_END 40
#endif

/* |x| as an integer that grows with it; a NaN is above all others. */
INLINE mask size_of(real x)
{
    return AS_MASK(fabs(x));
}

/* a, of which an infinity or a NaN has no low part. */
INLINE wide settled(wide a)
{
    return wide_select(fabs(a.hi) <= REAL_MAX, a, wide_of(a.hi));
}

/* a + b, normalised, also where that is infinite. */
INLINE wide settled_sum(wide a, wide b)
{
    wide sum = wide_exact_sum(a.hi, b.hi);
#ifdef CLACT_PAIRS
    sum.lo += a.lo + b.lo;
#endif
    return settled(wide_normalise(settled(sum)));
}

/* e^t = scale * (1 + rest), with a scale that is a power of two and a rest from -0.3 to 0.42. */
typedef struct {
    real scale;
    wide rest;
} exponential;

/* The rest of e^r but for r: r^2 (1/2 + r P(r)) + low. What it is added to needs no more of a pair's P. */
INLINE real small_rest(real r, real low)
{
    const real r2 = r * r;
#if defined(CLACT_PAIRS) && !defined(REAL_IS_DOUBLE)
    const real tail = exp_tail_of_float(r, r2);
#else
    const real tail = exp_tail(r, r2);
#endif
    return fma(r2, fma(r, tail, (real)0.5f), low);
}

/* For a t whose scale is a normal number. The rest keeps its precision as t goes to 0. */
INLINE exponential exponential_of(wide t)
{
    const reduced x = exp_reduce(t.hi);
    exponential e;
    e.scale = power_of_two(x.exponent);
#ifdef CLACT_PAIRS
    const real low = fma(x.n, (real)-LN2_LO, t.lo);
    const real small = small_rest(x.r_hi + low, low);
    e.rest.hi = x.r_hi + small;
    e.rest.lo = (x.r_hi - e.rest.hi) + small;
#else
    e.rest.hi = small_rest(x.r, x.r);
#endif
    return e;
}

/* e^t, normalised */
INLINE wide whole(exponential e)
{
    const wide sum = wide_add(wide_of((real)1), e.rest);
    return wide_scale(sum, e.scale);
}

/* 1 + scale * (1 + rest). The scale is that of e, or minus that for 1 - e^t. */
INLINE wide one_and(exponential e, real scale)
{
    const real start = 1 + scale;
    wide sum;
    sum.hi = fma(scale, e.rest.hi, start);
#ifdef CLACT_PAIRS
    sum.lo = fma(scale, e.rest.lo, fma(scale, e.rest.hi, start - sum.hi));
#endif
    return sum;
}

/* 1 + e^-z: a gate's denominator. */
INLINE wide gate_denominator(wide z)
{
    const exponential e = exponential_of(wide_negate(z));
    return one_and(e, e.scale);
}

/* tanh(x) = less / more, with less = 1 - e^-2x and more = 1 + e^-2x */
typedef struct {
    exponential e;
    wide less, more;
} tangent;

/* 2 - less, which is more. */
INLINE wide more_of(wide less)
{
    wide more;
    more.hi = 2 - less.hi;
#ifdef CLACT_PAIRS
    more.lo = ((2 - more.hi) - less.hi) - less.lo;
#endif
    return more;
}

/* For |x| up to ORDINARY / 2. */
INLINE tangent tangent_of(wide x)
{
    tangent t;
    t.e = exponential_of(wide_scale(x, (real)-2));
    t.less = one_and(t.e, -t.e.scale);
    t.more = one_and(t.e, t.e.scale);
    return t;
}

/* tanh(|x|), for |x| up to SLOPE_END. */
INLINE tangent tangent_of_size(wide x)
{
    tangent t;
    t.e = exponential_of(wide_scale(wide_minus_abs(x), (real)2));
    t.less = one_and(t.e, -t.e.scale);
#ifdef CLACT_PAIRS
    /* 1 - scale need not be exact here. */
    const real start = 1 - t.e.scale;
    t.less.lo += (1 - start) - t.e.scale;
#endif
    t.more = more_of(t.less);
    return t;
}

/* a / b, rounded, with an approximation of 1 / b that is good to some ulp. */
INLINE real gate_quotient(wide a, wide b, real inverse)
{
    const real q = a.hi * inverse;
#ifdef CLACT_PAIRS
    return fma(fma(-q, b.hi, a.hi) + fma(-q, b.lo, a.lo), inverse, q);
#else
    return fma(fma(-q, b.hi, a.hi), inverse, q);
#endif
}

/* What is not ordinary. */

/* s(z), with the power of two apart that a small one has. */
INLINE scaled far_gate(wide z)
{
    const logistic l = logistic_of(z);
    const mask negative = z.hi < 0;
    scaled s;
    s.m = wide_div(wide_select(negative, l.e.m, wide_of((real)1)), l.d);
    s.n = negative ? l.e.n : (mask)0;
    return s;
}

/* a * b * 2^n, not rounded but where it is so small that its low part would be. */
INLINE wide far_times(wide a, real b, mask n)
{
    const wide product = wide_times_real(a, b);
    const real size = fabs(product.hi);
    const mask exact = (size >= TIMES_SMALL) & (size <= REAL_MAX) & (n == 0);
    return wide_select(exact, product, wide_of(wide_times_far(a, b, n)));
}

/* s * tanh(x) */
INLINE wide far_product(scaled s, wide x)
{
    const mask is_x = fabs(x.hi) < TANH_IS_X;
    const wide rest = one_minus_exp(at_least(-2 * fabs(x.hi), -64));
    wide t = wide_div(rest, wide_add(wide_of((real)2), wide_negate(rest)));
    wide own = s.m;
#ifdef CLACT_PAIRS
    /* To first order, as it is so small. */
    t.lo = fma(x.hi < 0 ? -x.lo : x.lo, fma(-t.hi, t.hi, (real)1), t.lo);
    own.lo = fma(own.hi, x.hi == 0 ? x.hi : x.lo / x.hi, own.lo);
#endif
    return far_times(wide_select(is_x, own, wide_mul(s.m, t)),
                     is_x ? x.hi : copysign((real)1, x.hi), s.n);
}

/* s * c + i * tanh(g) */
INLINE wide far_sum(scaled s, real c, scaled i, wide g)
{
    return settled_sum(far_times(s.m, c, s.n), far_product(i, g));
}

/* s, rounded */
INLINE real far_round(scaled s)
{
    return wide_times_far(s.m, (real)1, s.n);
}

/* Gradients. */

/* 1 - x */
INLINE wide complement(real x)
{
    return wide_exact_sum((real)1, -x);
}

/* s' = s (1 - s) of a gate, and 1 - t^2 of a candidate, from what they are. */
INLINE wide gate_slope_of(real s)
{
    return wide_times_real(complement(s), s);
}

INLINE wide candidate_slope_of(real t)
{
    return wide_mul(complement(t), complement(-t));
}

/* The nearest real, which is infinite or NaN where the high part is. */
INLINE real gradient_round(wide a)
{
    return wide_round(settled(a));
}

/* The way to the operands. */

typedef struct {
    global const storage *start;
    ulong stride;
} input;

typedef struct {
    global storage *start;
    ulong stride;
} output;

/* n elements of a row, from one column of a gate on; the gates have `cols` columns each. */
typedef struct {
    ulong row, col, n, cols;
} place;

/* Where in a row the columns of a gate start. A layout has two bits for each gate, and from FLAGS on
 * a bit for each operand that may be left out. */
#define FLAGS 8

INLINE ulong gate_start(ulong layout, ulong gate, ulong cols)
{
    return ((layout >> (2 * gate)) & 3) * cols;
}

INLINE bool has(ulong layout, ulong flag)
{
    return (layout >> (FLAGS + flag)) & 1;
}

INLINE real take(input m, place at, ulong start)
{
    global const storage *p = m.start + at.row * m.stride + start + at.col;
    return at.n == CLACT_WIDTH ? load(p) : load_part(p, at.n);
}

/* The same, or 0 where there is no such operand. */
INLINE real take_any(input m, place at, ulong layout, ulong flag)
{
    return has(layout, flag) ? take(m, at, 0) : (real)0;
}

INLINE void give(output m, place at, ulong start, real v)
{
    global storage *p = m.start + at.row * m.stride + start + at.col;
    if (at.n < CLACT_WIDTH)
        store_part(p, v, at.n);
    else
        store_past_cache(p, v);
}

/* Of each kernel: its operands, and what it does for some elements. */
struct operands;
INLINE void step(const struct operands *o, place at);

/*
 * A kernel may have near_steps() for vectors whose elements are all ordinary, which are_near() says of some
 * of them at once, up to MOST_NEAR, so that the loops over them have no branch. That is for CPUs; elsewhere
 * an item has one vector. Gradients are all ordinary, and have a loop of their own over whole vectors.
 */
#if defined(CLACT_LSTM_FORWARD) && CLACT_WIDTH == 16
#define MOST_NEAR 16
INLINE bool are_near(const struct operands *o, place at, ulong vectors);
INLINE void near_steps(const struct operands *o, place at, ulong vectors);
#elif defined(CLACT_LSTM_BACKWARD) || defined(CLACT_GRU_BACKWARD) ||                               \
    defined(CLACT_GRU_RESET_BACKWARD) || defined(CLACT_GRU_UPDATE_BACKWARD)
#define ALL_ARE_NEAR
#endif

/* The work of one item, which is cut as for elementwise.cl. */
INLINE void run(const struct operands *o, ulong rows, ulong cols, ulong row_span, ulong col_span)
{
    const ulong first_row = min(get_global_id(1) * row_span, rows);
    const ulong last_row = min(first_row + row_span, rows);
    const ulong first = min(get_global_id(0) * col_span, cols);
    const ulong last = min(first + col_span, cols);

    for (ulong row = first_row; row < last_row; row++) {
        place at = {row, first, CLACT_WIDTH, cols};
        while (at.col < last) {
            ulong end = last;
#ifdef MOST_NEAR
            const ulong vectors = min((ulong)MOST_NEAR, (last - at.col) / CLACT_WIDTH);
            if (vectors > 0) {
                end = at.col + vectors * CLACT_WIDTH;
                if (are_near(o, at, vectors)) {
                    near_steps(o, at, vectors);
                    at.col = end;
                    continue;
                }
            }
#elif defined(ALL_ARE_NEAR)
            for (; at.col + CLACT_WIDTH <= last; at.col += CLACT_WIDTH)
                step(o, at);
#endif
            /* One loop for whole vectors and what is left: a cell is so much code that to have it twice would
             * take a compiler twice as long. */
            for (; at.col < end; at.col += CLACT_WIDTH) {
                place part = at;
                part.n = min((ulong)CLACT_WIDTH, last - at.col);
                step(o, part);
            }
        }
    }
}

#define INPUT(name) global const storage *name, ulong name##_offset, ulong name##_stride
#define OUTPUT(name) global storage *name, ulong name##_offset, ulong name##_stride
#define AT(name) {name + name##_offset, name##_stride}
#define WORK ulong rows, ulong cols, ulong row_span, ulong col_span, ulong layout

#endif
