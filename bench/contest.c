/* SPDX-License-Identifier: MIT */
#include "contest.h"

#include "check.h"
#include "dtype.h"
#include "ulp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One element of the output, and what it should be. */
struct element {
    double grad; /* 0 in the forward direction */
    double got;
    double exact;
};

static struct element judge(const struct field *field, size_t i, const void *got)
{
    const clact_dtype dtype = field->job->dtype;
    const unsigned saved = job_inputs(field->job) - 1;
    struct element e = {.got = dtype_load(dtype, got, 0)};
    if (saved == 1)
        e.grad = dtype_load(dtype, field_input(field, 0, i), 0);
    e.exact = job_exact(field->job, e.grad, dtype_load(dtype, field_input(field, saved, i), 0));
    return e;
}

/* The tests judge the accuracy; this is to see that the work was done. */
static bool is_accurate(const struct field *field, size_t i, const void *got)
{
    const struct element e = judge(field, i, got);
    return ulp_error(field->job->dtype, e.got, e.exact) <= 4;
}

static bool is_roughly_right(const struct field *field, size_t i, const void *got)
{
    const struct element e = judge(field, i, got);
    return fabs(e.got - e.exact) <= 1e-6 * (1 + fabs(e.grad) + fabs(e.exact));
}

static bool is_copy(const struct field *field, size_t i, const void *got)
{
    const clact_dtype dtype = field->job->dtype;
    uint64_t bits = 0;
    for (unsigned input = 0; input < job_inputs(field->job); input++)
        bits ^= dtype_load_bits(dtype, field_input(field, input, i), 0);
    return dtype_load_bits(dtype, got, 0) == bits;
}

static void enqueue_clact(const struct contestant *self, const struct field *field, size_t slice,
                          cl_event *event)
{
    (void)self;
    check_clact(field->ctx, job_enqueue(field->job, field->ctx, field->queue, field->arrays,
                                        slice * field->n, field->n, event));
}

/* The offset is that of the slice, so that the kernels need not know of slices. */
static void enqueue_rival(const struct contestant *self, const struct field *field, size_t slice,
                          cl_event *event)
{
    const struct rival *rival = self->rival;
    const size_t size = clact_dtype_size(field->job->dtype);
    const size_t bytes = rival->bytes_per_item != 0 ? rival->bytes_per_item : size;
    const size_t items = field->n * size / bytes;
    const size_t first = slice * items;
    check_cl(clEnqueueNDRangeKernel(field->queue, self->kernel, 1, &first, &items,
                                    rival->group != 0 ? &rival->group : NULL, 0, NULL, event),
             "clEnqueueNDRangeKernel");
}

static void add(struct contest *contest, struct contestant contestant)
{
    contestant.wall = check_allocate(contest->rounds, sizeof *contestant.wall);
    contestant.device = check_allocate(contest->rounds, sizeof *contestant.device);
    contest->contestants[contest->count++] = contestant;
}

static void add_all(struct contest *contest, const struct field *field)
{
    cl_program program = rival_build(field->ctx, field->job);
    add(contest,
        (struct contestant){
            .name = "clact", .way = "", .is_right = is_accurate, .enqueue = enqueue_clact});
    for (size_t i = 0; i < RIVALS; i++) {
        cl_kernel kernel = rival_kernel(&rivals[i], field->ctx, program, field->job);
        if (kernel == NULL)
            continue;
        rival_set_arrays(kernel, field->job, field->arrays);
        add(contest, (struct contestant){.name = rivals[i].name,
                                         .way = rivals[i].way,
                                         .is_right = rivals[i].is_copy ? is_copy : is_roughly_right,
                                         .enqueue = enqueue_rival,
                                         .rival = &rivals[i],
                                         .kernel = kernel});
    }
    clReleaseProgram(program);
}

static double now(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        die("clock_gettime failed");
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double event_seconds(cl_event event)
{
    cl_ulong start = 0, end = 0;
    check_cl(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL),
             "clGetEventProfilingInfo");
    check_cl(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL),
             "clGetEventProfilingInfo");
    return (double)(end - start) * 1e-9;
}

static void run(const struct contestant *contestant, const struct field *field, size_t slice,
                double *wall, double *device)
{
    cl_event event = NULL;
    const double start = now();
    contestant->enqueue(contestant, field, slice, &event);
    check_cl(clFinish(field->queue), "clFinish");
    *wall = now() - start;
    *device = event_seconds(event);
    clReleaseEvent(event);
    if (!(*wall > 0) || !(*device > 0))
        die("%s took no time: the device's clock is too coarse for %zu elements", contestant->name,
            field->n);
}

/* Each round starts with another contestant, so that none always runs after the same one. */
static void run_rounds(struct contest *contest, const struct field *field)
{
    size_t slice = 0;
    for (size_t round = 0; round < contest->rounds; round++) {
        for (size_t i = 0; i < contest->count; i++) {
            struct contestant *c = &contest->contestants[(round + i) % contest->count];
            run(c, field, slice, &c->wall[round], &c->device[round]);
            slice = (slice + 1) % field->slices;
        }
    }
}

/* Runs it once on poisoned memory and looks at some elements. The first such run also compiles what
 * OpenCL leaves to the first launch. */
static void check_output(const struct contestant *contestant, const struct field *field,
                         size_t slice)
{
    enum { SAMPLES = 64 };
    const size_t size = clact_dtype_size(field->job->dtype);
    double wall, device;
    field_poison(field, slice, 1);
    run(contestant, field, slice, &wall, &device);
    char *output = field_map_output(field, slice);
    for (size_t k = 0; k < SAMPLES; k++) {
        const size_t i = k + 1 < SAMPLES ? field->n / SAMPLES * k : field->n - 1;
        if (!contestant->is_right(field, slice * field->n + i, output + i * size))
            die("%s (%s %s %s) computed a wrong element %zu", contestant->name,
                clact_operator_name(field->job->op), job_direction_name(field->job),
                clact_dtype_name(field->job->dtype), i);
    }
    field_unmap_output(field, output);
}

bool contest_run(struct contest *contest, const struct job *job, clact_context *ctx, size_t n,
                 size_t rounds, bool in_cache)
{
    struct field field;
    clact_status status = clact_prepare(ctx, job->op, job->dtype);
    if (status == CLACT_UNSUPPORTED)
        return false;
    check_clact(ctx, status);
    field_create(&field, job, ctx, n, in_cache);
    *contest = (struct contest){.job = job, .n = n, .rounds = rounds, .slices = field.slices};
    add_all(contest, &field);
    for (size_t i = 0; i < contest->count; i++)
        check_output(&contest->contestants[i], &field, 0);
    run_rounds(contest, &field);
    for (size_t i = 0; i < contest->count; i++)
        check_output(&contest->contestants[i], &field, field.slices - 1);
    field_destroy(&field);
    return true;
}

void contest_destroy(struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        struct contestant *c = &contest->contestants[i];
        free(c->wall);
        free(c->device);
        if (c->kernel != NULL)
            clReleaseKernel(c->kernel);
    }
}
