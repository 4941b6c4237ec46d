/* SPDX-License-Identifier: MIT */
#include "device_sorts.h"

#include "check.h"
#include "dtype.h"
#include "ulp.h"

#include <math.h>
#include <time.h>

double now(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        die("clock_gettime failed");
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Running. */

static double event_seconds(cl_event event)
{
    cl_ulong start = 0, end = 0;
    check_cl(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL),
             "clGetEventProfilingInfo");
    check_cl(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL),
             "clGetEventProfilingInfo");
    return (double)(end - start) * 1e-9;
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

static void run_device(struct contestant *self, struct field *field, size_t slice,
                       struct times *times, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cl_event event = NULL;
        const double start = now();
        (self->rival == NULL ? enqueue_clact : enqueue_rival)(self, field,
                                                              (slice + i) % field->slices, &event);
        check_cl(clFinish(field->queue), "clFinish");
        times[i].wall = now() - start;
        times[i].device = event_seconds(event);
        clReleaseEvent(event);
    }
}

static void poison_device(struct contestant *self, struct field *field, size_t slice)
{
    (void)self;
    field_poison(field, slice, 1);
}

static void sample_device(struct contestant *self, struct field *field, size_t slice,
                          uint64_t samples[SAMPLES])
{
    (void)self;
    field_sample(field, slice, samples);
}

/* Judging. */

/* One element of the output, and what it should be. */
struct element {
    double grad; /* 0 in the forward direction */
    double got;
    double exact;
};

static struct element judge(const struct contestant *c, const struct field *field, size_t i,
                            uint64_t bits)
{
    const clact_dtype dtype = field->job->dtype;
    const unsigned saved = job_inputs(field->job) - 1;
    struct element e = {.got = dtype_from_bits(dtype, bits)};
    if (saved == 1)
        e.grad = dtype_load(dtype, field_input(field, 0, i), 0);
    e.exact = job_exact(field->job, &c->params, e.grad,
                        dtype_load(dtype, field_input(field, saved, i), 0));
    return e;
}

/* The tests judge the accuracy; this is to see that the work was done. */
static bool is_accurate(const struct contestant *self, const struct field *field, size_t i,
                        uint64_t bits)
{
    const struct element e = judge(self, field, i, bits);
    return ulp_error(field->job->dtype, e.got, e.exact) <= 4;
}

bool is_roughly_right(const struct contestant *self, const struct field *field, size_t i,
                      uint64_t bits, double tolerance)
{
    const struct element e = judge(self, field, i, bits);
    return fabs(e.got - e.exact) <= tolerance * (1 + fabs(e.grad) + fabs(e.exact));
}

/* Where the terms of a one-line formula cancel, a few digits go. */
static bool is_right_in_f32(const struct contestant *self, const struct field *field, size_t i,
                            uint64_t bits)
{
    return is_roughly_right(self, field, i, bits, 1e-5);
}

static bool is_copy(const struct contestant *self, const struct field *field, size_t i,
                    uint64_t bits)
{
    const clact_dtype dtype = field->job->dtype;
    uint64_t wanted = 0;
    (void)self;
    for (unsigned input = 0; input < job_inputs(field->job); input++)
        wanted ^= dtype_load_bits(dtype, field_input(field, input, i), 0);
    return bits == wanted;
}

const struct contestant_sort clact_sort = {run_device, poison_device, sample_device, is_accurate};
const struct contestant_sort copy_sort = {run_device, poison_device, sample_device, is_copy};
const struct contestant_sort builtin_sort = {run_device, poison_device, sample_device,
                                             is_right_in_f32};
