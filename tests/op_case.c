/* SPDX-License-Identifier: MIT */
#include "op_case.h"

#include "reference.h"

#include <math.h>
#include <stdio.h>

struct row {
    clact_operator op;
    const char *name;
    unsigned saved;
    unsigned parameters;
    clact_params defaults;
    double limits[LIMITS];
    double slopes[LIMITS];
    struct budget budgets[DIRECTIONS];
};

#define CLACT_BUDGET(normal, subnormal, half, f64)                                                 \
    {                                                                                              \
        normal, subnormal, half, f64                                                               \
    }
#define CLACT_LIMITS(minus_infinity, minus_zero, zero, infinity)                                   \
    {                                                                                              \
        minus_infinity, minus_zero, zero, infinity                                                 \
    }
#define CLACT_NO_GRADIENT CLACT_BUDGET(-1, -1, -1, -1)
#define CLACT_NO_PARAMETERS CLACT_PARAMETERS(0, 0, 0, 0, 0)
#define CLACT_PARAMETERS(used, positive, alpha, beta, gamma)                                       \
    used,                                                                                          \
    {                                                                                              \
        alpha, beta, gamma                                                                         \
    }
static const struct row rows[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, limits, slopes, forward, from_output, \
                       from_input)                                                                 \
    {CLACT_##NAME, #name, saved, parameters, limits, slopes, {forward, from_output, from_input}},
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
    CHOICES = 2, /* of parameters: the defaults, and others */
    CASES = ROWS * DIRECTIONS * FORMATS * CHOICES
};

static struct op_case cases[CASES];
static size_t case_count;

const char *direction_name(enum direction direction)
{
    static const char *const names[DIRECTIONS] = {"forward", "from_output", "from_input"};
    return names[direction];
}

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

const clact_params *case_params(const struct op_case *c)
{
    return c->own_params ? &c->params : NULL;
}

unsigned case_inputs(const struct op_case *c)
{
    return c->direction == FORWARD ? 1 : 2;
}

clact_saved case_saved(const struct op_case *c)
{
    return c->direction == FROM_OUTPUT ? CLACT_SAVED_OUTPUT : CLACT_SAVED_INPUT;
}

clact_status case_call(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                       const void *saved, void *output)
{
    if (c->direction == FORWARD)
        return clact_forward(ctx, c->op, case_params(c), c->dtype, n, saved, output);
    return clact_backward(ctx, c->op, case_params(c), c->dtype, case_saved(c), n, grad, saved,
                          output);
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

/* Other values that an operator still works with. */
static clact_params others(const struct row *row)
{
    clact_params p = {0, 0, 0};
    if ((row->parameters & CLACT_ALPHA) != 0)
        p.alpha = 1.7 * row->defaults.alpha;
    if ((row->parameters & CLACT_BETA) != 0)
        p.beta = 0.7 * row->defaults.beta;
    if ((row->parameters & CLACT_GAMMA) != 0)
        p.gamma = 1.3 * row->defaults.gamma;
    return p;
}

static void add_case(const struct row *row, enum direction direction, const struct format *format,
                     bool own_params)
{
    const clact_params given = own_params ? others(row) : row->defaults;
    struct op_case *c = &cases[case_count++];
    *c = (struct op_case){
        .op = row->op,
        .direction = direction,
        .dtype = format->dtype,
        .arithmetic = format->arithmetic,
        .budget = row->budgets[direction],
        .limits = own_params || direction == FROM_OUTPUT ? NULL
                  : direction == FORWARD                 ? row->limits
                                                         : row->slopes,
        .own_params = own_params,
        .params = reference_params(format->dtype, &given),
    };
    snprintf(c->name, sizeof c->name, "%s %s %s%s", row->name, direction_name(direction),
             format->name, own_params ? " other parameters" : "");
}

static void list_cases(void)
{
    for (size_t i = 0; i < CASES; i++) {
        const struct row *row = &rows[i / (DIRECTIONS * FORMATS * CHOICES)];
        enum direction direction = (enum direction)(i / (FORMATS * CHOICES) % DIRECTIONS);
        bool own_params = i % CHOICES != 0;
        if (has_direction(row, direction) && (!own_params || row->parameters != 0))
            add_case(row, direction, &formats[i / CHOICES % FORMATS], own_params);
    }
}

static bool has_shape_of(const struct op_case *a, const struct op_case *b)
{
    return case_inputs(a) == case_inputs(b) && a->dtype == b->dtype &&
           a->arithmetic == b->arithmetic &&
           (clact_operator_parameters(a->op) != 0) == (clact_operator_parameters(b->op) != 0);
}

bool case_is_first_of_shape(const struct op_case *c)
{
    const struct op_case *first = cases;
    while (!has_shape_of(first, c))
        first++;
    return first->op == c->op && first->direction == c->direction && !c->own_params;
}

const struct op_case *op_cases(size_t *count)
{
    if (case_count == 0)
        list_cases();
    *count = case_count;
    return cases;
}
