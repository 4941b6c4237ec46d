/* SPDX-License-Identifier: MIT */
/* clact predict: labels of every form of logits, in pieces, and what it refuses. */
#include "command_harness.h"
#include "dtype.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 24, LONG = 3001 };

static double logit(size_t i)
{
    return ((double)(i * 37 % 61) - 30) / 8;
}

/* s(0.75) = 0.679 and s(0.875) = 0.706. */
static unsigned char label_at(const char *threshold, double x)
{
    return x >= (strcmp(threshold, "0.7") == 0 ? 0.875 : 0);
}

static void write_logits(const char *path, const char *dict, clact_dtype dtype, bool big_endian,
                         size_t count)
{
    const size_t size = clact_dtype_size(dtype);
    unsigned char *elements = calloc(count + 1, size);
    assert_non_null(elements);
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = dtype_to_bits(dtype, logit(i));
        for (size_t b = 0; b < size; b++)
            elements[i * size + (big_endian ? size - 1 - b : b)] = (unsigned char)(bits >> (8 * b));
    }
    write_npy(path, 1, dict, elements, count * size);
    free(elements);
}

static void expect_labels(const char *path, const char *dict, const char *threshold, size_t count)
{
    unsigned char *labels = read_npy(path, dict, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(labels[i], label_at(threshold, logit(i)));
    free(labels);
}

static void test_types_and_orders(void **state)
{
    static const struct {
        clact_dtype dtype;
        bool big_endian;
        const char *dict, *labels;
    } forms[] = {
        {CLACT_F32, false, DICT("<f4", "False", "(24,)"), DICT("|u1", "False", "(24,)")},
        {CLACT_F32, true, DICT(">f4", "True", "(4, 6)"), DICT("|u1", "True", "(4, 6)")},
        {CLACT_F16, false, DICT("<f2", "False", "(2, 3, 4)"), DICT("|u1", "False", "(2, 3, 4)")},
        {CLACT_F16, true, DICT(">f2", "False", "(24,)"), DICT("|u1", "False", "(24,)")},
        {CLACT_BF16, false, DICT("<u2", "False", "(24,)"), DICT("|u1", "False", "(24,)")},
        {CLACT_BF16, true, DICT(">V2", "True", "(6, 4)"), DICT("|u1", "True", "(6, 4)")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        /* The default threshold is 0.5. */
        const char *bf16 = forms[i].dtype == CLACT_BF16 ? "--bf16" : "--piece-bytes=4096";
        write_logits("x.npy", forms[i].dict, forms[i].dtype, forms[i].big_endian, COUNT);
        EXPECT_SUCCESS("predict", "x.npy", bf16, "-o", "y.npy");
        expect_labels("y.npy", forms[i].labels, "0.5", COUNT);
        EXPECT_SUCCESS("predict", "x.npy", bf16, "-o", "y.npy", "--threshold", "0.7");
        expect_labels("y.npy", forms[i].labels, "0.7", COUNT);
    }
    EXPECT_FILES("x.npy", "y.npy");
}

static void test_no_elements_and_scalars(void **state)
{
    (void)state;
    write_logits("x.npy", DICT("<f4", "False", "(0, 3)"), CLACT_F32, false, 0);
    EXPECT_SUCCESS("predict", "x.npy", "-o", "y.npy");
    expect_labels("y.npy", DICT("|u1", "False", "(0, 3)"), "0.5", 0);
    write_logits("x.npy", DICT("<f4", "False", "()"), CLACT_F32, false, 1);
    EXPECT_SUCCESS("predict", "x.npy", "-o", "y.npy");
    expect_labels("y.npy", DICT("|u1", "False", "()"), "0.5", 1);
}

/* Pieces of any size give the same file, also where it replaces the one that is read. */
static void test_pieces(void **state)
{
    static const char *const sizes[] = {"8", "13", "4000", "6002", "12004", "67108864"};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_logits("x.npy", DICT("<f4", "False", "(3001,)"), CLACT_F32, false, LONG);
        EXPECT_SUCCESS("predict", "x.npy", "-o", "x.npy", "--piece-bytes", sizes[i], "--threshold",
                       "0.7");
        expect_labels("x.npy", DICT("|u1", "False", "(3001,)"), "0.7", LONG);
    }
    EXPECT_FILES("x.npy");
}

/* s(5) is 0.99330714907571514..., which f32 cannot tell from either threshold. */
static void test_next_to_the_threshold(void **state)
{
    const float logits[] = {nextafterf(5, 0), 5, nextafterf(5, 6), NAN, -INFINITY, INFINITY};
    static const struct {
        const char *threshold;
        unsigned char labels[6];
    } cases[] = {
        {"0.993307149075715", {0, 1, 1, 0, 0, 1}},
        {"0.9933071490757153", {0, 0, 1, 0, 0, 1}},
        {"0", {1, 1, 1, 0, 1, 1}},
        {"1", {0, 0, 0, 0, 0, 1}},
    };
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(6,)"), logits, sizeof logits);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT_SUCCESS("predict", "x.npy", "-o", "y.npy", "--threshold", cases[i].threshold);
        unsigned char *labels = read_npy("y.npy", DICT("|u1", "False", "(6,)"), 6);
        assert_memory_equal(labels, cases[i].labels, 6);
        free(labels);
    }
}

static void test_wrong_arguments(void **state)
{
    static const char *const thresholds[] = {"-0.1", "1.1", "nan", "inf", "half", "", "0.5x"};
    (void)state;
    write_logits("x.npy", DICT("<f4", "False", "(24,)"), CLACT_F32, false, COUNT);
    for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0]; i++)
        EXPECT_FAILURE(2, "--threshold", "predict", "x.npy", "-o", "y.npy", "--threshold",
                       thresholds[i]);
    EXPECT_FAILURE(2, "--threshold", "forward", "sigmoid", "x.npy", "-o", "y.npy", "--threshold=0");
    EXPECT_FAILURE(2, "--alpha", "predict", "x.npy", "-o", "y.npy", "--alpha", "1");
    EXPECT_FAILURE(2, "--saved", "predict", "x.npy", "-o", "y.npy", "--saved", "input");
    EXPECT_FAILURE(2, "one file", "predict", "-o", "y.npy");
    EXPECT_FAILURE(2, "one file", "predict", "sigmoid", "x.npy", "-o", "y.npy");
    EXPECT_FAILURE(2, "-o FILE", "predict", "x.npy");
    EXPECT_FILES("x.npy");
}

static void test_wrong_files(void **state)
{
    (void)state;
    EXPECT_FAILURE(1, "x.npy", "predict", "x.npy", "-o", "y.npy");
    write_logits("x.npy", DICT("<u2", "False", "(24,)"), CLACT_BF16, false, COUNT);
    EXPECT_FAILURE(1, "--bf16", "predict", "x.npy", "-o", "y.npy");
    write_logits("x.npy", DICT("<f4", "False", "(25,)"), CLACT_F32, false, COUNT);
    EXPECT_FAILURE(1, "x.npy", "predict", "x.npy", "-o", "y.npy");
    write_logits("x.npy", DICT("<f4", "False", "(24,)"), CLACT_F32, false, COUNT);
    EXPECT_FAILURE(1, "no such device", "predict", "x.npy", "-o", "y.npy", "-d", "no such device");
    EXPECT_FILES("x.npy");
}

static void test_help(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("predict", "--help");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr((char *)result.out.data, "--threshold"));
    assert_null(strstr((char *)result.out.data, "--alpha"));
    free_result(&result);
    result = RUN_CLACT("--help");
    assert_non_null(strstr((char *)result.out.data, "\n  predict "));
    free_result(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_types_and_orders),
        TEST(test_no_elements_and_scalars),
        TEST(test_pieces),
        TEST(test_next_to_the_threshold),
        TEST(test_wrong_arguments),
        TEST(test_wrong_files),
        TEST(test_help),
    };
    return cmocka_run_group_tests_name("command predict", tests, NULL, NULL);
}
