/* SPDX-License-Identifier: MIT */
/* The clact command on files and arguments that are wrong: one line, and nothing left behind. */
#include "command_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char old_output[] = "what was there before";

/* forward on x.npy fails so, whether there is an output file or not, and leaves all as it was. */
static void expect_rejected(const char *part)
{
    struct bytes x = read_whole("x.npy");
    EXPECT_FAILURE(1, part, "forward", "sigmoid", "x.npy", "-o", "new.npy");
    write_whole("old.npy", old_output, sizeof old_output);
    EXPECT_FAILURE(1, part, "forward", "sigmoid", "x.npy", "-o", "old.npy");
    expect_content("old.npy", old_output, sizeof old_output);
    expect_content("x.npy", x.data, x.size);
    EXPECT_FILES("x.npy", "old.npy");
    free(x.data);
}

static void test_malformed_dicts(void **state)
{
    static const struct {
        const char *dict;
        const char *part;
    } cases[] = {
        {"", "not a Python dict"},
        {"{", "not a Python dict"},
        {"[]", "not a Python dict"},
        {"{}", "'descr' is missing"},
        {"{,}", "not a Python dict"},
        {"{'descr': '<f4'}", "'fortran_order' is missing"},
        {"{'descr': '<f4', 'fortran_order': False}", "'shape' is missing"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "not a Python dict"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "not a Python dict"},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", "not a Python dict"},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}", "not a Python dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "more after the dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}}", "more after the dict"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "there twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "'x' is not known"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "neither True nor False"},
        {"{'descr': '<f4', 'fortran_order': Falsey, 'shape': (2,)}", "not a Python dict"},
        {"{'descr': <f4, 'fortran_order': False, 'shape': (2,)}", "not a short string"},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,,)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (02,)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551618,)}", "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", "too many"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2)}",
         "too many"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}",
         "too many"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "pickled"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "structures"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", "bool for the targets"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (2,)}", "use f2, f4 or f8"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '<<f4', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '\033[2J\n<f4', 'fortran_order': False, 'shape': (2,)}", "short string"},
        {"{'descr': '\033[2Jf4', 'fortran_order': False, 'shape': (2,)}", "'?[2Jf4'"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (4,)}", "--bf16"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_npy("x.npy", 1, cases[i].dict, "01234567", 8);
        expect_rejected(cases[i].part);
        assert_int_equal(unlink("old.npy"), 0);
    }
}

static void test_too_many_dimensions(void **state)
{
    char dict[1024] = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    (void)state;
    for (int i = 0; i < 65; i++)
        strcat(dict, "1, ");
    strcat(dict, ")}");
    write_npy("x.npy", 1, dict, "0123", 4);
    expect_rejected("more than 64 dimensions");
}

/* Each beginning of a good file, and the whole of it with one byte more. */
static void test_truncated_and_overlong(void **state)
{
    struct bytes good = make_npy(2, DICT("<f4", "False", "(2,)"), "01234567", 8);
    unsigned char overlong[256] = {0};
    (void)state;
    for (size_t size = 0; size < good.size; size++) {
        write_whole("x.npy", good.data, size);
        EXPECT_FAILURE(1,
                       size < 8               ? "x.npy: not a .npy file"
                       : size < good.size - 8 ? "x.npy: the file ends within its header"
                                              : "x.npy: cut short",
                       "forward", "sigmoid", "x.npy", "-o", "y.npy");
    }
    EXPECT_FILES("x.npy");
    assert_true(good.size < sizeof overlong);
    memcpy(overlong, good.data, good.size);
    write_whole("x.npy", overlong, good.size + 1);
    expect_rejected("more after the 2 elements");
    free(good.data);
}

static void test_malformed_prefixes(void **state)
{
    static const struct {
        size_t at;
        unsigned char byte;
        const char *part;
    } cases[] = {
        {0, 0x92, "not a .npy file"},
        {5, 'y', "not a .npy file"},
        {6, 0, "version 0.0"},
        {6, 4, "version 4.0"},
        {7, 1, "version 2.1"},
        {8, 255, "ends within its header"},
        {11, 255, "malformed header: it"},
        {10, 1, "malformed header: it claims"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes npy = make_npy(2, DICT("<f4", "False", "(2,)"), "01234567", 8);
        npy.data[cases[i].at] = cases[i].byte;
        write_whole("x.npy", npy.data, npy.size);
        expect_rejected(cases[i].part);
        assert_int_equal(unlink("old.npy"), 0);
        free(npy.data);
    }
}

/* Where a file's length tells that it is wrong, it is told before a device is looked for. */
static void test_length_comes_first(void **state)
{
    (void)state;
    write_npy("short.npy", 1, DICT("<f4", "False", "(3,)"), "01234567", 8);
    write_npy("long.npy", 1, DICT("<f4", "False", "(1,)"), "01234567", 8);
    EXPECT_FAILURE(1, "short.npy: cut short", "forward", "sigmoid", "short.npy", "-o", "y.npy",
                   "-d", "no such device");
    EXPECT_FAILURE(1, "long.npy: there is more", "forward", "sigmoid", "long.npy", "-o", "y.npy",
                   "-d", "no such device");
}

/* Pipes end when they end: what is missing shows only after the first results. */
static void test_wrong_pipes(void **state)
{
    static const struct {
        const char *dict;
        const char *part;
    } cases[] = {
        {DICT("<f4", "False", "(100,)"), "-: cut short"},
        {DICT("<f4", "False", "(3,)"), "-: there is more after the 3 elements"},
    };
    (void)state;
    write_whole("old.npy", old_output, sizeof old_output);
    for (size_t i = 0; i < 2; i++) {
        write_npy("part", 1, cases[i].dict, old_output, sizeof old_output);
        expect_failure(
            run_program((const char *const[]){
                "sh", "-c", "cat part | \"$0\" forward sigmoid - -o old.npy --piece-bytes 8",
                CLACT_COMMAND, NULL}),
            1, cases[i].part);
        expect_content("old.npy", old_output, sizeof old_output);
        EXPECT_FILES("part", "old.npy");
    }
}

static void test_backward_mismatches(void **state)
{
    static const struct {
        const char *dict;
        size_t size;
        const char *part;
    } cases[] = {
        {DICT("<f2", "False", "(2, 2)"), 8, "types: '<f4' and '<f2'"},
        {DICT("<f4", "False", "(4,)"), 16, "shapes: (2, 2) and (4,)"},
        {DICT("<f4", "False", "(1, 4)"), 16, "shapes: (2, 2) and (1, 4)"},
        {DICT("<f4", "True", "(2, 2)"), 16, "order"},
        {DICT("<u2", "False", "(2, 2)"), 8, "saved.npy: elements of type '<u2'"},
    };
    (void)state;
    write_npy("grad.npy", 1, DICT("<f4", "False", "(2, 2)"), "0123456789abcdef", 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_npy("saved.npy", 1, cases[i].dict, "0123456789abcdef", cases[i].size);
        EXPECT_FAILURE(1, cases[i].part, "backward", "sigmoid", "grad.npy", "saved.npy", "--saved",
                       "output", "-o", "dx.npy");
    }
    EXPECT_FAILURE(1, "grad.npy: with --bf16", "backward", "sigmoid", "grad.npy", "grad.npy",
                   "--saved=input", "--bf16", "-o", "dx.npy");
    EXPECT_FILES("grad.npy", "saved.npy");
}

static void test_inputs_that_cannot_be_read(void **state)
{
    (void)state;
    assert_int_equal(mkdir("folder", 0777), 0);
    EXPECT_FAILURE(1, "none.npy: No such file", "forward", "sigmoid", "none.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "folder: Is a directory", "forward", "sigmoid", "folder", "-o", "y.npy");
    EXPECT_FILES("folder");
}

static void test_outputs_that_cannot_be_written(void **state)
{
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(2,)"), "01234567", 8);
    assert_int_equal(mkdir("folder", 0555), 0);
    assert_int_equal(symlink("nowhere", "broken"), 0);
    static const char *const outputs[][2] = {
        {"folder", "folder: Is a directory"},
        {"none/y.npy", "none/y.npy: No such file"},
        {"x.npy/y.npy", "Not a directory"},
        {"broken", "link to a file that does not exist"},
        /* These need /proc, which a bare chroot has not. */
        {"/proc/y.npy", "/proc/y.npy: "},
        {"/dev/fd/77", "Bad file descriptor"},
    };
    size_t count = sizeof outputs / sizeof outputs[0];
    if (access("/proc/self", F_OK) != 0)
        count -= 2;
    for (size_t i = 0; i < count; i++)
        EXPECT_FAILURE(1, outputs[i][1], "forward", "sigmoid", "x.npy", "-o", outputs[i][0]);
    /* By name it would be at risk: a broken command that root runs could replace it. */
    expect_failure(
        run_program((const char *const[]){
            "sh", "-c", "exec \"$0\" forward sigmoid x.npy -o - >/dev/full", CLACT_COMMAND, NULL}),
        1, "-: No space left");
    /* Permissions do not hold root up. */
    if (geteuid() != 0) {
        EXPECT_FAILURE(1, "Permission denied", "forward", "sigmoid", "x.npy", "-o", "folder/y.npy");
        assert_int_equal(chmod("x.npy", 0444), 0);
        EXPECT_FAILURE(1, "Permission denied", "forward", "sigmoid", "x.npy", "-o", "x.npy");
    }
    EXPECT_FILES("x.npy", "folder", "broken");
}

static void test_full_standard_output(void **state)
{
    static const char *const words[] = {"--help", "devices"};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        expect_failure(
            run_program((const char *const[]){"sh", "-c", "exec \"$0\" \"$1\" >/dev/full",
                                              CLACT_COMMAND, words[i], NULL}),
            1, "standard output: No space left");
}

/* The disk fills up half-way: a limit on file sizes looks the same to a program. */
static void test_output_that_outgrows_the_disk(void **state)
{
    enum { ELEMENTS = 4 << 20 };
    float *x = calloc(ELEMENTS, sizeof *x);
    (void)state;
    assert_non_null(x);
    write_npy("x.npy", 1, DICT("<f4", "False", "(4194304,)"), x, ELEMENTS * sizeof *x);
    free(x);
    /* Once without the limit, which the device's compiler may not know either. */
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "old.npy");
    write_whole("old.npy", old_output, sizeof old_output);
    expect_failure(run_program((const char *const[]){
                       "sh", "-c",
                       "ulimit -f 16384; exec \"$0\" forward sigmoid x.npy -o old.npy"
                       " --piece-bytes 1000000",
                       CLACT_COMMAND, NULL}),
                   1, "old.npy: File too large");
    expect_content("old.npy", old_output, sizeof old_output);
    EXPECT_FILES("x.npy", "old.npy");
}

static void test_arguments(void **state)
{
    static const struct {
        const char *words[8];
        const char *part;
    } cases[] = {
        {{NULL}, "which command"},
        {{"sideways"}, "unknown command 'sideways'"},
        {{"--sideways"}, "unknown option '--sideways'"},
        {{"forward"}, "one file"},
        {{"forward", "sigmoid"}, "not 1 argument;"},
        {{"forward", "sigmoid", "x.npy", "x.npy", "-oy.npy"}, "not 3 arguments;"},
        {{"forward", "sigmoid", "x.npy"}, "-o FILE"},
        {{"forward", "sigmoid", "x.npy", "-o", ""}, "-o FILE"},
        {{"forward", "sigmoid", "x.npy", "-o"}, "-o needs a value"},
        {{"forward", "sigmoid", "x.npy", "--output"}, "--output needs a value"},
        {{"forward", "sigmoid", "x.npy", "--frob", "-oy.npy"}, "unknown option --frob"},
        {{"forward", "sigmoid", "x.npy", "-f", "-oy.npy"}, "unknown option -f"},
        {{"forward", "sigmoid", "x.npy", "--saved=input", "-oy.npy"}, "clact backward"},
        {{"forward", "frob", "x.npy", "-oy.npy"}, "unknown operator 'frob'; known: sigmoid"},
        {{"forward", "sigmoid", "x.npy", "--piece-bytes", "0", "-oy.npy"}, "at least 8, not '0'"},
        {{"forward", "sigmoid", "x.npy", "--piece-bytes=-9", "-oy.npy"}, "not '-9'"},
        {{"forward", "sigmoid", "x.npy", "--piece-bytes=64k", "-oy.npy"}, "not '64k'"},
        {{"forward", "sigmoid", "x.npy", "--piece-bytes=99999999999999999999", "-oy.npy"}, "not"},
        {{"backward", "sigmoid", "x.npy", "--saved", "input", "-oy.npy"}, "two files"},
        {{"backward", "sigmoid", "x.npy", "x.npy", "-oy.npy"}, "--saved output or --saved input"},
        {{"backward", "sigmoid", "x.npy", "x.npy", "--saved", "x", "-oy.npy"}, "not 'x'"},
        {{"backward", "sigmoid", "-", "/dev/stdin", "--saved", "input", "-oy.npy"}, "only one"},
        {{"devices", "all"}, "needs no 'all'"},
        {{"devices", "--frob"}, "unknown option --frob"},
    };
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(2,)"), "01234567", 8);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_failure(run_clact(cases[i].words), 2, cases[i].part);
    EXPECT_FILES("x.npy");
}

static void test_unknown_device(void **state)
{
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(2,)"), "01234567", 8);
    EXPECT_FAILURE(1, "device", "forward", "sigmoid", "x.npy", "-o", "y.npy", "-d", "no such one");
    EXPECT_FILES("x.npy");
}

/* An empty folder of OpenCL drivers. */
static void test_no_device(void **state)
{
    static const char *const lines[] = {"devices", "forward sigmoid x.npy -o y.npy"};
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(2,)"), "01234567", 8);
    for (size_t i = 0; i < 2; i++) {
        char line[128];
        snprintf(line, sizeof line, "unset CLACT_DEVICE; OCL_ICD_VENDORS=/none exec \"$0\" %s",
                 lines[i]);
        expect_failure(run_program((const char *const[]){"sh", "-c", line, CLACT_COMMAND, NULL}), 1,
                       "OpenCL device");
    }
    EXPECT_FILES("x.npy");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_malformed_dicts),
        TEST(test_too_many_dimensions),
        TEST(test_truncated_and_overlong),
        TEST(test_malformed_prefixes),
        TEST(test_length_comes_first),
        TEST(test_wrong_pipes),
        TEST(test_backward_mismatches),
        TEST(test_inputs_that_cannot_be_read),
        TEST(test_outputs_that_cannot_be_written),
        TEST(test_full_standard_output),
        TEST(test_output_that_outgrows_the_disk),
        TEST(test_arguments),
        TEST(test_unknown_device),
        TEST(test_no_device),
    };
    return cmocka_run_group_tests_name("command errors", tests, NULL, NULL);
}
