/* SPDX-License-Identifier: MIT */
/* What clact_bench_composites measures: the rows of composite_rows.c. */
#ifndef CLACT_BENCH_COMPOSITE_H
#define CLACT_BENCH_COMPOSITE_H

#include <clact/clact.h>

#include <stddef.h>

enum { COMPOSITE_OPERANDS = 12 };

enum composite_use {
    COMPOSITE_INPUT, /* numbers from -1 to 1 */
    COMPOSITE_SHARE, /* an input too: from 0 to 1, or bytes that are 0 or 1 */
    COMPOSITE_OUTPUT,
    COMPOSITE_SCRATCH, /* what only separate calls have between them */
};

struct composite_operand {
    size_t rows, cols; /* 0 rows: there are no more operands */
    clact_dtype dtype;
    enum composite_use use;
};

/* Enqueues it on views of the operands in their order, on the context's own queue. */
typedef clact_status composite_call(clact_context *ctx, const clact_view views[]);

struct composite {
    const char *name;
    struct composite_operand operands[COMPOSITE_OPERANDS];
    composite_call *enqueue;
    /* The same in PyTorch, a line of Python without single quotes in which `a`, `b` and so on are the
     * operands, and F is torch.nn.functional. NULL: it has no such thing. */
    const char *pytorch;
    /* A line that is run once before; gradients are recorded if there is one. May be NULL. */
    const char *pytorch_before;
    /* The same of calls for the operators, one after the other. May be NULL. */
    composite_call *separate;
};

extern const struct composite composites[];
extern const size_t composite_count;

/* The cells' calls, in composite_cells.c. */
extern composite_call composite_lstm, composite_lstm_training, composite_lstm_backward,
    composite_lstm_separate, composite_gru, composite_gru_training, composite_gru_backward;

/* Releases what separate calls have compiled. */
void composite_cells_end(void);

#endif
