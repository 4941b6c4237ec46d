/* SPDX-License-Identifier: MIT */
/* Device memory that is used again: an allocation costs far more than a small kernel. A block fits
 * only requests of its very size, which is what engines repeat, so that OpenCL's idea of a buffer's
 * size is the caller's, and a view past the end is caught. */
#include "internal.h"

#include <stdlib.h>

/* What each call would have to ask of OpenCL about its buffers. */

static size_t hash_of(cl_mem mem)
{
    const uint64_t spread = (uint64_t)(uintptr_t)mem * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(spread >> 32) % CLACT__OWNED_HASHES;
}

/* Replaces a buffer among those of the block's hash; NULL stands for room. */
static void replace_owned(clact__pool *pool, const clact__block *block, cl_mem old, cl_mem new)
{
    clact__owned *owned = pool->owned[hash_of(block->mem)];
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < CLACT__OWNED_ALIKE; i++)
        if (atomic_load(&owned[i].mem) == old) {
            /* In an order that lets readers notice that it is another buffer's size. */
            atomic_store(&owned[i].mem, NULL);
            atomic_store(&owned[i].bytes, block->bytes);
            atomic_store(&owned[i].mem, new);
            break;
        }
    pthread_mutex_unlock(&pool->lock);
}

size_t clact__pool_size_of(const clact_context *ctx, cl_mem mem)
{
    const clact__owned *owned = ctx->pool.owned[hash_of(mem)];
    for (int i = 0; i < CLACT__OWNED_ALIKE; i++)
        if (atomic_load(&owned[i].mem) == mem) {
            const size_t bytes = atomic_load(&owned[i].bytes);
            return atomic_load(&owned[i].mem) == mem ? bytes : 0;
        }
    return 0;
}

static void block_free(clact__pool *pool, clact__block *block)
{
    replace_owned(pool, block, block->mem, NULL);
    clReleaseMemObject(block->mem);
    free(block);
}

/* Blocks. */

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
    replace_owned(&ctx->pool, made, NULL, made->mem);
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
        block_free(pool, dropped);
        dropped = next;
    }
}

/* So many that a layer's sizes all fit, and so few that looking for one takes no time. */
enum { MOST_IDLE_BLOCKS = 64 };

void clact__pool_release(clact_context *ctx, clact__block *block)
{
    clact__pool *pool = &ctx->pool;
    if (block->bytes > pool->limit) {
        block_free(pool, block);
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
