/* SPDX-License-Identifier: MIT */
/*
 * Softmax and log-softmax over rows, and their gradients. It is compiled where CLACT_ROWS is defined:
 *
 *   CLACT_ROWS     one of the kinds below, such as softmax_forward
 *   CLACT_INPUTS   its operands: 1 (x) or 2 (grad and the saved y)
 *   CLACT_COUNTS   its sum leaves out the elements that are the row's largest, and counts them
 *   CLACT_LANES    the lanes of a sum, a power of two
 *   CLACT_SHORT    for rows of at most so many columns: an item has a row in each lane of a vector
 *   CLACT_GROUPED  a work-group has a row; else, where rows are not short, an item has
 *
 * A kind adds up a term of each element of a row, makes of the sum what the row's elements have in
 * common, and then makes of that and of each element its result.
 *
 * All sums are added in one order, whoever adds, as their bits shall not depend on that: lane l of
 * CLACT_LANES has the columns l, l + CLACT_LANES, and so on, one after the other; then lane l and lane
 * l + h become one, for h the half of the lanes, its half, and so on to 1. A lane that has no column is
 * +0, which changes no sum, so rows that are shorter than the lanes start further down.
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
    const scaled e = exp_scaled(t < row.low ? row.low : t);
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
    const wide factor = wide_normalise(exp_scaled(row.max - row.shift).m);
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
    return wide_scaled_by(wide_normalise(wide_of_total(finite_low(slope))), y);
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
    const scaled e = exp_scaled(above);
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

#define TERM(a, b) PASTE(CLACT_ROWS, _term)(a, b)
#define COMMON(sum, row) PASTE(CLACT_ROWS, _common)(sum, row)
#if CLACT_INPUTS == 1
#define ROW_OPERANDS global const storage *a, ulong a_offset, ulong a_stride
#define VALUE(a, b, term, row) PASTE(CLACT_ROWS, _value)(a, term, row)
#else
#define ROW_OPERANDS                                                                               \
    global const storage *a, ulong a_offset, ulong a_stride, global const storage *b,              \
        ulong b_offset, ulong b_stride
#define VALUE(a, b, term, row) PASTE(CLACT_ROWS, _value)(a, b, row)
#endif

INLINE real larger(real a, real b)
{
    return a > b ? a : b;
}

#ifdef CLACT_SHORT

/* One column of n <= CLACT_WIDTH rows; the other lanes repeat the last of them. */
INLINE real load_column(global const storage *p, ulong stride, ulong n)
{
    storage part[CLACT_WIDTH];
    for (ulong i = 0; i < CLACT_WIDTH; i++)
        part[i] = p[min(i, n - 1) * stride];
    return unpack(VLOAD(part));
}

INLINE void store_column(global storage *p, ulong stride, real v, ulong n)
{
    storage part[CLACT_WIDTH];
    VSTORE(pack(v), part);
    for (ulong i = 0; i < n; i++)
        p[i * stride] = part[i];
}

/* n <= CLACT_WIDTH rows, one in each lane. */
INLINE void do_rows(ROW_OPERANDS, global storage *y, ulong y_offset, ulong y_stride, ulong cols,
                    ulong n)
{
    real as[CLACT_SHORT], bs[CLACT_SHORT];
    total terms[CLACT_SHORT], sums[CLACT_SHORT];
    real max = -INFINITY;
    for (ulong c = 0; c < cols; c++) {
        as[c] = load_column(a + a_offset + c, a_stride, n);
#if CLACT_INPUTS == 1
        max = larger(as[c], max);
#else
        bs[c] = load_column(b + b_offset + c, b_stride, n);
#endif
    }
#if CLACT_INPUTS == 1
    common row = common_of_max(max);
#define B_OF(c) row
#else
    common row;
#define B_OF(c) bs[c]
#endif
    for (ulong c = 0; c < cols; c++) {
        terms[c] = TERM(as[c], B_OF(c));
        sums[c] = total_add(total_of((real)0, (real)0), terms[c]);
    }
    for (ulong step = CLACT_SHORT / 2; step > 0; step /= 2)
        for (ulong c = 0; c < step && c + step < cols; c++)
            sums[c] = total_add(sums[c], sums[c + step]);
    row = COMMON(sums[0], row);
    for (ulong c = 0; c < cols; c++)
        store_column(y + y_offset + c, y_stride, VALUE(as[c], bs[c], terms[c], row), n);
}

WHOLE_REGISTERS
kernel void PASTE(clact_, CLACT_ROWS)(ROW_OPERANDS, global storage *y, ulong y_offset, ulong y_stride,
                                      ulong rows, ulong cols, ulong row_span, ulong col_span)
{
    const ulong first = min(get_global_id(1) * row_span, rows);
    const ulong last = min(first + row_span, rows);
#if CLACT_INPUTS == 1
#define ROWS_FROM(row) a, a_offset + (row)*a_stride, a_stride, y, y_offset + (row)*y_stride, y_stride
#else
#define ROWS_FROM(row)                                                                             \
    a, a_offset + (row)*a_stride, a_stride, b, b_offset + (row)*b_stride, b_stride, y,             \
        y_offset + (row)*y_stride, y_stride
#endif
    ulong row = first;
    for (; row + CLACT_WIDTH <= last; row += CLACT_WIDTH)
        do_rows(ROWS_FROM(row), cols, CLACT_WIDTH);
    if (row < last)
        do_rows(ROWS_FROM(row), cols, last - row);
}

#else

/* Whose row it is, what its items share, and where they wait for each other. An item has the vectors
 * that are as many as there are items apart: neighbours load neighbours. */
#ifdef CLACT_GROUPED
#define SHARED local
#define ITEM get_local_id(0)
#define ITEMS get_local_size(0)
#define MEET() barrier(CLK_LOCAL_MEM_FENCE)
#else
#define SHARED private
#define ITEM ((ulong)0)
#define ITEMS ((ulong)1)
#define MEET()
#endif

#define VECTORS (CLACT_LANES / CLACT_WIDTH)

/* The lanes of a vector, turned by half of them, by a quarter, and so on: all come to be the same. */
#ifdef CLACT_COUNTS
#define TURNED(t, s) ((total){(t).hi.s, (t).lo.s, (t).count.s})
#else
#define TURNED(t, s) ((total){(t).hi.s, (t).lo.s})
#endif
#if CLACT_WIDTH == 16
#define EACH_TURN(DO) DO(s89abcdef01234567) DO(s456789abcdef0123) DO(s23456789abcdef01) DO(s123456789abcdef0)
#define INDICES (mask)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#elif CLACT_WIDTH == 8
#define EACH_TURN(DO) DO(s45670123) DO(s23456701) DO(s12345670)
#define INDICES (mask)(0, 1, 2, 3, 4, 5, 6, 7)
#elif CLACT_WIDTH == 4
#define EACH_TURN(DO) DO(s2301) DO(s1230)
#define INDICES (mask)(0, 1, 2, 3)
#elif CLACT_WIDTH == 2
#define EACH_TURN(DO) DO(s10)
#define INDICES (mask)(0, 1)
#else
#define EACH_TURN(DO)
#define INDICES 0
#endif

/* The largest of all lanes, in each. */
INLINE real max_of_lanes(real m)
{
#define TURN(s) m = larger(m, m.s);
    EACH_TURN(TURN)
#undef TURN
    return m;
}

INLINE total sum_of_lanes(total t)
{
#define TURN(s) t = total_add(t, TURNED(t, s));
    EACH_TURN(TURN)
#undef TURN
    return t;
}

#if CLACT_INPUTS == 1
/* The row's largest element that is a number, in each lane. */
INLINE real max_of_row(SHARED real *maxes, global const storage *a, ulong cols)
{
    real max = -INFINITY;
    ulong i = ITEM * CLACT_WIDTH;
    for (; i + CLACT_WIDTH <= cols; i += ITEMS * CLACT_WIDTH)
        max = larger(load(a + i), max);
    if (i < cols)
        max = larger(load_part(a + i, cols - i), max);
#ifdef CLACT_GROUPED
    maxes[ITEM] = max;
    MEET();
    for (ulong item = 0; item < ITEMS; item++)
        max = larger(maxes[item], max);
#endif
    return max_of_lanes(max);
}
#define B_OF(i) row
#define PART_OF_B(i, n) row
#else
#define B_OF(i) load(b + (i))
#define PART_OF_B(i, n) load_part(b + (i), n)
#endif

/* The terms of the n < CLACT_WIDTH elements from i on; the other lanes are 0. */
INLINE total part_of_terms(global const storage *a, global const storage *b, common row, ulong i, ulong n)
{
    const mask is_there = INDICES < (INTEGER)n;
    total t = TERM(load_part(a + i, n), PART_OF_B(i, n));
    t.hi = is_there ? t.hi : (real)0;
    t.lo = is_there ? t.lo : (real)0;
#ifdef CLACT_COUNTS
    t.count = is_there ? t.count : (real)0;
#endif
    return t;
}

/*
 * The sum of the terms, in each lane. For a chunk of the row, as many columns as the lanes are STEPS
 * times, a vector of lanes after the other is added up in registers.
 */
#define STEPS 16
INLINE total sum_of_row(SHARED total *lanes, global const storage *a, global const storage *b, common row,
                        ulong cols)
{
    const total zero = total_of((real)0, (real)0);
    ulong used = CLACT_WIDTH;
    while (used < CLACT_LANES && used < cols)
        used *= 2;
    for (ulong v = ITEM; v < used / CLACT_WIDTH; v += ITEMS)
        lanes[v] = zero;
    for (ulong start = 0; start < cols; start += STEPS * CLACT_LANES) {
        const ulong end = min(start + STEPS * CLACT_LANES, cols);
        for (ulong v = ITEM; v < VECTORS && start + v * CLACT_WIDTH < end; v += ITEMS) {
            total sum = zero;
            ulong i = start + v * CLACT_WIDTH;
            for (; i + CLACT_WIDTH <= end; i += CLACT_LANES)
                sum = total_add_term(sum, TERM(load(a + i), B_OF(i)));
            if (i < end)
                sum = total_add_term(sum, part_of_terms(a, b, row, i, end - i));
            lanes[v] = total_add(lanes[v], sum);
        }
    }
    MEET();
    for (ulong step = used / 2 / CLACT_WIDTH; step > 0; step /= 2) {
        for (ulong v = ITEM; v < step; v += ITEMS)
            lanes[v] = total_add(lanes[v], lanes[v + step]);
        MEET();
    }
    return sum_of_lanes(lanes[0]);
}

/* The result of the vector, or of the first n of it, from i on. */
#define RESULT(i) VALUE(load(a + (i)), B_OF(i), TERM(load(a + (i)), B_OF(i)), row)
#define PART_OF_RESULT(i, n)                                                                       \
    VALUE(load_part(a + (i), n), PART_OF_B(i, n),                                                  \
          TERM(load_part(a + (i), n), PART_OF_B(i, n)), row)

INLINE void store_row(global const storage *a, global const storage *b, global storage *y, common row,
                      ulong cols)
{
    ulong i = ITEM * CLACT_WIDTH;
#if defined(HAS_STREAM) && !defined(CLACT_GROUPED)
    /* Up to a whole vector's boundary, then whole vectors past the cache, and then the rest. */
    const ulong misaligned = ((ulong)y / sizeof(storage)) % CLACT_WIDTH;
    for (ulong n = misaligned ? min(CLACT_WIDTH - misaligned, cols) : 0; i < cols; n = cols - i) {
        if (n) {
            store_part(y + i, PART_OF_RESULT(i, n), n);
            i += n;
        }
        for (; i + CLACT_WIDTH <= cols; i += CLACT_WIDTH)
            stream(y + i, RESULT(i));
    }
#else
    for (; i + CLACT_WIDTH <= cols; i += ITEMS * CLACT_WIDTH)
        store(y + i, RESULT(i));
    if (i < cols)
        store_part(y + i, PART_OF_RESULT(i, cols - i), cols - i);
#endif
}

WHOLE_REGISTERS
kernel void PASTE(clact_, CLACT_ROWS)(ROW_OPERANDS, global storage *y, ulong y_offset, ulong y_stride,
                                      ulong rows, ulong cols, ulong row_span, ulong col_span)
{
    SHARED total lanes[VECTORS];
#ifdef CLACT_GROUPED
    local real maxes[VECTORS];
#else
    real *maxes = 0;
#endif
    const ulong first = min(get_global_id(1) * row_span, rows);
    const ulong last = min(first + row_span, rows);
    for (ulong r = first; r < last; r++) {
        global const storage *a_row = a + a_offset + r * a_stride;
        global storage *y_row = y + y_offset + r * y_stride;
#if CLACT_INPUTS == 1
        global const storage *b_row = 0;
        common row = common_of_max(max_of_row(maxes, a_row, cols));
#else
        global const storage *b_row = b + b_offset + r * b_stride;
        common row;
#endif
        row = COMMON(sum_of_row(lanes, a_row, b_row, row, cols), row);
        MEET(); /* before the next row's sums take the place of these */
        store_row(a_row, b_row, y_row, row, cols);
    }
}

#endif
#endif
