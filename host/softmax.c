/* SPDX-License-Identifier: MIT */
/* Softmax and log-softmax over rows, and their gradients: calls of softmax.cl's kernels. */
#include "call.h"

#include <stdio.h>

typedef enum kind {
    SOFTMAX_FORWARD,
    LOG_SOFTMAX_FORWARD,
    SOFTMAX_BACKWARD,
    LOG_SOFTMAX_BACKWARD,
    KINDS
} kind;

/* Whose work a row is. */
typedef enum manner {
    ROW_PER_LANE, /* an item has as many rows as its vectors have lanes */
    ROW_PER_ITEM,
    ROW_PER_GROUP,
    MANNERS
} manner;

_Static_assert(CLACT__SOFTMAX_KERNELS == KINDS * MANNERS, "a kernel for each kind and manner");

/*
 * LANES is in how many parts a row is added up, which its bits depend on; as many items times their
 * vectors' lanes can add up a row at once. Rows up to SHORT columns fill few vectors, and with rows in
 * its lanes a vector is always full. A group of fewer than LEAST_GROUP items would hardly be faster than
 * an item; CPUs have groups of one.
 */
enum { LANES = 256, SHORT = 64, LEAST_GROUP = 16 };

static kind kind_of(const clact__variant *variant)
{
    return (kind)(variant->index / MANNERS);
}

static manner manner_of(const clact__variant *variant)
{
    return (manner)(variant->index % MANNERS);
}

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    static const char *const names[KINDS] = {
        [SOFTMAX_FORWARD] = "softmax_forward",
        [LOG_SOFTMAX_FORWARD] = "log_softmax_forward",
        [SOFTMAX_BACKWARD] = "softmax_backward",
        [LOG_SOFTMAX_BACKWARD] = "log_softmax_backward",
    };
    static const char *const manners[MANNERS] = {
        [ROW_PER_LANE] = " -DCLACT_SHORT=",
        [ROW_PER_ITEM] = " -DCLACT_LANES=",
        [ROW_PER_GROUP] = " -DCLACT_GROUPED -DCLACT_LANES=",
    };
    const kind k = kind_of(variant);
    const manner m = manner_of(variant);
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_ROWS=%s -DCLACT_INPUTS=%d%s%s%d", names[k],
             k < SOFTMAX_BACKWARD ? 1 : 2, k == LOG_SOFTMAX_FORWARD ? " -DCLACT_COUNTS" : "",
             manners[m], m == ROW_PER_LANE ? SHORT : LANES);
    snprintf(name, CLACT__NAME_SIZE, "clact_%s", names[k]);
}

static clact__grid cut(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    const clact__profile *profile = &ctx->profile;
    const size_t width = clact__vector_width(ctx, call->variant.dtype, false);
    const size_t group = clact__at_most(profile->group_size, largest_group);
    const size_t elements = call->rows * call->cols; /* cannot overflow: they fit in a buffer */
    const manner m = manner_of(&call->variant);
    const size_t wanted =
        clact__at_least(profile->item_elements, clact__divide_up(elements, profile->items));
    /* Of an item, or of a group. */
    size_t span = m == ROW_PER_GROUP ? 1 : wanted / clact__at_least(1, call->cols);
    span =
        clact__at_least(clact__at_least(1, span), clact__divide_up(call->rows, CLACT__MOST_DOWN));
    if (m == ROW_PER_LANE)
        span = clact__divide_up(span, width) * width;
    const size_t down = clact__at_least(1, clact__divide_up(call->rows, span));
    size_t local[2] = {1, 1};
    if (m == ROW_PER_GROUP)
        local[0] = clact__group_across(ctx, largest_group, LANES / width);
    else
        local[1] = clact__at_least(
            1, clact__at_most(clact__at_most(group, down), profile->largest_group[1]));
    return (clact__grid){
        .global = {local[0], clact__divide_up(down, local[1]) * local[1]},
        .local = {local[0], local[1]},
        .rows = call->rows,
        .cols = call->cols,
        .row_span = span,
        .col_span = call->cols,
    };
}

static const clact__shape shape = {
    .first_row = CLACT__SOFTMAX_ROW, .streams = true, .name = name_kernel, .cut = cut};

static const clact__role forward_roles[] = {
    {.name = "x", .rows = 1, .cols = 1},
    {.name = "y", .rows = 1, .cols = 1, .output = true},
};

static const clact__role backward_roles[] = {
    {.name = "grad", .rows = 1, .cols = 1},
    {.name = "y", .rows = 1, .cols = 1},
    {.name = "dx", .rows = 1, .cols = 1, .output = true},
};

static bool has_groups(const clact_context *ctx)
{
    return ctx->profile.group_size >= LEAST_GROUP;
}

static manner choose_manner(const clact_context *ctx, size_t cols)
{
    if (cols <= SHORT)
        return ROW_PER_LANE;
    return has_groups(ctx) ? ROW_PER_GROUP : ROW_PER_ITEM;
}

/* All of a call but its operands. */
static clact_status begin(const clact_context *ctx, kind k, clact_dtype dtype, size_t cols,
                          clact__call *call)
{
    const clact_status status = clact__dtype_check(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    call->variant = (clact__variant){
        .shape = &shape, .index = k * MANNERS + choose_manner(ctx, cols), .dtype = dtype};
    call->roles = k < SOFTMAX_BACKWARD ? forward_roles : backward_roles;
    call->operands = k < SOFTMAX_BACKWARD ? 2 : 3;
    return CLACT_SUCCESS;
}

/* Host arrays. */

static clact_status run(clact_context *ctx, kind k, clact_dtype dtype, size_t rows, size_t cols,
                        const void *const arrays[])
{
    clact__call call = {.rows = rows, .cols = cols};
    const clact_status status = begin(ctx, k, dtype, cols, &call);
    return status == CLACT_SUCCESS ? clact__matrix_run(ctx, &call, arrays, clact__call_enqueue)
                                   : status;
}

clact_status clact_softmax(clact_context *ctx, clact_dtype dtype, size_t rows, size_t cols,
                           const void *x, void *y)
{
    return run(ctx, SOFTMAX_FORWARD, dtype, rows, cols, (const void *const[]){x, y});
}

clact_status clact_log_softmax(clact_context *ctx, clact_dtype dtype, size_t rows, size_t cols,
                               const void *x, void *y)
{
    return run(ctx, LOG_SOFTMAX_FORWARD, dtype, rows, cols, (const void *const[]){x, y});
}

clact_status clact_softmax_backward(clact_context *ctx, clact_dtype dtype, size_t rows, size_t cols,
                                    const void *grad, const void *y, void *dx)
{
    return run(ctx, SOFTMAX_BACKWARD, dtype, rows, cols, (const void *const[]){grad, y, dx});
}

clact_status clact_log_softmax_backward(clact_context *ctx, clact_dtype dtype, size_t rows,
                                        size_t cols, const void *grad, const void *y, void *dx)
{
    return run(ctx, LOG_SOFTMAX_BACKWARD, dtype, rows, cols, (const void *const[]){grad, y, dx});
}

/* Views. */

static clact_status enqueue(clact_context *ctx, cl_command_queue queue, kind k,
                            const clact_view views[], cl_uint n_wait, const cl_event *wait,
                            cl_event *event)
{
    clact__call call = {.views = views, .rows = views[0].rows, .cols = views[0].cols};
    const clact_status status = begin(ctx, k, views[0].dtype, call.cols, &call);
    return status == CLACT_SUCCESS ? clact__call_enqueue(ctx, queue, &call, n_wait, wait, event)
                                   : status;
}

clact_status clact_enqueue_softmax(clact_context *ctx, cl_command_queue queue, clact_view x,
                                   clact_view y, cl_uint n_wait, const cl_event *wait,
                                   cl_event *event)
{
    return enqueue(ctx, queue, SOFTMAX_FORWARD, (clact_view[]){x, y}, n_wait, wait, event);
}

clact_status clact_enqueue_log_softmax(clact_context *ctx, cl_command_queue queue, clact_view x,
                                       clact_view y, cl_uint n_wait, const cl_event *wait,
                                       cl_event *event)
{
    return enqueue(ctx, queue, LOG_SOFTMAX_FORWARD, (clact_view[]){x, y}, n_wait, wait, event);
}

clact_status clact_enqueue_softmax_backward(clact_context *ctx, cl_command_queue queue,
                                            clact_view grad, clact_view y, clact_view dx,
                                            cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    return enqueue(ctx, queue, SOFTMAX_BACKWARD, (clact_view[]){grad, y, dx}, n_wait, wait, event);
}

clact_status clact_enqueue_log_softmax_backward(clact_context *ctx, cl_command_queue queue,
                                                clact_view grad, clact_view y, clact_view dx,
                                                cl_uint n_wait, const cl_event *wait,
                                                cl_event *event)
{
    return enqueue(ctx, queue, LOG_SOFTMAX_BACKWARD, (clact_view[]){grad, y, dx}, n_wait, wait,
                   event);
}

/* Ahead of use. */

static clact_status prepare(clact_context *ctx, kind k, clact_dtype dtype)
{
    static const size_t cols[2] = {SHORT, SHORT + 1}; /* the manners that a device has */
    clact_status status = CLACT_SUCCESS;
    for (int i = 0; i < 2 && status == CLACT_SUCCESS; i++) {
        clact__call call = {.rows = 0};
        status = begin(ctx, k, dtype, cols[i], &call);
        if (status == CLACT_SUCCESS)
            status = clact__prepare(ctx, &call);
    }
    return status;
}

clact_status clact_prepare_softmax(clact_context *ctx, clact_dtype dtype)
{
    const clact_status status = prepare(ctx, SOFTMAX_FORWARD, dtype);
    return status == CLACT_SUCCESS ? prepare(ctx, SOFTMAX_BACKWARD, dtype) : status;
}

clact_status clact_prepare_log_softmax(clact_context *ctx, clact_dtype dtype)
{
    const clact_status status = prepare(ctx, LOG_SOFTMAX_FORWARD, dtype);
    return status == CLACT_SUCCESS ? prepare(ctx, LOG_SOFTMAX_BACKWARD, dtype) : status;
}
