/* SPDX-License-Identifier: MIT */
/* clact verify: what it prints and writes, and that it finds what is wrong. */
#include "command_harness.h"
#include "dtype.h"
#include "ulp.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIELDS = 19, MOST_LINES = 256 };

/* The columns of the file of comma-separated values. */
enum field {
    OPERATOR,
    DIRECTION,
    DTYPE,
    ARITHMETIC,
    ALPHA,
    BETA,
    GAMMA,
    GRAD,
    RESULTS,
    COUNT,
    ALL,
    ROUNDED,
    MAX_ULP,
    ALLOWED_ULP,
    X,
    GRAD_AT_X,
    GOT,
    EXACT,
    RIGHT
};

struct table {
    char *text;
    size_t count;
    const char *lines[MOST_LINES][FIELDS];
};

/* Splits at every comma: no field has one inside. The first line names the fields. */
static struct table read_table(const char *path)
{
    struct table table = {(char *)read_whole(path).data, 0, {{NULL}}};
    char *at = strchr(table.text, '\n');
    static const char head[] = "operator,direction,dtype,";
    assert_int_equal(strncmp(table.text, head, strlen(head)), 0);
    assert_non_null(at);
    while (*++at != '\0') {
        assert_true(table.count < MOST_LINES);
        for (size_t i = 0; i < FIELDS; i++) {
            const size_t length = strcspn(at, ",\n");
            assert_true(at[length] == (i + 1 < FIELDS ? ',' : '\n'));
            table.lines[table.count][i] = at;
            at[length] = '\0';
            at += i + 1 < FIELDS ? length + 1 : length;
        }
        table.count++;
    }
    return table;
}

/* The printed row that begins with these words, up to its end; NULL if there is none. The caller frees
 * it. */
static char *find_row(const char *text, const char *op, const char *direction, const char *dtype)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char words[3][32] = {"", "", ""};
        if (sscanf(line, "%31s %31s %31s", words[0], words[1], words[2]) == 3 &&
            strcmp(words[0], op) == 0 && strcmp(words[1], direction) == 0 &&
            strcmp(words[2], dtype) == 0)
            return strndup(line, strcspn(line, "\n"));
        if (line[strcspn(line, "\n")] == '\0')
            break;
    }
    return NULL;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in:\n%s", part, text);
}

static const char *last_line(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *end = strrchr(text, '\n');
    return end != NULL ? end + 1 : text;
}

static void test_help(void **state)
{
    static const char *const options[] = {"--exhaustive",   "--dtype",         "--csv",
                                          "--markdown",     "-d, --device",    "--arithmetic",
                                          "--vector-width", "--build-options", "-h, --help"};
    (void)state;
    struct result result = RUN_CLACT("verify", "no_operator", "--help");
    assert_int_equal(result.status, 0);
    assert_string_equal((char *)result.err.data, "");
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        assert_contains((char *)result.out.data, options[i]);
    free_result(&result);
    result = RUN_CLACT("--help");
    assert_contains((char *)result.out.data, "\n  verify ");
    free_result(&result);
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *words[6];
        const char *part;
    } cases[] = {
        {{"verify", "sigmoidal"}, "unknown operator 'sigmoidal'; known: sigmoid, "},
        {{"verify", "sigmoid", "Sigmoid"}, "unknown operator 'Sigmoid'"},
        {{"verify", "--dtype", "f12"}, "f32, f16, bf16 or f64, not 'f12'"},
        {{"verify", "--arithmetic", "triples"}, "'pairs' or 'doubles', not 'triples'"},
        {{"verify", "--vector-width", "3"}, "not '3'"},
        {{"verify", "--vector-width", "16x"}, "not '16x'"},
        {{"verify", "--csv", ""}, "--csv needs"},
        {{"verify", "--markdown", ""}, "--markdown needs"},
        {{"verify", "--markdown"}, "--markdown needs a value"},
        {{"verify", "--exhausting"}, "unknown option --exhausting"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_failure(run_clact(cases[i].words), 2, cases[i].part);
}

static void test_files_that_cannot_be_written(void **state)
{
    (void)state;
    expect_unwritable("verify", "--markdown");
}

static void test_all_is_well(void **state)
{
    static const char *const directions[] = {"forward", "from_output", "from_input"};
    (void)state;
    struct result result = RUN_CLACT("verify", "sigmoid", "--dtype", "f16");
    char *text = (char *)result.out.data;
    assert_string_equal((char *)result.err.data, "");
    assert_int_equal(result.status, 0);
    for (size_t i = 0; i < 3; i++) {
        char *row = find_row(text, "sigmoid", directions[i], "f16");
        assert_non_null(row);
        assert_contains(row, " all 65536 ");
        assert_contains(row, " right ");
        assert_string_equal(row + strlen(row) - 4, "pass");
        free(row);
    }
    assert_null(find_row(text, "sigmoid", "forward", "f32"));
    assert_null(find_row(text, "tanh", "forward", "f16"));
    const char *last = last_line(text);
    assert_int_equal(strncmp(last, "3 rows, ", 8), 0);
    assert_contains(last, "every promise holds");
    free_result(&result);
}

/* The figures of a line are right in themselves, and are those of the printed row. */
static void check_line(const char *const *line, const char *text)
{
    char cell[64];
    const bool subnormal = strcmp(line[RESULTS], "subnormal") == 0;
    const double error = atof(line[MAX_ULP]);
    assert_true(ulp_error(CLACT_BF16, atof(line[GOT]), atof(line[EXACT])) == error);
    assert_int_equal(atoi(line[RIGHT]), error <= atof(line[ALLOWED_ULP]));
    assert_true(atof(line[ROUNDED]) <= atof(line[COUNT]));
    char *row = find_row(text, line[OPERATOR], line[DIRECTION], line[DTYPE]);
    assert_non_null(row);
    if (strcmp(line[GRAD], "any") != 0) {
        snprintf(cell, sizeof cell, " %.4f (%g) ", error, atof(line[ALLOWED_ULP]));
        assert_contains(row, cell);
        snprintf(cell, sizeof cell, " %.9g ", atof(line[X]));
        assert_contains(row, cell);
        assert_string_equal(line[ALL], "1");
        /* Half of the numbers are normal results of relu; all are of one class or of the other. */
        assert_true(atof(line[COUNT]) > (subnormal ? 200 : 30000));
    }
    free(row);
}

static void test_files(void **state)
{
    static const char *const names[] = {"relu", "silu"};
    size_t specials = 0, classes = 0, own = 0;
    double operands = 0;
    (void)state;
    struct result result = RUN_CLACT("verify", "silu", "relu", "--dtype", "bf16", "--csv", "a.csv",
                                     "--markdown", "a.md");
    assert_string_equal((char *)result.err.data, "");
    assert_int_equal(result.status, 0);
    struct table table = read_table("a.csv");
    for (size_t i = 0; i < table.count; i++) {
        const char *const *line = table.lines[i];
        const bool special = strcmp(line[RESULTS], "special") == 0;
        assert_string_equal(line[DTYPE], "bf16");
        assert_true(strcmp(line[OPERATOR], names[0]) == 0 || strcmp(line[OPERATOR], names[1]) == 0);
        if (special) {
            specials++;
        } else if (line[BETA][0] != '\0' && atof(line[BETA]) != 1) {
            own++;
        } else {
            check_line(line, (char *)result.out.data);
            operands += strcmp(line[GRAD], "any") == 0 ? 0 : atof(line[COUNT]);
            classes++;
        }
    }
    /* Three directions of relu; two of silu, with the default parameters and with others. */
    assert_int_equal(specials, 7 * 11);
    assert_int_equal(classes, 2 * (3 + 2 + 2 + 1));
    assert_int_equal(own, 2 * 3);
    assert_true(operands == 5 * 65536);
    struct bytes markdown = read_whole("a.md");
    assert_contains((char *)markdown.data,
                    "\n| relu | from_output | bf16 | all 65536 | 0.0000 (0)");
    assert_contains((char *)markdown.data, "\n| silu(0.7) | forward | bf16 | all 65536 | ");
    free(markdown.data);
    free(table.text);
    free_result(&result);
    EXPECT_FILES("a.csv", "a.md");
}

/* A compiler that may reorder sums drops the terms that carry the error of others. */
static void test_broken_promise(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("verify", "tanh", "--dtype", "f32", "--csv", "a.csv",
                                     "--build-options", "-cl-fast-relaxed-math");
    char *text = (char *)result.out.data;
    assert_int_equal(result.status, 1);
    assert_contains((char *)result.err.data, "of 3 rows break what is promised");
    char *row = find_row(text, "tanh", "forward", "f32");
    assert_non_null(row);
    assert_string_equal(row + strlen(row) - 4, "FAIL");
    assert_contains(strstr(text, row), "\n    normal results: ");
    assert_contains(text, " ULP where 0.85 are allowed, at x = ");
    assert_contains(last_line(text), " FAIL");
    free(row);
    struct table table = read_table("a.csv");
    assert_string_equal(table.lines[0][DIRECTION], "forward");
    assert_string_equal(table.lines[0][RESULTS], "normal");
    assert_string_equal(table.lines[0][RIGHT], "0");
    free(table.text);
    free_result(&result);
    EXPECT_FILES("a.csv");
}

static void test_options_that_do_not_build(void **state)
{
    (void)state;
    struct result result =
        RUN_CLACT("verify", "relu", "--csv", "a.csv", "--build-options", "--no-such-option");
    assert_int_equal(result.status, 1);
    assert_int_equal(strncmp((char *)result.err.data, "clact: ", 7), 0);
    free_result(&result);
    EXPECT_FILES(NULL);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    assert_int_equal(closedir(folder), 0);
    return count;
}

/* Both files have a temporary one for as long as the work takes. */
static void test_signal(void **state)
{
    const struct timespec moment = {0, 10000000};
    const char *const arguments[] = {"verify", "--csv", "a.csv", "--markdown", "a.md", NULL};
    (void)state;
    pid_t child = start_clact(arguments, -1);
    for (int i = 0; i < 3000 && count_files() < 2; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(count_files(), 2);
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(wait_for(child), -SIGTERM);
    EXPECT_FILES(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_help),
        TEST(test_wrong_arguments),
        TEST(test_files_that_cannot_be_written),
        TEST(test_all_is_well),
        TEST(test_files),
        TEST(test_broken_promise),
        TEST(test_options_that_do_not_build),
        TEST(test_signal),
    };
    return cmocka_run_group_tests_name("command verify", tests, NULL, NULL);
}
