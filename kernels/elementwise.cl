/* SPDX-License-Identifier: MIT */
/*
 * The only pointwise kernel: load, body, store.
 *
 *   CLACT_BODY      the operator's function in activations.cl, such as sigmoid_forward
 *   CLACT_OPERANDS  its operands: 1 (x) or 2 (grad and the saved value)
 *
 * Work-item (i, j) does the columns from i * col_span and the rows from j * row_span. On a CPU an item
 * has many vectors; on a GPU it has one, next to its neighbours'.
 */

/* The vector at p, or the n elements that are left of it. */
static real load(global const storage *p, ulong n)
{
    if (n < CLACT_WIDTH)
        return load_part(p, n);
    return LOAD(global, p);
}

static void store(global storage *p, real v, ulong n)
{
    if (n < CLACT_WIDTH)
        store_part(p, v, n);
    else
        STORE(global, v, p);
}

kernel void PASTE(clact_, CLACT_BODY)(global const storage *a, ulong a_offset, ulong a_stride,
#if CLACT_OPERANDS == 2
                                      global const storage *b, ulong b_offset, ulong b_stride,
#endif
                                      global storage *y, ulong y_offset, ulong y_stride, ulong rows,
                                      ulong cols, ulong row_span, ulong col_span)
{
    const ulong first_row = get_global_id(1) * row_span;
    const ulong last_row = min(first_row + row_span, rows);
    const ulong first = get_global_id(0) * col_span;
    const ulong last = min(first + col_span, cols);

    for (ulong row = first_row; row < last_row; row++) {
        for (ulong i = first; i < last; i += CLACT_WIDTH) {
            const ulong left = last - i;
            const real a_i = load(a + a_offset + row * a_stride + i, left);
#if CLACT_OPERANDS == 2
            const real b_i = load(b + b_offset + row * b_stride + i, left);
            const real y_i = CLACT_BODY(a_i, b_i);
#else
            const real y_i = CLACT_BODY(a_i);
#endif
            store(y + y_offset + row * y_stride + i, y_i, left);
        }
    }
}
