/* SPDX-License-Identifier: MIT */
/*
 * The kernels of softmax.cl's kinds, which go through rows:
 *
 *   CLACT_LANES    the lanes of a sum, a power of two
 *   CLACT_SHORT    for rows of at most so many columns: an item has a row in each lane of a vector, or, of a
 *                  gradient, as many rows in vectors of their own
 *   CLACT_GROUPED  a work-group has a row; else, where rows are not short, an item has
 *
 * All sums are added in one order, whoever adds, as their bits shall not depend on that: lane l of
 * CLACT_LANES has the columns l, l + CLACT_LANES, and so on, one after the other; then lane l and lane
 * l + h become one, for h the half of the lanes, its half, and so on to 1. A lane that has no column is
 * +0, which changes no sum, so rows that are shorter than the lanes start further down.
 */
#ifdef CLACT_ROWS

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

#if CLACT_INPUTS == 2 && CLACT_WIDTH == 16
#define WHOLE_ROWS

/* The vectors of a row. */
#define MOST_VECTORS (CLACT_SHORT / CLACT_WIDTH)

/*
 * Sums of 16 vectors, each over its lanes: of two vectors at a time the halves that are to be added are
 * put side by side, so that 15 additions do what would take 64 if each vector were turned by itself. The sum
 * of vector i comes to lie in lane LANE_OF(i).
 */
#define LANE_OF(i) (((i)&1) << 3 | ((i)&8) >> 1 | ((i)&2) | ((i)&4) >> 2)
#define BESIDE(t, u, s) ((total){(real)((t).hi.s, (u).hi.s), (real)((t).lo.s, (u).lo.s)})
#define FOLD(n, s0, s1)                                                                            \
    for (int i = 0; i < n; i++)                                                                    \
        t[i] = total_add(BESIDE(t[i], t[i + n], s0), BESIDE(t[i], t[i + n], s1));

INLINE total sums_of_vectors(total t[16])
{
    FOLD(8, s01234567, s89abcdef)
    FOLD(4, s012389ab, s4567cdef)
    FOLD(2, s018945cd, s23ab67ef)
    FOLD(1, s028a46ce, s139b57df)
    return t[0];
}

/*
 * 16 rows, each in vectors of its own. The last of them may have more lanes than the row has columns left:
 * then rows must follow each other without a gap. What such lanes read is not computed with, and what they
 * write is the start of the next row, which is written after that. Reading ends `left` elements from the
 * first row on, writing with the 16 rows.
 */
INLINE void do_whole_rows(ROW_OPERANDS, global storage *y, ulong y_offset, ulong y_stride, ulong cols,
                          ulong vectors, ulong left)
{
    const mask indices = (mask)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const ulong rest = cols - (vectors - 1) * CLACT_WIDTH;
    real as[16][MOST_VECTORS], bs[16][MOST_VECTORS];
    total sums[16];
    for (int r = 0; r < 16; r++) {
        total terms[MOST_VECTORS];
        for (ulong v = 0; v < vectors; v++) {
            const ulong from_a = a_offset + r * a_stride + v * CLACT_WIDTH;
            const ulong from_b = b_offset + r * b_stride + v * CLACT_WIDTH;
            const bool in_part = r * cols + (v + 1) * CLACT_WIDTH > left;
            as[r][v] = in_part ? load_part(a + from_a, rest) : load(a + from_a);
            bs[r][v] = in_part ? load_part(b + from_b, rest) : load(b + from_b);
            terms[v] = TERM(as[r][v], bs[r][v]);
            terms[v].hi += (real)0; /* as all sums start from +0 */
            if (v + 1 == vectors) {
                terms[v].hi = indices < (INTEGER)rest ? terms[v].hi : (real)0;
                terms[v].lo = indices < (INTEGER)rest ? terms[v].lo : (real)0;
            }
        }
        for (ulong step = MOST_VECTORS / 2; step > 0; step /= 2)
            for (ulong v = 0; v < step && v + step < vectors; v++)
                terms[v] = total_add(terms[v], terms[v + step]);
        sums[r] = terms[0];
    }
    common rows;
    rows = COMMON(sums_of_vectors(sums), rows);
    ELEMENT his[16], los[16];
    INTEGER ns[16];
    VSTORE(rows.of_all.hi, his);
    VSTORE(rows.of_all.lo, los);
    VSTORE(rows.n, ns);
    for (int r = 0; r < 16; r++) {
        common row = rows;
        row.of_all = total_of((real)his[LANE_OF(r)], (real)los[LANE_OF(r)]);
        row.n = (mask)ns[LANE_OF(r)];
        for (ulong v = 0; v < vectors; v++) {
            global storage *to = y + y_offset + r * y_stride + v * CLACT_WIDTH;
            const real value = VALUE(as[r][v], bs[r][v], terms[v], row);
            if (r * cols + (v + 1) * CLACT_WIDTH > 16 * cols)
                store_part(to, value, rest);
            else if (rest == CLACT_WIDTH)
                store_past_cache(to, value); /* never what is written to again */
            else
                store(to, value);
        }
    }
}
#endif

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
#ifdef WHOLE_ROWS
    const bool is_tight = a_stride == cols && b_stride == cols && y_stride == cols;
    const bool are_whole = is_tight || cols % CLACT_WIDTH == 0;
    if (cols <= CLACT_WIDTH)
        for (; are_whole && row + 16 <= last; row += 16)
            do_whole_rows(ROWS_FROM(row), cols, 1, (rows - row) * cols);
    else
        for (; are_whole && row + 16 <= last; row += 16)
            do_whole_rows(ROWS_FROM(row), cols, (cols + CLACT_WIDTH - 1) / CLACT_WIDTH,
                          (rows - row) * cols);
#endif
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
#ifdef CLACT_GROUPED
        for (ulong v = ITEM; v < VECTORS && start + v * CLACT_WIDTH < end; v += ITEMS) {
            total sum = zero;
            ulong i = start + v * CLACT_WIDTH;
            for (; i + CLACT_WIDTH <= end; i += CLACT_LANES)
                sum = total_add_term(sum, TERM(load(a + i), B_OF(i)));
            if (i < end)
                sum = total_add_term(sum, part_of_terms(a, b, row, i, end - i));
            lanes[v] = total_add(lanes[v], sum);
        }
#else
        /* In the order of memory. */
        total sums[VECTORS];
        for (ulong v = 0; v < used / CLACT_WIDTH; v++)
            sums[v] = zero;
        ulong i = start;
        while (i + CLACT_WIDTH <= end)
            for (ulong v = 0; v < VECTORS && i + CLACT_WIDTH <= end; v++, i += CLACT_WIDTH)
                sums[v] = total_add_term(sums[v], TERM(load(a + i), B_OF(i)));
        if (i < end) {
            const ulong v = i / CLACT_WIDTH % VECTORS;
            sums[v] = total_add_term(sums[v], part_of_terms(a, b, row, i, end - i));
        }
        for (ulong v = 0; v < used / CLACT_WIDTH; v++)
            lanes[v] = total_add(lanes[v], sums[v]);
#endif
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
