/* SPDX-License-Identifier: MIT */
/* A call and its operands: what each has to be, and whether all of them may be used. */
#include "call.h"

#include <stdint.h>
#include <string.h>

/* Checks of what is not an operand. */

clact_status clact__queue_check(const clact_context *ctx, cl_command_queue *queue)
{
    if (!*queue)
        *queue = ctx->queue;
    if (*queue == ctx->queue)
        return CLACT_SUCCESS;
    cl_context cl = NULL;
    cl_device_id device = NULL;
    cl_int code = clGetCommandQueueInfo(*queue, CL_QUEUE_CONTEXT, sizeof(cl), &cl, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(*queue, CL_QUEUE_DEVICE, sizeof(device), &device, NULL);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clGetCommandQueueInfo");
    if (cl != ctx->cl || device != ctx->device)
        return clact__fail(ctx, CLACT_WRONG_CONTEXT,
                           "the queue belongs to another OpenCL context or device");
    return CLACT_SUCCESS;
}

clact_status clact__wait_check(const clact_context *ctx, cl_uint n_wait, const cl_event *wait)
{
    if (n_wait > 0 && !wait)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "n_wait is not 0 but wait is NULL");
    for (cl_uint i = 0; i < n_wait; i++) {
        cl_context cl = NULL;
        cl_int state = CL_COMPLETE;
        if (!wait[i])
            return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "an event in wait is NULL");
        cl_int code = clGetEventInfo(wait[i], CL_EVENT_CONTEXT, sizeof(cl), &cl, NULL);
        if (code == CL_SUCCESS)
            code = clGetEventInfo(wait[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state,
                                  NULL);
        if (code != CL_SUCCESS)
            return clact__fail_cl(ctx, code, "clGetEventInfo");
        if (cl != ctx->cl) /* not every driver notices */
            return clact__fail(ctx, CLACT_WRONG_CONTEXT,
                               "an event in wait belongs to another OpenCL context");
        if (state < 0) /* PoCL would wait for ever */
            return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                               "an event in wait is that of a command that failed (%d)",
                               (int)state);
    }
    return CLACT_SUCCESS;
}

clact_status clact__dtype_check(const clact_context *ctx, clact_dtype dtype)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    if (clact__dtype_size(dtype) == 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "the dtype is unknown");
    if (dtype == CLACT_U8)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "u8 is the dtype of labels, which cannot be computed with");
    if (dtype == CLACT_F64 && !ctx->profile.has_f64)
        return clact__fail(ctx, CLACT_UNSUPPORTED, "the device has no f64 (cl_khr_fp64)");
    return CLACT_SUCCESS;
}

/* Scalars. */

void clact__call_add_integer(clact__call *call, cl_ulong value)
{
    call->scalar[call->scalars].size = sizeof(value);
    call->scalar[call->scalars++].value.integer = value;
}

void clact__call_add_reals(const clact_context *ctx, clact__call *call, double a, double b,
                           double c, double d)
{
    if (clact__computes_in_double(ctx, call->variant.dtype)) {
        const cl_double doubles[4] = {a, b, c, d};
        call->scalar[call->scalars].size = sizeof(doubles);
        memcpy(call->scalar[call->scalars++].value.doubles, doubles, sizeof(doubles));
    } else {
        const cl_float floats[4] = {(float)a, (float)b, (float)c, (float)d};
        call->scalar[call->scalars].size = sizeof(floats);
        memcpy(call->scalar[call->scalars++].value.floats, floats, sizeof(floats));
    }
}

/* Operands. */

void clact__call_view(clact__call *call, size_t rows, size_t cols, const cl_mem mems[],
                      clact_view views[])
{
    call->views = views;
    call->rows = rows;
    call->cols = cols;
    for (unsigned i = 0; i < call->operands; i++) {
        const size_t width = clact__operand_cols(call, i);
        views[i] = clact_view_2d(mems[i], clact__operand_dtype(call, i), 0,
                                 clact__operand_rows(call, i), width, width);
    }
}

/* Whether an operand has an element for each that the call has. */
static bool is_full(const clact__role *role)
{
    return role->rows == 1 && role->cols == 1;
}

bool clact__is_one_row(const clact__call *call)
{
    for (unsigned i = 0; i < call->operands; i++)
        if (clact__call_has(call, i) &&
            (!is_full(&call->roles[i]) || call->views[i].stride != call->views[i].cols))
            return false;
    return true;
}

bool clact__moves_much(const clact_context *ctx, const clact__call *call)
{
    size_t bytes = 0; /* for each element of the call, but those that many of them share */
    for (unsigned i = 0; i < call->operands; i++)
        if (call->roles[i].rows && clact__call_has(call, i))
            bytes += call->roles[i].cols * clact__dtype_size(clact__operand_dtype(call, i));
    return call->variant.shape->streams && bytes > 0 &&
           call->rows * call->cols >= ctx->profile.stream_bytes / bytes;
}

/* Whether an output lies where an input does. */
static bool is_in_place(const clact__call *call)
{
    for (unsigned i = 0; i < call->operands; i++)
        for (unsigned k = 0; k < call->operands; k++)
            if (call->roles[i].output && !call->roles[k].output && clact__call_has(call, i) &&
                clact__call_has(call, k) && call->views[i].mem == call->views[k].mem &&
                call->views[i].offset == call->views[k].offset)
                return true;
    return false;
}

/* Whether each row is less than a vector, of which a kernel moves the elements one by one: short
 * vectors leave fewer to that. */
static bool has_short_rows(const clact_context *ctx, const clact__call *call)
{
    if (call->rows == 1 || !call->variant.shape->narrow)
        return false;
    const size_t width = clact__vector_width(ctx, call->variant.dtype, false);
    return call->cols < width && clact__vector_width(ctx, call->variant.dtype, true) < width &&
           !clact__is_one_row(call);
}

/* Checks of operands. */

static clact_status check_dtype(const clact_context *ctx, const clact__call *call, unsigned i)
{
    const clact_dtype wanted = clact__operand_dtype(call, i);
    if (call->views[i].dtype == wanted)
        return CLACT_SUCCESS;
    const char *name = clact_dtype_name(call->views[i].dtype);
    return clact__fail(ctx, CLACT_DTYPE_MISMATCH,
                       "%s is of dtype %s, but has to be %s, as %s is %s", call->roles[i].name,
                       name ? name : "unknown", clact_dtype_name(wanted), call->roles[0].name,
                       clact_dtype_name(call->views[0].dtype));
}

static clact_status check_shape(const clact_context *ctx, const clact__call *call, unsigned i)
{
    const clact_view *view = &call->views[i];
    if (view->rows == clact__operand_rows(call, i) && view->cols == clact__operand_cols(call, i))
        return CLACT_SUCCESS;
    return clact__fail(ctx, CLACT_SHAPE_MISMATCH, "%s is %zu x %zu, but has to be %zu x %zu",
                       call->roles[i].name, view->rows, view->cols, clact__operand_rows(call, i),
                       clact__operand_cols(call, i));
}

bool clact__may_be_equal(const clact__role *output, const clact__role *other)
{
    return !other->output && output->rows == other->rows && output->cols == other->cols;
}

/* An output and the operands that it might overlap; a pair of outputs once. */
static clact_status check_output(const clact_context *ctx, const clact__call *call,
                                 const clact__extent extents[], unsigned output)
{
    const clact__role *role = &call->roles[output];
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i < call->operands && status == CLACT_SUCCESS; i++) {
        const clact__role *other = &call->roles[i];
        if (i != output && (i < output || !other->output) && clact__call_has(call, i))
            status = clact__view_check_overlap(ctx, &extents[output], role->name, &extents[i],
                                               other->name, clact__may_be_equal(role, other));
    }
    return status;
}

clact_status clact__call_check(const clact_context *ctx, clact__call *call)
{
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i < call->operands && status == CLACT_SUCCESS; i++)
        if (clact__call_has(call, i)) {
            status = check_dtype(ctx, call, i);
            if (status == CLACT_SUCCESS)
                status = check_shape(ctx, call, i);
        }
    if (status != CLACT_SUCCESS || clact__call_empty(call))
        return status;

    clact__extent extents[CLACT__OPERANDS];
    for (unsigned i = 0; i < call->operands && status == CLACT_SUCCESS; i++)
        if (clact__call_has(call, i))
            status = clact__view_check(ctx, &call->views[i], call->roles[i].name,
                                       call->roles[i].output, &extents[i]);
    for (unsigned i = 0; i < call->operands && status == CLACT_SUCCESS; i++)
        if (call->roles[i].output && clact__call_has(call, i))
            status = check_output(ctx, call, extents, i);
    if (status != CLACT_SUCCESS)
        return status;
    call->variant.streams = clact__moves_much(ctx, call) && !is_in_place(call);
    call->variant.narrow = has_short_rows(ctx, call);
    return CLACT_SUCCESS;
}

clact_status clact__call_ready(const clact_context *ctx, cl_command_queue *queue, clact__call *call,
                               cl_uint n_wait, const cl_event *wait)
{
    clact_status status = clact__call_check(ctx, call);
    if (status == CLACT_SUCCESS)
        status = clact__wait_check(ctx, n_wait, wait);
    return status == CLACT_SUCCESS ? clact__queue_check(ctx, queue) : status;
}

clact_status clact__call_enqueue(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                 cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    const clact_status status = clact__call_ready(ctx, &queue, call, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    return clact__call_empty(call) ? clact__enqueue_nothing(ctx, queue, n_wait, wait, event)
                                   : clact__launch(ctx, queue, call, n_wait, wait, event);
}
