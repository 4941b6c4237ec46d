/* SPDX-License-Identifier: MIT */
/*
 * The elements of a matrix one after the other, row after row, in vectors that go on from a row to the
 * next: for kernels whose work is cut by the number of an element and not by rows.
 */

#ifdef CLACT_BCE

/* Where an element is. */
typedef struct {
    ulong row, col;
} place;

INLINE place place_after(place at, ulong steps, ulong cols)
{
    at.col += steps;
    for (; at.col >= cols; at.col -= cols)
        at.row++;
    return at;
}

/* Elements to be done together: some whole vectors of one row, or one vector whose lanes are not side by
 * side or not all there. */
typedef struct {
    place at;
    ulong length; /* from the first element to behind the last vector; else 1 */
    bool ragged;
    size_t count;                               /* of a ragged one: its lanes */
    ulong rows[CLACT_WIDTH], cols[CLACT_WIDTH]; /* where they are; the last one is repeated */
} span;

/* Those from `at` on, of the `left` elements that follow. */
INLINE span span_of(place at, ulong left, ulong step, ulong cols)
{
    const ulong side_by_side = min(left, cols - at.col);
    span s;
    s.at = at;
    s.ragged = side_by_side < CLACT_WIDTH;
    s.length = s.ragged ? 1 : (side_by_side - CLACT_WIDTH) / step * step + 1;
    s.count = min((ulong)CLACT_WIDTH, left);
    for (size_t k = 0; k < CLACT_WIDTH && s.ragged; k++) {
        s.rows[k] = at.row;
        s.cols[k] = at.col;
        if (k + 1 < s.count)
            at = place_after(at, 1, cols);
    }
    return s;
}

/* The vector at element i of the span. */
INLINE real span_load(const span *s, ulong i, global const storage *p, ulong stride)
{
    if (!s->ragged)
        return load(p + s->at.row * stride + s->at.col + i);
    storage part[CLACT_WIDTH];
    for (size_t k = 0; k < CLACT_WIDTH; k++)
        part[k] = p[s->rows[k] * stride + s->cols[k]];
    return unpack(VLOAD(part));
}

INLINE void span_store(const span *s, ulong i, global storage *p, ulong stride, real v)
{
    if (!s->ragged) {
        store_past_cache(p + s->at.row * stride + s->at.col + i, v);
        return;
    }
    storage part[CLACT_WIDTH];
    VSTORE(pack(v), part);
    for (size_t k = 0; k < s->count; k++)
        p[s->rows[k] * stride + s->cols[k]] = part[k];
}

#endif
