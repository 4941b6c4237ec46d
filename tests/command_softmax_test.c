/* SPDX-License-Identifier: MIT */
/* clact forward and clact backward with softmax and log_softmax: what comes out, in which form, however
 * it is cut into pieces, and what is refused. */
#include "command_harness.h"
#include "dtype.h"
#include "softmax_reference.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, COLS = 4, COUNT = ROWS * COLS };

static const char *const names[] = {"softmax", "log_softmax"};

static void fill(clact_dtype dtype, void *elements, int turn)
{
    for (size_t i = 0; i < COUNT; i++)
        dtype_store(dtype, elements, i, (double)((i * 7 + (size_t)turn * 5) % 11) / 4 - 1);
}

/* The results of a row are within what softmax.h allows. */
static void expect_right(enum softmax_kind kind, clact_dtype dtype, const void *a, const void *b,
                         const void *got, size_t cols)
{
    for (size_t r = 0; r < COUNT / cols; r++) {
        double x[COUNT], y[COUNT], ulp;
        long double exact[COUNT], terms[COUNT];
        for (size_t c = 0; c < cols; c++) {
            x[c] = dtype_load(dtype, a, r * cols + c);
            y[c] = b ? dtype_load(dtype, b, r * cols + c) : 0;
        }
        softmax_reference(kind, cols, x, y, exact, terms);
        for (size_t c = 0; c < cols; c++)
            assert_true(softmax_judge(kind, dtype, dtype_load(dtype, got, r * cols + c), exact[c],
                                      terms[c], &ulp) <= 1);
    }
}

struct form {
    clact_dtype dtype;
    size_t cols;
    const char *option; /* "--bf16", or one that changes no result */
    const char *dict;
};

static void check_form(const struct form *form)
{
    const size_t size = clact_dtype_size(form->dtype);
    unsigned char x[COUNT * 8], grad[COUNT * 8];
    fill(form->dtype, x, 0);
    fill(form->dtype, grad, 1);
    write_npy("x.npy", 1, form->dict, x, COUNT * size);
    write_npy("grad.npy", 1, form->dict, grad, COUNT * size);
    for (int i = 0; i < 2; i++) {
        EXPECT_SUCCESS("forward", names[i], "x.npy", form->option, "-o", "y.npy");
        EXPECT_SUCCESS("backward", names[i], "grad.npy", "y.npy", "--saved", "output", form->option,
                       "-o", "dx.npy");
        void *y = read_npy("y.npy", form->dict, COUNT * size);
        void *dx = read_npy("dx.npy", form->dict, COUNT * size);
        expect_right(i ? KIND_log_softmax : KIND_softmax, form->dtype, x, NULL, y, form->cols);
        expect_right(i ? KIND_log_softmax_backward : KIND_softmax_backward, form->dtype, grad, y,
                     dx, form->cols);
        free(y);
        free(dx);
    }
}

/* Pieces are rounded to rows, and are a row at the least. */
static void test_forms_and_pieces(void **state)
{
    static const struct form forms[] = {
        {CLACT_F32, COLS, "--piece-bytes=4096", DICT("<f4", "False", "(6, 4)")},
        {CLACT_F32, COLS, "--piece-bytes=8", DICT("<f4", "False", "(2, 3, 4)")},
        {CLACT_F32, COLS, "--piece-bytes=50", DICT("<f4", "False", "(6, 4)")},
        {CLACT_F32, COUNT, "--piece-bytes=8", DICT("<f4", "False", "(24,)")},
        {CLACT_F32, COUNT, "--piece-bytes=64", DICT("<f4", "True", "(24,)")},
        {CLACT_F32, 1, "--piece-bytes=8", DICT("<f4", "False", "(24, 1)")},
        {CLACT_F16, COLS, "--piece-bytes=8", DICT("<f2", "False", "(6, 4)")},
        {CLACT_BF16, COLS, "--bf16", DICT("<u2", "False", "(6, 4)")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check_form(&forms[i]);
    EXPECT_FILES("x.npy", "grad.npy", "y.npy", "dx.npy");
}

static void test_nothing_and_scalars(void **state)
{
    static const char *const dicts[] = {DICT("<f4", "False", "(0, 4)"),
                                        DICT("<f4", "False", "(4, 0)")};
    const float five = 5;
    (void)state;
    for (int i = 0; i < 2; i++) {
        write_npy("x.npy", 1, dicts[i], "", 0);
        EXPECT_SUCCESS("forward", "softmax", "x.npy", "-o", "y.npy");
        free(read_npy("y.npy", dicts[i], 0));
    }
    write_npy("x.npy", 1, DICT("<f4", "False", "()"), &five, sizeof five);
    EXPECT_SUCCESS("forward", "softmax", "x.npy", "-o", "y.npy");
    float *y = read_npy("y.npy", DICT("<f4", "False", "()"), sizeof *y);
    assert_true(*y == 1);
    free(y);
}

static void test_refusals(void **state)
{
    float x[COUNT];
    (void)state;
    fill(CLACT_F32, x, 0);
    write_npy("x.npy", 1, DICT("<f4", "True", "(6, 4)"), x, sizeof x);
    EXPECT_FAILURE(1, "Fortran order", "forward", "softmax", "x.npy", "-o", "y.npy");
    EXPECT_FAILURE(1, "Fortran order", "backward", "log_softmax", "x.npy", "x.npy", "-oy.npy",
                   "--saved=output");
    EXPECT_FAILURE(2, "from its output", "backward", "softmax", "x.npy", "x.npy", "-o", "y.npy",
                   "--saved", "input");
    EXPECT_FAILURE(2, "softmax has no --alpha", "forward", "softmax", "x.npy", "-o", "y.npy",
                   "--alpha", "1");
    EXPECT_FILES("x.npy");
}

static void test_help(void **state)
{
    (void)state;
    struct result result = RUN_CLACT("forward", "--help");
    assert_int_equal(result.status, 0);
    for (int i = 0; i < 2; i++)
        assert_non_null(strstr((char *)result.out.data, names[i]));
    free_result(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_forms_and_pieces),
        TEST(test_nothing_and_scalars),
        TEST(test_refusals),
        TEST(test_help),
    };
    return cmocka_run_group_tests_name("command softmax", tests, NULL, NULL);
}
