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
        for (unsigned all = 0; all < 4; all++) {
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

/* The argument is the name of one variant. */
int main(int argc, char **argv)
{
    struct CMUnitTest tests[VARIANTS] = {{.name = NULL}};
    size_t count = 0;
    quick = device_quick_environment();
    for (size_t i = 0; i < VARIANTS; i++)
        if (argc < 2 || strcmp(argv[1], variants[i].name) == 0)
            tests[count++] = (struct CMUnitTest){.name = variants[i].name,
                                                 .test_func = test_accuracy,
                                                 .initial_state = (void *)(uintptr_t)&variants[i]};
    if (count == 0)
        return 2;
    const int failed = cmocka_run_group_tests_name("recurrent", tests, NULL, NULL);
    device_close();
    return failed;
}
