/* SPDX-License-Identifier: MIT */
/*
 * The only pointwise kernel: load, body, store.
 *
 *   CLACT_BODY            the operator's function (activations.cl), such as sigmoid_forward
 *   CLACT_INPUTS          its operands: 1 (x) or 2 (grad and the saved value)
 *   CLACT_HAS_PARAMETERS  its last argument is the parameters
 *   CLACT_HAS_BETA        beta is one of them
 *
 * Work-item (i, j) does the columns from i * col_span and the rows from j * row_span. On a CPU an item
 * has many vectors; on a GPU it has one, next to its neighbours'.
 */

#ifdef CLACT_BODY

#ifdef CLACT_HAS_PARAMETERS
#define PARAMETERS , p
#else
#define PARAMETERS
#endif

#if PASTE(HAS_REACH_, CLACT_BODY)
#define REACH(r) , r
#else
#define REACH(r)
#endif

#if CLACT_INPUTS == 1
#define BODY(a, b, r) CLACT_BODY(a PARAMETERS)
#else
#define BODY(a, b, r) CLACT_BODY(a, b PARAMETERS REACH(r))
#endif

#ifdef HAS_STREAM
#define STORE stream
#else
#define STORE store
#endif

/* The n < CLACT_WIDTH elements from i. */
#define PART(i, n)                                                                                 \
    do {                                                                                           \
        reach r = {false};                                                                         \
        const real part = BODY(load_part(a_row + (i), n), load_part(b_row + (i), n), &r);          \
        store_part(y_row + (i), part, n);                                                          \
    } while (0)

/* The whole vectors from i to the end. `near` is a constant: each loop is compiled for its own. */
#define VECTORS(i, end, near)                                                                      \
    for (ulong k = i; k < end; k += CLACT_WIDTH) {                                                 \
        reach r = {near};                                                                          \
        STORE(y_row + k, BODY(load(a_row + k), load(b_row + k), &r));                              \
    }

/* So many vectors are asked at once whether an element is far. They stay in the cache meanwhile. All are
 * asked before any is stored: the output may be one of the operands. */
#define BLOCK_VECTORS 16

/*
 * Of an operator that is in two steps an item does the first of a block of vectors, then the last of these.
 * A processor has room for more vectors at once in shorter loops, and so waits less for what depends on
 * each other. Vectors of 16 bytes are a GPU's, whose items have one each: there it would only cost.
 */
#if PASTE(HAS_STEPS_, CLACT_BODY) && CLACT_WIDTH * STORED_BYTES > 16
#define IN_STEPS
#endif

#if CLACT_INPUTS == 1
#define FIRST(a, b, r) PASTE(CLACT_BODY, _first)(a PARAMETERS REACH(r))
#define LAST(a, b, step, r) PASTE(CLACT_BODY, _last)(a PARAMETERS, step REACH(r))
#else
#define FIRST(a, b, r) PASTE(CLACT_BODY, _first)(a, b PARAMETERS REACH(r))
#define LAST(a, b, step, r) PASTE(CLACT_BODY, _last)(a, b PARAMETERS, step REACH(r))
#endif

#if CLACT_INPUTS == 1
#define OPERANDS global const storage *a, ulong a_offset, ulong a_stride
#define OPERAND_NAMES a, a_offset, a_stride
#else
#define OPERANDS                                                                                   \
    global const storage *a, ulong a_offset, ulong a_stride, global const storage *b,              \
        ulong b_offset, ulong b_stride
#define OPERAND_NAMES a, a_offset, a_stride, b, b_offset, b_stride
#endif

INLINE void run(OPERANDS, global storage *y, ulong y_offset, ulong y_stride, ulong rows, ulong cols,
                ulong row_span, ulong col_span, params p)
{
    const ulong first_row = min(get_global_id(1) * row_span, rows);
    const ulong last_row = min(first_row + row_span, rows);
    /* An item that only fills up its group has an empty range, never one that ends before it starts. */
    const ulong first = min(get_global_id(0) * col_span, cols);
    const ulong last = min(first + col_span, cols);

    for (ulong row = first_row; row < last_row; row++) {
        global const storage *a_row = a + a_offset + row * a_stride;
#if CLACT_INPUTS == 2
        global const storage *b_row = b + b_offset + row * b_stride;
#endif
        global storage *y_row = y + y_offset + row * y_stride;

        ulong i = first;
#ifdef HAS_STREAM
        /* Up to a whole vector's boundary, then whole vectors past the cache. */
        const ulong misaligned = ((ulong)(y_row + i) / sizeof(storage)) % CLACT_WIDTH;
        const ulong head = misaligned ? min(CLACT_WIDTH - misaligned, last - first) : 0;
        if (head) {
            PART(i, head);
            i += head;
        }
#endif
        const ulong whole = i + (last - i) / CLACT_WIDTH * CLACT_WIDTH;
#if defined(IN_STEPS)
        while (!p.extreme && i < whole) {
            const ulong n = min((ulong)BLOCK_VECTORS, (whole - i) / CLACT_WIDTH);
            const ulong end = i + n * CLACT_WIDTH;
            PASTE(CLACT_BODY, _step) steps[BLOCK_VECTORS];
            reach asked = {true, 0};
            for (ulong k = 0; k < n; k++)
                steps[k] = FIRST(VECTOR_OF(a_row + i, k), VECTOR_OF(b_row + i, k), &asked);
            if (rarely(asked.far))
                VECTORS(i, end, false)
            else
                for (ulong k = 0; k < n; k++)
                    STORE(y_row + i + k * CLACT_WIDTH,
                          LAST(VECTOR_OF(a_row + i, k), VECTOR_OF(b_row + i, k), steps[k],
                               &asked));
            i = end;
        }
#elif PASTE(HAS_REACH_, CLACT_BODY)
        while (!p.extreme && i < whole) {
            const ulong end = min(i + BLOCK_VECTORS * CLACT_WIDTH, whole);
            reach asked = {true, 0};
            for (ulong k = i; k < end; k += CLACT_WIDTH)
                BODY(load(a_row + k), load(b_row + k), &asked);
            if (rarely(asked.far))
                VECTORS(i, end, false)
            else
                VECTORS(i, end, true)
            i = end;
        }
#endif
        /* Everything, where an operator neither has steps nor asks, or its parameters are extreme. */
        VECTORS(i, whole, false)
        if (whole < last)
            PART(whole, last - whole);
    }
}

WHOLE_REGISTERS
kernel void PASTE(clact_, CLACT_BODY)(OPERANDS, global storage *y, ulong y_offset, ulong y_stride,
                                      ulong rows, ulong cols, ulong row_span, ulong col_span
#ifdef CLACT_HAS_PARAMETERS
                                      ,
                                      PASTE(ELEMENT, 4) parameters
#endif
)
{
#ifdef CLACT_HAS_PARAMETERS
    params p = {parameters.x, parameters.y, parameters.z, false};
#else
    const params p = {0, 0, 0, false};
#endif
#ifdef CLACT_HAS_BETA
    /* Decided here, and not for each vector. */
    if (!(p.beta >= SMALL_BETA && p.beta <= 1 / SMALL_BETA)) {
        p.extreme = true;
        run(OPERAND_NAMES, y, y_offset, y_stride, rows, cols, row_span, col_span, p);
        return;
    }
#endif
#if PASTE(IS_OFTEN_PLAIN_, CLACT_BODY)
#ifdef CLACT_HAS_BETA
    const params plain = {0, 1, 0, false};
    const bool is_plain = p.beta == 1;
#else
    const params plain = {1, 0, 0, false};
    const bool is_plain = p.alpha == 1;
#endif
    if (is_plain) {
        run(OPERAND_NAMES, y, y_offset, y_stride, rows, cols, row_span, col_span, plain);
        return;
    }
#endif
    run(OPERAND_NAMES, y, y_offset, y_stride, rows, cols, row_span, col_span, p);
}

#endif
