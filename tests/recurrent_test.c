/* SPDX-License-Identifier: MIT */
/* The numbers of the recurrent cells: every call, in every order of the gates, dtype and arithmetic,
 * against the exact result; what is left out; and what comes of operands that are no numbers. */
#include "device.h"
#include "dtype.h"
#include "recurrent_operands.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of either direction: f32, f16 and bf16, f64. */
static const double budgets[2][3] = {
#define ROW(name, f32, half, f64) {f32, half, f64},
    CLACT_RECURRENT_BUDGETS(ROW)
#undef ROW
};

static double budget_of(enum cell_kind kind, clact_dtype dtype)
{
    return budgets[cell_calls[kind].backward][dtype == CLACT_F32 ? 0 : dtype == CLACT_F64 ? 2 : 1];
}

static bool quick;

static const struct variant {
    const char *name;
    clact_dtype dtype;
    clact_arithmetic arithmetic;
} variants[] = {
    {"f32 in pairs", CLACT_F32, CLACT_ARITHMETIC_PAIRS},
    {"f32 in doubles", CLACT_F32, CLACT_ARITHMETIC_DOUBLES},
    {"f16", CLACT_F16, CLACT_ARITHMETIC_PAIRS},
    {"bf16", CLACT_BF16, CLACT_ARITHMETIC_PAIRS},
    {"f64", CLACT_F64, CLACT_ARITHMETIC_PAIRS},
};

enum { VARIANTS = sizeof variants / sizeof variants[0] };

static clact_context *context_of(const struct variant *v)
{
    return device_context(&(struct op_case){.dtype = v->dtype, .arithmetic = v->arithmetic}, NULL);
}

/* With all operands, and with none of those that may be left out. */
static void test_accuracy(void **state)
{
    const struct variant *v = *state;
    clact_context *ctx = context_of(v);
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        double worst = 0;
        /* A GRU has nothing to leave out but what is 0. */
        const bool lstm = kind == LSTM_FORWARD || kind == LSTM_BACKWARD;
        for (unsigned all = lstm ? 0 : 2; all < 4; all++) {
            struct cell_data data = {.kind = (enum cell_kind)kind,
                                     .order = (int)(all & 1),
                                     .dtype = v->dtype,
                                     .batch = quick ? 3 : 101,
                                     .hidden = quick ? 50 : 307};
            unsigned left_out = 0;
            for (size_t i = 0; i < cell_calls[kind].operands && all < 2; i++)
                /* A gradient that has nothing to start from is refused. */
                if (cell_calls[kind].operand[i].optional && !(kind == LSTM_BACKWARD && i == 5))
                    left_out |= 1U << i;
            cell_make(&data, left_out, 1 + all);
            const clact_status status = cell_run(ctx, data.kind, data.order, data.dtype, data.batch,
                                                 data.hidden, data.arrays);
            if (status != CLACT_SUCCESS)
                fail_msg("%s: %s", cell_calls[kind].name, clact_last_error(ctx)->message);
            const double error = cell_judge(&data, budget_of(data.kind, data.dtype));
            worst = error > worst ? error : worst;
            cell_free(&data);
        }
        print_message("%s, %s: %.4f ULP\n", v->name, cell_calls[kind].name, worst);
    }
}

/* Operands that are no numbers, in one place after the other: what depends on them is what the formula
 * says, and no other unit notices. Of the gradients only that NaN comes through. */
static void test_special_values(void **state)
{
    static const double values[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    const struct variant *v = *state;
    clact_context *ctx = context_of(v);
    uint64_t seed = 0;
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (size_t i = 0; i < cell_calls[kind].inputs; i++)
            for (size_t k = 0; k < cell_calls[kind].operand[i].cols; k++)
                for (size_t s = 0; s < (cell_calls[kind].backward ? 1 : 3); s++) {
                    struct cell_data data = {.kind = (enum cell_kind)kind,
                                             .order = (int)(++seed & 1),
                                             .dtype = v->dtype,
                                             .batch = 2,
                                             .hidden = 19};
                    cell_make(&data, 0, 1000 + seed);
                    dtype_store(data.dtype, data.arrays[i], cell_index(&data, i, 1, seed % 19, k),
                                values[s]);
                    assert_int_equal(cell_run(ctx, data.kind, data.order, data.dtype, data.batch,
                                              data.hidden, data.arrays),
                                     CLACT_SUCCESS);
                    cell_judge(&data, budget_of(data.kind, data.dtype));
                    cell_free(&data);
                }
}

/* As large as they come: there is no overflow on the way to a result that has none. */
static void test_extremes(void **state)
{
    const struct variant *v = *state;
    const struct dtype_format *format = dtype_format(v->dtype);
    const double largest = ldexp(1.75, format->max_exponent);
    const double smallest = ldexp(1, format->min_exponent - format->precision + 1);
    const double values[] = {largest, -largest, smallest, -smallest, 17, -17, 60, -90, 1e-6};
    enum { VALUES = sizeof values / sizeof values[0] };
    clact_context *ctx = context_of(v);
    struct cell_data data = {.kind = LSTM_FORWARD, .dtype = v->dtype, .batch = 20, .hidden = 200};
    uint64_t seed = 5;
    /* Peepholes would make 0 times infinity of them. */
    cell_make(&data, 1U << 2, 5);
    for (size_t i = 0; i < 4; i++)
        for (size_t e = 0; i != 2 && e < cell_count(&data, i); e++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            if ((seed >> 33) % 3 == 0)
                dtype_store(data.dtype, data.arrays[i], e, values[(seed >> 40) % VALUES]);
        }
    assert_int_equal(
        cell_run(ctx, LSTM_FORWARD, 0, data.dtype, data.batch, data.hidden, data.arrays),
        CLACT_SUCCESS);
    cell_judge(&data, budget_of(data.kind, data.dtype));
    cell_free(&data);
}

/* The argument is the name of one variant. */
int main(int argc, char **argv)
{
    static const CMUnitTestFunction functions[] = {test_accuracy, test_special_values,
                                                   test_extremes};
    struct CMUnitTest tests[3 * VARIANTS] = {{.name = NULL}};
    size_t count = 0;
    quick = device_quick_environment();
    for (size_t i = 0; i < VARIANTS; i++)
        for (size_t f = 0; f < 3; f++)
            if (argc < 2 || strcmp(argv[1], variants[i].name) == 0)
                tests[count++] =
                    (struct CMUnitTest){.name = variants[i].name,
                                        .test_func = functions[f],
                                        .initial_state = (void *)(uintptr_t)&variants[i]};
    if (count == 0)
        return 2;
    const int failed = cmocka_run_group_tests_name("recurrent", tests, NULL, NULL);
    device_close();
    return failed;
}
