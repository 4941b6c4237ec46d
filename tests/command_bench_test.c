/* SPDX-License-Identifier: MIT */
/* clact bench: what it prints and writes, and that it notices work that is not done. */
#include "command_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a line of the text begins so, and has `part` in it. */
static bool has_line(const char *text, const char *start, const char *part)
{
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        const char *found = strstr(line, part);
        if (strncmp(line, start, strlen(start)) == 0 && found != NULL && found < line + length)
            return true;
        line += length + (line[length] != '\0');
    }
    return false;
}

static void test_help(void **state)
{
    static const char *const options[] = {"--dtype",      "--sizes",         "--csv",     "--json",
                                          "-d, --device", "--build-options", "-h, --help"};
    (void)state;
    struct result result = RUN_CLACT("bench", "no_operator", "--help");
    assert_int_equal(result.status, 0);
    assert_string_equal((char *)result.err.data, "");
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        assert_non_null(strstr((char *)result.out.data, options[i]));
    free_result(&result);
    result = RUN_CLACT("--help");
    assert_non_null(strstr((char *)result.out.data, "\n  bench "));
    free_result(&result);
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *words[6];
        const char *part;
    } cases[] = {
        {{"bench", "sigmoidal"}, "unknown operator 'sigmoidal'; known: sigmoid, "},
        {{"bench", "sigmoid", "--dtype", "u8"}, "f32, f16, bf16 or f64, not 'u8'"},
        {{"bench", "--sizes", ""}, "multiples of 1024, such as 4K,1M, not ''"},
        {{"bench", "--sizes", "0"}, "not '0'"},
        {{"bench", "--sizes", "1000"}, "not '1000'"},
        {{"bench", "--sizes", "4K,"}, "not '4K,'"},
        {{"bench", "--sizes", "4K;1M"}, "not '4K;1M'"},
        {{"bench", "--sizes", "4KM"}, "not '4KM'"},
        {{"bench", "--sizes", "-1M"}, "not '-1M'"},
        {{"bench", "--sizes", "1099511628800"}, "not '1099511628800'"},
        {{"bench", "--sizes", "18446744073709552640"}, "not '18446744073709552640'"},
        {{"bench", "--sizes"}, "--sizes needs a value"},
        {{"bench", "--csv", ""}, "--csv needs"},
        {{"bench", "--json", ""}, "--json needs"},
        {{"bench", "--benchmark"}, "unknown option --benchmark"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_failure(run_clact(cases[i].words), 2, cases[i].part);
}

static void test_files_that_cannot_be_written(void **state)
{
    (void)state;
    expect_unwritable("bench", "--json");
}

/* A row of the table. */
struct row {
    char op[32], direction[32], dtype[8], place[16], stores[16];
    double n, milliseconds, spread, gelem, gbyte, share, share_spread;
};

static bool find_row(const char *text, const char *direction, double n, struct row *row)
{
    for (const char *line = text; *line != '\0';) {
        if (sscanf(line, "%31s %31s %7s %lf %15s %lf %lf %lf %lf %lf%% %lf %15s", row->op,
                   row->direction, row->dtype, &row->n, row->place, &row->milliseconds,
                   &row->spread, &row->gelem, &row->gbyte, &row->share, &row->share_spread,
                   row->stores) == 12 &&
            strcmp(row->direction, direction) == 0 && row->n == n)
            return true;
        line += strcspn(line, "\n");
        line += *line != '\0';
    }
    return false;
}

/* The speed of a printed row is its elements by its time, and the files have such a row. */
static void check_row(const char *text, const char *csv, const char *json, const char *direction,
                      unsigned n)
{
    char start[128], part[64];
    struct row row;
    assert_true(find_row(text, direction, n, &row));
    assert_string_equal(row.op, "relu");
    assert_string_equal(row.dtype, "bf16");
    assert_true(row.milliseconds > 0 && row.spread >= 0 && row.share > 0);
    const double gelem = 1e-6 * n / row.milliseconds;
    assert_true(row.gelem > 0.9 * gelem - 0.001 && row.gelem < 1.1 * gelem + 0.001);
    const double bytes = strcmp(direction, "forward") == 0 ? 4 : 6;
    assert_true(row.gbyte > 0.9 * bytes * gelem - 0.01 && row.gbyte < 1.1 * bytes * gelem + 0.01);

    snprintf(start, sizeof start, "relu,%s,bf16,%u,%s,7,", direction, n, row.place);
    assert_true(has_line(csv, start, ",clact,,1,"));
    assert_true(has_line(csv, start, ",copy,"));
    snprintf(start, sizeof start,
             "  {\"operator\": \"relu\", \"direction\": \"%s\", \"dtype\": \"bf16\"", direction);
    snprintf(part, sizeof part, "\"n\": %u,", n);
    assert_true(has_line(json, start, part));
}

static void test_figures(void **state)
{
    static const char *const directions[] = {"forward", "from_output", "from_input"};
    (void)state;
    struct result result = RUN_CLACT("bench", "relu", "--dtype", "bf16", "--sizes", "64K,4096",
                                     "--csv", "a.csv", "--json", "a.json");
    assert_string_equal((char *)result.err.data, "");
    assert_int_equal(result.status, 0);
    struct bytes csv = read_whole("a.csv"), json = read_whole("a.json");
    const char *text = (char *)result.out.data;
    for (size_t i = 0; i < 3; i++) {
        check_row(text, (char *)csv.data, (char *)json.data, directions[i], 65536);
        check_row(text, (char *)csv.data, (char *)json.data, directions[i], 4096);
    }
    assert_null(strstr(text, "sigmoid"));
    /* The first lines of both say the same. */
    const size_t first = strcspn(text, "\n");
    assert_int_equal(strncmp(text, "clact ", 6), 0);
    assert_int_equal(strncmp((char *)csv.data, "# ", 2), 0);
    assert_int_equal(strncmp((char *)csv.data + 2, text, first + 1), 0);
    EXPECT_FILES("a.csv", "a.json");
    free(csv.data);
    free(json.data);
    free_result(&result);
}

/* All groups of work-items do the work of the first, so that most of the output is not written. */
static void test_wrong_results(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("bench", "relu", "--sizes", "1M", "--csv", "a.csv", "--json",
                                     "a.json", "--build-options", "-Dget_global_id=get_local_id");
    assert_int_equal(result.status, 1);
    const char *err = (char *)result.err.data;
    static const char start[] = "clact: clact (relu forward f32) computed a wrong element ";
    assert_int_equal(strncmp(err, start, strlen(start)), 0);
    assert_string_equal(strchr(err, '\n'), "\n");
    free_result(&result);
    EXPECT_FILES(NULL);
}

/* A failing build has a log of many lines; the message is one. */
static void test_failing_build(void **state)
{
    (void)state;
    struct result result =
        RUN_CLACT("bench", "relu", "--csv", "a.csv", "--build-options", "--no-such-option");
    assert_int_equal(result.status, 1);
    assert_int_equal(strncmp((char *)result.err.data, "clact: ", 7), 0);
    assert_string_equal(strchr((char *)result.err.data, '\n'), "\n");
    free_result(&result);
    EXPECT_FILES(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_help, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_wrong_arguments, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_files_that_cannot_be_written, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(test_figures, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_wrong_results, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_failing_build, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
