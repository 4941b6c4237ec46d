/* SPDX-License-Identifier: MIT */
/* The cells of a row of clact verify, from figures that no working operator gives. */
#include "verify_cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The largest error of a class without results, as in ulp.h. */
enum { NONE = -1 };

/* What the table shows of a gradient with these bounds and, for any grad, these largest errors. */
static void assert_any_grad(double normal_bound, double subnormal_bound, double normal_error,
                            double subnormal_error, const char *wanted)
{
    const struct op_case c = {
        .op = CLACT_SIGMOID,
        .direction = FROM_INPUT,
        .dtype = CLACT_F32,
        .budget = {.normal = normal_bound, .subnormal = subnormal_bound},
    };
    struct accuracy row = {.c = &c};
    verify_cells cells;
    ulp_stats_init(&row.stats, c.dtype);
    ulp_stats_init(&row.any_grad, c.dtype);
    row.stats.normal.count = 1;
    row.any_grad.normal.count = normal_error != NONE;
    row.any_grad.normal.worst.error = normal_error;
    row.any_grad.subnormal.count = subnormal_error != NONE;
    row.any_grad.subnormal.worst.error = subnormal_error;
    verify_fill_cells(&row, cells);
    assert_string_equal(cells[CELL_ANY_GRAD], wanted);
}

/* Any grad is allowed 0.05 more than a grad of 1: -0.05 makes that 0. */
static void test_class_nearer_to_its_bound(void **state)
{
    const double one = 0.95, two = 1.95, zero = -0.05;
    (void)state;
    assert_any_grad(one, two, 0.75, 1.25, "0.7500 (1)");
    assert_any_grad(one, two, 0.5, 1.25, "1.2500 (2)");
    assert_any_grad(one, one, NONE, 0, "0.0000 (1)");
    assert_any_grad(one, one, 0, NONE, "0.0000 (1)");
    assert_any_grad(one, one, NONE, NONE, "-");

    assert_any_grad(zero, zero, 0, 0, "0.0000 (0)");
    assert_any_grad(zero, zero, 0, 3, "3.0000 (0)");
    assert_any_grad(zero, zero, 3, 0, "3.0000 (0)");
    assert_any_grad(zero, zero, NONE, 0, "0.0000 (0)");
    assert_any_grad(zero, one, 0, 0.5, "0.5000 (1)");
    assert_any_grad(zero, one, 0.25, 0.5, "0.2500 (0)");
    assert_any_grad(one, zero, 0.5, 0, "0.5000 (1)");
    assert_any_grad(one, zero, 0.5, 0.25, "0.2500 (0)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_class_nearer_to_its_bound)};
    return cmocka_run_group_tests_name("verify cells", tests, NULL, NULL);
}
