/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct row {
    clact_operator op;
    const char *name;
    int saved;
    struct budget budgets[DIRECTIONS];
};

#define CLACT_BUDGET(normal, subnormal, half, f64)                                                 \
    {                                                                                              \
        normal, subnormal, half, f64                                                               \
    }
static const struct row rows[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, forward, from_output, from_input)                 \
    {CLACT_##NAME, #name, saved, {forward, from_output, from_input}},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

/* What an element is stored as and computed in. */
static const struct format {
    clact_dtype dtype;
    clact_arithmetic arithmetic;
    const char *name;
} formats[] = {
    {CLACT_F32, CLACT_ARITHMETIC_PAIRS, "f32 (pairs)"},
    {CLACT_F32, CLACT_ARITHMETIC_DOUBLES, "f32 (doubles)"},
    {CLACT_F16, CLACT_ARITHMETIC_AUTO, "f16"},
    {CLACT_BF16, CLACT_ARITHMETIC_AUTO, "bf16"},
    {CLACT_F64, CLACT_ARITHMETIC_AUTO, "f64"},
};

enum {
    ROWS = sizeof rows / sizeof rows[0],
    FORMATS = sizeof formats / sizeof formats[0],
    CASES = ROWS * DIRECTIONS * FORMATS,
    MOST_PROPERTIES = 16
};

static struct op_case cases[CASES];
static struct CMUnitTest tests[CASES * MOST_PROPERTIES];
static char names[CASES * MOST_PROPERTIES][128];

double case_budget(const struct op_case *c, bool subnormal)
{
    switch (c->dtype) {
    case CLACT_F32:
        return subnormal ? c->budget.subnormal : c->budget.normal;
    case CLACT_F64:
        return c->budget.f64;
    default:
        return c->budget.half;
    }
}

unsigned case_inputs(const struct op_case *c)
{
    return c->direction == FORWARD ? 1 : 2;
}

static bool has_direction(const struct row *row, enum direction direction)
{
    switch (direction) {
    case FROM_OUTPUT:
        return (row->saved & CLACT_SAVED_OUTPUT) != 0;
    case FROM_INPUT:
        return (row->saved & CLACT_SAVED_INPUT) != 0;
    default:
        return true;
    }
}

static size_t list_cases(void)
{
    static const char *const directions[] = {"forward", "from_output", "from_input"};
    size_t count = 0;
    for (size_t i = 0; i < ROWS * DIRECTIONS * FORMATS; i++) {
        const struct row *row = &rows[i / (DIRECTIONS * FORMATS)];
        enum direction direction = (enum direction)(i / FORMATS % DIRECTIONS);
        const struct format *format = &formats[i % FORMATS];
        if (!has_direction(row, direction))
            continue;
        struct op_case *c = &cases[count++];
        *c = (struct op_case){
            row->op, direction, format->dtype, format->arithmetic, row->budgets[direction], ""};
        snprintf(c->name, sizeof c->name, "%s %s %s", row->name, directions[direction],
                 format->name);
    }
    return count;
}

int cases_run(const struct property *properties, size_t count)
{
    size_t case_count = list_cases();
    size_t test_count = 0;
    if (count > MOST_PROPERTIES) {
        fprintf(stderr, "more than %d properties\n", MOST_PROPERTIES);
        return 1;
    }
    for (size_t i = 0; i < case_count * count; i++) {
        const struct property *property = &properties[i % count];
        struct op_case *c = &cases[i / count];
        if (property->applies != NULL && !property->applies(c))
            continue;
        snprintf(names[test_count], sizeof names[0], "%s: %s", c->name, property->name);
        tests[test_count] = (struct CMUnitTest){
            .name = names[test_count], .test_func = property->test, .initial_state = c};
        test_count++;
    }
    /* cmocka passes over the entries that are left empty. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
