/* SPDX-License-Identifier: MIT */
/* The one way to a pointwise kernel: check the call, cut the work, set the arguments, enqueue. */
#include "internal.h"

#include <stdint.h>

/* Checks. */

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

/* Checks that the device can compute with elements of this dtype. */
static clact_status check_dtype(const clact_context *ctx, clact_dtype dtype)
{
    if (clact_dtype_size(dtype) == 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "the dtype is unknown");
    if (dtype == CLACT_U8)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "u8 is the dtype of labels, which cannot be computed with");
    if (dtype == CLACT_F64 && !ctx->profile.has_f64)
        return clact__fail(ctx, CLACT_UNSUPPORTED, "the device has no f64 (cl_khr_fp64)");
    return CLACT_SUCCESS;
}

clact_status clact__call_begin(const clact_context *ctx, clact_operator op,
                               const clact_params *params, clact__direction direction,
                               clact_dtype dtype, clact__call *call)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    const clact__op *row = clact__op_find(op);
    if (!row)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "op is no operator");
    const clact_status status = check_dtype(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    if (direction == CLACT__DIRECTIONS)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "kind is no clact_saved value");
    if (!clact__op_has(row, direction))
        return clact__fail(ctx, CLACT_UNSUPPORTED, "%s has no gradient %s", row->name,
                           clact__direction_name(direction));
    call->variant = (clact__variant){
        .shape = CLACT__ELEMENTWISE, .op = row, .direction = direction, .dtype = dtype};
    call->operands = clact__inputs(direction) + 1;
    return clact__params_resolve(ctx, row, dtype, params, &call->params);
}

clact_status clact__predict_begin(const clact_context *ctx, clact_dtype dtype, double threshold,
                                  clact__call *call)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    const clact_status status = check_dtype(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    if (!(threshold >= 0 && threshold <= 1))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "the threshold is %g, which is not a number from 0 to 1", threshold);
    call->variant = (clact__variant){.shape = CLACT__PREDICT, .dtype = dtype};
    call->operands = 2;
    call->range = clact__threshold(dtype, threshold);
    return CLACT_SUCCESS;
}

const char *clact__operand_name(const clact__call *call, unsigned i)
{
    static const char *const forward[] = {"x", "y"};
    static const char *const backward[] = {"grad", "saved", "dx"};
    static const char *const predict[] = {"logits", "labels"};
    if (call->variant.shape == CLACT__PREDICT)
        return predict[i];
    return call->operands == 2 ? forward[i] : backward[i];
}

clact_dtype clact__operand_dtype(const clact__call *call, unsigned i)
{
    return call->variant.shape == CLACT__PREDICT && i == 1 ? CLACT_U8 : call->variant.dtype;
}

static clact_status fail_dtype(const clact_context *ctx, const clact__call *call, unsigned i)
{
    const char *name = clact_dtype_name(call->views[i].dtype);
    return clact__fail(ctx, CLACT_DTYPE_MISMATCH,
                       "%s is of dtype %s, but has to be %s, as %s is %s",
                       clact__operand_name(call, i), name ? name : "unknown",
                       clact_dtype_name(clact__operand_dtype(call, i)),
                       clact__operand_name(call, 0), clact_dtype_name(call->views[0].dtype));
}

/* Everything about the operands that can be known to be wrong before anything is enqueued. */
static clact_status check_views(const clact_context *ctx, const clact__call *call)
{
    const clact_view *first = &call->views[0];
    for (unsigned i = 1; i < call->operands; i++) {
        const clact_view *view = &call->views[i];
        if (view->dtype != clact__operand_dtype(call, i))
            return fail_dtype(ctx, call, i);
        if (view->rows != first->rows || view->cols != first->cols)
            return clact__fail(ctx, CLACT_SHAPE_MISMATCH, "%s is %zu x %zu but %s is %zu x %zu",
                               clact__operand_name(call, 0), first->rows, first->cols,
                               clact__operand_name(call, i), view->rows, view->cols);
    }
    if (clact__view_empty(*first))
        return CLACT_SUCCESS;

    const unsigned output = call->operands - 1;
    clact__extent extents[3];
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i <= output && status == CLACT_SUCCESS; i++)
        status = clact__view_check(ctx, call->views[i], clact__operand_name(call, i), i == output,
                                   &extents[i]);
    for (unsigned i = 0; i < output && status == CLACT_SUCCESS; i++)
        status = clact__view_check_overlap(ctx, &extents[output], &extents[i],
                                           clact__operand_name(call, i));
    return status;
}

/* Work. */

typedef struct grid {
    size_t global[2], local[2];
    cl_ulong rows, cols;
    cl_ulong row_span, col_span; /* of one work-item */
} grid;

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* Rows that follow each other without a gap are one long row. */
static bool is_contiguous(const clact__call *call)
{
    for (unsigned i = 0; i < call->operands; i++)
        if (call->views[i].stride != call->views[i].cols)
            return false;
    return true;
}

bool clact__should_stream(const clact_context *ctx, const clact__call *call, size_t n,
                          bool in_place)
{
    size_t bytes = 0; /* of one element of each operand */
    for (unsigned i = 0; i < call->operands; i++)
        bytes += clact_dtype_size(clact__operand_dtype(call, i));
    return !in_place && n >= ctx->profile.stream_bytes / bytes;
}

/* The same for a call on views. */
static bool views_should_stream(const clact_context *ctx, const clact__call *call)
{
    const clact_view *output = &call->views[call->operands - 1];
    bool in_place = false;
    for (unsigned i = 0; i + 1 < call->operands; i++)
        in_place = in_place ||
                   (call->views[i].mem == output->mem && call->views[i].offset == output->offset);
    return clact__should_stream(ctx, call, output->rows * output->cols, in_place);
}

/* Whether each row is less than a vector, of which a kernel moves the elements one by one: short
 * vectors leave fewer to that. */
static bool has_short_rows(const clact_context *ctx, const clact__call *call)
{
    const clact_view *view = &call->views[0];
    const size_t width = clact__vector_width(ctx, call->variant.dtype, false);
    return !is_contiguous(call) && view->rows > 1 && view->cols < width &&
           clact__vector_width(ctx, call->variant.dtype, true) < width;
}

/* So many rows of items some devices take at the most. */
enum { MOST_DOWN = 65535 };

/* Gives each item about the same number of elements, as the profile wants them: a part of a row, or
 * several rows where they are short. */
static grid cut(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    const clact__profile *profile = &ctx->profile;
    const clact_view *view = &call->views[0];
    const size_t elements =
        view->rows * view->cols; /* cannot overflow: it fits the output's buffer */
    const bool in_one = is_contiguous(call);
    const size_t rows = in_one ? clact__at_most(elements, 1) : view->rows;
    const size_t cols = in_one ? elements : view->cols;
    const size_t width = clact__vector_width(ctx, call->variant.dtype, call->variant.narrow);

    const size_t wanted =
        clact__at_least(profile->item_elements, divide_up(elements, profile->items));
    const size_t span = divide_up(clact__at_least(1, clact__at_most(wanted, cols)), width) * width;
    const size_t row_span = clact__at_least(clact__at_least(1, wanted / clact__at_least(1, cols)),
                                            divide_up(rows, MOST_DOWN));
    const size_t across = clact__at_least(1, divide_up(cols, span));
    const size_t down = clact__at_least(1, divide_up(rows, row_span));

    /* A group spans columns first, as neighbours there share cache lines, then rows. */
    const size_t group = clact__at_most(profile->group_size, largest_group);
    size_t local = 1;
    while (local * 2 <= clact__at_most(group, profile->largest_group[0]) && local < across)
        local *= 2;
    const size_t local_rows = clact__at_least(
        1, clact__at_most(clact__at_most(group / local, down), profile->largest_group[1]));
    return (grid){
        .global = {divide_up(across, local) * local, divide_up(down, local_rows) * local_rows},
        .local = {local, local_rows},
        .rows = rows,
        .cols = cols,
        .row_span = row_span,
        .col_span = span,
    };
}

/* Computed in double, the parameters of an f32 call are doubles too, with the values of floats. */
static cl_int set_params(const clact_context *ctx, cl_kernel kernel, cl_uint index,
                         const clact__call *call)
{
    const clact_params *p = &call->params;
    const cl_double4 wide = {{p->alpha, p->beta, p->gamma, 0}};
    const cl_float4 narrow = {{(float)p->alpha, (float)p->beta, (float)p->gamma, 0}};
    return clact__computes_in_double(ctx, call->variant.dtype)
               ? clSetKernelArg(kernel, index, sizeof(wide), &wide)
               : clSetKernelArg(kernel, index, sizeof(narrow), &narrow);
}

/* Sets an integer, unless it is that of the last call. */
static cl_int set_integer(clact__kernel *kernel, cl_uint index, cl_ulong value)
{
    const unsigned bit = 1u << index;
    if ((kernel->known & bit) && kernel->last[index] == value)
        return CL_SUCCESS;
    const cl_int code = clSetKernelArg(kernel->kernel, index, sizeof(value), &value);
    kernel->last[index] = value;
    kernel->known = code == CL_SUCCESS ? kernel->known | bit : kernel->known & ~bit;
    return code;
}

static cl_int set_arguments(const clact_context *ctx, clact__kernel *kernel,
                            const clact__call *call, const grid *g)
{
    cl_uint index = 0;
    cl_int code = CL_SUCCESS;
    for (unsigned i = 0; i < call->operands && code == CL_SUCCESS; i++) {
        const clact_view *view = &call->views[i];
        const cl_ulong place[2] = {view->offset, view->stride};
        code = clSetKernelArg(kernel->kernel, index++, sizeof(cl_mem), &view->mem);
        for (unsigned k = 0; k < 2 && code == CL_SUCCESS; k++)
            code = set_integer(kernel, index++, place[k]);
    }
    const cl_ulong shape[4] = {g->rows, g->cols, g->row_span, g->col_span};
    for (unsigned k = 0; k < 4 && code == CL_SUCCESS; k++)
        code = set_integer(kernel, index++, shape[k]);
    if (call->variant.shape == CLACT__PREDICT) {
        const cl_long range[2] = {call->range.lowest, call->range.highest};
        for (unsigned k = 0; k < 2 && code == CL_SUCCESS; k++)
            code = set_integer(kernel, index++, (cl_ulong)range[k]);
    } else if (code == CL_SUCCESS && call->variant.op->parameters) {
        code = set_params(ctx, kernel->kernel, index, call);
    }
    return code;
}

/* Fills in the views of a call on nothing. */
static void empty_views(clact__call *call, cl_mem mem)
{
    for (unsigned i = 0; i < call->operands; i++)
        call->views[i] = clact_view_1d(mem, clact__operand_dtype(call, i), 0, 0);
}

/* Runs the kernel on an empty range and waits for that, on a queue where nothing else is waited
 * for. Says nothing of what goes wrong: no call needs it. */
static bool run_on_nothing(const clact_context *ctx, clact__kernel *kernel, clact__call call)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(ctx->cl, ctx->device, 0, &code);
    if (code != CL_SUCCESS)
        return false;
    cl_mem mem = clCreateBuffer(ctx->cl, CL_MEM_READ_WRITE, 1, NULL, &code);
    if (code == CL_SUCCESS) {
        empty_views(&call, mem);
        const grid g = cut(ctx, &call, kernel->group_size);
        code = set_arguments(ctx, kernel, &call, &g);
        if (code == CL_SUCCESS)
            code = clEnqueueNDRangeKernel(queue, kernel->kernel, 2, NULL, g.global, g.local, 0,
                                          NULL, NULL);
        const cl_int finished = clFinish(queue);
        code = code == CL_SUCCESS ? finished : code;
        clReleaseMemObject(mem);
    }
    clReleaseCommandQueue(queue);
    return code == CL_SUCCESS;
}

/*
 * Keeps a program that has just been compiled from source for other processes.
 *
 * This is done before the first launch and not when the program is built, because of drivers that
 * compile at a launch, for which the kernel is launched on nothing. PoCL's binary has what it has
 * compiled so far and, as it is asked for first, a kernel for work-groups of any size, which it
 * never uses where it knows the size. So a binary that is asked for too early leaves the next
 * process a sixth of a second of compiling. The kernel of any size takes PoCL about as long, a
 * fifth of the time that the first use takes anyway; each later process saves all of it.
 */
static void keep(const clact_context *ctx, clact__kernel *kernel, const clact__call *call)
{
    /* Nearly always it is not: to read that costs no thread another's cache line. */
    if (!atomic_load(&kernel->home->fresh) || !atomic_exchange(&kernel->home->fresh, false))
        return;
    if (!ctx->profile.compiles_late || run_on_nothing(ctx, kernel, *call))
        clact__program_keep(ctx, kernel->home);
}

clact_status clact__launch(clact_context *ctx, cl_command_queue queue, const clact__call *call,
                           cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    clact__kernel *kernel = NULL;
    clact_status status = clact__kernel_acquire(ctx, &call->variant, &kernel);
    if (status != CLACT_SUCCESS)
        return status;
    keep(ctx, kernel, call);
    const grid g = cut(ctx, call, kernel->group_size);
    const char *name = "clSetKernelArg";
    cl_int code = set_arguments(ctx, kernel, call, &g);
    if (code == CL_SUCCESS) {
        name = "clEnqueueNDRangeKernel";
        code = clEnqueueNDRangeKernel(queue, kernel->kernel, 2, NULL, g.global, g.local, n_wait,
                                      n_wait ? wait : NULL, event);
    }
    clact__kernel_release(kernel);
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, name);
}

clact_status clact__enqueue_nothing(const clact_context *ctx, cl_command_queue queue,
                                    cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    if (n_wait == 0 && !event)
        return CLACT_SUCCESS;
    const cl_int code = clEnqueueMarkerWithWaitList(queue, n_wait, n_wait ? wait : NULL, event);
    return code == CL_SUCCESS ? CLACT_SUCCESS
                              : clact__fail_cl(ctx, code, "clEnqueueMarkerWithWaitList");
}

/* The public calls. */

static clact_status enqueue(clact_context *ctx, cl_command_queue queue, clact__call *call,
                            cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    clact_status status = check_views(ctx, call);
    if (status == CLACT_SUCCESS)
        status = clact__wait_check(ctx, n_wait, wait);
    if (status == CLACT_SUCCESS)
        status = clact__queue_check(ctx, &queue);
    if (status != CLACT_SUCCESS)
        return status;
    if (clact__view_empty(call->views[0]))
        return clact__enqueue_nothing(ctx, queue, n_wait, wait, event);
    call->variant.streams = views_should_stream(ctx, call);
    call->variant.narrow = has_short_rows(ctx, call);
    return clact__launch(ctx, queue, call, n_wait, wait, event);
}

clact_status clact_enqueue_forward(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                   const clact_params *params, clact_view x, clact_view y,
                                   cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    clact__call call = {.views = {x, y}};
    const clact_status status = clact__call_begin(ctx, op, params, CLACT__FORWARD, x.dtype, &call);
    return status == CLACT_SUCCESS ? enqueue(ctx, queue, &call, n_wait, wait, event) : status;
}

clact_status clact_enqueue_backward(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                    const clact_params *params, clact_saved kind, clact_view grad,
                                    clact_view saved, clact_view dx, cl_uint n_wait,
                                    const cl_event *wait, cl_event *event)
{
    clact__call call = {.views = {grad, saved, dx}};
    const clact_status status =
        clact__call_begin(ctx, op, params, clact__direction_of(kind), grad.dtype, &call);
    return status == CLACT_SUCCESS ? enqueue(ctx, queue, &call, n_wait, wait, event) : status;
}

clact_status clact_enqueue_predict(clact_context *ctx, cl_command_queue queue, double threshold,
                                   clact_view logits, clact_view labels, cl_uint n_wait,
                                   const cl_event *wait, cl_event *event)
{
    clact__call call = {.views = {logits, labels}};
    const clact_status status = clact__predict_begin(ctx, logits.dtype, threshold, &call);
    return status == CLACT_SUCCESS ? enqueue(ctx, queue, &call, n_wait, wait, event) : status;
}

/* Launches on an empty range, with stores of either kind: drivers that compile at the first launch
 * do it here. */
static clact_status launch_empty(clact_context *ctx, clact__call *call, cl_mem mem)
{
    empty_views(call, mem);
    call->variant.streams = false;
    clact_status status = clact__launch(ctx, ctx->lanes.compute, call, 0, NULL, NULL);
    call->variant.streams = true;
    if (status == CLACT_SUCCESS && ctx->profile.stream_bytes != SIZE_MAX)
        status = clact__launch(ctx, ctx->lanes.compute, call, 0, NULL, NULL);
    return status;
}

/* The call in all directions of its operator; a predict has none. */
static clact_status launch_all_empty(clact_context *ctx, clact__call *call, cl_mem mem)
{
    if (call->variant.shape == CLACT__PREDICT)
        return launch_empty(ctx, call, mem);
    clact_status status = CLACT_SUCCESS;
    for (int d = 0; d < CLACT__DIRECTIONS && status == CLACT_SUCCESS; d++) {
        call->variant.direction = (clact__direction)d;
        call->operands = clact__inputs(call->variant.direction) + 1;
        if (clact__op_has(call->variant.op, call->variant.direction))
            status = launch_empty(ctx, call, mem);
    }
    return status;
}

static clact_status prepare(clact_context *ctx, clact__call *call)
{
    clact__block *block = NULL;
    clact_status status = clact__pool_acquire(ctx, 1, &block);
    if (status != CLACT_SUCCESS)
        return status;
    status = launch_all_empty(ctx, call, block->mem);
    /* Also after an error: what is enqueued uses the block. */
    const cl_int code = clFinish(ctx->lanes.compute);
    clact__pool_release(ctx, block);
    if (status == CLACT_SUCCESS && code != CL_SUCCESS)
        status = clact__fail_cl(ctx, code, "clFinish");
    return status;
}

clact_status clact_prepare(clact_context *ctx, clact_operator op, clact_dtype dtype)
{
    clact__call call = {.operands = 0};
    const clact_status status = clact__call_begin(ctx, op, NULL, CLACT__FORWARD, dtype, &call);
    return status == CLACT_SUCCESS ? prepare(ctx, &call) : status;
}

clact_status clact_prepare_predict(clact_context *ctx, clact_dtype dtype)
{
    clact__call call = {.operands = 0};
    const clact_status status = clact__predict_begin(ctx, dtype, 0.5, &call);
    return status == CLACT_SUCCESS ? prepare(ctx, &call) : status;
}
