/* SPDX-License-Identifier: MIT */
/*
 * clact_bench_composites: how fast the composites are, beside copying as many bytes on the same device,
 * beside separate calls, where a row of composite_rows.c has them, and beside PyTorch where there is a
 * Python that has it.
 *
 * Round after round each of clact, the separate calls and the ways to copy runs once; so what slows the
 * machine down slows all of them. PyTorch runs as often right after them.
 */
#include "check.h"
#include "composite.h"
#include "copying.h"
#include "device_sorts.h"
#include "dtype.h"
#include "load.h"
#include "peer.h"
#include "report.h"
#include "statistics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: clact_bench_composites [OPTION]...\n"
    "Times the composites beside copying as many bytes, beside separate calls that make the same,\n"
    "where there are any to compare with, and beside PyTorch.\n"
    "\n"
    "  --only TEXT        those whose name has TEXT in it\n"
    "  --rounds N         runs of each (default: 15)\n"
    "  --csv FILE         all figures, as comma-separated values\n"
    "  --python PROGRAM   with PyTorch (default: CLACT_BENCH_PYTHON or python3); \"\": none\n"
    "  --help             this text\n";

struct settings {
    const char *only, *csv, *python;
    size_t rounds;
};

struct bench {
    struct settings settings;
    clact_context *ctx;
    struct peer pytorch; /* only its version; empty where there is none */
    FILE *csv;
    double others; /* the largest share of the CPUs that others used */
};

/* Contestants: the ways to copy are in between. */
enum { CLACT, SEPARATE, COPIES, PYTORCH = COPIES + RIVALS, CONTESTANTS };

/* A composite, the memory that it works on, and what came out. */
struct setup {
    const struct composite *composite;
    clact_context *ctx;
    clact_buffer *buffers[COMPOSITE_OPERANDS];
    clact_view views[COMPOSITE_OPERANDS];
    unsigned count;
    size_t read, written; /* bytes */
    size_t rounds;
    double others;
    double *times[CONTESTANTS]; /* a time for each round; NULL: it does not take part */
};

static size_t bytes_of(const struct composite_operand *o)
{
    return o->rows * o->cols * clact_dtype_size(o->dtype);
}

static bool is_input(const struct composite_operand *o)
{
    return o->use == COMPOSITE_INPUT || o->use == COMPOSITE_SHARE;
}

/* Outputs are NaN until they are written. */
static void fill(clact_buffer *buffer, const struct composite_operand *o)
{
    enum { PERIOD = 65521 };
    void *bytes = NULL;
    check_clact(NULL, clact_buffer_map(buffer, CL_MAP_WRITE, 0, bytes_of(o), &bytes));
    if (!is_input(o))
        memset(bytes, 0xff, bytes_of(o));
    for (size_t i = 0; i < o->rows * o->cols && is_input(o); i++) {
        const double x = (double)(i * 40503 % PERIOD) / PERIOD;
        if (o->dtype == CLACT_U8)
            ((unsigned char *)bytes)[i] = x > 0.5;
        else
            dtype_store(o->dtype, bytes, i, o->use == COMPOSITE_SHARE ? x : 2 * x - 1);
    }
    check_clact(NULL, clact_buffer_unmap(buffer, bytes));
}

static void open_setup(struct setup *s, const struct bench *bench,
                       const struct composite *composite)
{
    clact_context *ctx = bench->ctx;
    *s = (struct setup){.composite = composite, .ctx = ctx, .rounds = bench->settings.rounds};
    for (; s->count < COMPOSITE_OPERANDS && composite->operands[s->count].rows > 0; s->count++) {
        const struct composite_operand *o = &composite->operands[s->count];
        clact_buffer **buffer = &s->buffers[s->count];
        check_clact(ctx, clact_buffer_create(ctx, bytes_of(o), buffer));
        fill(*buffer, o);
        s->views[s->count] =
            clact_view_2d(clact_buffer_mem(*buffer), o->dtype, 0, o->rows, o->cols, o->cols);
        if (is_input(o))
            s->read += bytes_of(o);
        else if (o->use == COMPOSITE_OUTPUT)
            s->written += bytes_of(o);
    }
}

static void close_setup(struct setup *s)
{
    for (unsigned i = 0; i < CONTESTANTS; i++)
        free(s->times[i]);
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
        if (o->use != COMPOSITE_OUTPUT || o->dtype == CLACT_U8)
            continue;
        for (int end = 0; end < 2; end++) {
            check_clact(s->ctx,
                        clact_buffer_read(s->buffers[i], end ? last * size : 0, size, element));
            if (isnan(dtype_load(o->dtype, element, 0)))
                die("%s has not written its output %u", s->composite->name, i);
        }
    }
}

static double time_call(const struct setup *s, composite_call *call)
{
    const double start = now();
    check_clact(s->ctx, call(s->ctx, s->views));
    check_cl(clFinish(clact_context_queue(s->ctx)), "clFinish");
    return now() - start;
}

/* Of contestant i, which is not PyTorch. */
static double time_of(const struct setup *s, const struct copying *copying, unsigned i)
{
    if (i == CLACT)
        return time_call(s, s->composite->enqueue);
    if (i == SEPARATE)
        return time_call(s, s->composite->separate);
    const double start = now();
    copying_run(copying, i - COPIES);
    return now() - start;
}

/* All but PyTorch. The first run is looked at, and the first round is not counted. */
static void run_rounds(struct setup *s, const struct copying *copying)
{
    for (unsigned i = 0; i < PYTORCH; i++)
        if (i == CLACT || (i == SEPARATE && s->composite->separate) ||
            (i >= COPIES && copying->kernels[i - COPIES]))
            s->times[i] = check_allocate(s->rounds, sizeof(double));
    /* Before separate calls write the same outputs. */
    time_of(s, copying, CLACT);
    check_outputs(s);
    struct load before = load_now(NULL, 0);
    for (size_t round = 0; round <= s->rounds; round++) {
        if (round == 1)
            before = load_now(NULL, 0);
        for (unsigned i = 0; i < PYTORCH; i++)
            if (s->times[i])
                s->times[i][round > 0 ? round - 1 : 0] = time_of(s, copying, i);
    }
    const struct load after = load_now(NULL, 0);
    s->others = load_of_others(&before, &after);
}

/* PyTorch. */

static FILE *open_script(const char *command)
{
    fflush(stdout);
    FILE *answer = popen(command, "r");
    if (!answer)
        die("there can be no process for Python");
    return answer;
}

static void find_pytorch(struct bench *bench)
{
    char command[4096];
    if (!*bench->settings.python)
        return;
    if (snprintf(command, sizeof command, "%s '%s'", bench->settings.python,
                 CLACT_BENCH_COMPOSITES_SCRIPT) >= (int)sizeof command)
        die("the name of Python is too long");
    FILE *answer = open_script(command);
    if (fscanf(answer, "%127[^\n]", bench->pytorch.version) != 1)
        bench->pytorch.version[0] = '\0';
    pclose(answer);
}

/* The line for the shell: what Python is to do, and on what. */
static void write_command(char *command, size_t size, const struct settings *settings,
                          const struct setup *s)
{
    const struct composite *c = s->composite;
    cl_uint threads = 1;
    check_cl(clGetDeviceInfo(clact_context_device(s->ctx), CL_DEVICE_MAX_COMPUTE_UNITS,
                             sizeof threads, &threads, NULL),
             "clGetDeviceInfo");
    size_t length =
        (size_t)snprintf(command, size, "%s '%s' %u %zu '%s' '%s'", settings->python,
                         CLACT_BENCH_COMPOSITES_SCRIPT, (unsigned)threads, settings->rounds,
                         c->pytorch_before ? c->pytorch_before : "", c->pytorch);
    for (unsigned i = 0; i < s->count && length < size; i++) {
        const struct composite_operand *o = &c->operands[i];
        length +=
            (size_t)snprintf(command + length, size - length, " %zu,%zu,%s,%d", o->rows, o->cols,
                             clact_dtype_name(o->dtype), o->use == COMPOSITE_SHARE ? 0 : -1);
    }
    if (length >= size)
        die("the line for %s is too long", c->name);
}

static void run_pytorch(const struct settings *settings, struct setup *s)
{
    char command[4096];
    size_t count = 0;
    write_command(command, sizeof command, settings, s);
    FILE *answer = open_script(command);
    s->times[PYTORCH] = check_allocate(s->rounds, sizeof(double));
    while (count < s->rounds && fscanf(answer, "%lf", &s->times[PYTORCH][count]) == 1)
        count++;
    if (pclose(answer) != 0 || count != s->rounds)
        die("PyTorch failed at %s", s->composite->name);
}

/* Reports. */

/* Of contestant i how many times as fast clact was. PyTorch's rounds are not clact's. */
static struct summary speedup_over(const struct setup *s, unsigned i)
{
    if (i != PYTORCH)
        return summarize_ratios(s->times[i], s->times[CLACT], s->rounds);
    const double median = summarize(s->times[PYTORCH], s->rounds).median /
                          summarize(s->times[CLACT], s->rounds).median;
    return (struct summary){.least = NAN, .median = median, .spread = NAN};
}

static const char *name_of(unsigned i)
{
    return i == CLACT      ? "clact"
           : i == SEPARATE ? "separate calls"
           : i == PYTORCH  ? "pytorch"
                           : rivals[i - COPIES].name;
}

/* The fastest of the contestants of this name; CONTESTANTS if there is none. */
static unsigned best_of(const struct setup *s, const char *name)
{
    unsigned best = CONTESTANTS;
    for (unsigned i = 0; i < CONTESTANTS; i++)
        if (s->times[i] && strcmp(name_of(i), name) == 0 &&
            (best == CONTESTANTS || summarize(s->times[i], s->rounds).median <
                                        summarize(s->times[best], s->rounds).median))
            best = i;
    return best;
}

static void print_ratio(const struct setup *s, const char *name)
{
    const unsigned i = best_of(s, name);
    if (i == CONTESTANTS)
        printf("%10s", "-");
    else
        printf("%10.2f", speedup_over(s, i).median);
}

static void print_row(const struct setup *s)
{
    const struct summary clact = summarize(s->times[CLACT], s->rounds);
    printf("%-34s%10.3f %-8.3f%8.2f", s->composite->name, clact.median * 1e3, clact.spread * 1e3,
           1e-9 * (double)(s->read + s->written) / clact.median);
    print_ratio(s, "copy");
    print_ratio(s, "copy past cache");
    print_ratio(s, "separate calls");
    print_ratio(s, "pytorch");
    putchar('\n');
    fflush(stdout);
}

/* A figure that does not exist is empty. */
static void write_field(FILE *file, double value)
{
    if (isnan(value))
        fputc(',', file);
    else
        fprintf(file, ",%.6g", value);
}

static void write_rows(const struct setup *s, const struct copying *copying, FILE *file)
{
    for (unsigned i = 0; i < CONTESTANTS; i++) {
        const bool copies = i >= COPIES && i < PYTORCH;
        if (!s->times[i])
            continue;
        const struct summary times = summarize(s->times[i], s->rounds);
        const struct summary speedup = speedup_over(s, i);
        size_t bytes = s->read + s->written;
        if (copies)
            bytes = copying->bytes * (copying->inputs + 1);
        fprintf(file, "%s,%zu,%zu,%zu", s->composite->name, s->read, s->written, s->rounds);
        write_field(file, s->others);
        fprintf(file, ",%s,%s,%d", name_of(i), copies ? rivals[i - COPIES].way : "",
                best_of(s, name_of(i)) == i);
        write_field(file, times.median);
        write_field(file, times.spread);
        write_field(file, times.least);
        write_field(file, 1e-9 * (double)bytes / times.median);
        write_field(file, speedup.median);
        write_field(file, speedup.spread);
        fputc('\n', file);
    }
}

static void measure(struct bench *bench, const struct composite *composite)
{
    struct setup s;
    struct copying copying;
    open_setup(&s, bench, composite);
    copying_create(&copying, bench->ctx, s.read, s.written);
    run_rounds(&s, &copying);
    copying_destroy(&copying);
    if (bench->pytorch.version[0] && composite->pytorch)
        run_pytorch(&bench->settings, &s);
    print_row(&s);
    if (bench->csv)
        write_rows(&s, &copying, bench->csv);
    bench->others = fmax(bench->others, s.others);
    close_setup(&s);
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},  {"rounds", required_argument, NULL, 'r'},
        {"csv", required_argument, NULL, 'c'},   {"python", required_argument, NULL, 'y'},
        {"help", no_argument, NULL, CHECK_HELP}, {NULL, 0, NULL, 0},
    };
    struct settings settings = {.only = "", .python = getenv("CLACT_BENCH_PYTHON"), .rounds = 15};
    int option;
    if (!settings.python)
        settings.python = "python3";
    while ((option = check_option(argc, argv, options, usage)) != -1) {
        if (option == 'o')
            settings.only = optarg;
        else if (option == 'c')
            settings.csv = optarg;
        else if (option == 'y')
            settings.python = optarg;
        else
            settings.rounds = check_size("rounds", optarg, 1, 100000);
    }
    return settings;
}

static void print_heads(struct bench *bench)
{
    const struct contest_plan plan = {.peers = &bench->pytorch,
                                      .peer_count = bench->pytorch.version[0] ? 1 : 0};
    struct report_origin origin;
    report_fill_origin(&origin, bench->ctx, &plan);
    report_origin_line(&origin, stdout);
    puts("Times: the median over the rounds, and the distance between the quartiles. Then how many "
         "times as\nfast clact is as each of the others.");
    printf("%-34s%10s %-8s%8s%10s%10s%10s%10s\n", "", "ms", "+-", "GB/s", "copy", "past cache",
           "separate", "PyTorch");
    if (bench->csv) {
        fputs("# ", bench->csv);
        report_origin_line(&origin, bench->csv);
        fputs("composite,read_bytes,written_bytes,rounds,others_cpu,contestant,way,best,median_s,"
              "spread_s,least_s,gbyte_per_s,clact_speedup,clact_speedup_spread\n",
              bench->csv);
    }
}

/* Only when all is measured: a measurement that went wrong leaves no file. */
static void write_csv(struct bench *bench, char *const *text)
{
    if (!bench->csv)
        return;
    if (fclose(bench->csv) != 0)
        die("out of memory");
    FILE *file = fopen(bench->settings.csv, "w");
    if (!file || fputs(*text, file) < 0 || fclose(file) != 0)
        die("cannot write %s: %s", bench->settings.csv, strerror(errno));
}

int main(int argc, char **argv)
{
    char *text = NULL;
    size_t length = 0, count = 0;
    check_program = "clact_bench_composites";
    struct bench bench = {.settings = read_settings(argc, argv)};
    for (size_t i = 0; i < composite_count; i++)
        count += strstr(composites[i].name, bench.settings.only) != NULL;
    if (count == 0)
        die("no composite's name has %s in it", bench.settings.only);
    if (bench.settings.csv && !(bench.csv = open_memstream(&text, &length)))
        die("out of memory");
    check_clact(NULL, clact_context_create(NULL, &bench.ctx));
    find_pytorch(&bench);
    print_heads(&bench);
    for (size_t i = 0; i < composite_count; i++)
        if (strstr(composites[i].name, bench.settings.only))
            measure(&bench, &composites[i]);
    if (bench.others >= 0.1)
        printf("Others used up to %.0f %% of the CPUs: measure again on an idle machine.\n",
               100 * bench.others);
    write_csv(&bench, &text);
    free(text);
    composite_cells_end();
    clact_context_destroy(bench.ctx);
    if (fflush(stdout) != 0 || ferror(stdout))
        die("cannot write the output");
    return 0;
}
