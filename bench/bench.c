/* SPDX-License-Identifier: MIT */
/* clact_bench: how fast clact is, beside what else its device could do with the same data. */
#include "check.h"
#include "contest.h"
#include "report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *op;
    const char *direction;
    const char *dtype;
    size_t n;
    size_t repeats;
    bool in_cache;
    double require_ratio; /* 0: none is required */
    const char *csv;
};

/* The whole of a run. The CSV is kept in memory and written when all has gone well. */
struct session {
    struct settings settings;
    clact_context *ctx;
    FILE *csv;
    double ratio; /* the least of the f32 forward passes to the builtin kernel; 0: none was seen */
};

static const char usage[] =
    "Usage: clact_bench [OPTIONS]\n"
    "\n"
    "Measures each operator, direction and dtype of clact beside kernels that copy the same\n"
    "bytes and, where there is one, the kernel of one line that uses OpenCL's builtin functions.\n"
    "The device is the one that CLACT_DEVICE names, else a GPU, else a CPU.\n"
    "\n"
    "  --op NAME          only this operator, such as sigmoid\n"
    "  --direction NAME   only forward, from_output or from_input\n"
    "  --dtype NAME       only f32, f16, bf16 or f64\n"
    "  --n N              elements, a multiple of 4096 (default: 16777216)\n"
    "  --repeats R        rounds in which each contestant runs once (default: 15)\n"
    "  --in-cache         use the same arrays in every round; else they rotate beyond the cache\n"
    "  --csv FILE         write all figures to FILE too\n"
    "  --require-ratio R  fail if an f32 forward pass is not R times as fast as the builtin "
    "kernel\n"
    "  --help             print this text\n";

static void parse(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"op", required_argument, NULL, 'o'},      {"direction", required_argument, NULL, 'd'},
        {"dtype", required_argument, NULL, 't'},   {"n", required_argument, NULL, 'n'},
        {"repeats", required_argument, NULL, 'r'}, {"in-cache", no_argument, NULL, 'i'},
        {"csv", required_argument, NULL, 'c'},     {"require-ratio", required_argument, NULL, 'q'},
        {"help", no_argument, NULL, CHECK_HELP},   {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.n = (size_t)16 << 20, .repeats = 15};
    int option;
    while ((option = check_option(argc, argv, options, usage)) != -1) {
        switch (option) {
        case 'o':
            settings->op = optarg;
            break;
        case 'd':
            settings->direction = optarg;
            break;
        case 't':
            settings->dtype = optarg;
            break;
        case 'n':
            settings->n = check_size("n", optarg, FIELD_UNIT, SIZE_MAX / 64);
            break;
        case 'r':
            settings->repeats = check_size("repeats", optarg, 1, 1000000);
            break;
        case 'i':
            settings->in_cache = true;
            break;
        case 'c':
            settings->csv = optarg;
            break;
        case 'q':
            settings->require_ratio = check_number("require-ratio", optarg, 0, 1e6);
            break;
        }
    }
    if (settings->n % FIELD_UNIT != 0)
        die("--n must be a multiple of %d, not %zu", FIELD_UNIT, settings->n);
    if (job_each(settings->op, settings->direction, settings->dtype, NULL, NULL) == 0)
        die("no operator has that name, direction and dtype");
}

static void measure(const struct job *job, void *user)
{
    struct session *session = user;
    const struct settings *settings = &session->settings;
    struct contest contest;
    if (!contest_run(&contest, job, session->ctx, settings->n, settings->repeats,
                     settings->in_cache)) {
        printf("\n%s %s %s: the device cannot do this\n", clact_operator_name(job->op),
               job_direction_name(job), clact_dtype_name(job->dtype));
        return;
    }
    report_table(&contest);
    report_csv(&contest, session->csv);
    const double ratio = report_speedup(&contest, "builtin");
    if (job->direction == FORWARD && job->dtype == CLACT_F32 && ratio > 0 &&
        (session->ratio <= 0 || ratio < session->ratio))
        session->ratio = ratio;
    contest_destroy(&contest);
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        die("cannot write %s", path);
    const bool is_written = fwrite(text, 1, size, file) == size;
    if (fclose(file) != 0 || !is_written) {
        remove(path);
        die("cannot write %s", path);
    }
}

static void check_ratio(const struct session *session)
{
    const double required = session->settings.require_ratio;
    if (required <= 0)
        return;
    if (session->ratio <= 0)
        die("no f32 forward pass was compared with a builtin kernel");
    if (session->ratio < required)
        die("an f32 forward pass is %.2f times as fast as the builtin kernel, not %.2f",
            session->ratio, required);
}

int main(int argc, char **argv)
{
    struct session session = {0};
    char *text = NULL;
    size_t size = 0;
    check_program = "clact_bench";
    parse(&session.settings, argc, argv);
    check_clact(NULL, clact_context_create(NULL, &session.ctx));
    session.csv = open_memstream(&text, &size);
    if (session.csv == NULL)
        die("out of memory");
    report_device(session.ctx);
    report_csv_header(session.csv);
    job_each(session.settings.op, session.settings.direction, session.settings.dtype, measure,
             &session);
    if (fclose(session.csv) != 0)
        die("out of memory");
    if (session.settings.csv != NULL)
        write_file(session.settings.csv, text, size);
    free(text);
    clact_context_destroy(session.ctx);
    if (fflush(stdout) != 0 || ferror(stdout))
        die("cannot write the output");
    check_ratio(&session);
    return 0;
}
