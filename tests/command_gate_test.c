/* SPDX-License-Identifier: MIT */
/* clact gate: the bits of the library's gated units, of two files and of the halves of one, in every form;
 * and what it refuses. */
#include "command_harness.h"
#include "dtype.h"

#include <clact/clact.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, COLS = 4, COUNT = ROWS * COLS, MOST = COUNT * 8 };

/* A, B and the gradient, and what the library makes of them. */
struct unit {
    clact_dtype dtype;
    unsigned char a[MOST], b[MOST], grad[MOST], y[MOST], da[MOST], db[MOST];
};

static void fill(struct unit *unit, clact_operator op, const clact_params *params,
                 clact_dtype dtype, bool gradients)
{
    clact_context *context = NULL;
    unit->dtype = dtype;
    for (size_t i = 0; i < COUNT; i++) {
        dtype_store(dtype, unit->a, i, (double)(i * 7 % 23) / 4 - 3);
        dtype_store(dtype, unit->b, i, (double)(i * 5 % 19) / 4 - 2);
        dtype_store(dtype, unit->grad, i, (double)(i * 3 % 17) / 8 - 1);
    }
    assert_int_equal(clact_context_create(NULL, &context), CLACT_SUCCESS);
    assert_int_equal(clact_gated(context, op, params, dtype, COUNT, unit->a, unit->b, unit->y),
                     CLACT_SUCCESS);
    if (gradients)
        assert_int_equal(clact_gated_backward(context, op, params, dtype, COUNT, unit->grad,
                                              unit->a, unit->b, unit->da, unit->db),
                         CLACT_SUCCESS);
    clact_context_destroy(context);
}

/* Elements as a file has them: each one's bytes turned around, if that is asked for. */
static void turn(clact_dtype dtype, bool turned, const unsigned char *from, unsigned char *to,
                 size_t count)
{
    const size_t size = clact_dtype_size(dtype);
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < size; b++)
            to[i * size + (turned ? size - 1 - b : b)] = from[i * size + b];
}

static void write_elements(const char *path, const char *dict, clact_dtype dtype, bool turned,
                           const unsigned char *elements, size_t count)
{
    unsigned char bytes[2 * MOST];
    turn(dtype, turned, elements, bytes, count);
    write_npy(path, 1, dict, bytes, count * clact_dtype_size(dtype));
}

static void expect_elements(const char *path, const char *dict, clact_dtype dtype, bool turned,
                            const unsigned char *elements, size_t count)
{
    const size_t bytes = count * clact_dtype_size(dtype);
    unsigned char wanted[2 * MOST];
    unsigned char *got = read_npy(path, dict, bytes);
    turn(dtype, turned, elements, wanted, count);
    assert_memory_equal(got, wanted, bytes);
    free(got);
}

/* Rows of both, side by side; in Fortran order, one behind the other. */
static void join(const struct unit *unit, bool fortran, const unsigned char *first,
                 const unsigned char *second, unsigned char *both)
{
    const size_t rows = fortran ? 1 : ROWS;
    const size_t bytes = COUNT / rows * clact_dtype_size(unit->dtype);
    for (size_t r = 0; r < rows; r++) {
        memcpy(both + 2 * r * bytes, first + r * bytes, bytes);
        memcpy(both + (2 * r + 1) * bytes, second + r * bytes, bytes);
    }
}

struct form {
    clact_dtype dtype;
    bool turned;
    const char *half;
    const char *whole;
    bool fortran;
};

static const struct form forms[] = {
    {CLACT_F32, false, DICT("<f4", "False", "(6, 4)"), DICT("<f4", "False", "(6, 8)"), false},
    {CLACT_F32, true, DICT(">f4", "False", "(2, 3, 4)"), DICT(">f4", "False", "(2, 3, 8)"), false},
    {CLACT_F32, false, DICT("<f4", "True", "(4, 6)"), DICT("<f4", "True", "(4, 12)"), true},
    {CLACT_BF16, false, DICT("<u2", "False", "(6, 4)"), DICT("<u2", "False", "(6, 8)"), false},
};

static void check_form(const struct form *form, const char *name, clact_operator op)
{
    struct unit unit;
    unsigned char both[2 * MOST];
    /* or one that another takes the place of */
    const char *option = form->dtype == CLACT_BF16 ? "--bf16" : "-ounused.npy";
    fill(&unit, op, NULL, form->dtype, form->dtype == CLACT_F32);
    write_elements("a.npy", form->half, form->dtype, form->turned, unit.a, COUNT);
    write_elements("b.npy", form->half, form->dtype, form->turned, unit.b, COUNT);
    write_elements("grad.npy", form->half, form->dtype, form->turned, unit.grad, COUNT);

    EXPECT_SUCCESS("gate", name, "a.npy", "b.npy", option, "-o", "y.npy");
    expect_elements("y.npy", form->half, form->dtype, form->turned, unit.y, COUNT);
    /* Each type has kernels of its own, and one of them shows how it comes through. */
    if (form->dtype == CLACT_BF16)
        return;
    EXPECT_SUCCESS("gate", name, "a.npy", "b.npy", "--grad", "grad.npy", option, "-o", "da.npy",
                   "--db", "db.npy");
    expect_elements("da.npy", form->half, form->dtype, form->turned, unit.da, COUNT);
    expect_elements("db.npy", form->half, form->dtype, form->turned, unit.db, COUNT);

    for (int second = 0; second < 2; second++) {
        const char *gate = second ? "--gate=second" : "--gate=first";
        join(&unit, form->fortran, second ? unit.b : unit.a, second ? unit.a : unit.b, both);
        write_elements("ab.npy", form->whole, form->dtype, form->turned, both, 2 * COUNT);
        EXPECT_SUCCESS("gate", name, "ab.npy", gate, option, "-o", "y.npy");
        expect_elements("y.npy", form->half, form->dtype, form->turned, unit.y, COUNT);
        EXPECT_SUCCESS("gate", name, "ab.npy", gate, "--grad", "grad.npy", option, "-o", "ab.npy");
        join(&unit, form->fortran, second ? unit.db : unit.da, second ? unit.da : unit.db, both);
        expect_elements("ab.npy", form->whole, form->dtype, form->turned, both, 2 * COUNT);
    }
}

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check_form(&forms[i], "reglu", CLACT_RELU);
    EXPECT_FILES("a.npy", "b.npy", "ab.npy", "grad.npy", "y.npy", "da.npy", "db.npy");
}

/* A unit's name and its operator's are the same, and operators that are no units do. */
static void test_names_and_parameters(void **state)
{
    const char *dict = forms[0].half;
    const clact_params params = {.beta = 2};
    struct unit unit;
    (void)state;
    fill(&unit, CLACT_SILU, &params, CLACT_F32, false);
    write_elements("a.npy", dict, CLACT_F32, false, unit.a, COUNT);
    write_elements("b.npy", dict, CLACT_F32, false, unit.b, COUNT);
    EXPECT_SUCCESS("gate", "swiglu", "a.npy", "b.npy", "--beta", "2", "-o", "y.npy");
    expect_elements("y.npy", dict, CLACT_F32, false, unit.y, COUNT);
    EXPECT_SUCCESS("gate", "silu", "a.npy", "b.npy", "--beta", "2", "-o", "y.npy");
    expect_elements("y.npy", dict, CLACT_F32, false, unit.y, COUNT);
    EXPECT_SUCCESS("gate", "softsign", "a.npy", "b.npy", "-o", "a.npy");
    unsigned char *y = read_npy("a.npy", dict, COUNT * sizeof(float));
    for (size_t i = 0; i < COUNT; i++) {
        const double a = dtype_load(CLACT_F32, unit.a, i), b = dtype_load(CLACT_F32, unit.b, i);
        assert_true(fabs(dtype_load(CLACT_F32, y, i) - a / (1 + fabs(a)) * b) <= 0x1p-21);
    }
    free(y);
    EXPECT_FILES("a.npy", "b.npy", "y.npy");
}

static void test_nothing(void **state)
{
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "(3, 0)"), "", 0);
    EXPECT_SUCCESS("gate", "reglu", "x.npy", "-o", "y.npy");
    free(read_npy("y.npy", DICT("<f4", "False", "(3, 0)"), 0));
    EXPECT_SUCCESS("gate", "reglu", "x.npy", "x.npy", "-o", "y.npy");
    free(read_npy("y.npy", DICT("<f4", "False", "(3, 0)"), 0));
    write_npy("x.npy", 1, DICT("<f4", "False", "(0, 6)"), "", 0);
    EXPECT_SUCCESS("gate", "reglu", "x.npy", "-o", "y.npy");
    free(read_npy("y.npy", DICT("<f4", "False", "(0, 3)"), 0));
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    EXPECT_FAILURE(2, "one or two files", "gate", "swiglu", "-o", "y.npy");
    EXPECT_FAILURE(2, "one or two files", "gate", "swiglu", "a", "b", "c", "-o", "y.npy");
    EXPECT_FAILURE(2, "unknown unit 'swish-glu'; known: glu, swiglu", "gate", "swish-glu", "a.npy",
                   "-o", "y.npy");
    EXPECT_FAILURE(2, "-o FILE", "gate", "swiglu", "a.npy", "b.npy");
    EXPECT_FAILURE(2, "--db FILE", "gate", "swiglu", "a", "b", "--grad", "g", "-o", "y");
    EXPECT_FAILURE(2, "--db is for", "gate", "swiglu", "a", "--grad", "g", "--db", "y", "-o", "y");
    EXPECT_FAILURE(2, "--db is for", "gate", "swiglu", "a", "b", "--db", "y", "-o", "y");
    EXPECT_FAILURE(2, "the same file", "gate", "glu", "a", "b", "--grad=g", "--db=y", "-o", "y");
    EXPECT_FAILURE(2, "the same file", "gate", "glu", "a", "b", "--grad=g", "--db=-", "-o",
                   "/dev/stdout");
    EXPECT_FAILURE(2, "--gate is for one file", "gate", "glu", "a", "b", "--gate=first", "-o", "y");
    EXPECT_FAILURE(2, "'third'", "gate", "glu", "a", "--gate=third", "-o", "y");
    EXPECT_FAILURE(2, "swiglu has no --alpha", "gate", "swiglu", "a", "-o", "y", "--alpha", "1");
    EXPECT_FAILURE(2, "decimal number", "gate", "swiglu", "a", "-o", "y", "--beta", "x");
    EXPECT_FAILURE(2, "standard input", "gate", "swiglu", "-", "-", "-o", "y");
    EXPECT_FAILURE(2, "unknown option --sum", "gate", "swiglu", "a", "--sum");
    EXPECT_FILES(NULL);
}

static void test_wrong_files(void **state)
{
    const unsigned char zeros[2 * MOST] = {0};
    (void)state;
    write_npy("a.npy", 1, DICT("<f4", "False", "(6, 4)"), zeros, COUNT * 4);
    write_npy("odd.npy", 1, DICT("<f4", "False", "(8, 3)"), zeros, COUNT * 4);
    write_npy("one.npy", 1, DICT("<f4", "False", "()"), zeros, 4);
    write_npy("f2.npy", 1, DICT("<f2", "False", "(6, 4)"), zeros, COUNT * 2);
    write_npy("f.npy", 1, DICT("<f4", "True", "(6, 4)"), zeros, COUNT * 4);
    EXPECT_FAILURE(1, "none.npy", "gate", "glu", "a.npy", "none.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "no halves: its last axis is odd", "gate", "glu", "odd.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "no halves: it has no axis", "gate", "glu", "one.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "types", "gate", "glu", "a.npy", "f2.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "shapes", "gate", "glu", "a.npy", "odd.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "order", "gate", "glu", "a.npy", "f.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "half of a.npy and a.npy differ in their shapes: (6, 2) and (6, 4)", "gate",
                   "glu", "a.npy", "--grad", "a.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "--bf16", "gate", "glu", "a.npy", "--bf16", "-o", "y.npy");
    EXPECT_FAILURE(1, "no such device", "gate", "glu", "a.npy", "-o", "y.npy", "-d",
                   "no such device");
    EXPECT_FAILURE(1, "nowhere", "gate", "reglu", "a.npy", "a.npy", "--grad", "a.npy", "-o",
                   "da.npy", "--db", "nowhere/db.npy");
    /* Before the device is looked for, and what could be written is gone. */
    EXPECT_FAILURE(1, "nowhere/db.npy", "gate", "reglu", "a.npy", "a.npy", "--grad", "a.npy", "-o",
                   "da.npy", "--db", "nowhere/db.npy", "-d", "no such device");
    EXPECT_FAILURE(1, "nowhere/y.npy", "gate", "reglu", "a.npy", "-o", "nowhere/y.npy", "-d",
                   "no such device");
    EXPECT_FILES("a.npy", "odd.npy", "one.npy", "f2.npy", "f.npy");
}

static void test_help(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("gate", "--help");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr((char *)result.out.data, "swiglu"));
    assert_non_null(strstr((char *)result.out.data, "the device's memory"));
    free_result(&result);
    result = RUN_CLACT("--help");
    assert_non_null(strstr((char *)result.out.data, "\n  gate "));
    free_result(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_forms),           TEST(test_names_and_parameters), TEST(test_nothing),
        TEST(test_wrong_arguments), TEST(test_wrong_files),          TEST(test_help),
    };
    return cmocka_run_group_tests_name("command gate", tests, NULL, NULL);
}
