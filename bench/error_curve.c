/* SPDX-License-Identifier: MIT */
/*
 * clact_error_curve: the largest error in f32 in each of many short intervals of x, of clact and of
 * the one-line kernel with OpenCL's builtin functions, and the function itself. CSV on stdout.
 */
#include "check.h"
#include "job.h"
#include "rival.h"
#include "ulp.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum method { CLACT, BUILTIN, METHODS };

struct settings {
    const char *op;
    double low, high;
    size_t intervals;
    size_t samples; /* in each interval */
};

/* The operands of all intervals, one after the other, and what the methods make of them. */
struct curve {
    const struct settings *settings;
    clact_context *ctx;
    size_t n;
    float *x;
    float *y[METHODS];
    bool has[METHODS];
    clact_buffer *arrays[3];
};

static const char usage[] =
    "Usage: clact_error_curve [OPTIONS] >FILE.csv\n"
    "\n"
    "The largest error in ULP in each interval of x, in f32, of the forward pass and of the\n"
    "gradient from the input for grad = 1; y is what clact gives where the interval starts.\n"
    "\n"
    "  --op NAME     only this operator, such as sigmoid\n"
    "  --from X      where the first interval starts (default: -105)\n"
    "  --to X        where the last one ends (default: 20)\n"
    "  --intervals N of the same length (default: 500)\n"
    "  --samples N   values of x in each interval (default: 16384)\n"
    "  --help        print this text\n";

static void parse(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"op", required_argument, NULL, 'o'},
        {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},
        {"intervals", required_argument, NULL, 'i'},
        {"samples", required_argument, NULL, 's'},
        {"help", no_argument, NULL, CHECK_HELP},
        {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.low = -105, .high = 20, .intervals = 500, .samples = 16384};
    int option;
    while ((option = check_option(argc, argv, options, usage)) != -1) {
        switch (option) {
        case 'o':
            settings->op = optarg;
            break;
        case 'f':
            settings->low = check_number("from", optarg, -1000, 1000);
            break;
        case 't':
            settings->high = check_number("to", optarg, -1000, 1000);
            break;
        case 'i':
            settings->intervals = check_size("intervals", optarg, 1, 100000);
            break;
        case 's':
            settings->samples = check_size("samples", optarg, 1, 1000000);
            break;
        }
    }
    if (!(settings->low < settings->high))
        die("--from must be less than --to");
    if (job_each(settings->op, NULL, NULL, NULL, NULL) == 0)
        die("no operator has the name %s", settings->op);
}

/* Where an interval starts, or a part of it. */
static double place_at(const struct settings *s, double interval)
{
    return s->low + (s->high - s->low) * interval / (double)s->intervals;
}

/* The first of an interval is where it starts. All others are evenly spread, but each at a random
 * place in its share: the spacing hides nothing. */
static void choose_operands(struct curve *curve)
{
    const struct settings *s = curve->settings;
    uint64_t state = 1;
    for (size_t i = 0; i < curve->n; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const double part = i % s->samples == 0 ? 0 : (double)(state >> 11) * 0x1p-53;
        curve->x[i] = (float)place_at(s, ((double)i + part) / (double)s->samples);
    }
}

static void open_curve(struct curve *curve, const struct settings *settings)
{
    curve->settings = settings;
    curve->n = settings->intervals * settings->samples;
    curve->x = check_allocate(curve->n, sizeof *curve->x);
    for (unsigned method = 0; method < METHODS; method++)
        curve->y[method] = check_allocate(curve->n, sizeof *curve->y[method]);
    choose_operands(curve);
    check_clact(NULL, clact_context_create(NULL, &curve->ctx));
    for (unsigned i = 0; i < 3; i++)
        check_clact(curve->ctx,
                    clact_buffer_create(curve->ctx, curve->n * sizeof(float), &curve->arrays[i]));
}

static void close_curve(struct curve *curve)
{
    for (unsigned i = 0; i < 3; i++)
        clact_buffer_destroy(curve->arrays[i]);
    clact_context_destroy(curve->ctx);
    for (unsigned method = 0; method < METHODS; method++)
        free(curve->y[method]);
    free(curve->x);
}

/* Before each method the output is NaN, which no method that works leaves there. */
static void fill_arrays(const struct curve *curve, const struct job *job)
{
    const unsigned saved = job_inputs(job) - 1;
    float *values = check_allocate(curve->n, sizeof *values);
    const size_t bytes = curve->n * sizeof *values;
    for (size_t i = 0; i < curve->n; i++)
        values[i] = 1;
    if (saved == 1)
        check_clact(curve->ctx, clact_buffer_write(curve->arrays[0], 0, bytes, values));
    check_clact(curve->ctx, clact_buffer_write(curve->arrays[saved], 0, bytes, curve->x));
    memset(values, 0xff, bytes);
    check_clact(curve->ctx, clact_buffer_write(curve->arrays[saved + 1], 0, bytes, values));
    free(values);
}

static void read_output(const struct curve *curve, const struct job *job, enum method method)
{
    check_clact(curve->ctx, clact_buffer_read(curve->arrays[job_inputs(job)], 0,
                                              curve->n * sizeof(float), curve->y[method]));
}

static void run_clact(struct curve *curve, const struct job *job)
{
    fill_arrays(curve, job);
    check_clact(curve->ctx, job_enqueue(job, curve->ctx, NULL, curve->arrays, 0, curve->n, NULL));
    read_output(curve, job, CLACT);
    curve->has[CLACT] = true;
}

static void run_builtin(struct curve *curve, const struct job *job)
{
    const struct rival rival = {.name = "builtin"};
    cl_program program = rival_build(curve->ctx, job_inputs(job), job->op);
    cl_kernel kernel = rival_kernel(&rival, curve->ctx, program, job, curve->n);
    clReleaseProgram(program);
    curve->has[BUILTIN] = kernel != NULL;
    if (kernel == NULL)
        return;
    fill_arrays(curve, job);
    rival_set_arrays(kernel, job, curve->arrays);
    check_cl(clEnqueueNDRangeKernel(clact_context_queue(curve->ctx), kernel, 1, NULL, &curve->n,
                                    NULL, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
    read_output(curve, job, BUILTIN);
    clReleaseKernel(kernel);
}

static void print_interval(const struct curve *curve, const struct job *job, size_t interval)
{
    const struct settings *s = curve->settings;
    const clact_params params = job_params(job);
    double worst[METHODS] = {0};
    for (size_t i = interval * s->samples; i < (interval + 1) * s->samples; i++) {
        const double exact = job_exact(job, &params, 1, curve->x[i]);
        for (unsigned method = 0; method < METHODS; method++)
            if (curve->has[method])
                worst[method] =
                    fmax(worst[method], ulp_error(CLACT_F32, curve->y[method][i], exact));
    }
    printf("%s,%s,%.7g,%.7g,%.7g", clact_operator_name(job->op), job_direction_name(job),
           place_at(s, (double)interval), place_at(s, (double)(interval + 1)),
           (double)curve->y[CLACT][interval * s->samples]);
    for (unsigned method = 0; method < METHODS; method++) {
        if (curve->has[method])
            printf(",%.4g", worst[method]);
        else
            putchar(',');
    }
    putchar('\n');
}

/* Over the saved output there is no x to draw it by. */
static void measure(const struct job *job, void *user)
{
    struct curve *curve = user;
    if (job->direction == FROM_OUTPUT)
        return;
    run_clact(curve, job);
    run_builtin(curve, job);
    for (size_t i = 0; i < curve->settings->intervals; i++)
        print_interval(curve, job, i);
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct curve curve = {0};
    check_program = "clact_error_curve";
    parse(&settings, argc, argv);
    open_curve(&curve, &settings);
    puts("operator,direction,x_from,x_to,y,clact,builtin");
    job_each(settings.op, NULL, clact_dtype_name(CLACT_F32), measure, &curve);
    close_curve(&curve);
    if (fflush(stdout) != 0 || ferror(stdout))
        die("cannot write the output");
    return 0;
}
