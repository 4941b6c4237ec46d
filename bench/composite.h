/* SPDX-License-Identifier: MIT */
/* What clact_bench_composites measures: the rows of composite_rows.c. */
#ifndef CLACT_BENCH_COMPOSITE_H
#define CLACT_BENCH_COMPOSITE_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum { COMPOSITE_OPERANDS = 12 };

struct composite_operand {
    size_t rows, cols; /* 0 rows: there are no more operands */
    clact_dtype dtype;
    bool output;
};

struct composite {
    const char *name;
    struct composite_operand operands[COMPOSITE_OPERANDS];
    /* The call, on views of the operands in their order, on the context's own queue. */
    clact_status (*enqueue)(clact_context *ctx, const clact_view views[]);
    /* The same in PyTorch, a line of Python without single quotes in which `a`, `b` and so on are the
     * operands, whose gradients are not recorded unless the line says so. NULL: it has no such thing. */
    const char *pytorch;
};

extern const struct composite composites[];
extern const size_t composite_count;

#endif
