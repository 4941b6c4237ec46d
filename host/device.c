/* SPDX-License-Identifier: MIT */
/* The devices of this machine: which one to use, and how work is cut for it. */
#include "internal.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Queries. A property that cannot be read is zero or empty. */

static cl_ulong get_number(cl_device_id device, cl_device_info what)
{
    /* Properties are 4 or 8 bytes wide, in the host's byte order. */
    union {
        cl_uint narrow;
        cl_ulong wide;
    } value = {.wide = 0};
    size_t size = 0;
    if (clGetDeviceInfo(device, what, sizeof(value), &value, &size) != CL_SUCCESS)
        return 0;
    return size == sizeof(value.narrow) ? value.narrow : value.wide;
}

/* Copies a string that may be longer than the space for it. */
static void cut(char *to, size_t space, const char *from)
{
    const size_t length = strlen(from) < space ? strlen(from) : space - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

typedef cl_int (*string_query)(void *object, cl_uint what, size_t size, void *value, size_t *used);

static cl_int query_platform(void *object, cl_uint what, size_t size, void *value, size_t *used)
{
    return clGetPlatformInfo(object, what, size, value, used);
}

static cl_int query_device(void *object, cl_uint what, size_t size, void *value, size_t *used)
{
    return clGetDeviceInfo(object, what, size, value, used);
}

/* The string of a platform or device; the caller frees it. NULL if it cannot be had. */
static char *get_string(string_query query, void *object, cl_uint what)
{
    size_t size = 0;
    if (query(object, what, 0, NULL, &size) != CL_SUCCESS)
        return NULL;
    char *value = calloc(size + 1, 1);
    if (value && query(object, what, size, value, NULL) != CL_SUCCESS) {
        free(value);
        return NULL;
    }
    return value;
}

static void get_string_into(string_query query, void *object, cl_uint what, char *to, size_t space)
{
    char *value = get_string(query, object, what);
    cut(to, space, value ? value : "");
    free(value);
}

/* Whether `word` is one of the words of the device's extension string. */
static bool has_extension(cl_device_id device, const char *word)
{
    char *all = get_string(query_device, device, CL_DEVICE_EXTENSIONS);
    const size_t length = strlen(word);
    bool found = false;
    for (const char *p = all; p && !found && (p = strstr(p, word)); p += length)
        found = (p == all || p[-1] == ' ') && (p[length] == ' ' || p[length] == '\0');
    free(all);
    return found;
}

char *clact__device_identity(cl_device_id device)
{
    static const struct {
        bool of_platform;
        cl_uint what;
    } properties[] = {
        {true, CL_PLATFORM_NAME},    {false, CL_DEVICE_NAME},   {true, CL_PLATFORM_VENDOR},
        {true, CL_PLATFORM_VERSION}, {false, CL_DEVICE_VENDOR}, {false, CL_DEVICE_VERSION},
        {false, CL_DRIVER_VERSION},
    };
    cl_platform_id platform = NULL;
    if (clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof(platform), &platform, NULL) !=
        CL_SUCCESS)
        return NULL;
    char *all = calloc(1, 1);
    for (size_t i = 0; all && i < sizeof(properties) / sizeof(*properties); i++) {
        char *value = properties[i].of_platform
                          ? get_string(query_platform, platform, properties[i].what)
                          : get_string(query_device, device, properties[i].what);
        char *grown = value ? realloc(all, strlen(all) + strlen(value) + 2) : NULL;
        if (grown)
            strcat(strcat(grown, value), "\n");
        else
            free(all);
        all = grown;
        free(value);
    }
    return all;
}

static bool shares_memory(cl_device_id device)
{
    return (get_number(device, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) ||
           get_number(device, CL_DEVICE_HOST_UNIFIED_MEMORY);
}

bool clact__device_usable(cl_device_id device)
{
    char *version = get_string(query_device, device, CL_DEVICE_VERSION);
    char *profile = get_string(query_device, device, CL_DEVICE_PROFILE);
    /* "OpenCL 1.2 ..." */
    int major = 0, minor = 0;
    if (version && strncmp(version, "OpenCL ", 7) == 0) {
        char *end = NULL;
        major = (int)strtol(version + 7, &end, 10);
        minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
    }
    const bool usable = (major > 1 || (major == 1 && minor >= 2)) && profile &&
                        strcmp(profile, "FULL_PROFILE") == 0 &&
                        get_number(device, CL_DEVICE_AVAILABLE) &&
                        get_number(device, CL_DEVICE_COMPILER_AVAILABLE) &&
                        (get_number(device, CL_DEVICE_SINGLE_FP_CONFIG) & CL_FP_ROUND_TO_NEAREST);
    free(version);
    free(profile);
    return usable;
}

static cl_int describe(cl_device_id device, clact_device_info *info)
{
    memset(info, 0, sizeof(*info));
    const cl_int code =
        clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof(info->platform), &info->platform, NULL);
    if (code != CL_SUCCESS)
        return code;
    info->device = device;
    info->type = get_number(device, CL_DEVICE_TYPE);
    get_string_into(query_platform, info->platform, CL_PLATFORM_NAME, info->platform_name,
                    sizeof(info->platform_name));
    get_string_into(query_device, device, CL_DEVICE_NAME, info->name, sizeof(info->name));
    get_string_into(query_device, device, CL_DEVICE_VERSION, info->version, sizeof(info->version));
    get_string_into(query_device, device, CL_DRIVER_VERSION, info->driver, sizeof(info->driver));
    info->compute_units = (cl_uint)get_number(device, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->global_memory = get_number(device, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->largest_allocation = get_number(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->shares_host_memory = shares_memory(device);
    info->has_f64 = has_extension(device, "cl_khr_fp64");
    info->has_subnormals = (get_number(device, CL_DEVICE_SINGLE_FP_CONFIG) & CL_FP_DENORM) != 0;
    info->usable = clact__device_usable(device);
    return CL_SUCCESS;
}

/* Enumeration. */

typedef struct device_list {
    cl_device_id *devices;
    size_t count;
} device_list;

/* Appends a platform's devices. A platform that fails to answer is passed over: a broken driver
 * must not take the others with it. */
static clact_status append_platform(device_list *list, cl_platform_id platform)
{
    cl_uint found = 0;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &found) != CL_SUCCESS || found == 0)
        return CLACT_SUCCESS;
    cl_device_id *grown = realloc(list->devices, (list->count + found) * sizeof(*list->devices));
    if (!grown)
        return CLACT_OUT_OF_MEMORY;
    list->devices = grown;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, found, grown + list->count, NULL) ==
        CL_SUCCESS)
        list->count += found;
    return CLACT_SUCCESS;
}

/* GPUs first, then accelerators, then CPUs, then the rest. */
static int rank(cl_device_id device)
{
    const cl_device_type type = get_number(device, CL_DEVICE_TYPE);
    if (type & CL_DEVICE_TYPE_GPU)
        return 0;
    if (type & CL_DEVICE_TYPE_ACCELERATOR)
        return 1;
    return type & CL_DEVICE_TYPE_CPU ? 2 : 3;
}

/* Stable, so that devices of one rank stay in the platforms' order. */
static void sort_by_rank(device_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        const cl_device_id device = list->devices[i];
        size_t j = i;
        for (; j > 0 && rank(list->devices[j - 1]) > rank(device); j--)
            list->devices[j] = list->devices[j - 1];
        list->devices[j] = device;
    }
}

static clact_status list_devices(const clact_context *ctx, device_list *list)
{
    *list = (device_list){NULL, 0};
    cl_uint platform_count = 0;
    /* The loader returns CL_PLATFORM_NOT_FOUND_KHR where there is no driver at all. */
    if (clGetPlatformIDs(0, NULL, &platform_count) != CL_SUCCESS || platform_count == 0)
        return CLACT_SUCCESS;
    cl_platform_id *platforms = calloc(platform_count, sizeof(*platforms));
    if (!platforms)
        return clact__fail(ctx, CLACT_OUT_OF_MEMORY, "out of host memory");
    clact_status status = CLACT_SUCCESS;
    if (clGetPlatformIDs(platform_count, platforms, NULL) == CL_SUCCESS)
        for (cl_uint i = 0; i < platform_count && status == CLACT_SUCCESS; i++)
            status = append_platform(list, platforms[i]);
    free(platforms);
    if (status != CLACT_SUCCESS) {
        free(list->devices);
        return clact__fail(ctx, status, "out of host memory");
    }
    sort_by_rank(list);
    return CLACT_SUCCESS;
}

clact_status clact_devices(size_t capacity, clact_device_info *infos, size_t *count)
{
    if (!count || (!infos && capacity > 0))
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "count is NULL, or infos is");
    device_list list;
    const clact_status status = list_devices(NULL, &list);
    if (status != CLACT_SUCCESS)
        return status;
    size_t described = 0;
    for (size_t i = 0; i < list.count; i++) {
        clact_device_info info;
        if (describe(list.devices[i], &info) != CL_SUCCESS)
            continue;
        if (described < capacity)
            infos[described] = info;
        described++;
    }
    free(list.devices);
    *count = described;
    return CLACT_SUCCESS;
}

clact_status clact_context_info(const clact_context *ctx, clact_device_info *info)
{
    if (!ctx || !info)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "ctx or info is NULL");
    clact_device_info described;
    const cl_int code = describe(ctx->device, &described);
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clGetDeviceInfo");
    *info = described;
    return CLACT_SUCCESS;
}

/* Choice. */

static bool contains_ignoring_case(const char *text, const char *part)
{
    const size_t length = strlen(part);
    for (; strlen(text) >= length; text++) {
        size_t i = 0;
        while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

static bool matches(cl_device_id device, const char *name)
{
    clact_device_info info;
    return describe(device, &info) == CL_SUCCESS &&
           (contains_ignoring_case(info.platform_name, name) ||
            contains_ignoring_case(info.name, name));
}

clact_status clact__device_choose(const clact_context *ctx, const char *name, cl_device_id *device)
{
    if (!name || !*name)
        name = getenv("CLACT_DEVICE");
    const bool named = name && *name;
    device_list list;
    const clact_status status = list_devices(ctx, &list);
    if (status != CLACT_SUCCESS)
        return status;

    size_t unusable = 0;
    bool found = false;
    for (size_t i = 0; i < list.count && !found; i++) {
        if (named && !matches(list.devices[i], name))
            continue;
        found = clact__device_usable(list.devices[i]);
        if (found)
            *device = list.devices[i];
        else
            unusable++;
    }
    free(list.devices);

    if (found)
        return CLACT_SUCCESS;
    if (named && unusable)
        return clact__fail(ctx, CLACT_UNSUPPORTED,
                           "the device \"%s\" lacks OpenCL 1.2 (full profile), a compiler or "
                           "rounding to nearest",
                           name);
    if (named)
        return clact__fail(ctx, CLACT_NO_DEVICE, "no OpenCL device's or platform's name has \"%s\"",
                           name);
    return clact__fail(ctx, CLACT_NO_DEVICE, "there is no usable OpenCL device");
}

/* Profile. */

static size_t to_size(cl_ulong value)
{
    return value > SIZE_MAX ? SIZE_MAX : (size_t)value;
}

/* No vector has more bytes than 16 doubles. */
enum { MOST_VECTOR_BYTES = 128 };

/* A GPU hides latency with many items of one vector, 16 bytes, which it loads at once; a CPU thread
 * wants a long run of wide vectors and few items, as each costs a call. */
static void cut_work(cl_device_id device, clact__profile *profile)
{
    const size_t units = to_size(get_number(device, CL_DEVICE_MAX_COMPUTE_UNITS));
    if (get_number(device, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) {
        /* Twice the native width gives the core two independent chains of operations to overlap. */
        const size_t native = to_size(get_number(device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT));
        profile->vector_width = native >= 8 ? 16 : 8;
        profile->vector_bytes = MOST_VECTOR_BYTES;
        profile->group_size = 1;
        profile->compiles_late = true; /* PoCL does, for each size of work-groups */
        profile->item_elements = 2048;
        profile->items = 256 * (units ? units : 1); /* so that no thread ends long before another */
    } else {
        profile->vector_width = 8;
        profile->vector_bytes = 16;
        profile->group_size = 256;
        profile->item_elements = 1;
        profile->items = SIZE_MAX;
    }
}

/* The size from which a call's stores go past the cache; SIZE_MAX where that is not known to pay,
 * on devices other than CPUs. */
static size_t stream_threshold(cl_device_id device, clact_stores stores)
{
    if (stores == CLACT_STORES_STREAM)
        return 0;
    if (stores == CLACT_STORES_PLAIN || !(get_number(device, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU))
        return SIZE_MAX;
    const size_t cache = to_size(get_number(device, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE));
    return cache ? cache : (size_t)32 << 20; /* PoCL does not see every machine's */
}

/* At least 1 in each dimension, also where the device does not tell. */
static void get_group_limits(cl_device_id device, clact__profile *profile)
{
    size_t sizes[16] = {0}; /* one for each of CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, usually 3 */
    if (clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof(sizes), sizes, NULL) !=
        CL_SUCCESS)
        sizes[0] = sizes[1] = 1;
    for (int d = 0; d < 2; d++)
        profile->largest_group[d] = sizes[d] ? sizes[d] : 1;
}

static clact_status apply_options(const clact_context *ctx, const clact_options *options,
                                  clact__profile *profile)
{
    const size_t width = options->vector_width;
    if (width > 16 || (width & (width - 1)) != 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "options.vector_width is not 1, 2, 4, 8 or 16");
    if (options->arithmetic < CLACT_ARITHMETIC_AUTO ||
        options->arithmetic > CLACT_ARITHMETIC_DOUBLES)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options.arithmetic is unknown");
    if (options->transfer < CLACT_TRANSFER_AUTO || options->transfer > CLACT_TRANSFER_COPY)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options.transfer is unknown");
    if (options->stores < CLACT_STORES_AUTO || options->stores > CLACT_STORES_STREAM)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options.stores is unknown");
    if (options->arithmetic == CLACT_ARITHMETIC_DOUBLES && !profile->has_f64)
        return clact__fail(ctx, CLACT_UNSUPPORTED, "the device has no f64 to compute with");

    profile->doubles = options->arithmetic == CLACT_ARITHMETIC_DOUBLES;
    if (width) {
        profile->vector_width = width;
        profile->vector_bytes = MOST_VECTOR_BYTES;
    }
    if (options->work_group_size)
        profile->group_size = options->work_group_size;
    if (options->transfer != CLACT_TRANSFER_AUTO)
        profile->shares_memory = options->transfer == CLACT_TRANSFER_SHARE;
    if (options->piece_bytes) {
        /* A piece holds at least one element of any dtype, and a whole number of them. */
        const size_t piece = options->piece_bytes < 8 ? 8 : options->piece_bytes & ~(size_t)7;
        profile->largest_bytes = clact__at_most(profile->largest_bytes, piece);
        profile->piece_bytes = profile->largest_bytes;
    }
    return CLACT_SUCCESS;
}

/* A size of the device's memory. Where it is not told or makes no sense, it is the smallest that
 * OpenCL allows: pieces of no bytes would never come to an end. */
static size_t memory_size(cl_device_id device, cl_device_info what)
{
    const size_t told = to_size(get_number(device, what));
    return told >= (size_t)1 << 20 ? told : (size_t)128 << 20;
}

clact_status clact__device_profile(const clact_context *ctx, cl_device_id device,
                                   const clact_options *options, clact__profile *profile)
{
    const size_t global = memory_size(device, CL_DEVICE_GLOBAL_MEM_SIZE);
    const size_t largest = memory_size(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    /* Pieces start on a page, which some drivers ask of memory that they share. */
    const size_t pages = ~(size_t)4095;
    *profile = (clact__profile){
        .has_f64 = has_extension(device, "cl_khr_fp64"),
        .shares_memory = shares_memory(device),
        .stream_bytes = stream_threshold(device, options->stores),
        .largest_bytes = largest & pages,
    };
    /* 32 MiB are enough to keep a bus busy; nine of them (three pieces in flight, at most three
     * operands) must fit. */
    profile->piece_bytes = clact__at_most(clact__at_most(profile->largest_bytes, (size_t)32 << 20),
                                          (global / 16) & pages);
    cut_work(device, profile);
    get_group_limits(device, profile);
    return apply_options(ctx, options, profile);
}
