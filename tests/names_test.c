/* SPDX-License-Identifier: MIT */
/* What things are called: statuses, dtypes, operators and the version. None of it needs a device.
 */
#include "host_fixture.h"
#include "op_rows.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_version(void **state)
{
    (void)state;
    char expected[64];
    snprintf(expected, sizeof(expected), "%d.%d.%d", CLACT_VERSION_MAJOR, CLACT_VERSION_MINOR,
             CLACT_VERSION_PATCH);
    assert_string_equal(clact_version_string(), expected);
}

static void test_statuses(void **state)
{
    (void)state;
#define XX(value, name, text)                                                                      \
    assert_int_equal(CLACT_##name, value);                                                         \
    assert_string_equal(clact_status_string(CLACT_##name), text);
    CLACT_STATUS_MAP(XX)
#undef XX
    assert_int_equal(CLACT_SUCCESS, 0);
}

static void test_unknown_status(void **state)
{
    static const int values[] = {-1, 13, 9999, INT_MAX, INT_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        const char *text = clact_status_string((clact_status)values[i]);
        assert_non_null(text);
        assert_string_not_equal(text, "");
        assert_string_not_equal(text, clact_status_string(CLACT_SUCCESS));
    }
}

static void test_dtypes(void **state)
{
    static const int unknown[] = {0, 6, -1, INT_MAX};
    (void)state;
    assert_int_equal(clact_dtype_size(CLACT_F32), 4);
    assert_int_equal(clact_dtype_size(CLACT_F16), 2);
    assert_int_equal(clact_dtype_size(CLACT_BF16), 2);
    assert_int_equal(clact_dtype_size(CLACT_F64), 8);
    assert_int_equal(clact_dtype_size(CLACT_U8), 1);
    assert_string_equal(clact_dtype_name(CLACT_F32), "f32");
    assert_string_equal(clact_dtype_name(CLACT_F16), "f16");
    assert_string_equal(clact_dtype_name(CLACT_BF16), "bf16");
    assert_string_equal(clact_dtype_name(CLACT_F64), "f64");
    assert_string_equal(clact_dtype_name(CLACT_U8), "u8");
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        assert_int_equal(clact_dtype_size((clact_dtype)unknown[i]), 0);
        assert_null(clact_dtype_name((clact_dtype)unknown[i]));
    }
}

static void test_operators(void **state)
{
    (void)state;
    clact_operator op = (clact_operator)0;
#define CLACT_OPERATOR(value, NAME, name, ...)                                                     \
    assert_int_equal(CLACT_##NAME, value);                                                         \
    assert_string_equal(clact_operator_name(CLACT_##NAME), #name);                                 \
    assert_ok(clact_operator_from_name(#name, &op));                                               \
    assert_int_equal(op, CLACT_##NAME);
#include <clact/ops.def>
#undef CLACT_OPERATOR
}

static void test_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_ROWS; i++) {
        assert_int_equal(clact_operator_saved(op_rows[i].op), op_rows[i].saved);
        assert_true(op_rows[i].saved & CLACT_SAVED_INPUT); /* as clact_saved promises */
    }
}

/* The defaults have to be values that calls take: 0 for a parameter that there is not. */
static void check_default(const struct op_row *row, clact_parameter parameter, double value)
{
    assert_true(isfinite(value));
    if (!(row->used & parameter))
        assert_true(value == 0);
    if (row->positive & parameter)
        assert_true(value > 0);
}

static void test_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_ROWS; i++) {
        const struct op_row *row = &op_rows[i];
        assert_int_equal(clact_operator_parameters(row->op), row->used);
        assert_int_equal(row->used & ~(unsigned)(CLACT_ALPHA | CLACT_BETA | CLACT_GAMMA), 0);
        assert_int_equal(row->positive & ~row->used, 0);
        clact_params params = {NAN, NAN, NAN};
        assert_ok(clact_params_default(row->op, &params));
        assert_memory_equal(&params, &row->defaults, sizeof(params));
        check_default(row, CLACT_ALPHA, params.alpha);
        check_default(row, CLACT_BETA, params.beta);
        check_default(row, CLACT_GAMMA, params.gamma);
    }
}

static void test_unknown_operators_have_nothing(void **state)
{
    static const int unknown[] = {0, -1, 9999};
    const clact_params before = {1, 2, 3};
    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        const clact_operator op = (clact_operator)unknown[i];
        clact_params params = before;
        assert_int_equal(clact_operator_saved(op), 0);
        assert_int_equal(clact_operator_parameters(op), 0);
        assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_params_default(op, &params));
        assert_memory_equal(&params, &before, sizeof(params));
    }
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_params_default(any_operator(), NULL));
}

static void test_unknown_operators(void **state)
{
    static const char *const names[] = {"", "no_such_operator", "\n", "%s"};
    (void)state;
    assert_null(clact_operator_name((clact_operator)0));
    assert_null(clact_operator_name((clact_operator)9999));
    clact_operator op = (clact_operator)77;
    const clact_status invalid = CLACT_INVALID_ARGUMENT;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_error(NULL, invalid, clact_operator_from_name(names[i], &op));
    char longer[64], shorter[64];
    const char *name = clact_operator_name(any_operator());
    snprintf(longer, sizeof(longer), "%sx", name);
    snprintf(shorter, sizeof(shorter), "%.*s", (int)strlen(name) - 1, name);
    assert_error(NULL, invalid, clact_operator_from_name(longer, &op));
    assert_error(NULL, invalid, clact_operator_from_name(shorter, &op));
    assert_error(NULL, invalid, clact_operator_from_name(NULL, &op));
    assert_error(NULL, invalid, clact_operator_from_name(name, NULL));
    assert_int_equal(op, 77);
}

static void test_no_error_yet(void **state)
{
    (void)state;
    const clact_error *error = clact_last_error(NULL);
    assert_non_null(error);
    assert_int_equal(error->status, CLACT_SUCCESS);
    assert_int_equal(error->code, CL_SUCCESS);
    assert_string_equal(error->message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_error_yet), /* before any test that makes one */
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_unknown_status),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_unknown_operators),
        cmocka_unit_test(test_unknown_operators_have_nothing),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
