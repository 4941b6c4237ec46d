/* SPDX-License-Identifier: MIT */
/* Compiled kernels: one program per variant, built when first wanted, and a stock of kernel objects
 * of each, so that no two calls share one. */
#include "internal.h"
#include "kernels.h" /* the text of kernels/, made by the build */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char clact__kernels_digest[] = EMBEDDED_DIGEST;

static const char *const storage_names[CLACT__DTYPES] = {
#define XX(value, NAME, name, size) [CLACT__DTYPE_##NAME] = #NAME,
    CLACT_DTYPE_MAP(XX)
#undef XX
};

static int dtype_row(clact_dtype dtype)
{
    switch (dtype) {
#define XX(value, NAME, name, size)                                                                \
    case CLACT_##NAME:                                                                             \
        return CLACT__DTYPE_##NAME;
        CLACT_DTYPE_MAP(XX)
#undef XX
    default:
        return 0;
    }
}

size_t clact__vector_width(const clact_context *ctx, clact_dtype dtype, bool narrow)
{
    const clact__profile *profile = &ctx->profile;
    const size_t width =
        clact__at_most(profile->vector_width, profile->vector_bytes / clact__dtype_size(dtype));
    return narrow ? clact__at_most(width, 4) : width;
}

bool clact__computes_in_double(const clact_context *ctx, clact_dtype dtype)
{
    return dtype == CLACT_F64 || (dtype == CLACT_F32 && ctx->profile.doubles);
}

/* The compiler's options; the caller frees them. NULL when out of memory. No fast-math of any kind:
 * the kernels' error-free transformations and NaN handling rest on exact IEEE arithmetic. */
static char *build_options(const clact_context *ctx, const clact__variant *variant)
{
    const clact__profile *profile = &ctx->profile;
    const char *arithmetic = "";
    if (variant->dtype == CLACT_F64)
        arithmetic = " -DCLACT_PAIRS";
    else if (variant->dtype == CLACT_F32)
        arithmetic = profile->doubles ? " -DCLACT_DOUBLES" : " -DCLACT_PAIRS";
    char shape[CLACT__NAME_SIZE], name[CLACT__NAME_SIZE];
    variant->shape->name(variant, shape, name);
    static const char format[] = "-cl-std=CL1.2 -DCLACT_STORAGE_%s%s%s -DCLACT_WIDTH=%zu %s %s";
    char *text = NULL;
    int length = 0;
    for (int pass = 0; pass < 2; pass++) { /* the first measures */
        length = snprintf(text, (size_t)length, format, storage_names[dtype_row(variant->dtype)],
                          arithmetic, variant->streams ? " -DCLACT_STREAMS" : "",
                          clact__vector_width(ctx, variant->dtype, variant->narrow), shape,
                          ctx->build_options) +
                 1;
        if (!text && !(text = malloc((size_t)length)))
            return NULL;
    }
    return text;
}

/* The device compiler's log; the caller frees it. NULL if there is none. */
static char *build_log(const clact_context *ctx, cl_program program)
{
    size_t size = 0;
    if (clGetProgramBuildInfo(program, ctx->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) !=
        CL_SUCCESS)
        return NULL;
    char *log = calloc(size + 1, 1);
    if (log && clGetProgramBuildInfo(program, ctx->device, CL_PROGRAM_BUILD_LOG, size, log, NULL) !=
                   CL_SUCCESS) {
        free(log);
        return NULL;
    }
    return log;
}

/* clBuildProgram reports a rejected source by several codes; the build status says it for sure. */
static clact_status fail_build(const clact_context *ctx, cl_program program, cl_int code)
{
    cl_build_status built = CL_BUILD_NONE;
    if (clGetProgramBuildInfo(program, ctx->device, CL_PROGRAM_BUILD_STATUS, sizeof(built), &built,
                              NULL) != CL_SUCCESS ||
        built != CL_BUILD_ERROR)
        return clact__fail_cl(ctx, code, "clBuildProgram");
    char *log = build_log(ctx, program);
    const clact_status status = clact__fail_text(ctx, CLACT_BUILD_FAILED, code,
                                                 log && *log ? log : "the compiler gave no log");
    free(log);
    return status;
}

static clact_status compile(const clact_context *ctx, const char *options, cl_program *program)
{
    cl_int code = CL_SUCCESS;
    cl_program made =
        clCreateProgramWithSource(ctx->cl, EMBEDDED_COUNT, embedded_texts, embedded_lengths, &code);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clCreateProgramWithSource");
    code = clBuildProgram(made, 1, &ctx->device, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        const clact_status status = fail_build(ctx, made, code);
        clReleaseProgram(made);
        return status;
    }
    *program = made;
    return CLACT_SUCCESS;
}

/* Makes the program of an entry that has none: from a binary if there is one, else from source. */
static clact_status build(const clact_context *ctx, const clact__variant *variant,
                          clact__program *entry)
{
    char *options = build_options(ctx, variant);
    if (!options)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    char shape[CLACT__NAME_SIZE], name[CLACT__NAME_SIZE];
    variant->shape->name(variant, shape, name);
    entry->program = clact__binary_load(ctx, options, name);
    if (!entry->program) {
        const clact_status status = compile(ctx, options, &entry->program);
        if (status != CLACT_SUCCESS) {
            free(options);
            return status;
        }
        entry->fresh = clact__cache_make(ctx);
    }
    entry->options = options;
    return CLACT_SUCCESS;
}

static clact_status create_kernel(const clact_context *ctx, const clact__variant *variant,
                                  clact__program *home, clact__kernel **kernel)
{
    char options[CLACT__NAME_SIZE], name[CLACT__NAME_SIZE];
    variant->shape->name(variant, options, name);
    clact__kernel *made = calloc(1, sizeof(*made));
    if (!made)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    cl_int code = CL_SUCCESS;
    made->kernel = clCreateKernel(home->program, name, &code);
    if (code != CL_SUCCESS) {
        free(made);
        return clact__fail_cl(ctx, code, "clCreateKernel");
    }
    code = clGetKernelWorkGroupInfo(made->kernel, ctx->device, CL_KERNEL_WORK_GROUP_SIZE,
                                    sizeof(made->group_size), &made->group_size, NULL);
    if (code != CL_SUCCESS) {
        clReleaseKernel(made->kernel);
        free(made);
        return clact__fail_cl(ctx, code, "clGetKernelWorkGroupInfo");
    }
    made->home = home;
    *kernel = made;
    return CLACT_SUCCESS;
}

/* The entry of a variant, made if there is none yet; NULL when out of memory. */
static clact__program *find_program(clact_context *ctx, const clact__variant *variant)
{
    const size_t row = variant->shape->first_row + variant->index;
    const size_t column =
        (size_t)dtype_row(variant->dtype) * 4 + variant->streams * 2u + variant->narrow;
    _Atomic(clact__program *) *place = &ctx->programs[row * CLACT__DTYPES * 4 + column];
    clact__program *found = atomic_load(place);
    if (found)
        return found;
    clact__program *made = calloc(1, sizeof(*made));
    if (!made || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return NULL;
    }
    if (atomic_compare_exchange_strong(place, &found, made))
        return made;
    pthread_mutex_destroy(&made->lock); /* another thread was faster */
    free(made);
    return found;
}

clact_status clact__kernel_acquire(clact_context *ctx, const clact__variant *variant,
                                   clact__kernel **kernel)
{
    clact__program *entry = find_program(ctx, variant);
    if (!entry)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    /* Whoever takes it out has it alone, with all that its last user has left in it. */
    *kernel = atomic_exchange(&entry->spare, NULL);
    if (*kernel)
        return CLACT_SUCCESS;
    clact_status status = CLACT_SUCCESS;
    /* The lock is held while building, so that threads that want the same program wait for one
     * build; those that want another do not wait. */
    pthread_mutex_lock(&entry->lock);
    if (!entry->program)
        status = build(ctx, variant, entry);
    if (status == CLACT_SUCCESS) {
        if (entry->idle) {
            *kernel = entry->idle;
            entry->idle = entry->idle->next;
        } else {
            status = create_kernel(ctx, variant, entry, kernel);
        }
    }
    pthread_mutex_unlock(&entry->lock);
    return status;
}

void clact__kernel_release(clact__kernel *kernel)
{
    clact__program *home = kernel->home;
    clact__kernel *none = NULL;
    if (atomic_compare_exchange_strong(&home->spare, &none, kernel))
        return;
    pthread_mutex_lock(&home->lock);
    kernel->next = home->idle;
    home->idle = kernel;
    pthread_mutex_unlock(&home->lock);
}

void clact__program_keep(const clact_context *ctx, clact__program *program)
{
    /* Drivers that make the binary when it is asked for need not be asked by two threads at once.
     * */
    pthread_mutex_lock(&program->lock);
    clact__binary_store(ctx, program->options, program->program);
    pthread_mutex_unlock(&program->lock);
}

static void kernel_free(clact__kernel *kernel)
{
    clReleaseKernel(kernel->kernel);
    free(kernel);
}

static void program_free(clact__program *program)
{
    clact__kernel *spare = atomic_load(&program->spare);
    if (spare)
        kernel_free(spare);
    while (program->idle) {
        clact__kernel *kernel = program->idle;
        program->idle = kernel->next;
        kernel_free(kernel);
    }
    if (program->program)
        clReleaseProgram(program->program);
    free(program->options);
    pthread_mutex_destroy(&program->lock);
    free(program);
}

void clact__programs_free(clact_context *ctx)
{
    for (size_t i = 0; i < CLACT__PROGRAMS; i++) {
        clact__program *program = atomic_load(&ctx->programs[i]);
        if (program)
            program_free(program);
    }
}
