/* SPDX-License-Identifier: MIT */
/*
 * What an LSTM's step gains from being one call: clact_enqueue_lstm_forward beside the same written as
 * separate calls (the four activations of the gates, tanh of the state, and two kernels of one line for
 * the products and the sum), and beside copying as many bytes as the one call reads and writes. f32.
 *
 *     clact_bench_recurrent [--repeats N] [--quick]
 */
#include "check.h"
#include "device_sorts.h"
#include "statistics.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const usage = "usage: clact_bench_recurrent [--repeats N] [--quick]\n"
                                 "  --repeats N   how often each is timed, in turn (default 50)\n"
                                 "  --quick       one small size\n";

/* What clact has no call for: one element for each item. */
static const char *const source =
    "kernel void new_state(global const float *f, global const float *c, global const float *i,\n"
    "                      global const float *g, global float *y)\n"
    "{\n"
    "    const size_t k = get_global_id(0);\n"
    "    y[k] = f[k] * c[k] + i[k] * g[k];\n"
    "}\n"
    "kernel void new_output(global const float *o, global const float *t, global float *y)\n"
    "{\n"
    "    const size_t k = get_global_id(0);\n"
    "    y[k] = o[k] * t[k];\n"
    "}\n";

enum { Z, GATES, C_PREV, C, H, INPUT_GATE, FORGET_GATE, CANDIDATE, OUTPUT_GATE, TANH_C, BUFFERS };
enum way { FUSED, TRAINING, SEPARATE, COPY, WAYS };

struct bench {
    clact_context *ctx;
    cl_command_queue queue;
    cl_kernel state, output;
    size_t batch, hidden;
    clact_buffer *buffers[BUFFERS];
};

/* All of a buffer of the state's columns, or of those of four gates. */
static clact_view view_of(const struct bench *b, int buffer)
{
    const size_t cols = (buffer <= GATES ? 4 : 1) * b->hidden;
    return clact_view_2d(clact_buffer_mem(b->buffers[buffer]), CLACT_F32, 0, b->batch, cols, cols);
}

static void run_fused(const struct bench *b, bool training)
{
    clact_lstm_views views = {
        .z = view_of(b, Z), .c_prev = view_of(b, C_PREV), .c = view_of(b, C), .h = view_of(b, H)};
    if (training)
        views.gates = view_of(b, GATES);
    check_clact(b->ctx, clact_enqueue_lstm_forward(b->ctx, b->queue, CLACT_LSTM_IFGO, &views, 0,
                                                   NULL, NULL));
}

static void run_kernel(const struct bench *b, cl_kernel kernel, const int *buffers, cl_uint count)
{
    const size_t n = b->batch * b->hidden;
    for (cl_uint i = 0; i < count; i++) {
        const cl_mem mem = clact_buffer_mem(b->buffers[buffers[i]]);
        check_cl(clSetKernelArg(kernel, i, sizeof mem, &mem), "clSetKernelArg");
    }
    check_cl(clEnqueueNDRangeKernel(b->queue, kernel, 1, NULL, &n, NULL, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
}

static void run_separate(const struct bench *b)
{
    static const clact_operator operators[4] = {CLACT_SIGMOID, CLACT_SIGMOID, CLACT_TANH,
                                                CLACT_SIGMOID};
    static const int state[] = {FORGET_GATE, C_PREV, INPUT_GATE, CANDIDATE, C};
    static const int output[] = {OUTPUT_GATE, TANH_C, H};
    for (int gate = 0; gate < 4; gate++) {
        clact_view z = view_of(b, Z);
        z.offset = (size_t)gate * b->hidden;
        z.cols = b->hidden;
        check_clact(b->ctx, clact_enqueue_forward(b->ctx, b->queue, operators[gate], NULL, z,
                                                  view_of(b, INPUT_GATE + gate), 0, NULL, NULL));
    }
    run_kernel(b, b->state, state, 5);
    check_clact(b->ctx, clact_enqueue_forward(b->ctx, b->queue, CLACT_TANH, NULL, view_of(b, C),
                                              view_of(b, TANH_C), 0, NULL, NULL));
    run_kernel(b, b->output, output, 3);
}

static void run_copy(const struct bench *b)
{
    /* Five numbers are read for each two that are written: as many bytes as a copy of half of seven. */
    const size_t bytes = b->batch * b->hidden * sizeof(float) * 7 / 2;
    check_cl(clEnqueueCopyBuffer(b->queue, clact_buffer_mem(b->buffers[Z]),
                                 clact_buffer_mem(b->buffers[GATES]), 0, 0, bytes, 0, NULL, NULL),
             "clEnqueueCopyBuffer");
}

static double time_of(const struct bench *b, enum way way)
{
    const double start = now();
    if (way == SEPARATE)
        run_separate(b);
    else if (way == COPY)
        run_copy(b);
    else
        run_fused(b, way == TRAINING);
    check_cl(clFinish(b->queue), "clFinish");
    return now() - start;
}

/* Pre-activations from -4 to 4 and states from -1 to 1. */
static void fill(const struct bench *b, int buffer, float limit)
{
    const size_t n = clact_buffer_size(b->buffers[buffer]) / sizeof(float);
    float *values = check_allocate(n, sizeof(float));
    unsigned state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        values[i] = ((float)(state >> 8) * 0x1p-23F - 1) * limit;
    }
    check_clact(b->ctx, clact_buffer_write(b->buffers[buffer], 0, n * sizeof(float), values));
    free(values);
}

static void measure(struct bench *b, size_t batch, size_t hidden, size_t repeats)
{
    double *seconds[WAYS];
    b->batch = batch;
    b->hidden = hidden;
    for (int i = 0; i < BUFFERS; i++)
        check_clact(b->ctx, clact_buffer_create(
                                b->ctx, (i <= GATES ? 4 : 1) * batch * hidden * sizeof(float),
                                &b->buffers[i]));
    fill(b, Z, 4);
    fill(b, C_PREV, 1);
    for (int way = 0; way < WAYS; way++) {
        seconds[way] = check_allocate(repeats, sizeof(double));
        time_of(b, (enum way)way); /* compiles */
    }
    for (size_t r = 0; r < repeats; r++)
        for (int way = 0; way < WAYS; way++)
            seconds[way][r] = time_of(b, (enum way)way);
    printf("%6zu%8zu", batch, hidden);
    for (int way = 0; way < WAYS; way++)
        printf("%11.1f", summarize(seconds[way], repeats).median * 1e6);
    printf("%11.2f%11.2f\n", summarize_ratios(seconds[SEPARATE], seconds[FUSED], repeats).median,
           summarize_ratios(seconds[COPY], seconds[FUSED], repeats).median);
    for (int way = 0; way < WAYS; way++)
        free(seconds[way]);
    for (int i = 0; i < BUFFERS; i++)
        clact_buffer_destroy(b->buffers[i]);
}

static void open_bench(struct bench *b)
{
    cl_int code = CL_SUCCESS;
    check_clact(NULL, clact_context_create(NULL, &b->ctx));
    b->queue = clact_context_queue(b->ctx);
    const cl_device_id device = clact_context_device(b->ctx);
    const char *text = source;
    cl_program program = clCreateProgramWithSource(clact_context_cl(b->ctx), 1, &text, NULL, &code);
    check_cl(code, "clCreateProgramWithSource");
    check_cl(clBuildProgram(program, 1, &device, "", NULL, NULL), "clBuildProgram");
    b->state = clCreateKernel(program, "new_state", &code);
    check_cl(code, "clCreateKernel");
    b->output = clCreateKernel(program, "new_output", &code);
    check_cl(code, "clCreateKernel");
    clReleaseProgram(program);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"repeats", required_argument, NULL, 'r'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, CHECK_HELP},
                                            {NULL, 0, NULL, 0}};
    static const size_t sizes[][2] = {
        {64, 512}, {64, 2048}, {256, 1024}, {1024, 512}, {1024, 2048}};
    size_t repeats = 50, count = sizeof sizes / sizeof sizes[0];
    check_program = "clact_bench_recurrent";
    for (int option; (option = check_option(argc, argv, options, usage)) != -1;) {
        if (option == 'r')
            repeats = check_size("repeats", optarg, 1, 100000);
        else
            count = 1;
    }
    struct bench b = {.ctx = NULL};
    open_bench(&b);
    printf("An LSTM's step, f32, median microseconds\n");
    printf("%6s%8s%11s%11s%11s%11s%11s%11s\n", "batch", "hidden", "one call", "and gates",
           "separate", "copy", "separate/1", "copy/1");
    for (size_t i = 0; i < count; i++)
        measure(&b, sizes[i][0], sizes[i][1], repeats);
    clReleaseKernel(b.state);
    clReleaseKernel(b.output);
    clact_context_destroy(b.ctx);
    return EXIT_SUCCESS;
}
