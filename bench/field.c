/* SPDX-License-Identifier: MIT */
#include "field.h"

#include "check.h"
#include "dtype.h"

#include <stdlib.h>
#include <string.h>

static size_t element_size(const struct field *field)
{
    return clact_dtype_size(field->job->dtype);
}

static cl_ulong device_figure(const struct field *field, cl_device_info figure)
{
    cl_ulong value = 0;
    check_cl(clGetDeviceInfo(clact_context_device(field->ctx), figure, sizeof value, &value, NULL),
             "clGetDeviceInfo");
    return value;
}

size_t field_bytes(const struct field *field)
{
    return field->n * element_size(field) * (job_inputs(field->job) + 1);
}

/* 0 if not even one fits into the device's memory. */
static size_t count_slices(const struct field *field, cl_ulong cache)
{
    const cl_ulong arrays = job_inputs(field->job) + 1;
    const cl_ulong slice = (cl_ulong)field->n * element_size(field);
    const cl_ulong half = device_figure(field, CL_DEVICE_GLOBAL_MEM_SIZE) / 2 / arrays;
    const cl_ulong allocation = device_figure(field, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    const cl_ulong room = (half < allocation ? half : allocation) / slice;
    const cl_ulong wanted = field->in_cache ? 1 : 4 * cache / (slice * arrays) + 1;
    return (size_t)(wanted < room ? wanted : room);
}

/* Bell-shaped from -10 to 10, as the inputs of an activation are: the sum of four even numbers. */
static double random_value(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    double sum = 0;
    for (unsigned shift = 0; shift < 64; shift += 16)
        sum += (double)(*state >> shift & 0xffff);
    return (sum / 65535 - 2) * 5;
}

static void *make_pattern(const struct field *field, unsigned input)
{
    const struct job forward = {field->job->op, FORWARD, field->job->dtype};
    const clact_dtype dtype = field->job->dtype;
    const bool is_output = field->job->direction == FROM_OUTPUT && input == 1;
    const clact_params params = job_params(field->job);
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) + input;
    void *pattern = check_allocate(SAMPLES_PATTERN, element_size(field));
    for (size_t i = 0; i < SAMPLES_PATTERN; i++) {
        const double x = dtype_round(dtype, random_value(&state));
        dtype_store(dtype, pattern, i, is_output ? job_exact(&forward, &params, 0, x) : x);
    }
    return pattern;
}

static void fill(const struct field *field, unsigned input)
{
    const size_t bytes = field->slices * field->n * element_size(field);
    const size_t piece = SAMPLES_PATTERN * element_size(field);
    void *memory = NULL;
    check_clact(field->ctx, clact_buffer_map(field->arrays[input], CL_MAP_WRITE_INVALIDATE_REGION,
                                             0, bytes, &memory));
    for (size_t done = 0; done < bytes; done += piece)
        memcpy((char *)memory + done, field->patterns[input],
               bytes - done < piece ? bytes - done : piece);
    check_clact(field->ctx, clact_buffer_unmap(field->arrays[input], memory));
}

bool field_create(struct field *field, const struct job *job, clact_context *ctx, size_t n)
{
    cl_int code = CL_SUCCESS;
    *field = (struct field){.job = job, .ctx = ctx, .n = n};
    const cl_ulong told = device_figure(field, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE);
    const cl_ulong cache = told ? told : (cl_ulong)32 << 20; /* that of a usual CPU */
    field->in_cache = field_bytes(field) <= cache / 2;
    field->slices = count_slices(field, cache);
    if (field->slices == 0)
        return false;
    field->queue = clCreateCommandQueue(clact_context_cl(ctx), clact_context_device(ctx),
                                        CL_QUEUE_PROFILING_ENABLE, &code);
    check_cl(code, "clCreateCommandQueue");
    for (unsigned i = 0; i <= job_inputs(job); i++)
        check_clact(ctx, clact_buffer_create(ctx, field->slices * n * element_size(field),
                                             &field->arrays[i]));
    for (unsigned i = 0; i < job_inputs(job); i++) {
        field->patterns[i] = make_pattern(field, i);
        fill(field, i);
    }
    /* So that no run is the first to touch its memory. */
    field_poison(field, 0, field->slices);
    return true;
}

void field_destroy(struct field *field)
{
    for (unsigned i = 0; i < 2; i++)
        free(field->patterns[i]);
    for (unsigned i = 0; i < 3; i++)
        clact_buffer_destroy(field->arrays[i]);
    clReleaseCommandQueue(field->queue);
}

static clact_buffer *output_of(const struct field *field)
{
    return field->arrays[job_inputs(field->job)];
}

static void *map_output(const struct field *field, size_t slice, size_t count, cl_map_flags flags)
{
    const size_t bytes = field->n * element_size(field);
    void *memory = NULL;
    check_clact(field->ctx,
                clact_buffer_map(output_of(field), flags, slice * bytes, count * bytes, &memory));
    return memory;
}

static void unmap_output(const struct field *field, void *memory)
{
    check_clact(field->ctx, clact_buffer_unmap(output_of(field), memory));
}

/* All bits set is a NaN in every dtype. */
void field_poison(const struct field *field, size_t slice, size_t count)
{
    void *memory = map_output(field, slice, count, CL_MAP_WRITE_INVALIDATE_REGION);
    memset(memory, 0xff, count * field->n * element_size(field));
    unmap_output(field, memory);
}

const void *field_input(const struct field *field, unsigned input, size_t i)
{
    return (const char *)field->patterns[input] + i % SAMPLES_PATTERN * element_size(field);
}

void field_sample(const struct field *field, size_t slice, uint64_t samples[SAMPLES])
{
    void *memory = map_output(field, slice, 1, CL_MAP_READ);
    for (size_t k = 0; k < SAMPLES; k++)
        samples[k] = dtype_load_bits(field->job->dtype, memory, sample_place(field->n, k));
    unmap_output(field, memory);
}
