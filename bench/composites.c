/* SPDX-License-Identifier: MIT */
/*
 * clact_bench_composites: how fast the composites are, beside copying as many bytes on the same device
 * and beside PyTorch where there is a Python that has it.
 *
 * Round after round each of clact and the ways to copy runs once, and the medians of all rounds are
 * compared; so what slows the machine down slows all of them. PyTorch runs as often right after them.
 */
#include "check.h"
#include "composite.h"
#include "device_sorts.h"
#include "dtype.h"
#include "rival.h"
#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: clact_bench_composites [OPTION]...\n"
    "Times the composites beside copying as many bytes and beside PyTorch.\n"
    "\n"
    "  --only TEXT        those whose name has TEXT in it\n"
    "  --rounds N         runs of each (default: 15)\n"
    "  --python PROGRAM   with PyTorch (default: CLACT_BENCH_PYTHON or python3); \"\": none\n"
    "  --help             this text\n";

struct settings {
    const char *only, *python;
    size_t rounds;
};

/* A composite and the memory that it works on. */
struct setup {
    const struct composite *composite;
    clact_context *ctx;
    clact_buffer *buffers[COMPOSITE_OPERANDS];
    clact_view views[COMPOSITE_OPERANDS];
    unsigned count;
    size_t bytes; /* of all operands */
};

static size_t bytes_of(const struct composite_operand *o)
{
    return o->rows * o->cols * clact_dtype_size(o->dtype);
}

/* Inputs are numbers from -1 to 1, or bytes that are 0 or 1; outputs are NaN until they are written. */
static void fill(clact_buffer *buffer, const struct composite_operand *o)
{
    enum { PERIOD = 65521 };
    void *bytes = NULL;
    check_clact(NULL, clact_buffer_map(buffer, CL_MAP_WRITE, 0, bytes_of(o), &bytes));
    if (o->output)
        memset(bytes, 0xff, bytes_of(o));
    for (size_t i = 0; i < o->rows * o->cols && !o->output; i++) {
        const double x = (double)(i * 40503 % PERIOD) / PERIOD * 2 - 1;
        if (o->dtype == CLACT_U8)
            ((unsigned char *)bytes)[i] = x > 0;
        else
            dtype_store(o->dtype, bytes, i, x);
    }
    check_clact(NULL, clact_buffer_unmap(buffer, bytes));
}

static void open_setup(struct setup *s, clact_context *ctx, const struct composite *composite)
{
    *s = (struct setup){.composite = composite, .ctx = ctx};
    for (; s->count < COMPOSITE_OPERANDS && composite->operands[s->count].rows > 0; s->count++) {
        const struct composite_operand *o = &composite->operands[s->count];
        clact_buffer **buffer = &s->buffers[s->count];
        check_clact(ctx, clact_buffer_create(ctx, bytes_of(o), buffer));
        fill(*buffer, o);
        s->views[s->count] =
            clact_view_2d(clact_buffer_mem(*buffer), o->dtype, 0, o->rows, o->cols, o->cols);
        s->bytes += bytes_of(o);
    }
}

static void close_setup(struct setup *s)
{
    for (unsigned i = 0; i < s->count; i++)
        clact_buffer_destroy(s->buffers[i]);
    clact_context_trim(s->ctx);
}

/* That the work is done; the tests judge how well. */
static void check_outputs(const struct setup *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        const struct composite_operand *o = &s->composite->operands[i];
        const size_t size = clact_dtype_size(o->dtype), last = o->rows * o->cols - 1;
        unsigned char element[8];
        if (!o->output || o->dtype == CLACT_U8)
            continue;
        for (int end = 0; end < 2; end++) {
            check_clact(s->ctx,
                        clact_buffer_read(s->buffers[i], end ? last * size : 0, size, element));
            if (isnan(dtype_load(o->dtype, element, 0)))
                die("%s has not written its output %u", s->composite->name, i);
        }
    }
}

static double time_clact(const struct setup *s)
{
    const double start = now();
    check_clact(s->ctx, s->composite->enqueue(s->ctx, s->views));
    check_cl(clFinish(clact_context_queue(s->ctx)), "clFinish");
    return now() - start;
}

/* Copying: half of the bytes are read, the other half are written. */

struct copying {
    cl_program program;
    clact_buffer *arrays[2];
    size_t bytes; /* of each array */
    cl_kernel kernels[RIVALS];
};

static const struct job copy_job = {.op = CLACT_SIGMOID, .direction = FORWARD, .dtype = CLACT_F32};

static void open_copying(struct copying *c, clact_context *ctx, size_t bytes)
{
    enum { BLOCK = 4096 };
    *c = (struct copying){.bytes = (bytes / 2 + BLOCK - 1) / BLOCK * BLOCK};
    c->program = rival_build(ctx, &copy_job);
    for (unsigned i = 0; i < 2; i++) {
        const struct composite_operand o = {1, c->bytes / sizeof(float), CLACT_F32, i == 1};
        check_clact(ctx, clact_buffer_create(ctx, c->bytes, &c->arrays[i]));
        fill(c->arrays[i], &o);
    }
    for (unsigned i = 0; i < RIVALS; i++)
        if (rivals[i].is_copy) {
            c->kernels[i] =
                rival_kernel(&rivals[i], ctx, c->program, &copy_job, c->bytes / sizeof(float));
            if (c->kernels[i])
                rival_set_arrays(c->kernels[i], &copy_job, c->arrays);
        }
}

static void close_copying(struct copying *c)
{
    for (unsigned i = 0; i < RIVALS; i++)
        if (c->kernels[i])
            clReleaseKernel(c->kernels[i]);
    for (unsigned i = 0; i < 2; i++)
        clact_buffer_destroy(c->arrays[i]);
    clReleaseProgram(c->program);
}

static double time_copy(const struct copying *c, unsigned which, clact_context *ctx)
{
    const cl_command_queue queue = clact_context_queue(ctx);
    const size_t items = c->bytes / rivals[which].bytes_per_item;
    const double start = now();
    check_cl(clEnqueueNDRangeKernel(queue, c->kernels[which], 1, NULL, &items, NULL, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
    check_cl(clFinish(queue), "clFinish");
    return now() - start;
}

/* PyTorch. */

/* The seconds of the composite's line; NAN if that is not to be had. */
static double time_pytorch(const struct settings *settings, const struct setup *s)
{
    char command[4096];
    cl_uint threads = 1;
    double seconds = NAN;
    if (!*settings->python || !s->composite->pytorch)
        return NAN;
    check_cl(clGetDeviceInfo(clact_context_device(s->ctx), CL_DEVICE_MAX_COMPUTE_UNITS,
                             sizeof threads, &threads, NULL),
             "clGetDeviceInfo");
    size_t length = (size_t)snprintf(command, sizeof command, "%s '%s' %u %zu '%s'",
                                     settings->python, CLACT_BENCH_COMPOSITES_SCRIPT,
                                     (unsigned)threads, settings->rounds, s->composite->pytorch);
    for (unsigned i = 0; i < s->count && length < sizeof command; i++) {
        const struct composite_operand *o = &s->composite->operands[i];
        length += (size_t)snprintf(command + length, sizeof command - length, " %zu,%zu,%s",
                                   o->rows, o->cols, clact_dtype_name(o->dtype));
    }
    if (length >= sizeof command)
        die("the line for %s is too long", s->composite->name);
    fflush(stdout);
    FILE *answer = popen(command, "r");
    if (!answer)
        die("no process for %s", settings->python);
    if (fscanf(answer, "%lf", &seconds) != 1)
        seconds = NAN;
    pclose(answer);
    return seconds;
}

/* Measuring. */

static double measure_rounds(const struct settings *settings, const struct setup *s,
                             const struct copying *c, struct summary *clact)
{
    double *times[RIVALS + 1], least = INFINITY;
    for (unsigned i = 0; i <= RIVALS; i++)
        times[i] = check_allocate(settings->rounds, sizeof(double));
    for (size_t round = 0; round <= settings->rounds; round++) {
        const size_t at = round > 0 ? round - 1 : 0; /* the first is not counted */
        times[RIVALS][at] = time_clact(s);
        for (unsigned i = 0; i < RIVALS; i++)
            if (c->kernels[i])
                times[i][at] = time_copy(c, i, s->ctx);
    }
    *clact = summarize(times[RIVALS], settings->rounds);
    for (unsigned i = 0; i < RIVALS; i++)
        if (c->kernels[i])
            least = fmin(least, summarize(times[i], settings->rounds).median);
    for (unsigned i = 0; i <= RIVALS; i++)
        free(times[i]);
    return least;
}

static void measure(const struct settings *settings, clact_context *ctx,
                    const struct composite *composite)
{
    struct setup s;
    struct copying c;
    struct summary clact;
    open_setup(&s, ctx, composite);
    open_copying(&c, ctx, s.bytes);
    const double copy = measure_rounds(settings, &s, &c, &clact);
    check_outputs(&s);
    const double pytorch = time_pytorch(settings, &s);
    printf("%-40s%10.3f %-8.3f%10.3f%8.2f", composite->name, clact.median * 1e3, clact.spread * 1e3,
           copy * 1e3, copy / clact.median);
    if (isnan(pytorch))
        printf("%10s%8s\n", "-", "-");
    else
        printf("%10.3f%8.2f\n", pytorch * 1e3, pytorch / clact.median);
    fflush(stdout);
    close_copying(&c);
    close_setup(&s);
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},
        {"rounds", required_argument, NULL, 'r'},
        {"python", required_argument, NULL, 'y'},
        {"help", no_argument, NULL, CHECK_HELP},
        {NULL, 0, NULL, 0},
    };
    struct settings settings = {"", getenv("CLACT_BENCH_PYTHON"), 15};
    int option;
    if (!settings.python)
        settings.python = "python3";
    while ((option = check_option(argc, argv, options, usage)) != -1) {
        if (option == 'o')
            settings.only = optarg;
        else if (option == 'y')
            settings.python = optarg;
        else
            settings.rounds = check_size("--rounds", optarg, 1, 100000);
    }
    return settings;
}

int main(int argc, char **argv)
{
    clact_context *ctx = NULL;
    check_program = "clact_bench_composites";
    const struct settings settings = read_settings(argc, argv);
    check_clact(NULL, clact_context_create(NULL, &ctx));
    printf("%-40s%10s %-8s%10s%8s%10s%8s\n", "", "clact ms", "+-", "copy ms", "of it", "PyTorch ms",
           "ratio");
    size_t count = 0;
    for (size_t i = 0; i < composite_count; i++)
        if (strstr(composites[i].name, settings.only)) {
            measure(&settings, ctx, &composites[i]);
            count++;
        }
    clact_context_destroy(ctx);
    if (count == 0)
        die("no composite's name has %s in it", settings.only);
    return 0;
}
