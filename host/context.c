/* SPDX-License-Identifier: MIT */
/* Contexts: made, shared by reference, unmade. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const clact_options default_options;

/* The locks are made first and together, so that unmaking never has to ask which exist. */
static bool init_locks(clact_context *ctx)
{
    if (pthread_mutex_init(&ctx->pool.lock, NULL) != 0)
        return false;
    if (pthread_mutex_init(&ctx->lanes_lock, NULL) == 0)
        return true;
    pthread_mutex_destroy(&ctx->pool.lock);
    return false;
}

static void release_queue(cl_command_queue queue)
{
    if (queue)
        clReleaseCommandQueue(queue);
}

static void context_free(clact_context *ctx)
{
    clact__programs_free(ctx);
    clact__imports_free(ctx);
    clact_context_trim(ctx);
    release_queue(ctx->lanes.up);
    release_queue(ctx->lanes.compute);
    release_queue(ctx->lanes.down);
    release_queue(ctx->queue);
    if (ctx->cl)
        clReleaseContext(ctx->cl);
    pthread_mutex_destroy(&ctx->pool.lock);
    pthread_mutex_destroy(&ctx->lanes_lock);
    free(ctx->build_options);
    free(ctx->cache_folder);
    free(ctx);
}

/* A context with everything that does not need a device. */
static clact_status context_begin(const clact_options *options, clact_context **ctx)
{
    clact_context *made = calloc(1, sizeof(*made));
    if (!made)
        return clact__fail(NULL, CLACT_OUT_OF_MEMORY, "out of host memory");
    if (!init_locks(made)) {
        free(made);
        return clact__fail(NULL, CLACT_OUT_OF_MEMORY, "no mutex could be made");
    }
    static atomic_uintmax_t contexts_made;
    made->id = atomic_fetch_add(&contexts_made, 1) + 1;
    atomic_init(&made->references, 1);
    made->log = options->log;
    made->log_user = options->log_user;
    const char *extra = options->build_options ? options->build_options : "";
    made->build_options = malloc(strlen(extra) + 1);
    if (!made->build_options) {
        const clact_status status = clact__fail(made, CLACT_OUT_OF_MEMORY, "out of host memory");
        context_free(made);
        return status;
    }
    strcpy(made->build_options, extra);
    made->cache_folder = clact__cache_folder(options->cache_dir);
    *ctx = made;
    return CLACT_SUCCESS;
}

/* What remains once made->cl and made->device are there. */
static clact_status context_finish(clact_context *ctx, const clact_options *options)
{
    const clact_status status = clact__device_profile(ctx, ctx->device, options, &ctx->profile);
    if (status != CLACT_SUCCESS)
        return status;
    /* A quarter GiB of idle memory is small on any device that computes, and saves the allocations
     * of a steady stream of calls. */
    ctx->pool.limit = options->pool_bytes ? options->pool_bytes : (size_t)256 << 20;
    cl_int code = CL_SUCCESS;
    ctx->queue = clCreateCommandQueue(ctx->cl, ctx->device, 0, &code);
    if (code == CL_SUCCESS)
        ctx->lanes.compute = clCreateCommandQueue(ctx->cl, ctx->device, 0, &code);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clCreateCommandQueue");
    return CLACT_SUCCESS;
}

static clact_status own_context(clact_context *ctx, const clact_options *options)
{
    const clact_status status = clact__device_choose(ctx, options->device, &ctx->device);
    if (status != CLACT_SUCCESS)
        return status;
    cl_int code = CL_SUCCESS;
    ctx->cl = clCreateContext(NULL, 1, &ctx->device, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clCreateContext");
    return CLACT_SUCCESS;
}

/* Whether the device is one of the context's, into *found. */
static clact_status find_device(const clact_context *ctx, cl_context cl, cl_device_id device,
                                bool *found)
{
    size_t bytes = 0;
    cl_int code = clGetContextInfo(cl, CL_CONTEXT_DEVICES, 0, NULL, &bytes);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clGetContextInfo");
    cl_device_id *devices = malloc(bytes ? bytes : 1);
    if (!devices)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    code = clGetContextInfo(cl, CL_CONTEXT_DEVICES, bytes, devices, NULL);
    *found = false;
    for (size_t i = 0; code == CL_SUCCESS && i < bytes / sizeof(*devices); i++)
        *found |= devices[i] == device;
    free(devices);
    return code == CL_SUCCESS ? CLACT_SUCCESS : clact__fail_cl(ctx, code, "clGetContextInfo");
}

static clact_status wrap_context(clact_context *ctx, cl_context cl, cl_device_id device)
{
    bool found = false;
    const clact_status status = find_device(ctx, cl, device, &found);
    if (status != CLACT_SUCCESS)
        return status;
    if (!found)
        return clact__fail(ctx, CLACT_WRONG_CONTEXT, "the device is not one of the context's");
    if (!clact__device_usable(device))
        return clact__fail(ctx, CLACT_UNSUPPORTED,
                           "the device lacks OpenCL 1.2 (full profile), a compiler or rounding to "
                           "nearest");
    const cl_int code = clRetainContext(cl);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clRetainContext");
    ctx->cl = cl;
    ctx->device = device;
    return CLACT_SUCCESS;
}

/* With cl == NULL the context is the library's own. */
static clact_status create(cl_context cl, cl_device_id device, const clact_options *options,
                           clact_context **ctx)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    if (!options)
        options = &default_options;
    clact_context *made = NULL;
    clact_status status = context_begin(options, &made);
    if (status != CLACT_SUCCESS)
        return status;
    status = cl ? wrap_context(made, cl, device) : own_context(made, options);
    if (status == CLACT_SUCCESS)
        status = context_finish(made, options);
    if (status != CLACT_SUCCESS) {
        context_free(made);
        return status;
    }
    *ctx = made;
    return CLACT_SUCCESS;
}

clact_status clact_context_create(const clact_options *options, clact_context **ctx)
{
    return create(NULL, NULL, options, ctx);
}

clact_status clact_context_create_from_cl(cl_context context, cl_device_id device,
                                          const clact_options *options, clact_context **ctx)
{
    if (!context || !device)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "context or device is NULL");
    return create(context, device, options, ctx);
}

void clact__context_retain(clact_context *ctx)
{
    atomic_fetch_add(&ctx->references, 1);
}

void clact__context_release(clact_context *ctx)
{
    if (atomic_fetch_sub(&ctx->references, 1) == 1)
        context_free(ctx);
}

void clact_context_destroy(clact_context *ctx)
{
    if (ctx)
        clact__context_release(ctx);
}

cl_context clact_context_cl(const clact_context *ctx)
{
    return ctx ? ctx->cl : NULL;
}

cl_device_id clact_context_device(const clact_context *ctx)
{
    return ctx ? ctx->device : NULL;
}

cl_command_queue clact_context_queue(const clact_context *ctx)
{
    return ctx ? ctx->queue : NULL;
}
