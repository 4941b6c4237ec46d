/* SPDX-License-Identifier: MIT */
/* The host-array calls on matrices: any operands, as many rows at once as the device takes, on the
 * arrays themselves where the device shares the host's memory, through buffers where it does not. */
#include "call.h"

#include <stdint.h>

typedef struct matrices {
    clact__call call; /* its rows are those of a piece */
    clact_view views[CLACT__OPERANDS];
    size_t rows; /* of all */
    unsigned char *arrays[CLACT__OPERANDS];
    cl_mem mems[CLACT__OPERANDS];
    clact__block *blocks[CLACT__OPERANDS];
    clact__enqueuer *enqueue;
} matrices;

static bool has(const matrices *m, unsigned i)
{
    return m->arrays[i] != NULL;
}

/* Of a row of operand i. */
static size_t row_bytes(const matrices *m, unsigned i)
{
    return clact__operand_cols(&m->call, i) * clact__dtype_size(clact__operand_dtype(&m->call, i));
}

/* Of operand i in the piece. */
static size_t bytes_of(const matrices *m, unsigned i)
{
    return clact__operand_rows(&m->call, i) * row_bytes(m, i);
}

/* Where the piece of operand i starts, of that from row `start` on. */
static unsigned char *piece_of(const matrices *m, unsigned i, size_t start)
{
    return m->arrays[i] + (m->call.roles[i].rows ? start * row_bytes(m, i) : 0);
}

/* Checks. */

/* Whether two operands share memory; equal ones do. */
static bool overlap(const matrices *m, unsigned a, unsigned b)
{
    const uintptr_t x = (uintptr_t)m->arrays[a], y = (uintptr_t)m->arrays[b];
    return x < y ? y - x < bytes_of(m, a) : x - y < bytes_of(m, b);
}

static bool equal(const matrices *m, unsigned a, unsigned b)
{
    return m->arrays[a] == m->arrays[b] && bytes_of(m, a) == bytes_of(m, b);
}

static clact_status check_operand(const clact_context *ctx, const matrices *m, unsigned i)
{
    const clact__role *role = &m->call.roles[i];
    if (!has(m, i) && role->optional)
        return CLACT_SUCCESS;
    const size_t rows = clact__operand_rows(&m->call, i);
    if (m->call.cols > SIZE_MAX / rows / (role->cols ? role->cols : 1))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%s is too large for memory", role->name);
    return clact__array_check(ctx, role->name, m->arrays[i],
                              rows * clact__operand_cols(&m->call, i),
                              clact__dtype_size(clact__operand_dtype(&m->call, i)));
}

static clact_status check_operands(const clact_context *ctx, const matrices *m)
{
    const clact__role *roles = m->call.roles;
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++)
        status = check_operand(ctx, m, i);
    for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++)
        for (unsigned k = 0; k < m->call.operands && status == CLACT_SUCCESS; k++)
            if (roles[i].output && k != i && has(m, i) && has(m, k) && overlap(m, i, k) &&
                !(equal(m, i, k) && clact__may_be_equal(&roles[i], &roles[k])))
                status =
                    clact__fail(ctx, CLACT_OVERLAP, "%s overlaps %s", roles[i].name, roles[k].name);
    return status;
}

/* Buffers over memory that they share in part would be undefined, so such inputs are copied. */
static bool can_share(const clact_context *ctx, const matrices *m)
{
    for (unsigned i = 0; i < m->call.operands; i++)
        for (unsigned k = 0; k < i; k++)
            if (has(m, i) && has(m, k) && overlap(m, i, k) && !equal(m, i, k))
                return false;
    return ctx->profile.shares_memory;
}

/* How many rows at once fit; 0 if not even one does, or not all where they have to. What is copied is
 * in pieces so small, if it is in pieces, that those of all operands fit beside each other. */
static size_t rows_at_once(const clact_context *ctx, const matrices *m, bool shared)
{
    size_t most = m->rows, wanted = m->rows;
    bool all = false;
    for (unsigned i = 0; i < m->call.operands; i++) {
        if (!has(m, i))
            continue;
        if (m->call.roles[i].rows) {
            most = clact__at_most(most, ctx->profile.largest_bytes / row_bytes(m, i));
            wanted = clact__at_most(wanted, ctx->profile.piece_bytes / row_bytes(m, i));
        } else if (row_bytes(m, i) > ctx->profile.largest_bytes) {
            return 0;
        } else if (m->call.roles[i].output) {
            all = true;
        }
    }
    if (all)
        return most < m->rows ? 0 : most;
    return shared ? most : clact__at_most(most, clact__at_least(1, wanted));
}

/* Sharing. */

/* Operands that are the same array get the same buffer. */
static clact_status wrap(const clact_context *ctx, matrices *m, unsigned i, size_t start)
{
    for (unsigned k = 0; k < m->call.operands; k++)
        if (m->mems[k] && equal(m, i, k) && clRetainMemObject(m->mems[k]) == CL_SUCCESS) {
            m->mems[i] = m->mems[k];
            return CLACT_SUCCESS;
        }
    cl_int code = CL_SUCCESS;
    const cl_mem_flags access = m->call.roles[i].output ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY;
    m->mems[i] = clCreateBuffer(ctx->cl, access | CL_MEM_USE_HOST_PTR, bytes_of(m, i),
                                piece_of(m, i, start), &code);
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, "clCreateBuffer");
}

static clact_status share_piece(clact_context *ctx, matrices *m, size_t start)
{
    clact_status status = CLACT_SUCCESS;
    /* The outputs first, so that an input that is also one finds a buffer that may be written. */
    for (int output = 1; output >= 0; output--)
        for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++)
            if (m->call.roles[i].output == output && has(m, i))
                status = wrap(ctx, m, i, start);
    if (status == CLACT_SUCCESS) {
        clact__call_view(&m->call, m->call.rows, m->call.cols, m->mems, m->views);
        status = m->enqueue(ctx, ctx->lanes.compute, &m->call, 0, NULL, NULL);
    }
    for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++)
        if (m->call.roles[i].output && has(m, i))
            status = clact__make_visible(ctx, m->mems[i], bytes_of(m, i));
    if (status != CLACT_SUCCESS)
        clFinish(ctx->lanes.compute); /* the arrays must not be in use once this has returned */
    for (unsigned i = 0; i < m->call.operands; i++) {
        if (m->mems[i])
            clReleaseMemObject(m->mems[i]);
        m->mems[i] = NULL;
    }
    return status;
}

/* Copying. */

static clact_status copy_piece(clact_context *ctx, matrices *m, size_t start)
{
    const cl_command_queue queue = ctx->lanes.compute;
    clact_status status = CLACT_SUCCESS;
    cl_int code = CL_SUCCESS;
    for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++) {
        if (has(m, i) && !m->blocks[i])
            status = clact__pool_acquire(ctx, bytes_of(m, i), &m->blocks[i]);
        if (status != CLACT_SUCCESS || !has(m, i))
            continue;
        m->mems[i] = m->blocks[i]->mem;
        if (!m->call.roles[i].output || m->call.roles[i].partial)
            code = clEnqueueWriteBuffer(queue, m->mems[i], CL_FALSE, 0, bytes_of(m, i),
                                        piece_of(m, i, start), 0, NULL, NULL);
        if (code != CL_SUCCESS)
            status = clact__fail_cl(ctx, code, "clEnqueueWriteBuffer");
    }
    if (status == CLACT_SUCCESS) {
        clact__call_view(&m->call, m->call.rows, m->call.cols, m->mems, m->views);
        status = m->enqueue(ctx, queue, &m->call, 0, NULL, NULL);
    }
    for (unsigned i = 0; i < m->call.operands && status == CLACT_SUCCESS; i++) {
        if (m->call.roles[i].output && has(m, i))
            code = clEnqueueReadBuffer(queue, m->mems[i], CL_FALSE, 0, bytes_of(m, i),
                                       piece_of(m, i, start), 0, NULL, NULL);
        if (code != CL_SUCCESS)
            status = clact__fail_cl(ctx, code, "clEnqueueReadBuffer");
    }
    code = clFinish(queue); /* also after an error: what is enqueued uses the arrays */
    return status == CLACT_SUCCESS && code != CL_SUCCESS ? clact__fail_cl(ctx, code, "clFinish")
                                                         : status;
}

static clact_status run(clact_context *ctx, matrices *m)
{
    clact_status status = check_operands(ctx, m);
    if (status != CLACT_SUCCESS)
        return status;
    const bool shared = can_share(ctx, m);
    const size_t piece = rows_at_once(ctx, m, shared);
    if (piece == 0)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY,
                           "the operands of %zu x %zu are larger than the device's allocations",
                           m->rows, m->call.cols);
    for (size_t start = 0; start < m->rows && status == CLACT_SUCCESS; start += piece) {
        m->call.rows = clact__at_most(piece, m->rows - start);
        status = shared ? share_piece(ctx, m, start) : copy_piece(ctx, m, start);
    }
    for (unsigned i = 0; i < m->call.operands; i++)
        if (m->blocks[i])
            clact__pool_release(ctx, m->blocks[i]);
    return status;
}

clact_status clact__matrix_run(clact_context *ctx, const clact__call *call,
                               const void *const arrays[], clact__enqueuer *enqueue)
{
    if (clact__call_empty(call))
        return CLACT_SUCCESS;
    matrices m = {.call = *call, .rows = call->rows, .enqueue = enqueue};
    /* Inputs are const to the caller; OpenCL takes them through plain pointers, but only reads. */
    for (unsigned i = 0; i < call->operands; i++)
        m.arrays[i] = (unsigned char *)(uintptr_t)arrays[i];
    return run(ctx, &m);
}
