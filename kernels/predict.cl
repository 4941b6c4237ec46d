/* SPDX-License-Identifier: MIT */
/*
 * Labels from logits: 1 where the logit is one of those that the sigmoid takes to the threshold or
 * above, else 0. It is compiled where CLACT_PREDICT is defined; work is cut as for elementwise.cl.
 *
 * Which elements those are the host has found out (threshold.c): the ones from one place to another
 * in the order of all elements. A place is an element's bits, and where the sign is set all others
 * are flipped: an integer that grows with the element and that no device flushes to 0.
 */
#ifdef CLACT_PREDICT

#if defined(CLACT_STORAGE_F64)
#define PLACE long
#define LARGEST LONG_MAX
#elif defined(CLACT_STORAGE_F32)
#define PLACE int
#define LARGEST INT_MAX
#else
#define PLACE short
#define LARGEST SHRT_MAX
#endif

typedef VECTOR(PLACE) places;
typedef VECTOR(PASTE(u, PLACE)) unsigned_places; /* whose sums may come round */
typedef VECTOR(uchar) bytes;

#define AS_PLACES(v) PASTE(as_, VECTOR(PLACE))(v)
#define AS_UNSIGNED(v) PASTE(as_, VECTOR(PASTE(u, PLACE)))(v)

/*
 * With `rise` added to its place +inf is the last of all: the NaNs behind it come round to the other
 * end, where the NaNs of the other sign are. Then all that remains is one comparison.
 */
INLINE bytes label(places bits, PLACE rise, PLACE lowest)
{
    const places sign = bits >> (PLACE)(8 * sizeof(PLACE) - 1);
    const places place = bits ^ (sign & (PLACE)LARGEST);
    const unsigned_places risen = AS_UNSIGNED(place) + AS_UNSIGNED((places)rise);
    return PASTE(convert_, VECTOR(uchar))((AS_PLACES(risen) >= lowest) & (PLACE)1);
}

/* The labels of the n < CLACT_WIDTH logits at x. */
INLINE void label_part(global const PLACE *x, global uchar *y, PLACE rise, PLACE lowest, size_t n)
{
    PLACE part[CLACT_WIDTH];
    uchar labels[CLACT_WIDTH];
    for (size_t i = 0; i < CLACT_WIDTH; i++)
        part[i] = x[min(i, n - 1)];
    VSTORE(label(VLOAD(part), rise, lowest), labels);
    for (size_t i = 0; i < n; i++)
        y[i] = labels[i];
}

/* For a y that is aligned to a whole vector. */
INLINE void store_labels(global uchar *y, bytes labels)
{
#ifdef HAS_STREAM
    __builtin_nontemporal_store(labels, (global bytes *)y);
#else
    *(global bytes *)y = labels;
#endif
}

WHOLE_REGISTERS
kernel void clact_predict(global const PLACE *logits, ulong logits_offset, ulong logits_stride,
                          global uchar *labels, ulong labels_offset, ulong labels_stride, ulong rows,
                          ulong cols, ulong row_span, ulong col_span, long lowest, long highest)
{
    const PLACE rise = (PLACE)(LARGEST - highest);
    const PLACE risen_lowest = (PLACE)(lowest + rise);
    const ulong first_row = min(get_global_id(1) * row_span, rows);
    const ulong last_row = min(first_row + row_span, rows);
    /* An item that only fills up its group has an empty range, never one that ends before it starts. */
    const ulong first = min(get_global_id(0) * col_span, cols);
    const ulong last = min(first + col_span, cols);

    for (ulong row = first_row; row < last_row; row++) {
        global const PLACE *x = logits + logits_offset + row * logits_stride;
        global uchar *y = labels + labels_offset + row * labels_stride;
        ulong i = first;
        /* Up to a whole vector's boundary: PoCL's vstore16 writes bytes one by one. */
        const ulong misaligned = (ulong)(y + i) % CLACT_WIDTH;
        const ulong head = misaligned ? min(CLACT_WIDTH - misaligned, last - i) : 0;
        if (head) {
            label_part(x + i, y + i, rise, risen_lowest, head);
            i += head;
        }
        for (; i + CLACT_WIDTH <= last; i += CLACT_WIDTH)
            store_labels(y + i, label(VLOAD(x + i), rise, risen_lowest));
        if (i < last)
            label_part(x + i, y + i, rise, risen_lowest, last - i);
    }
}

#endif
