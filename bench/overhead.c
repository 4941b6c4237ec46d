/* SPDX-License-Identifier: MIT */
#include "overhead.h"

#include "check.h"
#include "device_sorts.h"
#include "recorder.h"

#include <stdint.h>
#include <stdlib.h>

/* Small enough to be done at once, so that the call is all there is. */
enum { ELEMENTS = 64 };

/* What is called, and how. */
struct calling {
    const struct job *job;
    clact_context *ctx;
    cl_command_queue queue;
    clact_buffer *arrays[3];
    const struct recorded_launch *launch;
};

enum side { CLACT, RAW, SIDES };

/* The launch by hand leaves the arguments as the library's had them. */
static void call(const struct calling *calling, enum side side)
{
    if (side == CLACT)
        check_clact(calling->ctx, job_enqueue(calling->job, calling->ctx, calling->queue,
                                              calling->arrays, 0, ELEMENTS, NULL));
    else
        recorder_repeat(calling->launch, calling->queue);
}

/* Which of the two is the first of a pair, as good as by chance. */
static enum side first_of(size_t pair)
{
    return (enum side)((pair * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SIDES);
}

/* So that the device's threads have gone to sleep; whether they are just about to would otherwise
 * decide what a call takes. */
static void pause_briefly(void)
{
    const double end = now() + 100e-6;
    while (now() < end)
        ;
}

static void measure_single(const struct calling *calling, double *called[SIDES],
                           double *done[SIDES], size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        const enum side side = first_of(i / 2) ^ (enum side)(i % 2);
        pause_briefly();
        const double start = now();
        call(calling, side);
        called[side][i / 2] = now() - start;
        check_cl(clFinish(calling->queue), "clFinish");
        done[side][i / 2] = now() - start;
    }
}

/* No device has begun before the event is set, so that no other thread wakes and takes part. */
static double measure_batch(const struct calling *calling, enum side side)
{
    enum { BATCH = 64 };
    cl_int code = CL_SUCCESS;
    cl_event gate = clCreateUserEvent(clact_context_cl(calling->ctx), &code);
    check_cl(code, "clCreateUserEvent");
    check_cl(clEnqueueMarkerWithWaitList(calling->queue, 1, &gate, NULL),
             "clEnqueueMarkerWithWaitList");
    const double start = now();
    for (size_t i = 0; i < BATCH; i++)
        call(calling, side);
    const double seconds = (now() - start) / BATCH;
    check_cl(clSetUserEventStatus(gate, CL_COMPLETE), "clSetUserEventStatus");
    check_cl(clFinish(calling->queue), "clFinish");
    clReleaseEvent(gate);
    return seconds;
}

static void measure_queued(const struct calling *calling, double *queued[SIDES], size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        const enum side side = first_of(i / 2) ^ (enum side)(i % 2);
        queued[side][i / 2] = measure_batch(calling, side);
    }
}

static struct overhead_pair summarize_pair(double *const seconds[SIDES], size_t count)
{
    return (struct overhead_pair){summarize(seconds[CLACT], count), summarize(seconds[RAW], count)};
}

static void measure(struct overhead *overhead, const struct calling *calling)
{
    const size_t calls = overhead->calls;
    double *first[SIDES], *second[SIDES];
    for (size_t side = 0; side < SIDES; side++) {
        first[side] = check_allocate(calls, sizeof(double));
        second[side] = check_allocate(calls, sizeof(double));
    }
    measure_single(calling, first, second, calls);
    overhead->call = summarize_pair(first, calls);
    overhead->all = summarize_pair(second, calls);
    const size_t batches = calls / 8 + 1;
    measure_queued(calling, first, batches);
    overhead->queued = summarize_pair(first, batches);
    overhead->arguments = calling->launch->argument_count;
    for (size_t side = 0; side < SIDES; side++) {
        free(first[side]);
        free(second[side]);
    }
}

bool overhead_measure(struct overhead *overhead, const clact_options *options, size_t calls)
{
    *overhead = (struct overhead){
        .job = {CLACT_SIGMOID, FORWARD, CLACT_F32}, .n = ELEMENTS, .calls = calls};
    struct calling calling = {.job = &overhead->job};
    clact_options uncached = options != NULL ? *options : (clact_options){.device = NULL};
    uncached.cache_dir = ""; /* for which the first call would launch more than itself */
    check_clact(NULL, clact_context_create(&uncached, &calling.ctx));
    calling.queue = clact_context_queue(calling.ctx);
    for (unsigned i = 0; i < 3; i++)
        check_clact(calling.ctx,
                    clact_buffer_create(calling.ctx, ELEMENTS * sizeof(float), &calling.arrays[i]));
    recorder_start();
    call(&calling, CLACT);
    calling.launch = recorder_stop();
    if (calling.launch != NULL)
        measure(overhead, &calling);
    for (unsigned i = 0; i < 3; i++)
        clact_buffer_destroy(calling.arrays[i]);
    clact_context_destroy(calling.ctx);
    return calling.launch != NULL;
}

static void print_pair(const char *title, const struct overhead_pair *pair)
{
    printf("  %-28s%10.2f %-8.2f%10.2f %-8.2f%9.3f\n", title, pair->clact.median * 1e6,
           pair->clact.spread * 1e6, pair->raw.median * 1e6, pair->raw.spread * 1e6,
           pair->clact.median / pair->raw.median);
}

void overhead_print(const struct overhead *overhead)
{
    printf("\nWhat a call costs (%s %s %s, %zu elements), beside clSetKernelArg %zu times and\n"
           "clEnqueueNDRangeKernel on the same kernel\n",
           clact_operator_name(overhead->job.op), job_direction_name(&overhead->job),
           clact_dtype_name(overhead->job.dtype), overhead->n, overhead->arguments);
    printf("  %-28s%10s %-8s%10s %-8s%9s\n", "", "clact us", "+-", "raw us", "+-", "ratio");
    print_pair("returns, device waits", &overhead->queued);
    print_pair("returns, device idle", &overhead->call);
    print_pair("clFinish returns", &overhead->all);
}

static void json_pair(FILE *file, const char *name, const struct overhead_pair *pair)
{
    fprintf(file, ", \"%s\": {\"clact_s\": %.6g, \"raw_s\": %.6g, \"ratio\": %.6g}", name,
            pair->clact.median, pair->raw.median, pair->clact.median / pair->raw.median);
}

void overhead_json(const struct overhead *overhead, FILE *file)
{
    fprintf(file,
            "{\"operator\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", \"n\": %zu, "
            "\"arguments\": %zu",
            clact_operator_name(overhead->job.op), job_direction_name(&overhead->job),
            clact_dtype_name(overhead->job.dtype), overhead->n, overhead->arguments);
    json_pair(file, "returns_device_waits", &overhead->queued);
    json_pair(file, "returns_device_idle", &overhead->call);
    json_pair(file, "finished", &overhead->all);
    fputc('}', file);
}
