/* SPDX-License-Identifier: MIT */
/* clact_bench: how fast clact is, beside what else its device could do with the same data, and
 * beside other libraries. */
#include "check.h"
#include "contest.h"
#include "overhead.h"
#include "peers.h"
#include "report.h"
#include "sizes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *op;
    const char *direction;
    const char *dtype;
    struct sizes sizes;
    size_t rounds;
    const char *peers;
    const char *python;
    const char *build_options;
    const char *csv;
    const char *json;
    bool no_overhead;
    double require_ratio; /* 0: none is required */
};

/* A file is kept in memory and written when all has gone well. */
struct text_file {
    FILE *stream;
    char *text;
    size_t size;
};

struct session {
    struct settings settings;
    clact_context *ctx;
    struct peer peers[MOST_PEERS];
    struct contest_plan plan;
    struct text_file csv, json;
    bool has_contest;
    double others; /* the largest share of the CPUs that others used in any contest */
    double ratio;  /* the least of the f32 forward passes to the builtin kernel; 0: none was seen */
};

static const char usage[] =
    "Usage: clact_bench [OPTIONS]\n"
    "\n"
    "Measures each operator, direction, dtype and size of clact beside kernels that copy the same\n"
    "bytes, the kernel of one line that uses OpenCL's builtin functions, and, where the device is\n"
    "a CPU, other libraries that are found, with as many threads: XNNPACK, oneDNN, PyTorch, ONNX\n"
    "Runtime. What moves less than half of the device's cache is measured in the cache, all else\n"
    "on arrays that are not there. The device is the one that CLACT_DEVICE names, else a GPU, "
    "else\n"
    "a CPU. All of it takes hours.\n"
    "\n"
    "  --op NAME          only this operator, such as sigmoid\n"
    "  --direction NAME   only forward, from_output or from_input\n"
    "  --dtype NAME       only f32, f16, bf16 or f64\n"
    "  --sizes LIST       numbers of elements, as in 4K,1M (default: 1K,4K,16K,... to 64M)\n"
    "  --rounds R         in each of which all contestants have a turn (default: 15)\n"
    "  --quick            like --sizes 1M,16M --dtype f32 --rounds 7\n"
    "  --peers LIST       xnnpack, onednn, pytorch, onnxruntime, or none (default: what is there)\n"
    "  --python PROGRAM   with PyTorch or ONNX Runtime (default: CLACT_BENCH_PYTHON or python3)\n"
    "  --build-options TEXT  more options for the device's compiler, for clact's kernels\n"
    "  --csv FILE         write all figures to FILE too\n"
    "  --json FILE        the same as JSON\n"
    "  --no-overhead      leave out what a call costs\n"
    "  --require-ratio R  fail if an f32 forward pass is not R times as fast as the builtin "
    "kernel\n"
    "  --help             print this text\n";

static void parse_sizes(struct settings *settings, const char *list)
{
    if (!sizes_parse(&settings->sizes, list))
        die(SIZES_WRONG, list);
}

static void parse_option(struct settings *settings, int option)
{
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
        parse_sizes(settings, optarg);
        break;
    case 'r':
        settings->rounds = check_size("rounds", optarg, 1, 1000000);
        break;
    case 'k':
        parse_sizes(settings, "1M,16M");
        settings->dtype = "f32";
        settings->rounds = 7;
        break;
    case 'p':
        settings->peers = optarg;
        break;
    case 'y':
        settings->python = optarg;
        break;
    case 'b':
        settings->build_options = optarg;
        break;
    case 'c':
        settings->csv = optarg;
        break;
    case 'j':
        settings->json = optarg;
        break;
    case 'v':
        settings->no_overhead = true;
        break;
    case 'q':
        settings->require_ratio = check_number("require-ratio", optarg, 0, 1e6);
        break;
    }
}

static void parse(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"op", required_argument, NULL, 'o'},
        {"direction", required_argument, NULL, 'd'},
        {"dtype", required_argument, NULL, 't'},
        {"sizes", required_argument, NULL, 'n'},
        {"rounds", required_argument, NULL, 'r'},
        {"quick", no_argument, NULL, 'k'},
        {"peers", required_argument, NULL, 'p'},
        {"python", required_argument, NULL, 'y'},
        {"build-options", required_argument, NULL, 'b'},
        {"csv", required_argument, NULL, 'c'},
        {"json", required_argument, NULL, 'j'},
        {"no-overhead", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, CHECK_HELP},
        {"require-ratio", required_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.rounds = 15};
    parse_sizes(settings, "1K,4K,16K,64K,256K,1M,4M,16M,64M");
    int option;
    while ((option = check_option(argc, argv, options, usage)) != -1)
        parse_option(settings, option);
    if (job_each(settings->op, settings->direction, settings->dtype, NULL, NULL) == 0)
        die("no operator has that name, direction and dtype");
}

static void measure_size(struct session *session, const struct job *job, size_t n)
{
    struct contest contest;
    const char *obstacle = contest_run(&contest, &session->plan, job, session->ctx, n);
    if (obstacle != NULL) {
        printf("\n%s %s %s: %s\n", clact_operator_name(job->op), job_direction_name(job),
               clact_dtype_name(job->dtype), obstacle);
        return;
    }
    report_table(&contest);
    report_csv_add(&contest, session->csv.stream);
    report_json_add(&contest, !session->has_contest, session->json.stream);
    session->has_contest = true;
    if (contest.others > session->others)
        session->others = contest.others;
    const struct contestant *builtin = contest_fastest(&contest, "builtin");
    if (builtin != NULL && job->direction == FORWARD && job->dtype == CLACT_F32) {
        const double ratio = contest_speedup(&contest, builtin, DEVICE).median;
        if (session->ratio <= 0 || ratio < session->ratio)
            session->ratio = ratio;
    }
    contest_destroy(&contest);
}

static void measure(const struct job *job, void *user)
{
    struct session *session = user;
    for (size_t i = 0; i < session->settings.sizes.count; i++)
        measure_size(session, job, session->settings.sizes.n[i]);
}

static void measure_overhead(struct session *session)
{
    enum { CALLS = 2000 };
    const clact_options options = {.build_options = session->settings.build_options};
    struct overhead overhead;
    if (!overhead_measure(&overhead, &options, CALLS)) {
        puts("\nWhat a call costs cannot be told here: the library's OpenCL calls are not seen.");
        return;
    }
    overhead_print(&overhead);
    fputs(",\n\"overhead\": ", session->json.stream);
    overhead_json(&overhead, session->json.stream);
}

/* Files. */

static void open_text(struct text_file *file)
{
    file->stream = open_memstream(&file->text, &file->size);
    if (file->stream == NULL)
        die("out of memory");
}

static void close_text(struct text_file *file, const char *path)
{
    if (fclose(file->stream) != 0)
        die("out of memory");
    if (path != NULL) {
        FILE *target = fopen(path, "w");
        if (target == NULL)
            die("cannot write %s", path);
        const bool is_written = fwrite(file->text, 1, file->size, target) == file->size;
        if (fclose(target) != 0 || !is_written) {
            remove(path);
            die("cannot write %s", path);
        }
    }
    free(file->text);
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

static void open_session(struct session *session)
{
    const struct settings *settings = &session->settings;
    clact_device_info device;
    struct report_origin origin;
    const clact_options options = {.build_options = settings->build_options};
    check_clact(NULL, clact_context_create(&options, &session->ctx));
    check_clact(session->ctx, clact_context_info(session->ctx, &device));
    session->plan =
        (struct contest_plan){.rounds = settings->rounds, .builtin = true, .peers = session->peers};
    if (device.type & CL_DEVICE_TYPE_CPU)
        session->plan.peer_count = peers_start(session->peers, settings->peers, settings->python,
                                               (unsigned)device.compute_units);
    else
        puts("Other libraries are measured beside CPUs only.");
    report_fill_origin(&origin, session->ctx, &session->plan);
    report_origin_line(&origin, stdout);
    puts("Times: the median over the rounds, and the distance between the quartiles. Last, clact's "
         "speed as a\nmultiple of each contestant's, by the wall clock and by the device's.");
    open_text(&session->csv);
    open_text(&session->json);
    report_csv_start(&origin, session->csv.stream);
    report_json_start(&origin, session->json.stream);
}

int main(int argc, char **argv)
{
    struct session session = {0};
    const struct settings *settings = &session.settings;
    check_program = "clact_bench";
    parse(&session.settings, argc, argv);
    open_session(&session);
    job_each(settings->op, settings->direction, settings->dtype, measure, &session);
    if (session.others >= 0.1 && session.plan.peer_count > 0)
        printf(
            "\nOthers used up to %.0f %% of the CPUs. Libraries whose threads spin while they wait "
            "for each other,\nas most do, lose more by that than clact does: measure again on an "
            "idle machine.\n",
            100 * session.others);
    report_json_contests_end(session.json.stream);
    if (!settings->no_overhead)
        measure_overhead(&session);
    report_json_end(session.json.stream);
    close_text(&session.csv, settings->csv);
    close_text(&session.json, settings->json);
    peers_end(session.peers, session.plan.peer_count);
    clact_context_destroy(session.ctx);
    if (fflush(stdout) != 0 || ferror(stdout))
        die("cannot write the output");
    check_ratio(&session);
    return 0;
}
