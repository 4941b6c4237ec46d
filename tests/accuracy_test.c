/* SPDX-License-Identifier: MIT */
/* The error of every result against the bounds in ops.def, and the results at infinities, zeros, NaN
 * and the ends of the range against what it states. */
#include "accuracy.h"
#include "cases.h"
#include "device.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static enum coverage coverage = COVERAGE_NORMAL;
static clact_options options;

static void print(const struct accuracy *accuracy)
{
    char title[120];
    assert_int_equal(ulp_stats_print(&accuracy->stats, accuracy->c->name, stdout), 0);
    if (accuracy->c->direction != FORWARD) {
        snprintf(title, sizeof title, "%s, any grad", accuracy->c->name);
        assert_int_equal(ulp_stats_print(&accuracy->any_grad, title, stdout), 0);
    }
    assert_int_equal(fflush(stdout), 0);
}

/* The context for a case whose results can be judged. */
static clact_context *open_context(const struct op_case *c)
{
    if (!measure_judges(c->dtype)) {
        print_message("skipped: long double is no wider than double here\n");
        skip();
    }
    return device_context(c, &options);
}

static void assert_success(clact_status status)
{
    if (status != CLACT_SUCCESS)
        fail_msg("%s: %s", clact_status_string(status), clact_last_error(NULL)->message);
}

static void special_values_are_right(void **state)
{
    const struct op_case *c = *state;
    struct special_values values;
    assert_success(special_values_measure(c, open_context(c), &values));
    for (size_t i = 0; i < SPECIAL_VALUES; i++)
        if (!values.at[i].right)
            print_error("at x = %s: got %.9g, right is %.9g\n", special_value_name(i),
                        values.at[i].got, values.at[i].wanted);
    assert_int_equal(values.wrong, 0);
}

static void promises_hold(void **state)
{
    const struct op_case *c = *state;
    struct accuracy accuracy;
    char broken[2048];
    assert_success(accuracy_measure(c, open_context(c), coverage, NULL, NULL, &accuracy));
    const struct ulp_stats *stats = &accuracy.stats;
    const struct ulp_stats *any = &accuracy.any_grad;
    assert_int_equal(stats->normal.count + stats->subnormal.count + any->normal.count +
                         any->subnormal.count,
                     accuracy_work(c, coverage));
    print(&accuracy);
    accuracy_explain(&accuracy, broken, sizeof broken);
    if (!accuracy_holds(&accuracy))
        fail_msg("%s", broken);
    assert_string_equal(broken, "");
}

static bool is_f32(const struct op_case *c)
{
    return c->dtype == CLACT_F32;
}

static _Noreturn void usage(const char *program)
{
    fprintf(stderr, "usage: %s [--quick | --coarse] [--f32] [--width ELEMENTS]\n", program);
    exit(2);
}

/* Returns whether only f32 is to be tested. */
static bool parse(int argc, char **argv)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
                                          {"coarse", no_argument, NULL, 'c'},
                                          {"f32", no_argument, NULL, 'f'},
                                          {"width", required_argument, NULL, 'w'},
                                          {0}};
    bool only_f32 = false;
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
        case 'f':
            only_f32 = true;
            break;
        case 'w':
            options.vector_width = strtoul(optarg, NULL, 10);
            break;
        default:
            usage(argv[0]);
        }
    }
    if (optind != argc)
        usage(argv[0]);
    return only_f32;
}

int main(int argc, char **argv)
{
    bool (*applies)(const struct op_case *c) = parse(argc, argv) ? is_f32 : NULL;
    const struct property properties[] = {
        {"special values", applies, special_values_are_right},
        {"promises", applies, promises_hold},
    };
    int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    device_close();
    return failed;
}
