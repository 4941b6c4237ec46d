/* SPDX-License-Identifier: MIT */
/* The host-array calls: any number of elements, in pieces, on the arrays themselves where the
 * device shares the host's memory, through three buffers in turn where it does not. */
#include "call.h"

#include <stdint.h>

/* A call on host arrays; arrays[i] is the operand views[i] of `call`, the output last. */
typedef struct job {
    clact__call call;
    size_t n;
    unsigned char *arrays[3]; /* the inputs are never written through it */
} job;

/* Of an element of operand i. */
static size_t size_of(const job *j, unsigned i)
{
    return clact__dtype_size(clact__operand_dtype(&j->call, i));
}

/* So many elements of every operand are at most so many bytes; no operand has larger elements than
 * the first. */
static size_t elements_in(const job *j, size_t bytes)
{
    return bytes / size_of(j, 0);
}

/* Checks. */

clact_status clact__array_check(const clact_context *ctx, const char *name, const void *array,
                                size_t n, size_t size)
{
    const uintptr_t start = (uintptr_t)array;
    if (!start)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%s is NULL", name);
    if (start % size != 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "%s is not aligned to its elements of %zu bytes", name, size);
    if (n > PTRDIFF_MAX / size || n > (UINTPTR_MAX - start) / size)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "%zu elements from %s on do not fit in memory", n, name);
    return CLACT_SUCCESS;
}

/* Whether two operands share memory without being the same. */
static bool overlap_partly(const job *j, unsigned a, unsigned b)
{
    const uintptr_t x = (uintptr_t)j->arrays[a], y = (uintptr_t)j->arrays[b];
    if (x == y && size_of(j, a) == size_of(j, b))
        return false;
    return x < y ? y - x < j->n * size_of(j, a) : x - y < j->n * size_of(j, b);
}

static clact_status check_arrays(const clact_context *ctx, const job *j)
{
    const unsigned output = j->call.operands - 1;
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i <= output && status == CLACT_SUCCESS; i++)
        status = clact__array_check(ctx, j->call.roles[i].name, j->arrays[i], j->n, size_of(j, i));
    if (status != CLACT_SUCCESS)
        return status;
    for (unsigned i = 0; i < output; i++)
        if (overlap_partly(j, i, output))
            return clact__fail(ctx, CLACT_OVERLAP,
                               "the output overlaps %s without being equal to it",
                               j->call.roles[i].name);
    return CLACT_SUCCESS;
}

/* Sharing. */

/* Wraps `count` elements of the arrays in buffers without copying; operands that are the same array
 * get the same buffer, as two over one range of memory would be undefined. */
static clact_status wrap(const clact_context *ctx, const job *j, size_t start, size_t count,
                         cl_mem mems[3])
{
    const unsigned output = j->call.operands - 1;
    /* The output first, so that an input that is also the output finds it. */
    for (unsigned k = 0; k <= output; k++) {
        const unsigned i = output - k;
        for (unsigned other = i + 1; other <= output && !mems[i]; other++)
            if (j->arrays[other] == j->arrays[i] && clRetainMemObject(mems[other]) == CL_SUCCESS)
                mems[i] = mems[other];
        if (mems[i])
            continue;
        cl_int code = CL_SUCCESS;
        const cl_mem_flags access = i == output ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY;
        mems[i] = clCreateBuffer(ctx->cl, access | CL_MEM_USE_HOST_PTR, count * size_of(j, i),
                                 j->arrays[i] + start * size_of(j, i), &code);
        if (code != CL_SUCCESS)
            return clact__fail_cl(ctx, code, "clCreateBuffer");
    }
    return CLACT_SUCCESS;
}

clact_status clact__make_visible(const clact_context *ctx, cl_mem mem, size_t bytes)
{
    cl_int code = CL_SUCCESS;
    cl_event done = NULL;
    const char *name = "clEnqueueMapBuffer";
    void *mapped = clEnqueueMapBuffer(ctx->lanes.compute, mem, CL_FALSE, CL_MAP_READ, 0, bytes, 0,
                                      NULL, NULL, &code);
    if (code == CL_SUCCESS) {
        name = "clEnqueueUnmapMemObject";
        code = clEnqueueUnmapMemObject(ctx->lanes.compute, mem, mapped, 0, NULL, &done);
    }
    if (code == CL_SUCCESS) {
        name = "clWaitForEvents";
        code = clWaitForEvents(1, &done);
        clReleaseEvent(done);
    }
    if (code == CL_SUCCESS)
        return CLACT_SUCCESS;
    clFinish(ctx->lanes.compute); /* the arrays must not be in use once the caller has them back */
    return clact__fail_cl(ctx, code, name);
}

static clact_status share_piece(clact_context *ctx, job *j, size_t start, size_t count)
{
    const unsigned output = j->call.operands - 1;
    cl_mem mems[3] = {NULL, NULL, NULL};
    clact_status status = wrap(ctx, j, start, count, mems);
    clact_view views[3];
    clact__call_view(&j->call, 1, count, mems, views);
    if (status == CLACT_SUCCESS)
        status = clact__launch(ctx, ctx->lanes.compute, &j->call, 0, NULL, NULL);
    if (status == CLACT_SUCCESS)
        status = clact__make_visible(ctx, mems[output], count * size_of(j, output));
    for (unsigned i = 0; i <= output; i++)
        if (mems[i])
            clReleaseMemObject(mems[i]);
    return status;
}

static clact_status run_shared(clact_context *ctx, job *j)
{
    const size_t piece = elements_in(j, ctx->profile.largest_bytes);
    const unsigned output = j->call.operands - 1;
    bool in_place = false;
    for (unsigned i = 0; i < output; i++)
        in_place = in_place || j->arrays[i] == j->arrays[output];
    /* One decision for all pieces, so that the first has compiled what the last needs. */
    j->call.rows = 1;
    j->call.cols = j->n;
    j->call.variant.streams = !in_place && clact__moves_much(ctx, &j->call);
    clact_status status = CLACT_SUCCESS;
    for (size_t start = 0; start < j->n && status == CLACT_SUCCESS; start += piece)
        status = share_piece(ctx, j, start, j->n - start < piece ? j->n - start : piece);
    return status;
}

/* Copying. */

/* While one piece is computed the next goes up and the last comes down. */
enum { SLOTS = 3 };

typedef struct slot {
    clact__block *blocks[3]; /* of the operands; the output has one of its own if writes_apart() */
    cl_event written[2];
    cl_event computed;
    cl_event read;
} slot;

/* The kernel writes its output over the first input, where the elements are of one size. */
static bool writes_apart(const job *j)
{
    return size_of(j, j->call.operands - 1) != size_of(j, 0);
}

static cl_command_queue new_queue(const clact_context *ctx, cl_int *code)
{
    return *code == CL_SUCCESS ? clCreateCommandQueue(ctx->cl, ctx->device, 0, code) : NULL;
}

/* Three in-order queues, so that the three directions of work do not wait for each other. */
static clact_status get_lanes(clact_context *ctx, clact__lanes *lanes)
{
    cl_int code = CL_SUCCESS;
    pthread_mutex_lock(&ctx->lanes_lock);
    if (!ctx->lanes.up)
        ctx->lanes.up = new_queue(ctx, &code);
    if (!ctx->lanes.down)
        ctx->lanes.down = new_queue(ctx, &code);
    *lanes = ctx->lanes;
    pthread_mutex_unlock(&ctx->lanes_lock);
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, "clCreateCommandQueue");
}

static void release_event(cl_event *event)
{
    if (*event)
        clReleaseEvent(*event);
    *event = NULL;
}

static clact_status write_piece(const clact_context *ctx, const clact__lanes *lanes, const job *j,
                                size_t start, size_t count, slot *s)
{
    for (unsigned i = 0; i + 1 < j->call.operands; i++) {
        const size_t size = size_of(j, i);
        release_event(&s->written[i]);
        const cl_int code = clEnqueueWriteBuffer(
            lanes->up, s->blocks[i]->mem, CL_FALSE, 0, count * size, j->arrays[i] + start * size,
            s->read ? 1 : 0, s->read ? &s->read : NULL, &s->written[i]);
        if (code != CL_SUCCESS)
            return clact__fail_cl(ctx, code, "clEnqueueWriteBuffer");
    }
    return CLACT_SUCCESS;
}

/* Sends one piece on its way; nothing here waits. */
static clact_status start_piece(clact_context *ctx, const clact__lanes *lanes, job *j, size_t start,
                                size_t count, slot *s)
{
    const unsigned output = j->call.operands - 1;
    const size_t size = size_of(j, output);
    clact_status status = write_piece(ctx, lanes, j, start, count, s);
    if (status != CLACT_SUCCESS)
        return status;

    const cl_mem result = s->blocks[writes_apart(j) ? output : 0]->mem;
    cl_mem mems[3] = {NULL, NULL, NULL};
    for (unsigned i = 0; i <= output; i++)
        mems[i] = i == output ? result : s->blocks[i]->mem;
    clact_view views[3];
    clact__call_view(&j->call, 1, count, mems, views);
    clFlush(lanes->up);
    release_event(&s->computed);
    status = clact__launch(ctx, lanes->compute, &j->call, output, s->written, &s->computed);
    if (status != CLACT_SUCCESS)
        return status;

    clFlush(lanes->compute);
    release_event(&s->read);
    const cl_int code =
        clEnqueueReadBuffer(lanes->down, result, CL_FALSE, 0, count * size,
                            j->arrays[output] + start * size, 1, &s->computed, &s->read);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clEnqueueReadBuffer");
    clFlush(lanes->down);
    return CLACT_SUCCESS;
}

/* Waits for everything a slot has under way, also after an error, and gives back what it holds. */
static cl_int slot_end(clact_context *ctx, const clact__lanes *lanes, slot *s, bool failed)
{
    cl_int code = CL_SUCCESS;
    if (!failed && s->read)
        code = clWaitForEvents(1, &s->read);
    if (failed || code != CL_SUCCESS) {
        clFinish(lanes->up);
        clFinish(lanes->compute);
        clFinish(lanes->down);
    }
    release_event(&s->written[0]);
    release_event(&s->written[1]);
    release_event(&s->computed);
    release_event(&s->read);
    for (unsigned i = 0; i < 3; i++)
        if (s->blocks[i])
            clact__pool_release(ctx, s->blocks[i]);
    return code;
}

static clact_status run_pieces(clact_context *ctx, const clact__lanes *lanes, job *j, size_t piece,
                               slot slots[SLOTS])
{
    const unsigned blocks = j->call.operands - (writes_apart(j) ? 0 : 1);
    clact_status status = CLACT_SUCCESS;
    size_t turn = 0;
    for (size_t start = 0; start < j->n && status == CLACT_SUCCESS; start += piece, turn++) {
        slot *s = &slots[turn % SLOTS];
        const size_t count = j->n - start < piece ? j->n - start : piece;
        for (unsigned i = 0; i < blocks && status == CLACT_SUCCESS; i++)
            if (!s->blocks[i])
                status = clact__pool_acquire(ctx, count * size_of(j, i), &s->blocks[i]);
        if (status == CLACT_SUCCESS)
            status = start_piece(ctx, lanes, j, start, count, s);
    }
    return status;
}

static clact_status run_copied(clact_context *ctx, job *j)
{
    clact__lanes lanes;
    clact_status status = get_lanes(ctx, &lanes);
    if (status != CLACT_SUCCESS)
        return status;
    slot slots[SLOTS] = {0};
    status = run_pieces(ctx, &lanes, j, elements_in(j, ctx->profile.piece_bytes), slots);
    cl_int code = CL_SUCCESS;
    for (unsigned i = 0; i < SLOTS; i++) {
        const cl_int ended = slot_end(ctx, &lanes, &slots[i], status != CLACT_SUCCESS);
        if (code == CL_SUCCESS)
            code = ended;
    }
    if (status == CLACT_SUCCESS && code != CL_SUCCESS)
        status = clact__fail_cl(ctx, code, "clWaitForEvents");
    return status;
}

/* The public calls. */

static clact_status run(clact_context *ctx, job *j)
{
    if (j->n == 0)
        return CLACT_SUCCESS;
    const clact_status status = check_arrays(ctx, j);
    if (status != CLACT_SUCCESS)
        return status;
    /* Buffers over memory that they share in part would be undefined, so such inputs are copied. */
    if (ctx->profile.shares_memory && !(j->call.operands == 3 && overlap_partly(j, 0, 1)))
        return run_shared(ctx, j);
    return run_copied(ctx, j);
}

/* Inputs are const to the caller; OpenCL takes them through plain pointers, but only reads. */
static unsigned char *bytes_of(const void *array)
{
    return (unsigned char *)(uintptr_t)array;
}

clact_status clact_forward(clact_context *ctx, clact_operator op, const clact_params *params,
                           clact_dtype dtype, size_t n, const void *x, void *y)
{
    job j = {.n = n, .arrays = {bytes_of(x), y}};
    const clact_status status =
        clact__pointwise_begin(ctx, op, params, CLACT__FORWARD, dtype, &j.call);
    return status == CLACT_SUCCESS ? run(ctx, &j) : status;
}

clact_status clact_backward(clact_context *ctx, clact_operator op, const clact_params *params,
                            clact_dtype dtype, clact_saved kind, size_t n, const void *grad,
                            const void *saved, void *dx)
{
    job j = {.n = n, .arrays = {bytes_of(grad), bytes_of(saved), dx}};
    const clact_status status =
        clact__pointwise_begin(ctx, op, params, clact__direction_of(kind), dtype, &j.call);
    return status == CLACT_SUCCESS ? run(ctx, &j) : status;
}

clact_status clact_predict(clact_context *ctx, clact_dtype dtype, double threshold, size_t n,
                           const void *logits, unsigned char *labels)
{
    job j = {.n = n, .arrays = {bytes_of(logits), labels}};
    const clact_status status = clact__predict_begin(ctx, dtype, threshold, &j.call);
    return status == CLACT_SUCCESS ? run(ctx, &j) : status;
}
