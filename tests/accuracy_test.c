/* SPDX-License-Identifier: MIT */
/* The error of every result, against the bounds in ops.def. */
#include "accuracy_table.h"
#include "cases.h"
#include "device.h"
#include "measure.h"
#include "operands.h"
#include "reference.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum coverage coverage = COVERAGE_NORMAL;
static clact_options options;

/* What a gradient's bound grows by when grad is not 1 but any number: the low part's product with it
 * rounds too. f16 and bf16 are computed in f32, where one rounding more does not show. */
static double grad_allowance(clact_dtype dtype)
{
    return dtype == CLACT_F32 || dtype == CLACT_F64 ? 0.05 : 0;
}

static void check_class(const char *name, const struct ulp_class *class, double budget)
{
    if (class->worst.error > budget)
        fail_msg("%s: %.4f ULP, where %.4f are allowed", name, class->worst.error, budget);
}

static void check(const struct op_case *c, bool random_grads)
{
    clact_context *ctx = device_context(c, &options);
    if (c->dtype == CLACT_F64 && !REFERENCE_JUDGES_F64) {
        print_message("skipped: long double is no wider than double here\n");
        skip();
    }
    /* All floats with random grads are no more than some of them. */
    enum coverage own =
        random_grads && coverage == COVERAGE_EXHAUSTIVE ? COVERAGE_NORMAL : coverage;
    struct operands operands;
    operands_init(&operands, c->dtype, own);
    struct measurement m = {c, ctx, &operands, random_grads};
    struct ulp_stats stats;
    measure(&m, &stats);
    char title[80];
    snprintf(title, sizeof title, "%s%s", c->name, random_grads ? ", any grad" : "");
    assert_true(ulp_stats_print(&stats, title, stdout) == 0 && fflush(stdout) == 0);
    double allowance = random_grads ? grad_allowance(c->dtype) : 0;
    check_class("normal results", &stats.normal, case_budget(c, false) + allowance);
    check_class("subnormal results", &stats.subnormal, case_budget(c, true) + allowance);
    bool all = operands.count == 1 && operands.segments[0].step == 1;
    if (!random_grads)
        assert_int_equal(accuracy_table_add(c, &stats, all), 0);
}

static void bounds_hold(void **state)
{
    check(*state, false);
}

static void bounds_hold_for_any_grad(void **state)
{
    check(*state, true);
}

static bool is_gradient(const struct op_case *c)
{
    return c->direction != FORWARD;
}

static bool is_f32(const struct op_case *c)
{
    return c->dtype == CLACT_F32;
}

static bool is_f32_gradient(const struct op_case *c)
{
    return is_f32(c) && is_gradient(c);
}

static _Noreturn void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--quick | --coarse | --exhaustive] [--f32] [--width ELEMENTS] "
            "[--table FILE]\n",
            program);
    exit(2);
}

struct arguments {
    bool f32;
    const char *table;
};

static struct arguments parse(int argc, char **argv)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
                                          {"coarse", no_argument, NULL, 'c'},
                                          {"exhaustive", no_argument, NULL, 'e'},
                                          {"f32", no_argument, NULL, 'f'},
                                          {"width", required_argument, NULL, 'w'},
                                          {"table", required_argument, NULL, 't'},
                                          {0}};
    struct arguments arguments = {0};
    if (device_quick_environment())
        coverage = COVERAGE_QUICK;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'q':
            coverage = COVERAGE_QUICK;
            break;
        case 'c':
            coverage = COVERAGE_COARSE;
            break;
        case 'e':
            coverage = COVERAGE_EXHAUSTIVE;
            break;
        case 'f':
            arguments.f32 = true;
            break;
        case 'w':
            options.vector_width = strtoul(optarg, NULL, 10);
            break;
        case 't':
            arguments.table = optarg;
            break;
        default:
            usage(argv[0]);
        }
    }
    if (optind != argc)
        usage(argv[0]);
    return arguments;
}

/* The device is that of any context. */
static int write_table(const char *path)
{
    clact_context *ctx = NULL;
    clact_device_info device;
    int failed = -1;
    if (clact_context_create(NULL, &ctx) == CLACT_SUCCESS &&
        clact_context_info(ctx, &device) == CLACT_SUCCESS)
        failed = accuracy_table_write(path, &device);
    clact_context_destroy(ctx);
    if (failed)
        fprintf(stderr, "%s could not be written\n", path);
    return failed;
}

int main(int argc, char **argv)
{
    struct arguments arguments = parse(argc, argv);
    const struct property properties[] = {
        {"bounds", arguments.f32 ? is_f32 : NULL, bounds_hold},
        {"bounds for any grad", arguments.f32 ? is_f32_gradient : is_gradient,
         bounds_hold_for_any_grad},
    };
    int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    device_close();
    if (failed == 0 && arguments.table != NULL)
        failed = write_table(arguments.table) != 0;
    return failed != 0;
}
