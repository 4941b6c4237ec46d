/* SPDX-License-Identifier: MIT */
/* clact verify. */
#include "commands.h"
#include "fail_status.h"
#include "operators.h"
#include "progress.h"
#include "report_file.h"
#include "verify_arguments.h"
#include "verify_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A form of the report, and the file that it goes to, if its path is not NULL. */
struct form {
    const char *path;
    void (*write)(const struct verify_report *report, FILE *file);
    struct report_file file;
};

enum { FORMS = 2 };

struct verify {
    struct verify_arguments arguments;
    struct form forms[FORMS];
    clact_context *context;
    struct verify_report report;
    uint64_t work_done; /* for the bar: of the rows that are complete */
    uint64_t weight;    /* of an operand of the row that is not */
};

/* what is to be measured */

/* f64 is left out where there is none, or nothing to judge it by, unless it is asked for. */
static bool can_measure(const struct verify *verify, clact_dtype dtype)
{
    return dtype != CLACT_F64 || (verify->report.device.has_f64 && measure_judges(dtype));
}

static bool is_wanted(const struct verify *verify, const struct op_case *c)
{
    const struct verify_arguments *arguments = &verify->arguments;
    const clact_arithmetic f32 =
        verify->report.doubles ? CLACT_ARITHMETIC_DOUBLES : CLACT_ARITHMETIC_PAIRS;
    return operators_among(arguments->names, arguments->name_count, c->op) &&
           can_measure(verify, c->dtype) &&
           (arguments->dtype == 0 || arguments->dtype == c->dtype) &&
           (c->dtype != CLACT_F32 || c->arithmetic == f32);
}

static bool list_rows(struct verify *verify, struct failure *why)
{
    size_t count;
    const struct op_case *cases = op_cases(&count);
    struct verify_report *report = &verify->report;
    report->lacks_f64 = verify->arguments.dtype == 0 && !can_measure(verify, CLACT_F64);
    if (!can_measure(verify, verify->arguments.dtype))
        return fail(why, "%s",
                    measure_judges(CLACT_F64)
                        ? "the device has no f64"
                        : "f64 cannot be judged here: long double is no wider");
    report->rows = calloc(count, sizeof *report->rows);
    if (report->rows == NULL)
        return fail(why, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (is_wanted(verify, &cases[i]))
            report->rows[report->row_count++].c = &cases[i];
    return true;
}

/* measuring */

static enum coverage coverage_of(const struct verify *verify)
{
    return verify->arguments.exhaustive ? COVERAGE_EXHAUSTIVE : COVERAGE_NORMAL;
}

/* What an operand costs, about: the reference of f64 is slow. */
static uint64_t weight_of(clact_dtype dtype)
{
    return dtype == CLACT_F64 ? 16 : 1;
}

static void show_progress(void *user, uint64_t done)
{
    const struct verify *verify = user;
    progress_update(verify->work_done + done * verify->weight);
}

static bool measure_row(struct verify *verify, struct accuracy *row, struct failure *why)
{
    const struct op_case *c = row->c;
    verify->weight = weight_of(c->dtype);
    progress_label(c->name);
    const clact_status status =
        accuracy_measure(c, verify->context, coverage_of(verify), show_progress, verify, row);
    verify->work_done += accuracy_work(c, coverage_of(verify)) * verify->weight;
    if (status != CLACT_SUCCESS)
        return fail_status(why, verify->context, status);
    progress_erase();
    verify_print_row(row);
    fflush(stdout);
    return true;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool measure_rows(struct verify *verify, struct failure *why)
{
    struct verify_report *report = &verify->report;
    const double start = now();
    uint64_t work = 0;
    for (size_t i = 0; i < report->row_count; i++)
        work += accuracy_work(report->rows[i].c, coverage_of(verify)) *
                weight_of(report->rows[i].c->dtype);
    verify_print_head(report);
    progress_start_work(work);
    bool good = true;
    for (size_t i = 0; i < report->row_count && good; i++)
        good = measure_row(verify, &report->rows[i], why);
    progress_erase();
    report->seconds = now() - start;
    if (good)
        verify_print_tail(report);
    return good;
}

static bool open_context(struct verify *verify, struct failure *why)
{
    const clact_options *options = &verify->arguments.options;
    clact_status status = clact_context_create(options, &verify->context);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    verify->report.doubles = options->arithmetic == CLACT_ARITHMETIC_DOUBLES;
    verify->report.exhaustive = verify->arguments.exhaustive;
    status = clact_context_info(verify->context, &verify->report.device);
    return status == CLACT_SUCCESS || fail_status(why, verify->context, status);
}

/* files */

/* Before there are threads, and before an hour's work. */
static size_t open_files(struct verify *verify, struct failure *why)
{
    size_t opened = 0;
    while (opened < FORMS &&
           report_file_open(&verify->forms[opened].file, verify->forms[opened].path, why))
        opened++;
    return opened;
}

/* Writes the files, or none of those that are left once something has failed. */
static bool close_files(struct verify *verify, size_t opened, bool good, struct failure *why)
{
    for (size_t i = 0; i < opened; i++) {
        struct form *form = &verify->forms[i];
        if (good) {
            form->write(&verify->report, form->file.stream);
            good = report_file_commit(&form->file, why);
        } else {
            report_file_abandon(&form->file);
        }
    }
    return good;
}

static bool run(struct verify *verify, struct failure *why)
{
    const size_t opened = open_files(verify, why);
    bool good = opened == FORMS && open_context(verify, why) && list_rows(verify, why) &&
                measure_rows(verify, why);
    clact_context_destroy(verify->context);
    good = close_files(verify, opened, good, why);
    const size_t broken = verify_broken(&verify->report);
    if (good && broken != 0)
        good =
            fail(why, "%zu of %zu rows break what is promised", broken, verify->report.row_count);
    free(verify->report.rows);
    return good;
}

bool verify_command(int argc, char **argv, struct failure *why)
{
    struct verify verify = {.context = NULL};
    if (!verify_arguments_parse(&verify.arguments, argc, argv, why))
        return false;
    if (verify.arguments.help) {
        verify_print_help();
        return true;
    }
    verify.forms[0] = (struct form){verify.arguments.csv, verify_write_csv, {.stream = NULL}};
    verify.forms[1] =
        (struct form){verify.arguments.markdown, verify_write_markdown, {.stream = NULL}};
    return run(&verify, why);
}
