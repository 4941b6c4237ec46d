/* SPDX-License-Identifier: MIT */
/* clact bench. */
#include "bench_arguments.h"
#include "check.h"
#include "commands.h"
#include "fail_status.h"
#include "operators.h"
#include "progress.h"
#include "report.h"
#include "report_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

struct bench {
    struct bench_arguments arguments;
    clact_context *context;
    struct report_file csv, json;
    struct report_origin origin;
    size_t contests; /* done so far */
    size_t wanted;
};

/* The table. */

static void print_head(const struct bench *bench)
{
    report_origin_line(&bench->origin, stdout);
    printf("\n%-24s  %-11s  %-5s  %10s  %-6s  %10s %-8s  %8s  %8s  %7s %-5s  %-10s  %s\n",
           "operator", "direction", "dtype", "elements", "in", "ms", "+-", "Gelem/s", "GB/s",
           "of copy", "+-", "its stores", "others");
    fflush(stdout);
}

static void print_names(const struct job *job, size_t n)
{
    printf("%-24s  %-11s  %-5s  %10zu  ", clact_operator_name(job->op), job_direction_name(job),
           clact_dtype_name(job->dtype), n);
}

/* The faster of the copies, with plain stores and with those past the cache. */
static const struct contestant *fastest_copy(const struct contest *contest)
{
    const struct contestant *plain = contest_fastest(contest, "copy");
    const struct contestant *past = contest_fastest(contest, "copy past cache");
    return past != NULL && contest_times(contest, past, DEVICE).median <
                               contest_times(contest, plain, DEVICE).median
               ? past
               : plain;
}

static void print_row(const struct contest *contest)
{
    const struct summary times = contest_times(contest, &contest->contestants[0], DEVICE);
    const struct contestant *copy = fastest_copy(contest);
    const struct summary share = contest_speedup(contest, copy, DEVICE);
    print_names(contest->job, contest->n);
    printf("%-6s  %10.4f %-8.4f  %8.3f  %8.2f  %6.0f%% %-5.0f  %-10s  ",
           contest->in_cache ? "cache" : "memory", times.median * 1e3, times.spread * 1e3,
           report_gelements(contest, times.median), report_gigabytes(contest, times.median),
           share.median * 100, share.spread * 100,
           strcmp(copy->name, "copy") == 0 ? "plain" : "past cache");
    if (isnan(contest->others))
        puts("-");
    else
        printf("%.0f%%\n", 100 * contest->others);
}

/* Measuring. */

static void measure_size(struct bench *bench, const struct job *job, size_t n)
{
    const struct contest_plan plan = {.rounds = ROUNDS};
    struct contest contest;
    progress_label(clact_operator_name(job->op));
    progress_update(bench->contests);
    const char *obstacle = contest_run(&contest, &plan, job, bench->context, n);
    progress_erase();
    if (obstacle != NULL) {
        print_names(job, n);
        puts(obstacle);
        return;
    }
    print_row(&contest);
    fflush(stdout);
    report_csv_add(&contest, bench->csv.stream);
    report_json_add(&contest, bench->contests == 0, bench->json.stream);
    bench->contests++;
    contest_destroy(&contest);
}

static void measure(const struct job *job, void *user)
{
    struct bench *bench = user;
    const struct bench_arguments *arguments = &bench->arguments;
    if (!operators_among(arguments->names, arguments->name_count, job->op))
        return;
    for (size_t i = 0; i < arguments->sizes.count; i++)
        measure_size(bench, job, arguments->sizes.n[i]);
}

static void count(const struct job *job, void *user)
{
    struct bench *bench = user;
    const struct bench_arguments *arguments = &bench->arguments;
    if (operators_among(arguments->names, arguments->name_count, job->op))
        bench->wanted += arguments->sizes.count;
}

static void measure_all(struct bench *bench)
{
    const char *dtype = clact_dtype_name(bench->arguments.dtype);
    const struct contest_plan alone = {.peer_count = 0};
    report_fill_origin(&bench->origin, bench->context, &alone);
    report_csv_start(&bench->origin, bench->csv.stream);
    report_json_start(&bench->origin, bench->json.stream);
    print_head(bench);
    job_each(NULL, NULL, dtype, count, bench);
    progress_start_work(bench->wanted);
    job_each(NULL, NULL, dtype, measure, bench);
    report_json_contests_end(bench->json.stream);
    report_json_end(bench->json.stream);
}

static bool open_context(struct bench *bench, struct failure *why)
{
    clact_device_info device;
    clact_status status = clact_context_create(&bench->arguments.options, &bench->context);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    status = clact_context_info(bench->context, &device);
    if (status != CLACT_SUCCESS)
        return fail_status(why, bench->context, status);
    return bench->arguments.dtype != CLACT_F64 || device.has_f64 ||
           fail(why, "the device has no f64");
}

/* The timing ends the program where something goes wrong in it. This makes that an error like all
 * others of the command. */
static struct bench *running;

static void end(const char *text)
{
    struct failure why;
    fail(&why, "%s", text);
    progress_erase();
    fflush(stdout);
    report_file_abandon(&running->csv);
    report_file_abandon(&running->json);
    exit(failure_print(&why));
}

static bool run(struct bench *bench, struct failure *why)
{
    if (!report_file_open(&bench->csv, bench->arguments.csv, why))
        return false;
    if (!report_file_open(&bench->json, bench->arguments.json, why)) {
        report_file_abandon(&bench->csv);
        return false;
    }
    bool good = open_context(bench, why);
    if (good) {
        running = bench;
        check_end = end;
        measure_all(bench);
    }
    clact_context_destroy(bench->context);
    if (good)
        good = report_file_commit(&bench->csv, why);
    else
        report_file_abandon(&bench->csv);
    if (good)
        return report_file_commit(&bench->json, why);
    report_file_abandon(&bench->json);
    return false;
}

bool bench_command(int argc, char **argv, struct failure *why)
{
    struct bench bench = {.context = NULL};
    if (!bench_arguments_parse(&bench.arguments, argc, argv, why))
        return false;
    if (!bench.arguments.help)
        return run(&bench, why);
    bench_print_help();
    return true;
}
