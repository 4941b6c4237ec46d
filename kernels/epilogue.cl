/* SPDX-License-Identifier: MIT */
/*
 * Epilogues: act(x + bias), its gradient, which may be added to what is there, and the bias' gradient.
 *
 *   CLACT_EPILOGUE           what the kernel is called
 *   CLACT_EPILOGUE_BODY      the operator's function (activations.cl), such as silu_forward
 *   CLACT_EPILOGUE_BACKWARD  that function is a gradient
 *   CLACT_EPILOGUE_BIAS      there is a bias to add
 *   CLACT_EPILOGUE_PER_ROW   the bias has an element for each row, else one for each column
 *   CLACT_EPILOGUE_DBIAS     the sums of the gradient are wanted
 *   CLACT_HAS_PARAMETERS     the body's last argument is the parameters
 *   CLACT_EPILOGUE_REDUCE    none of these, but the kernel that adds up partial sums
 *
 * A sum's bits depend on the order in which it is added. So the rows (per row: the columns) are in
 * chunks of a size that is no device's affair, a chunk's sum is added in a fixed order, and the second
 * kernel adds those of all chunks, one after the other.
 */
#if defined(CLACT_EPILOGUE) || defined(CLACT_EPILOGUE_REDUCE)

/* How many rows are a chunk, or per row how many columns; known to epilogue.c, too. */
#define CHUNK_ROWS 64
#define CHUNK_COLS 4096

/* The sum of some, hi, and what its roundings have lost, lo: D. E. Knuth's exact sum of two, in any
 * arithmetic. After an overflow lo is NaN and only hi counts. */
typedef struct {
    ELEMENT hi, lo;
} total;

INLINE total total_add(total t, ELEMENT a)
{
    const ELEMENT sum = t.hi + a;
    const ELEMENT of_a = sum - t.hi;
    t.lo += (t.hi - (sum - of_a)) + (a - of_a);
    t.hi = sum;
    return t;
}

INLINE ELEMENT total_round(total t)
{
    return fabs(t.hi) <= REAL_MAX ? t.hi + t.lo : t.hi;
}

#endif

#ifdef CLACT_EPILOGUE_REDUCE

/* dbias[i * step] = the sum of the chunks' partial sums of i: `count` of hi and then of lo for each. */
kernel void clact_epilogue_reduce(global const ELEMENT *partials, ulong partials_offset,
                                  ulong partials_stride, global storage *dbias, ulong dbias_offset,
                                  ulong step, ulong chunks, ulong count, ulong row_span,
                                  ulong col_span)
{
    const ulong first = min(get_global_id(0) * col_span, count);
    const ulong last = min(first + col_span, count);
    for (ulong i = first; i < last; i++) {
        total t = {0, 0};
        for (ulong k = 0; k < chunks; k++) {
            t = total_add(t, partials[2 * k * count + i]);
            t.lo += partials[(2 * k + 1) * count + i];
        }
        store_part(dbias + dbias_offset + i * step, (real)total_round(t), 1);
    }
}

#endif

#ifdef CLACT_EPILOGUE

#ifdef CLACT_HAS_PARAMETERS
#define EPILOGUE_PARAMETERS , p
#else
#define EPILOGUE_PARAMETERS
#endif

/* x + bias, rounded to f32 in f32. For f16 and bf16 that is what real is. */
INLINE real epilogue_sum(real x, real bias)
{
#if defined(CLACT_DOUBLES)
    return TO_REAL(TO_FLOAT(x + bias));
#else
    return x + bias;
#endif
}

/* A row of each operand: x is what was saved, y is dx in a gradient. */
typedef struct {
    global const storage *grad, *x, *old;
    global storage *y;
    global const storage *bias; /* per row: its element */
} epilogue_row;

INLINE real row_load(global const storage *p, ulong i, ulong n)
{
    return n == CLACT_WIDTH ? load(p + i) : load_part(p + i, n);
}

INLINE bool is_aligned(global storage *p)
{
    return (ulong)p % (CLACT_WIDTH * sizeof(storage)) == 0;
}

INLINE void row_store(global storage *p, ulong i, real v, ulong n)
{
    if (n < CLACT_WIDTH)
        store_part(p + i, v, n);
#ifdef HAS_STREAM
    else if (is_aligned(p + i))
        stream(p + i, v);
#endif
    else
        store(p + i, v);
}

/* Does the n <= CLACT_WIDTH elements from i, and returns y or, in a gradient, g. */
INLINE real epilogue_elements(epilogue_row r, ulong i, ulong n, params p, ELEMENT beta)
{
    real x = row_load(r.x, i, n);
#ifdef CLACT_EPILOGUE_BIAS
#ifdef CLACT_EPILOGUE_PER_ROW
    x = epilogue_sum(x, load_part(r.bias, 1));
#else
    x = epilogue_sum(x, row_load(r.bias, i, n));
#endif
#endif
#ifdef CLACT_EPILOGUE_BACKWARD
#if PASTE(HAS_REACH_, CLACT_EPILOGUE_BODY)
    reach asked = {false};
    const real y = CLACT_EPILOGUE_BODY(row_load(r.grad, i, n), x EPILOGUE_PARAMETERS, &asked);
#else
    const real y = CLACT_EPILOGUE_BODY(row_load(r.grad, i, n), x EPILOGUE_PARAMETERS);
#endif
    if (beta != 0)
        row_store(r.y, i, fma((real)beta, row_load(r.old, i, n), y), n);
    else
        row_store(r.y, i, y, n);
#else
    const real y = CLACT_EPILOGUE_BODY(x EPILOGUE_PARAMETERS);
    row_store(r.y, i, y, n);
#endif
    return y;
}

/* The operands from their first elements on. */
typedef struct {
    epilogue_row start;
    ulong grad_stride, x_stride, old_stride, y_stride, bias_stride;
} epilogue_operands;

INLINE epilogue_row row_of(epilogue_operands o, ulong row)
{
    epilogue_row r = o.start;
    r.x += row * o.x_stride;
    r.y += row * o.y_stride;
#ifdef CLACT_EPILOGUE_BACKWARD
    r.grad += row * o.grad_stride;
    r.old += row * o.old_stride;
#endif
#if defined(CLACT_EPILOGUE_BIAS) && defined(CLACT_EPILOGUE_PER_ROW)
    r.bias += row * o.bias_stride;
#endif
    return r;
}

#if !defined(CLACT_EPILOGUE_DBIAS)

INLINE void epilogue_span(epilogue_operands o, ulong first_row, ulong last_row, ulong first,
                          ulong last, params p, ELEMENT beta)
{
    for (ulong row = first_row; row < last_row; row++) {
        const epilogue_row r = row_of(o, row);
        ulong i = first, part = 0;
#ifdef HAS_STREAM
        /* Up to a whole vector's boundary, then past the cache. */
        const ulong misaligned = ((ulong)(r.y + first) / sizeof(storage)) % CLACT_WIDTH;
        part = min((CLACT_WIDTH - misaligned) % CLACT_WIDTH, last - first);
#endif
        /* What is before the first whole vector and behind the last is done in one place, as compiling
         * it takes long. */
        do {
            if (part) {
                epilogue_elements(r, i, part, p, beta);
                i += part;
            }
            for (; i + CLACT_WIDTH <= last; i += CLACT_WIDTH)
                epilogue_elements(r, i, CLACT_WIDTH, p, beta);
            part = last - i;
        } while (part);
    }
}

#else

/* The totals of a vector's elements. */
typedef struct {
    real hi, lo;
} totals;

INLINE totals totals_add(totals t, real a)
{
    const real sum = t.hi + a;
    const real of_a = sum - t.hi;
    t.lo += (t.hi - (sum - of_a)) + (a - of_a);
    t.hi = sum;
    return t;
}

#ifdef CLACT_EPILOGUE_PER_ROW

/* A lane of a chunk adds every sixteenth element, and then the lanes are added, whatever the width of
 * a vector. */
#define LANES 16

/* v in the lanes that there are, and 0 in the others. */
INLINE real only_first(real v, ulong n)
{
    ELEMENT part[CLACT_WIDTH];
    VSTORE(v, part);
    for (size_t k = n; k < CLACT_WIDTH; k++)
        part[k] = 0;
    return VLOAD(part);
}

/* One chunk of a row. */
INLINE total chunk_total(epilogue_row r, ulong first, ulong last, params p, ELEMENT beta)
{
    totals sums[LANES / CLACT_WIDTH];
    for (size_t k = 0; k < LANES / CLACT_WIDTH; k++)
        sums[k].hi = sums[k].lo = (real)0;
    size_t at = 0;
    ulong i = first;
    for (; i + CLACT_WIDTH <= last; i += CLACT_WIDTH) {
        sums[at] = totals_add(sums[at], epilogue_elements(r, i, CLACT_WIDTH, p, beta));
        at = (at + 1) % (LANES / CLACT_WIDTH);
    }
    if (i < last) {
        const real g = epilogue_elements(r, i, last - i, p, beta);
        sums[at] = totals_add(sums[at], only_first(g, last - i));
    }
    ELEMENT hi[LANES], lo[LANES];
    for (size_t k = 0; k < LANES / CLACT_WIDTH; k++) {
        VSTORE(sums[k].hi, hi + k * CLACT_WIDTH);
        VSTORE(sums[k].lo, lo + k * CLACT_WIDTH);
    }
    total t = {hi[0], lo[0]};
    for (size_t k = 1; k < LANES; k++) {
        t = total_add(t, hi[k]);
        t.lo += lo[k];
    }
    return t;
}

INLINE void epilogue_span_sums(epilogue_operands o, ulong first_row, ulong last_row, ulong first,
                               ulong last, ulong rows, params p, ELEMENT beta,
                               global ELEMENT *partials)
{
    for (ulong row = first_row; row < last_row && first < last; row++) {
        const total t = chunk_total(row_of(o, row), first, last, p, beta);
        global ELEMENT *to = partials + 2 * (first / CHUNK_COLS) * rows + row;
        to[0] = t.hi;
        to[rows] = t.lo;
    }
}

#else

/* So many columns an item has at the most; more would not stay in the nearest cache. */
#define BLOCK 1024

INLINE void partials_store(global ELEMENT *to, real v, ulong n)
{
    ELEMENT part[CLACT_WIDTH];
    VSTORE(v, part);
    for (size_t k = 0; k < n; k++)
        to[k] = part[k];
}

INLINE void epilogue_span_sums(epilogue_operands o, ulong first_row, ulong last_row, ulong first,
                               ulong last, ulong cols, params p, ELEMENT beta,
                               global ELEMENT *partials)
{
    totals sums[BLOCK / CLACT_WIDTH];
    for (ulong start = first_row; start < last_row; start += CHUNK_ROWS) {
        for (size_t k = 0; k < BLOCK / CLACT_WIDTH; k++)
            sums[k].hi = sums[k].lo = (real)0;
        const ulong end = min(start + CHUNK_ROWS, last_row);
        for (ulong row = start; row < end; row++) {
            const epilogue_row r = row_of(o, row);
            ulong i = first;
            size_t k = 0;
            for (; i + CLACT_WIDTH <= last; i += CLACT_WIDTH, k++)
                sums[k] = totals_add(sums[k], epilogue_elements(r, i, CLACT_WIDTH, p, beta));
            if (i < last)
                sums[k] = totals_add(sums[k], epilogue_elements(r, i, last - i, p, beta));
        }
        global ELEMENT *to = partials + 2 * (start / CHUNK_ROWS) * cols;
        for (ulong i = first; i < last; i += CLACT_WIDTH) {
            const size_t k = (i - first) / CLACT_WIDTH;
            const ulong n = min((ulong)CLACT_WIDTH, last - i);
            partials_store(to + i, sums[k].hi, n);
            partials_store(to + cols + i, sums[k].lo, n);
        }
    }
}

#endif
#endif

WHOLE_REGISTERS
kernel void PASTE(clact_, CLACT_EPILOGUE)(
#ifdef CLACT_EPILOGUE_BACKWARD
    global const storage *grad, ulong grad_offset, ulong grad_stride,
#endif
    global const storage *x, ulong x_offset, ulong x_stride, global const storage *bias,
    ulong bias_offset, ulong bias_stride,
#ifdef CLACT_EPILOGUE_BACKWARD
    global const storage *old, ulong old_offset, ulong old_stride,
#endif
    global storage *y, ulong y_offset, ulong y_stride,
#ifdef CLACT_EPILOGUE_BACKWARD
    global ELEMENT *partials, ulong partials_offset, ulong partials_stride,
#endif
    ulong rows, ulong cols, ulong row_span, ulong col_span, PASTE(ELEMENT, 4) parameters)
{
    params p = {parameters.x, parameters.y, parameters.z, false};
    p.extreme = !(p.beta >= SMALL_BETA && p.beta <= 1 / SMALL_BETA);
    const ulong first_row = min(get_global_id(1) * row_span, rows);
    const ulong last_row = min(first_row + row_span, rows);
    /* An item that only fills up its group has an empty range, never one that ends before it starts. */
    const ulong first = min(get_global_id(0) * col_span, cols);
    const ulong last = min(first + col_span, cols);
    epilogue_operands o;
    o.start.x = x + x_offset;
    o.start.y = y + y_offset;
    o.start.bias = bias + bias_offset;
    o.x_stride = x_stride;
    o.y_stride = y_stride;
    o.bias_stride = bias_stride;
#ifdef CLACT_EPILOGUE_BACKWARD
    o.start.grad = grad + grad_offset;
    o.start.old = old + old_offset;
    o.grad_stride = grad_stride;
    o.old_stride = old_stride;
#endif
#if !defined(CLACT_EPILOGUE_DBIAS)
    epilogue_span(o, first_row, last_row, first, last, p, parameters.w);
#elif defined(CLACT_EPILOGUE_PER_ROW)
    epilogue_span_sums(o, first_row, last_row, first, last, rows, p, parameters.w, partials);
#else
    epilogue_span_sums(o, first_row, last_row, first, last, cols, p, parameters.w, partials);
#endif
}

#endif
