/* SPDX-License-Identifier: MIT */
/* Gated linear units: act(a) * b, forward and gradients. */
#include "call.h"

#include <stdio.h>

enum { BACKWARD = 1, DIRECTIONS = 2 };

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    const clact__op *op = &clact__ops[variant->index / DIRECTIONS];
    const bool backward = variant->index % DIRECTIONS == BACKWARD;
    const char *direction = backward ? "backward" : "forward";
    snprintf(options, CLACT__NAME_SIZE,
             "-DCLACT_GATED=%s_gated_%s -DCLACT_GATE=%s_gate -DCLACT_GATE_FORWARD=%s_forward"
             " -DCLACT_GATE_SLOPE=%s_from_input%s%s%s",
             op->name, direction, op->name, op->name, op->name,
             backward ? " -DCLACT_GATED_BACKWARD" : "",
             op->parameters ? " -DCLACT_HAS_PARAMETERS" : "",
             op->parameters & CLACT_BETA ? " -DCLACT_HAS_BETA" : "");
    snprintf(name, CLACT__NAME_SIZE, "clact_%s_gated_%s", op->name, direction);
}

static const clact__shape shape = {
    .first_row = CLACT__GATED_ROW, .streams = true, .narrow = true, .name = name_kernel};

static const clact__role forward_roles[] = {
    {.name = "a", .rows = 1, .cols = 1},
    {.name = "b", .rows = 1, .cols = 1},
    {.name = "y", .rows = 1, .cols = 1, .output = true},
};

static const clact__role backward_roles[] = {
    {.name = "grad", .rows = 1, .cols = 1},
    {.name = "a", .rows = 1, .cols = 1},
    {.name = "b", .rows = 1, .cols = 1},
    {.name = "da", .rows = 1, .cols = 1, .output = true},
    {.name = "db", .rows = 1, .cols = 1, .output = true},
};

/* All but the operands. */
static clact_status begin(const clact_context *ctx, clact_operator op, const clact_params *params,
                          unsigned direction, clact_dtype dtype, clact__call *call)
{
    clact_status status = clact__dtype_check(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    const clact__op *row = clact__op_find(op);
    if (!row)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "op is no operator");
    clact_params p;
    status = clact__params_resolve(ctx, row, dtype, params, &p);
    if (status != CLACT_SUCCESS)
        return status;
    call->variant = (clact__variant){.shape = &shape,
                                     .index = (unsigned)(row - clact__ops) * DIRECTIONS + direction,
                                     .dtype = dtype};
    call->roles = direction == BACKWARD ? backward_roles : forward_roles;
    call->operands = direction == BACKWARD ? 5 : 3;
    if (row->parameters)
        clact__call_add_reals(ctx, call, p.alpha, p.beta, p.gamma, 0);
    return CLACT_SUCCESS;
}

/* Views. */

clact_status clact_enqueue_gated(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                 const clact_params *params, clact_view a, clact_view b,
                                 clact_view y, cl_uint n_wait, const cl_event *wait,
                                 cl_event *event)
{
    clact__call call = {.views = (clact_view[]){a, b, y}, .rows = a.rows, .cols = a.cols};
    const clact_status status = begin(ctx, op, params, 0, a.dtype, &call);
    return status == CLACT_SUCCESS ? clact__call_enqueue(ctx, queue, &call, n_wait, wait, event)
                                   : status;
}

clact_status clact_enqueue_gated_backward(clact_context *ctx, cl_command_queue queue,
                                          clact_operator op, const clact_params *params,
                                          clact_view grad, clact_view a, clact_view b,
                                          clact_view da, clact_view db, cl_uint n_wait,
                                          const cl_event *wait, cl_event *event)
{
    clact__call call = {
        .views = (clact_view[]){grad, a, b, da, db}, .rows = grad.rows, .cols = grad.cols};
    const clact_status status = begin(ctx, op, params, BACKWARD, grad.dtype, &call);
    return status == CLACT_SUCCESS ? clact__call_enqueue(ctx, queue, &call, n_wait, wait, event)
                                   : status;
}

/* Host arrays: rows of one element, which can be cut anywhere. */

clact_status clact_gated(clact_context *ctx, clact_operator op, const clact_params *params,
                         clact_dtype dtype, size_t n, const void *a, const void *b, void *y)
{
    clact__call call = {.rows = n, .cols = 1};
    const clact_status status = begin(ctx, op, params, 0, dtype, &call);
    return status == CLACT_SUCCESS
               ? clact__matrix_run(ctx, &call, (const void *const[]){a, b, y}, clact__call_enqueue)
               : status;
}

clact_status clact_gated_backward(clact_context *ctx, clact_operator op, const clact_params *params,
                                  clact_dtype dtype, size_t n, const void *grad, const void *a,
                                  const void *b, void *da, void *db)
{
    clact__call call = {.rows = n, .cols = 1};
    const clact_status status = begin(ctx, op, params, BACKWARD, dtype, &call);
    return status == CLACT_SUCCESS
               ? clact__matrix_run(ctx, &call, (const void *const[]){grad, a, b, da, db},
                                   clact__call_enqueue)
               : status;
}

clact_status clact_prepare_gated(clact_context *ctx, clact_operator op, clact_dtype dtype)
{
    clact_status status = CLACT_SUCCESS;
    for (unsigned direction = 0; direction < DIRECTIONS && status == CLACT_SUCCESS; direction++) {
        clact__call call = {.operands = 0};
        status = begin(ctx, op, NULL, direction, dtype, &call);
        if (status == CLACT_SUCCESS)
            status = clact__prepare(ctx, &call);
    }
    return status;
}
