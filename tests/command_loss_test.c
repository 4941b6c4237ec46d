/* SPDX-License-Identifier: MIT */
/* clact loss: the loss of every form of logits, its gradient, and what it refuses. */
#include "command_harness.h"
#include "dtype.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 24 };

static double logit(size_t i)
{
    return ((double)(i * 37 % 61) - 30) / 8;
}

static double target(size_t i)
{
    return i % 3 == 0 ? 1 : i % 3 == 1 ? 0 : 0.25;
}

/* The sum of log(1 + e^x) - y x. */
static double exact_sum(void)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += log1p(exp(logit(i))) - target(i) * logit(i);
    return sum;
}

static void write_file(const char *path, const char *dict, clact_dtype dtype, bool big_endian,
                       double (*value)(size_t))
{
    const size_t size = clact_dtype_size(dtype);
    unsigned char elements[COUNT * 8];
    for (size_t i = 0; i < COUNT; i++) {
        const uint64_t bits = dtype_to_bits(dtype, value(i));
        for (size_t b = 0; b < size; b++)
            elements[i * size + (big_endian ? size - 1 - b : b)] = (unsigned char)(bits >> (8 * b));
    }
    write_npy(path, 1, dict, elements, COUNT * size);
}

/* What is printed, and nothing else. */
static void expect_loss(struct result result, double exact, double tolerance)
{
    char *end;
    assert_int_equal(result.status, 0);
    assert_int_equal(result.err.size, 0);
    const double loss = strtod((char *)result.out.data, &end);
    assert_string_equal(end, "\n");
    if (!(fabs(loss - exact) <= tolerance * exact))
        fail_msg("the loss is %.17g, not %.17g", loss, exact);
    free_result(&result);
}

static void expect_gradient(const char *path, const char *dict, clact_dtype dtype, bool big_endian,
                            double scale, double tolerance)
{
    const size_t size = clact_dtype_size(dtype);
    unsigned char *elements = read_npy(path, dict, COUNT * size);
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t bits = 0;
        for (size_t b = 0; b < size; b++)
            bits |= (uint64_t)elements[i * size + (big_endian ? size - 1 - b : b)] << (8 * b);
        const double exact = scale * (1 / (1 + exp(-logit(i))) - target(i));
        if (!(fabs(dtype_from_bits(dtype, bits) - exact) <= tolerance * scale))
            fail_msg("element %zu of the gradient is %g, not %g", i, dtype_from_bits(dtype, bits),
                     exact);
    }
    free(elements);
}

static void test_types_and_orders(void **state)
{
    static const struct {
        clact_dtype dtype;
        bool big_endian;
        const char *dict;
        double tolerance;
    } forms[] = {
        {CLACT_F32, false, DICT("<f4", "False", "(24,)"), 0x1p-23},
        {CLACT_F32, true, DICT(">f4", "True", "(4, 6)"), 0x1p-23},
        {CLACT_F16, false, DICT("<f2", "False", "(2, 3, 4)"), 0x1p-10},
        {CLACT_BF16, true, DICT(">V2", "True", "(6, 4)"), 0x1p-7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const bool bf16 = forms[i].dtype == CLACT_BF16;
        const char *option = bf16 ? "--bf16" : "--reduction=sum";
        const double divisor = bf16 ? COUNT : 1;
        write_file("x.npy", forms[i].dict, forms[i].dtype, forms[i].big_endian, logit);
        write_file("y.npy", forms[i].dict, forms[i].dtype, forms[i].big_endian, target);
        expect_loss(RUN_CLACT("loss", "x.npy", "y.npy", option, "-o", "dx.npy"),
                    exact_sum() / divisor, forms[i].tolerance);
        expect_gradient("dx.npy", forms[i].dict, forms[i].dtype, forms[i].big_endian, 1 / divisor,
                        forms[i].tolerance);
        if (!bf16)
            expect_loss(RUN_CLACT("loss", "x.npy", "y.npy"), exact_sum() / COUNT,
                        forms[i].tolerance);
    }
    EXPECT_FILES("x.npy", "y.npy", "dx.npy");
}

/* The gradient may replace what it is made of. */
static void test_replace(void **state)
{
    const char *dict = DICT("<f4", "False", "(24,)");
    (void)state;
    write_file("x.npy", dict, CLACT_F32, false, logit);
    write_file("y.npy", dict, CLACT_F32, false, target);
    expect_loss(RUN_CLACT("loss", "x.npy", "y.npy", "-o", "x.npy"), exact_sum() / COUNT, 0x1p-23);
    expect_gradient("x.npy", dict, CLACT_F32, false, 1.0 / COUNT, 0x1p-23);
    EXPECT_FILES("x.npy", "y.npy");
}

static double byte_target(size_t i)
{
    return i % 5 == 0;
}

static double weight(size_t i)
{
    return (double)(i % 7) / 4;
}

static double pos_weight(size_t column)
{
    return (double)column * 0.75 + 0.5;
}

/* A row for each way to say it: what is given, and what it means. */
struct weighted {
    const char *weight;     /* an option, or one that changes nothing */
    const char *pos_weight; /* the same */
    double one;             /* the pos_weight of all columns, or 0: that of each */
    const char *targets;
};

static double loss_of(const struct weighted *form, size_t i, double *dx)
{
    const double x = logit(i), y = form->targets[0] == 'b' ? byte_target(i) : target(i);
    const double w = strcmp(form->weight, "--weight=w.npy") == 0 ? weight(i) : 1;
    const double p = form->one > 0 ? form->one : pos_weight(i % 4);
    *dx = w * ((1 - y) / (1 + exp(-x)) - p * y / (1 + exp(x)));
    return w * (p * y * log1p(exp(-x)) + (1 - y) * log1p(exp(x)));
}

static void write_weighted(void)
{
    unsigned char bytes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        bytes[i] = byte_target(i) > 0;
    write_file("x.npy", DICT(">f4", "False", "(2, 3, 4)"), CLACT_F32, true, logit);
    write_file("y.npy", DICT("<f4", "False", "(2, 3, 4)"), CLACT_F32, false, target);
    write_file("w.npy", DICT("<f4", "False", "(2, 3, 4)"), CLACT_F32, false, weight);
    write_npy("bytes.npy", 1, DICT("|u1", "False", "(2, 3, 4)"), bytes, COUNT);
    write_npy("bools.npy", 1, DICT("|b1", "False", "(2, 3, 4)"), bytes, COUNT);
    float p[4];
    for (size_t i = 0; i < 4; i++)
        p[i] = (float)pos_weight(i);
    write_npy("p.npy", 1, DICT("<f4", "False", "(4,)"), p, sizeof p);
}

static void expect_elements(const char *path, const double *exact, double scale)
{
    unsigned char *elements = read_npy(path, DICT(">f4", "False", "(2, 3, 4)"), COUNT * 4);
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t bits = 0;
        for (size_t b = 0; b < 4; b++)
            bits |= (uint64_t)elements[i * 4 + 3 - b] << (8 * b);
        const double got = dtype_from_bits(CLACT_F32, bits);
        if (!(fabs(got - exact[i] * scale) <= 0x1p-21 * scale))
            fail_msg("element %zu of %s is %g, not %g", i, path, got, exact[i] * scale);
    }
    free(elements);
}

static void test_weights_and_reductions(void **state)
{
    static const struct weighted forms[] = {
        {"--weight=w.npy", "--pos-weight=0.5,1.25,2,2.75", 0, "y.npy"},
        {"--reduction=mean", "--pos-weight=p.npy", 0, "bytes.npy"},
        {"--reduction=mean", "--pos-weight=3", 3, "bools.npy"},
    };
    (void)state;
    write_weighted();
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        const struct weighted *form = &forms[f];
        double exact[COUNT], dx[COUNT], sum = 0;
        for (size_t i = 0; i < COUNT; i++)
            sum += exact[i] = loss_of(form, i, &dx[i]);
        expect_loss(RUN_CLACT("loss", "x.npy", form->targets, form->weight, form->pos_weight, "-o",
                              "dx.npy"),
                    sum / COUNT, 0x1p-22);
        expect_elements("dx.npy", dx, 1.0 / COUNT);
        expect_loss(RUN_CLACT("loss", "x.npy", form->targets, form->weight, form->pos_weight,
                              "--reduction", "sum", "-o", "dx.npy"),
                    sum, 0x1p-22);
        expect_elements("dx.npy", dx, 1);
        if (f > 0)
            continue; /* each form without reduction is a kernel more to compile */
        struct result result =
            RUN_CLACT("loss", "x.npy", form->targets, form->weight, form->pos_weight,
                      "--reduction=none", "-o", "dx.npy", "--losses", "each.npy");
        assert_int_equal(result.out.size, 0);
        expect_success(result);
        expect_elements("each.npy", exact, 1);
        expect_elements("dx.npy", dx, 1);
    }
    EXPECT_SUCCESS("loss", "x.npy", "y.npy", "--weight=w.npy", "--pos-weight=p.npy",
                   "--reduction=none", "-o", "dx.npy", "--losses", "y.npy");
    EXPECT_FILES("x.npy", "y.npy", "w.npy", "p.npy", "bytes.npy", "bools.npy", "dx.npy",
                 "each.npy");
}

static void test_wrong_weights(void **state)
{
    const unsigned char bytes[COUNT] = {0, 1, 2};
    (void)state;
    write_weighted();
    EXPECT_FAILURE(2, "'x'", "loss", "x.npy", "y.npy", "--reduction", "x");
    EXPECT_FAILURE(2, "--losses FILE", "loss", "x.npy", "y.npy", "--reduction", "none");
    EXPECT_FAILURE(2, "--reduction none", "loss", "x.npy", "y.npy", "--losses", "each.npy");
    EXPECT_FAILURE(2, "the same file", "loss", "x.npy", "y.npy", "--reduction=none",
                   "--losses=a.npy", "-o", "a.npy");
    EXPECT_FAILURE(2, "--pos-weight", "loss", "x.npy", "y.npy", "--pos-weight", "1,2,,4");
    EXPECT_FAILURE(2, "--pos-weight", "loss", "x.npy", "y.npy", "--pos-weight", "1,2,3,");
    EXPECT_FAILURE(2, "too long", "loss", "x.npy", "y.npy", "--pos-weight",
                   "1000000000000000000000000000000000000000000000000000000000000000000");
    EXPECT_FAILURE(2, "standard input", "loss", "x.npy", "-", "--weight", "-");
    EXPECT_FAILURE(1, "3 numbers, but x.npy has 4 columns", "loss", "x.npy", "y.npy",
                   "--pos-weight", "1,2,3");
    EXPECT_FAILURE(1, "24 numbers", "loss", "x.npy", "y.npy", "--pos-weight", "w.npy");
    EXPECT_FAILURE(1, "none.npy", "loss", "x.npy", "y.npy", "--pos-weight", "none.npy");
    EXPECT_FAILURE(1, "shapes", "loss", "x.npy", "y.npy", "--weight", "p.npy");
    EXPECT_FAILURE(1, "targets of a loss", "loss", "x.npy", "y.npy", "--weight", "bytes.npy");
    EXPECT_FAILURE(1, "targets of a loss", "loss", "bytes.npy", "y.npy");
    EXPECT_FAILURE(1, "targets of a loss", "forward", "relu", "bools.npy", "-o", "a.npy");
    EXPECT_FAILURE(1, "nowhere", "loss", "x.npy", "y.npy", "--reduction=none", "-o", "dx.npy",
                   "--losses", "nowhere/each.npy");
    write_npy("bytes.npy", 1, DICT("|u1", "False", "(2, 3, 4)"), bytes, COUNT);
    EXPECT_FAILURE(1, "bytes.npy: targets that are bytes have to be 0 or 1, not 2", "loss", "x.npy",
                   "bytes.npy", "-o", "dx.npy");
    write_npy("bytes.npy", 1, DICT("|u1", "False", "(6, 4)"), bytes, COUNT);
    EXPECT_FAILURE(1, "shapes", "loss", "x.npy", "bytes.npy");
    write_file("x.npy", DICT("<f4", "True", "(2, 3, 4)"), CLACT_F32, false, logit);
    write_file("y.npy", DICT("<f4", "True", "(2, 3, 4)"), CLACT_F32, false, target);
    EXPECT_FAILURE(1, "Fortran order", "loss", "x.npy", "y.npy", "--pos-weight", "p.npy");
    write_file("p.npy", DICT("<f2", "False", "(24,)"), CLACT_F16, false, target);
    EXPECT_FAILURE(1, "types", "loss", "x.npy", "y.npy", "--pos-weight", "p.npy");
    EXPECT_FILES("x.npy", "y.npy", "w.npy", "p.npy", "bytes.npy", "bools.npy");
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    EXPECT_FAILURE(2, "two files", "loss", "x.npy");
    EXPECT_FAILURE(2, "two files", "loss", "x.npy", "y.npy", "z.npy");
    EXPECT_FAILURE(2, "--alpha", "loss", "x.npy", "y.npy", "--alpha", "1");
    EXPECT_FAILURE(2, "standard input", "loss", "-", "-");
    EXPECT_FAILURE(2, "standard output", "loss", "x.npy", "y.npy", "-o", "-");
    EXPECT_FAILURE(2, "standard output", "loss", "x.npy", "y.npy", "-o", "/dev/stdout");
    EXPECT_FAILURE(2, "standard output", "loss", "x.npy", "y.npy", "-o", "/dev/fd/1");
    EXPECT_FAILURE(2, "the same file", "loss", "x.npy", "y.npy", "--reduction=none", "-o", "-",
                   "--losses", "/dev/stdout");
}

static void test_wrong_files(void **state)
{
    const char *dict = DICT("<f4", "False", "(24,)");
    (void)state;
    EXPECT_FAILURE(1, "x.npy", "loss", "x.npy", "y.npy");
    write_file("x.npy", dict, CLACT_F32, false, logit);
    write_file("y.npy", DICT("<f2", "False", "(24,)"), CLACT_F16, false, target);
    EXPECT_FAILURE(1, "types", "loss", "x.npy", "y.npy", "-o", "dx.npy");
    write_file("y.npy", DICT("<f4", "False", "(4, 6)"), CLACT_F32, false, target);
    EXPECT_FAILURE(1, "shapes", "loss", "x.npy", "y.npy", "-o", "dx.npy");
    write_file("y.npy", dict, CLACT_F32, false, target);
    EXPECT_FAILURE(1, "--bf16", "loss", "x.npy", "y.npy", "--bf16");
    EXPECT_FAILURE(1, "no such device", "loss", "x.npy", "y.npy", "-d", "no such device");
    EXPECT_FAILURE(1, "nowhere", "loss", "x.npy", "y.npy", "-o", "nowhere/dx.npy");
    write_npy("x.npy", 1, DICT("<f4", "False", "(0,)"), "", 0);
    write_npy("y.npy", 1, DICT("<f4", "False", "(0,)"), "", 0);
    EXPECT_FAILURE(1, "no losses", "loss", "x.npy", "y.npy", "-o", "dx.npy");
    EXPECT_FILES("x.npy", "y.npy");
}

/* A number that the files' type can only have as infinity. */
static void test_infinite_weights(void **state)
{
    (void)state;
    write_file("x.npy", DICT("<f2", "False", "(24,)"), CLACT_F16, false, logit);
    write_file("y.npy", DICT("<f2", "False", "(24,)"), CLACT_F16, false, target);
    EXPECT_FAILURE(1, "--pos-weight: 70000 is too large for f16", "loss", "x.npy", "y.npy",
                   "--pos-weight", "70000");
    write_file("x.npy", DICT("<f4", "False", "(12, 2)"), CLACT_F32, false, logit);
    write_file("y.npy", DICT("<f4", "False", "(12, 2)"), CLACT_F32, false, target);
    EXPECT_FAILURE(1, "--pos-weight: -1e+39 is too large for f32", "loss", "x.npy", "y.npy",
                   "--pos-weight", "1,-1e39");
    EXPECT_FILES("x.npy", "y.npy");
}

/* Files that cannot be written are found before the device, and those that can be are gone. */
static void test_unwritable(void **state)
{
    const char *dict = DICT("<f4", "False", "(24,)");
    (void)state;
    write_file("x.npy", dict, CLACT_F32, false, logit);
    write_file("y.npy", dict, CLACT_F32, false, target);
    EXPECT_FAILURE(1, "nowhere/dx.npy", "loss", "x.npy", "y.npy", "-o", "nowhere/dx.npy", "-d",
                   "no such device");
    EXPECT_FAILURE(1, "nowhere/each.npy", "loss", "x.npy", "y.npy", "--reduction=none", "-o",
                   "dx.npy", "--losses", "nowhere/each.npy", "-d", "no such device");
    EXPECT_FAILURE(1, "no such device", "loss", "x.npy", "y.npy", "-o", "dx.npy", "-d",
                   "no such device");
    EXPECT_FILES("x.npy", "y.npy");
}

/* PoCL then says that it has 1 GiB, of which a buffer can be a quarter: the losses go in pieces. Zeros
 * that were never written take no room in a file. */
static void test_larger_than_a_buffer(void **state)
{
    enum { ELEMENTS = 70000000 };
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(70000000,)"), "", 0);
    write_npy("y.npy", 1, DICT("|u1", "False", "(70000000,)"), "", 0);
    assert_int_equal(truncate("x.npy", 128 + (off_t)ELEMENTS * 4), 0);
    assert_int_equal(truncate("y.npy", 128 + (off_t)ELEMENTS), 0);
    assert_int_equal(setenv("POCL_MEMORY_LIMIT", "1", 1), 0);
    EXPECT_SUCCESS("loss", "x.npy", "y.npy", "--reduction=none", "--losses", "/dev/null");
    assert_int_equal(unsetenv("POCL_MEMORY_LIMIT"), 0);
}

static void test_help(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("loss", "--help");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr((char *)result.out.data, "--pos-weight"));
    free_result(&result);
    result = RUN_CLACT("--help");
    assert_non_null(strstr((char *)result.out.data, "\n  loss "));
    free_result(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_types_and_orders),       TEST(test_replace),
        TEST(test_weights_and_reductions), TEST(test_wrong_weights),
        TEST(test_wrong_arguments),        TEST(test_wrong_files),
        TEST(test_infinite_weights),       TEST(test_unwritable),
        TEST(test_larger_than_a_buffer),   TEST(test_help),
    };
    return cmocka_run_group_tests_name("command loss", tests, NULL, NULL);
}
