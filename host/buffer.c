/* SPDX-License-Identifier: MIT */
/* Buffers that the library owns, and the ways in and out of them. */
#include "call.h"

#include <stdlib.h>

struct clact_buffer {
    clact_context *ctx; /* with a reference */
    clact__block *block;
    size_t bytes; /* as asked for; the block has at least one */
};

clact_status clact_buffer_create(clact_context *ctx, size_t bytes, clact_buffer **buffer)
{
    if (!ctx || !buffer)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "ctx or buffer is NULL");
    clact_buffer *made = malloc(sizeof(*made));
    if (!made)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    const clact_status status = clact__pool_acquire(ctx, bytes, &made->block);
    if (status != CLACT_SUCCESS) {
        free(made);
        return status;
    }
    clact__context_retain(ctx);
    made->ctx = ctx;
    made->bytes = bytes;
    *buffer = made;
    return CLACT_SUCCESS;
}

void clact_buffer_destroy(clact_buffer *buffer)
{
    if (!buffer)
        return;
    clact__pool_release(buffer->ctx, buffer->block);
    clact__context_release(buffer->ctx);
    free(buffer);
}

size_t clact_buffer_size(const clact_buffer *buffer)
{
    return buffer ? buffer->bytes : 0;
}

cl_mem clact_buffer_mem(const clact_buffer *buffer)
{
    return buffer ? buffer->block->mem : NULL;
}

clact_view clact_buffer_view(const clact_buffer *buffer, clact_dtype dtype, size_t offset, size_t n)
{
    return clact_view_1d(buffer ? buffer->block->mem : NULL, dtype, offset, n);
}

/* What every call below checks before it enqueues anything. */
static clact_status check(const clact_buffer *buffer, cl_command_queue *queue, size_t offset,
                          size_t bytes, const void *pointer, cl_uint n_wait, const cl_event *wait)
{
    if (!buffer)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "buffer is NULL");
    const clact_context *ctx = buffer->ctx;
    if (!pointer && bytes > 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "the pointer is NULL");
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return clact__fail(ctx, CLACT_OUT_OF_BOUNDS,
                           "%zu bytes from byte %zu reach past the buffer's %zu bytes", bytes,
                           offset, buffer->bytes);
    clact_status status = clact__wait_check(ctx, n_wait, wait);
    if (status == CLACT_SUCCESS)
        status = clact__queue_check(ctx, queue);
    return status;
}

/* The two copies differ in the OpenCL call and the pointer's constness alone. */
static clact_status transfer(clact_buffer *buffer, cl_command_queue queue, cl_bool blocking,
                             size_t offset, size_t bytes, const void *source, void *destination,
                             cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    const clact_status status =
        check(buffer, &queue, offset, bytes, source ? source : destination, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    if (bytes == 0)
        return clact__enqueue_nothing(buffer->ctx, queue, n_wait, wait, event);
    const cl_mem mem = buffer->block->mem;
    const cl_int code = source
                            ? clEnqueueWriteBuffer(queue, mem, blocking, offset, bytes, source,
                                                   n_wait, n_wait ? wait : NULL, event)
                            : clEnqueueReadBuffer(queue, mem, blocking, offset, bytes, destination,
                                                  n_wait, n_wait ? wait : NULL, event);
    if (code != CL_SUCCESS)
        return clact__fail_cl(buffer->ctx, code,
                              source ? "clEnqueueWriteBuffer" : "clEnqueueReadBuffer");
    return CLACT_SUCCESS;
}

clact_status clact_buffer_write(clact_buffer *buffer, size_t offset, size_t bytes,
                                const void *source)
{
    return transfer(buffer, NULL, CL_TRUE, offset, bytes, source, NULL, 0, NULL, NULL);
}

clact_status clact_buffer_read(clact_buffer *buffer, size_t offset, size_t bytes, void *destination)
{
    return transfer(buffer, NULL, CL_TRUE, offset, bytes, NULL, destination, 0, NULL, NULL);
}

clact_status clact_buffer_enqueue_write(clact_buffer *buffer, cl_command_queue queue, size_t offset,
                                        size_t bytes, const void *source, cl_uint n_wait,
                                        const cl_event *wait, cl_event *event)
{
    return transfer(buffer, queue, CL_FALSE, offset, bytes, source, NULL, n_wait, wait, event);
}

clact_status clact_buffer_enqueue_read(clact_buffer *buffer, cl_command_queue queue, size_t offset,
                                       size_t bytes, void *destination, cl_uint n_wait,
                                       const cl_event *wait, cl_event *event)
{
    return transfer(buffer, queue, CL_FALSE, offset, bytes, NULL, destination, n_wait, wait, event);
}

static clact_status map(clact_buffer *buffer, cl_command_queue queue, cl_bool blocking,
                        cl_map_flags flags, size_t offset, size_t bytes, cl_uint n_wait,
                        const cl_event *wait, cl_event *event, void **pointer)
{
    const clact_status status =
        check(buffer, &queue, offset, bytes, (const void *)pointer, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    if (!pointer || bytes == 0)
        return clact__fail(buffer->ctx, CLACT_INVALID_ARGUMENT, "pointer is NULL or bytes is 0");
    /* Not every driver checks them. */
    const cl_map_flags keeping = CL_MAP_READ | CL_MAP_WRITE;
    if (flags != CL_MAP_WRITE_INVALIDATE_REGION && (flags == 0 || (flags & ~keeping) != 0))
        return clact__fail(buffer->ctx, CLACT_INVALID_ARGUMENT,
                           "the map flags are unknown or exclude each other");
    cl_int code = CL_SUCCESS;
    void *mapped = clEnqueueMapBuffer(queue, buffer->block->mem, blocking, flags, offset, bytes,
                                      n_wait, n_wait ? wait : NULL, event, &code);
    if (code != CL_SUCCESS)
        return clact__fail_cl(buffer->ctx, code, "clEnqueueMapBuffer");
    *pointer = mapped;
    return CLACT_SUCCESS;
}

clact_status clact_buffer_map(clact_buffer *buffer, cl_map_flags flags, size_t offset, size_t bytes,
                              void **pointer)
{
    return map(buffer, NULL, CL_TRUE, flags, offset, bytes, 0, NULL, NULL, pointer);
}

clact_status clact_buffer_enqueue_map(clact_buffer *buffer, cl_command_queue queue,
                                      cl_map_flags flags, size_t offset, size_t bytes,
                                      cl_uint n_wait, const cl_event *wait, cl_event *event,
                                      void **pointer)
{
    return map(buffer, queue, CL_FALSE, flags, offset, bytes, n_wait, wait, event, pointer);
}

clact_status clact_buffer_enqueue_unmap(clact_buffer *buffer, cl_command_queue queue, void *pointer,
                                        cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    const clact_status status = check(buffer, &queue, 0, 0, pointer, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    if (!pointer)
        return clact__fail(buffer->ctx, CLACT_INVALID_ARGUMENT, "pointer is NULL");
    const cl_int code = clEnqueueUnmapMemObject(queue, buffer->block->mem, pointer, n_wait,
                                                n_wait ? wait : NULL, event);
    if (code == CL_INVALID_VALUE)
        return clact__fail_text(buffer->ctx, CLACT_INVALID_ARGUMENT, code,
                                "the pointer is not one that a map of this buffer gave");
    if (code != CL_SUCCESS)
        return clact__fail_cl(buffer->ctx, code, "clEnqueueUnmapMemObject");
    return CLACT_SUCCESS;
}

clact_status clact_buffer_unmap(clact_buffer *buffer, void *pointer)
{
    cl_event event = NULL;
    const clact_status status = clact_buffer_enqueue_unmap(buffer, NULL, pointer, 0, NULL, &event);
    if (status != CLACT_SUCCESS)
        return status;
    const cl_int code = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return code == CL_SUCCESS ? CLACT_SUCCESS
                              : clact__fail_cl(buffer->ctx, code, "clWaitForEvents");
}
