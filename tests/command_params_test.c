/* SPDX-License-Identifier: MIT */
/* The options --alpha, --beta and --gamma of the clact command, on operators that have each of them
 * and on others that have not. */
#include "command_harness.h"
#include "dtype.h"
#include "op_rows.h"
#include "reference.h"
#include "ulp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The command hands arrays to the library, whose accuracy other tests measure. */
static const double allowed_ulp = 2.5;

enum { COUNT = 24 };

static const char dict[] = DICT("<f4", "False", "(24,)");

enum { PARAMETERS = 3 };

static const char *const options[PARAMETERS] = {"--alpha", "--beta", "--gamma"};
static const unsigned bits[PARAMETERS] = {CLACT_ALPHA, CLACT_BETA, CLACT_GAMMA};

/* The first operator that has the parameter, or that has not; every kind is in the table. */
static const struct op_row *find_row(size_t parameter, bool has)
{
    for (size_t i = 0; i < OP_ROWS; i++) {
        if (((op_rows[i].used & bits[parameter]) != 0) == has)
            return &op_rows[i];
    }
    fail_msg("no operator %s %s", has ? "with" : "without", options[parameter]);
    return NULL;
}

/* The first operator that has a parameter which has to be greater than 0, and which it is. */
static const struct op_row *find_positive(size_t *parameter)
{
    for (size_t i = 0; i < OP_ROWS * PARAMETERS; i++) {
        *parameter = i % PARAMETERS;
        if ((op_rows[i / PARAMETERS].positive & bits[*parameter]) != 0)
            return &op_rows[i / PARAMETERS];
    }
    fail_msg("no operator has a parameter that has to be greater than 0");
    return NULL;
}

/* Numbers between -3 and 3. */
static void write_operands(float x[COUNT])
{
    for (size_t i = 0; i < COUNT; i++)
        x[i] = (float)i / 4 - 2.875f;
    write_npy("x.npy", 1, dict, x, COUNT * sizeof *x);
}

/* An operator's parameters, 1.5 times their defaults: on the command line in either spelling, and as
 * the library rounds them. */
struct chosen {
    const char *words[2 * PARAMETERS];
    size_t count;
    char texts[PARAMETERS][64];
    clact_params rounded;
};

static void choose(const struct op_row *row, struct chosen *chosen)
{
    const double defaults[] = {row->defaults.alpha, row->defaults.beta, row->defaults.gamma};
    double *const rounded[] = {&chosen->rounded.alpha, &chosen->rounded.beta,
                               &chosen->rounded.gamma};
    memset(chosen, 0, sizeof *chosen);
    for (size_t i = 0; i < PARAMETERS; i++) {
        char *text = chosen->texts[i];
        if ((row->used & bits[i]) == 0)
            continue;
        *rounded[i] = (float)(1.5 * defaults[i]);
        if (chosen->count == 0) {
            chosen->words[chosen->count++] = options[i];
            snprintf(text, sizeof chosen->texts[i], "%.17g", 1.5 * defaults[i]);
        } else {
            snprintf(text, sizeof chosen->texts[i], "%s=%.17g", options[i], 1.5 * defaults[i]);
        }
        chosen->words[chosen->count++] = text;
    }
}

/* The command with these words and the parameters behind them. */
static void run_with(const struct chosen *chosen, const char *const *words)
{
    const char *all[MAX_ARGUMENTS + 1] = {NULL};
    size_t count = 0;
    for (; words[count] != NULL; count++)
        all[count] = words[count];
    for (size_t i = 0; i < chosen->count; i++)
        all[count++] = chosen->words[i];
    expect_success(run_clact(all));
}

static void check_results(const struct op_row *row)
{
    const struct reference *reference = reference_of(row->op);
    struct chosen chosen;
    float x[COUNT];
    choose(row, &chosen);
    write_operands(x);
    run_with(&chosen, (const char *const[]){"forward", row->name, "x.npy", "-o", "y.npy", NULL});
    run_with(&chosen, (const char *const[]){"backward", row->name, "x.npy", "x.npy",
                                            "--saved=input", "-o", "dx.npy", NULL});
    float *y = read_npy("y.npy", dict, sizeof x);
    float *dx = read_npy("dx.npy", dict, sizeof x);
    for (size_t i = 0; i < COUNT; i++) {
        double exact = reference->forward(x[i], &chosen.rounded);
        double slope = reference->from_input(x[i], x[i], &chosen.rounded);
        assert_true(ulp_error(CLACT_F32, y[i], exact) <= allowed_ulp);
        assert_true(ulp_error(CLACT_F32, dx[i], slope) <= allowed_ulp);
    }
    free(y);
    free(dx);
}

static void test_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARAMETERS; i++)
        check_results(find_row(i, true));
}

/* Said before the file is looked for. */
static void test_parameters_of_other_operators(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARAMETERS; i++) {
        char part[128];
        const struct op_row *row = find_row(i, false);
        snprintf(part, sizeof part, "%s has no %s; see clact forward --help", row->name,
                 options[i]);
        EXPECT_FAILURE(2, part, "forward", row->name, "x.npy", "-o", "y.npy", options[i], "0");
    }
}

static void test_malformed_numbers(void **state)
{
    static const char *const texts[] = {"",      "x",      "1x",  " 1",  "1 ", "nan", "inf", "0x10",
                                        "1e999", "1e-999", "1,5", "--1", "e",  ".",   "-"};
    const struct op_row *row = find_row(0, true);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char part[128];
        snprintf(part, sizeof part, "%s needs a decimal number that a double can hold, not '%s'",
                 options[0], texts[i]);
        EXPECT_FAILURE(2, part, "forward", row->name, "x.npy", "-o", "y.npy", options[0], texts[i]);
    }
    EXPECT_FAILURE(2, "--alpha needs a value", "forward", row->name, "x.npy", "-oy.npy", "--alpha");
}

/* What the library says, before anything is written, also where there is no element. */
static void test_values_that_do_not_work(void **state)
{
    static const char *const texts[] = {"0", "-1", "1e-60", "1e300"};
    static const char *const dicts[] = {dict, DICT("<f4", "False", "(0,)")};
    static const float x[COUNT] = {0};
    size_t parameter;
    const struct op_row *row = find_positive(&parameter);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char part[128];
        snprintf(part, sizeof part, "%s of %s must be", options[parameter] + strlen("--"),
                 row->name);
        for (size_t empty = 0; empty < 2; empty++) {
            write_npy("x.npy", 1, dicts[empty], x, empty ? 0 : sizeof x);
            EXPECT_FAILURE(1, part, "forward", row->name, "x.npy", "-o", "y.npy",
                           options[parameter], texts[i]);
            EXPECT_FAILURE(1, part, "backward", row->name, "x.npy", "x.npy", "-o-", "--saved=input",
                           options[parameter], texts[i]);
        }
    }
    EXPECT_FILES("x.npy");
}

/* The help names each operator's parameters, with defaults that are those of the library. */
static void test_help(void **state)
{
    struct result result = RUN_CLACT("forward", "--help");
    (void)state;
    for (size_t i = 0; i < OP_ROWS; i++) {
        const double defaults[] = {op_rows[i].defaults.alpha, op_rows[i].defaults.beta,
                                   op_rows[i].defaults.gamma};
        char start[64];
        snprintf(start, sizeof start, "\n  %s ", op_rows[i].name);
        char *line = strstr((char *)result.out.data, start);
        assert_non_null(line);
        const char *end = strchr(line + 1, '\n');
        for (size_t k = 0; k < PARAMETERS; k++) {
            const char *option = strstr(line, options[k]);
            bool named = option != NULL && option < end;
            assert_int_equal(named, (op_rows[i].used & bits[k]) != 0);
            if (named)
                assert_true(strtod(option + strlen(options[k]), NULL) == defaults[k]);
        }
    }
    free_result(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_results),
        TEST(test_parameters_of_other_operators),
        TEST(test_malformed_numbers),
        TEST(test_values_that_do_not_work),
        TEST(test_help),
    };
    return cmocka_run_group_tests_name("command parameters", tests, NULL, NULL);
}
