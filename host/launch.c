/* SPDX-License-Identifier: MIT */
/* The one way to a kernel: cut the work, set the arguments, enqueue. */
#include "call.h"

#include <stdint.h>

/* Work. */

size_t clact__group_across(const clact_context *ctx, size_t largest_group, size_t across)
{
    const clact__profile *profile = &ctx->profile;
    const size_t most = clact__at_most(clact__at_most(profile->group_size, largest_group),
                                       profile->largest_group[0]);
    size_t items = 1;
    while (items * 2 <= most && items < across)
        items *= 2;
    return items;
}

clact__grid clact__cut(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    const clact__profile *profile = &ctx->profile;
    const size_t elements = call->rows * call->cols; /* cannot overflow: they fit in a buffer */
    const bool in_one = clact__is_one_row(call);
    const size_t rows = in_one ? clact__at_most(elements, 1) : call->rows;
    const size_t cols = in_one ? elements : call->cols;
    const size_t width = clact__vector_width(ctx, call->variant.dtype, call->variant.narrow);

    const size_t wanted =
        clact__at_least(profile->item_elements, clact__divide_up(elements, profile->items));
    const size_t span =
        clact__divide_up(clact__at_least(1, clact__at_most(wanted, cols)), width) * width;
    const size_t row_span = clact__at_least(clact__at_least(1, wanted / clact__at_least(1, cols)),
                                            clact__divide_up(rows, CLACT__MOST_DOWN));
    const size_t across = clact__at_least(1, clact__divide_up(cols, span));
    const size_t down = clact__at_least(1, clact__divide_up(rows, row_span));

    /* A group spans columns first, as neighbours there share cache lines, then rows. */
    const size_t group = clact__at_most(profile->group_size, largest_group);
    const size_t local = clact__group_across(ctx, largest_group, across);
    const size_t local_rows = clact__at_least(
        1, clact__at_most(clact__at_most(group / local, down), profile->largest_group[1]));
    return (clact__grid){
        .global = {clact__divide_up(across, local) * local,
                   clact__divide_up(down, local_rows) * local_rows},
        .local = {local, local_rows},
        .rows = rows,
        .cols = cols,
        .row_span = row_span,
        .col_span = span,
    };
}

/* Sets an integer, unless it is that of the last call. */
static cl_int set_integer(clact__kernel *kernel, cl_uint index, cl_ulong value)
{
    if (kernel->known && kernel->last[index] == value)
        return CL_SUCCESS;
    kernel->last[index] = value;
    return clSetKernelArg(kernel->kernel, index, sizeof(value), &value);
}

static cl_int set_operands(clact__kernel *kernel, const clact__call *call, cl_uint *index)
{
    cl_int code = CL_SUCCESS;
    for (unsigned i = 0; i < call->operands && code == CL_SUCCESS; i++) {
        /* A kernel does not look at an operand that is left out; a buffer it gets all the same. */
        const clact_view *view = &call->views[clact__call_has(call, i) ? i : 0];
        const cl_ulong place[2] = {view->offset, view->stride};
        code = clSetKernelArg(kernel->kernel, (*index)++, sizeof(cl_mem), &view->mem);
        for (unsigned k = 0; k < 2 && code == CL_SUCCESS; k++)
            code = set_integer(kernel, (*index)++, place[k]);
    }
    return code;
}

static cl_int set_arguments(clact__kernel *kernel, const clact__call *call, const clact__grid *g)
{
    cl_uint index = 0;
    cl_int code = set_operands(kernel, call, &index);
    const cl_ulong shape[4] = {g->rows, g->cols, g->row_span, g->col_span};
    for (unsigned k = 0; k < 4 && code == CL_SUCCESS; k++)
        code = set_integer(kernel, index++, shape[k]);
    for (unsigned k = 0; k < call->scalars && code == CL_SUCCESS; k++, index++)
        code = call->scalar[k].size == sizeof(cl_ulong)
                   ? set_integer(kernel, index, call->scalar[k].value.integer)
                   : clSetKernelArg(kernel->kernel, index, call->scalar[k].size,
                                    &call->scalar[k].value);
    kernel->known = code == CL_SUCCESS;
    return code;
}

static clact__grid grid_of(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    const clact__shape *shape = call->variant.shape;
    return (shape->cut ? shape->cut : clact__cut)(ctx, call, largest_group);
}

/* Makes it a call on nothing. */
static void empty_views(clact__call *call, cl_mem mem, clact_view views[CLACT__OPERANDS])
{
    cl_mem mems[CLACT__OPERANDS];
    for (unsigned i = 0; i < call->operands; i++)
        mems[i] = mem;
    clact__call_view(call, 0, 0, mems, views);
}

/* Runs the kernel on an empty range and waits for that, on a queue where nothing else is waited
 * for. Says nothing of what goes wrong: no call needs it. */
CLACT__RARE static bool run_on_nothing(const clact_context *ctx, clact__kernel *kernel,
                                       const clact__call *call)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(ctx->cl, ctx->device, 0, &code);
    if (code != CL_SUCCESS)
        return false;
    cl_mem mem = clCreateBuffer(ctx->cl, CL_MEM_READ_WRITE, 1, NULL, &code);
    if (code == CL_SUCCESS) {
        clact__call nothing = *call;
        clact_view views[CLACT__OPERANDS];
        empty_views(&nothing, mem, views);
        const clact__grid g = grid_of(ctx, &nothing, kernel->group_size);
        code = set_arguments(kernel, &nothing, &g);
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
    if (!ctx->profile.compiles_late || run_on_nothing(ctx, kernel, call))
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
    const clact__grid g = grid_of(ctx, call, kernel->group_size);
    const char *name = "clSetKernelArg";
    cl_int code = set_arguments(kernel, call, &g);
    if (code == CL_SUCCESS) {
        name = "clEnqueueNDRangeKernel";
        code = clEnqueueNDRangeKernel(queue, kernel->kernel, 2, NULL, g.global, g.local, n_wait,
                                      n_wait ? wait : NULL, event);
    }
    clact__kernel_release(kernel);
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, name);
}

/* By the first's event, as the queue may be out of order. */
clact_status clact__launch_two(clact_context *ctx, cl_command_queue queue, const clact__call *first,
                               const clact__call *second, cl_uint n_wait, const cl_event *wait,
                               cl_event *event)
{
    cl_event done = NULL;
    clact_status status = clact__launch(ctx, queue, first, n_wait, wait, &done);
    if (status != CLACT_SUCCESS)
        return status;
    status = clact__launch(ctx, queue, second, 1, &done, event);
    clReleaseEvent(done);
    return status;
}

/* OpenCL keeps the memory until the commands that use it are done. */
clact_status clact__partials_create(clact_context *ctx, clact_dtype dtype, size_t pairs,
                                    cl_mem *partials)
{
    const size_t real = clact__computes_in_double(ctx, dtype) ? sizeof(double) : sizeof(float);
    return clact__mem_create(ctx, CL_MEM_READ_WRITE | CL_MEM_HOST_NO_ACCESS, pairs * 2 * real,
                             partials);
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

/* Ahead of use. */

static clact_status launch_empty(clact_context *ctx, clact__call *call, cl_mem mem)
{
    clact_view views[CLACT__OPERANDS];
    empty_views(call, mem, views);
    call->variant.streams = false;
    clact_status status = clact__launch(ctx, ctx->lanes.compute, call, 0, NULL, NULL);
    call->variant.streams = call->variant.shape->streams;
    if (status == CLACT_SUCCESS && call->variant.streams && ctx->profile.stream_bytes != SIZE_MAX)
        status = clact__launch(ctx, ctx->lanes.compute, call, 0, NULL, NULL);
    return status;
}

clact_status clact__prepare(clact_context *ctx, const clact__call *call)
{
    clact__block *block = NULL;
    clact_status status = clact__pool_acquire(ctx, 1, &block);
    if (status != CLACT_SUCCESS)
        return status;
    clact__call nothing = *call;
    status = launch_empty(ctx, &nothing, block->mem);
    /* Also after an error: what is enqueued uses the block. */
    const cl_int code = clFinish(ctx->lanes.compute);
    clact__pool_release(ctx, block);
    if (status == CLACT_SUCCESS && code != CL_SUCCESS)
        status = clact__fail_cl(ctx, code, "clFinish");
    return status;
}
