/* SPDX-License-Identifier: MIT */
/* The operators of ops.def on views: calls of elementwise.cl's kernels. */
#include "call.h"

#include <stdio.h>

/* A kernel for each operator and direction. */
static unsigned index_of(const clact__op *op, clact__direction direction)
{
    return (unsigned)(op - clact__ops) * CLACT__DIRECTIONS + direction;
}

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    const clact__op *op = &clact__ops[variant->index / CLACT__DIRECTIONS];
    const clact__direction kind = (clact__direction)(variant->index % CLACT__DIRECTIONS);
    const char *direction = clact__direction_name(kind);
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_BODY=%s_%s -DCLACT_INPUTS=%u%s%s", op->name,
             direction, clact__inputs(kind), op->parameters ? " -DCLACT_HAS_PARAMETERS" : "",
             op->parameters & CLACT_BETA ? " -DCLACT_HAS_BETA" : "");
    snprintf(name, CLACT__NAME_SIZE, "clact_%s_%s", op->name, direction);
}

static const clact__shape elementwise = {
    .first_row = CLACT__ELEMENTWISE_ROW, .streams = true, .narrow = true, .name = name_kernel};

static const clact__role forward_roles[] = {
    {.name = "x", .rows = 1, .cols = 1},
    {.name = "y", .rows = 1, .cols = 1, .output = true},
};

static const clact__role backward_roles[] = {
    {.name = "grad", .rows = 1, .cols = 1},
    {.name = "saved", .rows = 1, .cols = 1},
    {.name = "dx", .rows = 1, .cols = 1, .output = true},
};

clact_status clact__pointwise_begin(const clact_context *ctx, clact_operator op,
                                    const clact_params *params, clact__direction direction,
                                    clact_dtype dtype, clact__call *call)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    const clact__op *row = clact__op_find(op);
    if (!row)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "op is no operator");
    clact_status status = clact__dtype_check(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    clact_params p;
    status = clact__direction_check(ctx, row, direction);
    if (status == CLACT_SUCCESS)
        status = clact__params_resolve(ctx, row, dtype, params, &p);
    if (status != CLACT_SUCCESS)
        return status;
    call->variant =
        (clact__variant){.shape = &elementwise, .index = index_of(row, direction), .dtype = dtype};
    call->roles = direction == CLACT__FORWARD ? forward_roles : backward_roles;
    call->operands = clact__inputs(direction) + 1;
    call->scalars = 0;
    if (row->parameters)
        clact__call_add_reals(ctx, call, p.alpha, p.beta, p.gamma, 0);
    return CLACT_SUCCESS;
}

clact_status clact_enqueue_forward(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                   const clact_params *params, clact_view x, clact_view y,
                                   cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    clact__call call; /* to clear it first would take longer than most of what follows */
    const clact_status status =
        clact__pointwise_begin(ctx, op, params, CLACT__FORWARD, x.dtype, &call);
    if (status != CLACT_SUCCESS)
        return status;
    call.views = (clact_view[]){x, y};
    call.rows = x.rows;
    call.cols = x.cols;
    return clact__call_enqueue(ctx, queue, &call, n_wait, wait, event);
}

clact_status clact_enqueue_backward(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                    const clact_params *params, clact_saved kind, clact_view grad,
                                    clact_view saved, clact_view dx, cl_uint n_wait,
                                    const cl_event *wait, cl_event *event)
{
    clact__call call;
    const clact_status status =
        clact__pointwise_begin(ctx, op, params, clact__direction_of(kind), grad.dtype, &call);
    if (status != CLACT_SUCCESS)
        return status;
    call.views = (clact_view[]){grad, saved, dx};
    call.rows = grad.rows;
    call.cols = grad.cols;
    return clact__call_enqueue(ctx, queue, &call, n_wait, wait, event);
}

clact_status clact_prepare(clact_context *ctx, clact_operator op, clact_dtype dtype)
{
    const clact__op *row = clact__op_find(op); /* NULL is the first call's error */
    clact_status status = CLACT_SUCCESS;
    for (int d = 0; d < CLACT__DIRECTIONS && status == CLACT_SUCCESS; d++) {
        if (row && !clact__op_has(row, (clact__direction)d))
            continue;
        clact__call call = {.operands = 0};
        status = clact__pointwise_begin(ctx, op, NULL, (clact__direction)d, dtype, &call);
        if (status == CLACT_SUCCESS)
            status = clact__prepare(ctx, &call);
    }
    return status;
}
