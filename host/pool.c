/* SPDX-License-Identifier: MIT */
/* Device memory that is used again: an allocation costs far more than a small kernel. A block fits
 * only requests of its very size, which is what engines repeat, so that OpenCL's idea of a buffer's
 * size is the caller's, and a view past the end is caught. */
#include "internal.h"

#include <stdlib.h>

static void block_free(clact__block *block)
{
    clReleaseMemObject(block->mem);
    free(block);
}

/* The idle block of that size, unlinked; NULL if there is none. */
static clact__block *take_idle(clact__pool *pool, size_t bytes)
{
    clact__block *found = NULL;
    pthread_mutex_lock(&pool->lock);
    for (clact__block **link = &pool->idle; *link; link = &(*link)->next) {
        if ((*link)->bytes == bytes) {
            found = *link;
            *link = found->next;
            pool->idle_bytes -= bytes;
            pool->idle_blocks--;
            break;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return found;
}

/* On devices that share the host's memory this makes maps free; elsewhere it only hints. */
static cl_mem_flags flags_for(const clact_context *ctx)
{
    return CL_MEM_READ_WRITE | (ctx->profile.shares_memory ? CL_MEM_ALLOC_HOST_PTR : 0);
}

clact_status clact__mem_create(clact_context *ctx, cl_mem_flags flags, size_t bytes, cl_mem *mem)
{
    cl_int code = CL_SUCCESS;
    *mem = clCreateBuffer(ctx->cl, flags, bytes, NULL, &code);
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES) {
        clact_context_trim(ctx);
        *mem = clCreateBuffer(ctx->cl, flags, bytes, NULL, &code);
    }
    if (code == CL_INVALID_BUFFER_SIZE) /* more than the device's largest allocation */
        return clact__fail_text(ctx, CLACT_OUT_OF_MEMORY, code,
                                "the buffer is larger than the device can allocate at once");
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, "clCreateBuffer");
}

clact_status clact__pool_acquire(clact_context *ctx, size_t bytes, clact__block **block)
{
    if (bytes == 0)
        bytes = 1; /* OpenCL has no empty buffers */
    clact__block *made = take_idle(&ctx->pool, bytes);
    if (made) {
        *block = made;
        return CLACT_SUCCESS;
    }
    made = malloc(sizeof(*made));
    if (!made)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    const clact_status status = clact__mem_create(ctx, flags_for(ctx), bytes, &made->mem);
    if (status != CLACT_SUCCESS) {
        free(made);
        return status;
    }
    made->bytes = bytes;
    *block = made;
    return CLACT_SUCCESS;
}

/* Drops the blocks that have been idle longest until no more than `bytes` and `blocks` are kept. */
static void shrink(clact__pool *pool, size_t bytes, size_t blocks)
{
    pthread_mutex_lock(&pool->lock);
    clact__block **link = &pool->idle;
    for (; *link && blocks > 0 && (*link)->bytes <= bytes; link = &(*link)->next) {
        bytes -= (*link)->bytes;
        blocks--;
    }
    clact__block *dropped = *link;
    *link = NULL;
    for (clact__block *block = dropped; block; block = block->next) {
        pool->idle_bytes -= block->bytes;
        pool->idle_blocks--;
    }
    pthread_mutex_unlock(&pool->lock);

    while (dropped) {
        clact__block *next = dropped->next;
        block_free(dropped);
        dropped = next;
    }
}

/* So many that a layer's sizes all fit, and so few that looking for one takes no time. */
enum { MOST_IDLE_BLOCKS = 64 };

void clact__pool_release(clact_context *ctx, clact__block *block)
{
    clact__pool *pool = &ctx->pool;
    if (block->bytes > pool->limit) {
        block_free(block);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    block->next = pool->idle;
    pool->idle = block;
    pool->idle_bytes += block->bytes;
    pool->idle_blocks++;
    const bool over = pool->idle_bytes > pool->limit || pool->idle_blocks > MOST_IDLE_BLOCKS;
    pthread_mutex_unlock(&pool->lock);
    if (over)
        shrink(pool, pool->limit, MOST_IDLE_BLOCKS);
}

void clact_context_trim(clact_context *ctx)
{
    if (ctx)
        shrink(&ctx->pool, 0, 0);
}
