/* SPDX-License-Identifier: MIT */
/*
 * Compiled programs as binaries: had from the driver, given back to it, kept in the cache's folder,
 * exported and imported.
 *
 * A binary is used only where its environment, which is all that it was made of and for except the
 * compiler's options, and these options are the same as what is wanted. Both are kept with it and
 * compared as they are.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What clact_programs_import was given: programs are made of it when they are wanted. */
struct clact__import {
    struct clact__import *next;
    clact__bundle bundle;
    unsigned char bytes[];
};

/* How many lines of an environment are not about versions: the first. */
enum { LASTING_LINES = 3 };

/* The caller frees it. NULL if the device does not tell what it is, or if out of memory. */
static char *environment_of(const clact_context *ctx)
{
    char *device = clact__device_identity(ctx->device);
    if (!device)
        return NULL;
    static const char format[] = "clact %s\n%skernels %s\n";
    const char *version = clact_version_string();
    const size_t size =
        sizeof(format) + strlen(version) + strlen(device) + strlen(clact__kernels_digest);
    char *environment = malloc(size);
    if (environment)
        snprintf(environment, size, format, version, device, clact__kernels_digest);
    free(device);
    return environment;
}

/* What a program's file is called. It says nothing about the versions of the driver and of the
 * kernels, so that a program of new ones takes the place of that of the old ones. Should two
 * programs have the same name, they take turns. */
static void name_file(const char *environment, const char *options, char name[32])
{
    const char *end = environment;
    for (int line = 0; line < LASTING_LINES && *end; line++)
        end += strcspn(end, "\n") + 1;
    uint64_t hash = clact__hash(CLACT__HASH_OF_NOTHING, environment, (size_t)(end - environment));
    hash = clact__hash(hash, options, strlen(options));
    snprintf(name, 32, "%016llx.clact", (unsigned long long)hash);
}

/* To the driver. */

/* NULL if the driver does not want it: what it makes of a binary may depend on more than it says of
 * itself. The kernel is created to see that it is there. */
static cl_program make_program(const clact_context *ctx, const clact__item *item,
                               const char *kernel)
{
    cl_int code = CL_SUCCESS, accepted = CL_SUCCESS;
    cl_program program =
        clCreateProgramWithBinary(ctx->cl, 1, &ctx->device, &item->size,
                                  (const unsigned char *[]){item->binary}, &accepted, &code);
    if (code != CL_SUCCESS)
        return NULL;
    if (accepted == CL_SUCCESS &&
        clBuildProgram(program, 1, &ctx->device, item->options, NULL, NULL) == CL_SUCCESS) {
        cl_kernel made = clCreateKernel(program, kernel, &code);
        if (code == CL_SUCCESS) {
            clReleaseKernel(made);
            return program;
        }
    }
    clReleaseProgram(program);
    return NULL;
}

static cl_program load_imported(const clact_context *ctx, const char *options, const char *kernel)
{
    clact__item item;
    cl_program program = NULL;
    for (struct clact__import *i = ctx->imports; i && !program; i = i->next)
        if (clact__bundle_find(i->bundle, options, &item))
            program = make_program(ctx, &item, kernel);
    return program;
}

static cl_program load_file(const clact_context *ctx, const char *options, const char *kernel)
{
    char *environment = environment_of(ctx);
    if (!environment)
        return NULL;
    char name[32];
    name_file(environment, options, name);
    size_t size = 0;
    void *bytes = clact__cache_read(ctx, name, &size);
    clact__bundle bundle;
    clact__item item;
    cl_program program = NULL;
    if (bytes && clact__bundle_read(bytes, size, &bundle) &&
        strcmp(bundle.environment, environment) == 0 && clact__bundle_find(bundle, options, &item))
        program = make_program(ctx, &item, kernel);
    free(bytes);
    free(environment);
    return program;
}

cl_program clact__binary_load(const clact_context *ctx, const char *options, const char *kernel)
{
    cl_program program = load_imported(ctx, options, kernel);
    if (!program && ctx->cache_folder)
        program = load_file(ctx, options, kernel);
    return program;
}

/* From the driver. */

/* The place of the context's device among the program's, of which there are `count`. */
static cl_int find_device(const clact_context *ctx, cl_program program, size_t count, size_t *place)
{
    cl_device_id *devices = calloc(count, sizeof(*devices));
    if (!devices)
        return CL_OUT_OF_HOST_MEMORY;
    const cl_int code =
        clGetProgramInfo(program, CL_PROGRAM_DEVICES, count * sizeof(*devices), devices, NULL);
    *place = 0;
    while (*place < count && devices[*place] != ctx->device)
        ++*place;
    free(devices);
    return code;
}

/* Fills the two lists, which have room for the program's `count` devices, and the item. */
static cl_int copy_binary(const clact_context *ctx, cl_program program, size_t count, size_t *sizes,
                          unsigned char **binaries, clact__item *item)
{
    cl_int code =
        clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, count * sizeof(*sizes), sizes, NULL);
    /* PoCL lists, against the standard, only the devices that the program was built for: ours. */
    size_t i = 0;
    if (code == CL_SUCCESS && count > 1)
        code = find_device(ctx, program, count, &i);
    if (code != CL_SUCCESS || i == count || sizes[i] == 0)
        return code;
    binaries[i] = malloc(sizes[i]); /* the other devices' stay NULL, which leaves them out */
    if (!binaries[i])
        return CL_OUT_OF_HOST_MEMORY;
    code =
        clGetProgramInfo(program, CL_PROGRAM_BINARIES, count * sizeof(*binaries), binaries, NULL);
    if (code != CL_SUCCESS) {
        free(binaries[i]);
        return code;
    }
    item->binary = binaries[i];
    item->size = sizes[i];
    return CL_SUCCESS;
}

/* The program's binary for the context's device, into item; the caller frees it. Where the driver
 * has none its size is 0. */
static cl_int get_binary(const clact_context *ctx, cl_program program, clact__item *item)
{
    item->binary = NULL;
    item->size = 0;
    size_t bytes = 0;
    cl_int code = clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, 0, NULL, &bytes);
    const size_t count = bytes / sizeof(size_t);
    if (code != CL_SUCCESS || count == 0)
        return code;
    size_t *sizes = calloc(count, sizeof(*sizes));
    unsigned char **binaries = calloc(count, sizeof(*binaries));
    code = sizes && binaries ? copy_binary(ctx, program, count, sizes, binaries, item)
                             : CL_OUT_OF_HOST_MEMORY;
    free(sizes);
    free(binaries);
    return code;
}

/* One program as it is written to a file; the caller frees it. NULL if out of memory. */
static void *make_file(const char *environment, const clact__item *item, size_t *size)
{
    *size = clact__bundle_size(environment, item, 1);
    void *bytes = *size ? malloc(*size) : NULL;
    if (bytes)
        clact__bundle_write(bytes, environment, item, 1);
    return bytes;
}

void clact__binary_store(const clact_context *ctx, const char *options, cl_program program)
{
    char *environment = environment_of(ctx);
    clact__item item = {.options = options};
    if (environment && get_binary(ctx, program, &item) == CL_SUCCESS && item.size > 0) {
        char name[32];
        name_file(environment, options, name);
        size_t size = 0;
        void *bytes = make_file(environment, &item, &size);
        if (bytes)
            clact__cache_write(ctx, name, bytes, size);
        free(bytes);
        free((void *)item.binary);
    }
    free(environment);
}

/* Export. */

typedef struct list {
    clact__item *items;
    size_t count;
    size_t owned; /* so many of them, the first, have a binary that is to be freed */
} list;

static bool has(const list *all, const char *options)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].options, options) == 0)
            return true;
    return false;
}

/* The programs that are there. Their options live as long as the context. */
static cl_int list_programs(clact_context *ctx, list *all)
{
    cl_int code = CL_SUCCESS;
    for (size_t i = 0; i < CLACT__PROGRAMS && code == CL_SUCCESS; i++) {
        clact__program *program = atomic_load(&ctx->programs[i]);
        if (!program)
            continue;
        clact__item item = {.size = 0};
        pthread_mutex_lock(&program->lock);
        if (program->program) {
            item.options = program->options;
            code = get_binary(ctx, program->program, &item);
        }
        pthread_mutex_unlock(&program->lock);
        if (code == CL_SUCCESS && item.size > 0)
            all->items[all->count++] = item;
    }
    all->owned = all->count;
    return code;
}

/* The imported ones that were not wanted yet. */
static void list_imports(const struct clact__import *imports, list *all)
{
    for (const struct clact__import *i = imports; i; i = i->next) {
        clact__bundle rest = i->bundle;
        clact__item item;
        while (clact__bundle_next(&rest, &item))
            if (!has(all, item.options))
                all->items[all->count++] = item;
    }
}

static void list_free(list *all)
{
    for (size_t i = 0; i < all->owned; i++)
        free((void *)all->items[i].binary);
    free(all->items);
}

static clact_status write_list(const clact_context *ctx, const list *all, size_t capacity,
                               void *bytes, size_t *size)
{
    char *environment = environment_of(ctx);
    if (!environment)
        return clact__fail(ctx, CLACT_OPENCL_ERROR, "the device does not tell what it is");
    const size_t needed = clact__bundle_size(environment, all->items, all->count);
    if (needed > 0 && needed <= capacity)
        clact__bundle_write(bytes, environment, all->items, all->count);
    free(environment);
    if (needed == 0)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "the programs are too large");
    *size = needed;
    return CLACT_SUCCESS;
}

clact_status clact_programs_export(clact_context *ctx, size_t capacity, void *bytes, size_t *size)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    if (!size)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "size is NULL");
    if (!bytes && capacity > 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "bytes is NULL but capacity is not 0");
    const struct clact__import *imports = ctx->imports;
    size_t most = CLACT__PROGRAMS;
    for (const struct clact__import *i = imports; i; i = i->next)
        most += i->bundle.count;
    list all = {.items = calloc(most, sizeof(*all.items))};
    if (!all.items)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    const cl_int code = list_programs(ctx, &all);
    list_imports(imports, &all);
    const clact_status status = code == CL_SUCCESS ? write_list(ctx, &all, capacity, bytes, size)
                                                   : clact__fail_cl(ctx, code, "clGetProgramInfo");
    list_free(&all);
    return status;
}

/* Import. */

/* Adds to the list, which others may be reading. */
static void push(clact_context *ctx, struct clact__import *made)
{
    made->next = ctx->imports;
    while (!atomic_compare_exchange_weak(&ctx->imports, &made->next, made)) {
    }
}

/* Reads what has been copied. */
static clact_status check_import(const clact_context *ctx, struct clact__import *made, size_t size)
{
    if (!clact__bundle_read(made->bytes, size, &made->bundle))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "the bytes are not what clact_programs_export gave, or damaged");
    char *environment = environment_of(ctx);
    if (!environment)
        return clact__fail(ctx, CLACT_OPENCL_ERROR, "the device does not tell what it is");
    const bool same = strcmp(made->bundle.environment, environment) == 0;
    free(environment);
    return same ? CLACT_SUCCESS
                : clact__fail(ctx, CLACT_STALE,
                              "the programs were compiled for another device, driver or version");
}

clact_status clact_programs_import(clact_context *ctx, const void *bytes, size_t size)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    if (!bytes)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "bytes is NULL");
    struct clact__import *made =
        size < SIZE_MAX - sizeof(*made) ? malloc(sizeof(*made) + size) : NULL;
    if (!made)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    memcpy(made->bytes, bytes, size);
    const clact_status status = check_import(ctx, made, size);
    if (status == CLACT_SUCCESS)
        push(ctx, made);
    else
        free(made);
    return status;
}

void clact__imports_free(clact_context *ctx)
{
    struct clact__import *next = NULL;
    for (struct clact__import *i = ctx->imports; i; i = next) {
        next = i->next;
        free(i);
    }
}
