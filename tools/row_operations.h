/* SPDX-License-Identifier: MIT */
/* What the command does with whole rows, along the last axis of a file, as operators do it with each
 * element. Its gradients are computed from the output. */
#ifndef CLACT_TOOLS_ROW_OPERATIONS_H
#define CLACT_TOOLS_ROW_OPERATIONS_H

#include <clact/clact.h>

#include <stddef.h>

struct row_operation {
    const char *name;
    clact_status (*forward)(clact_context *ctx, clact_dtype dtype, size_t rows, size_t cols,
                            const void *x, void *y);
    clact_status (*backward)(clact_context *ctx, clact_dtype dtype, size_t rows, size_t cols,
                             const void *grad, const void *y, void *dx);
};

extern const struct row_operation row_operations[];
extern const size_t row_operations_count;

/* NULL if none has that name. */
const struct row_operation *row_operations_find(const char *name);

#endif
