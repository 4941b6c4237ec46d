/* SPDX-License-Identifier: MIT */
/* What there is to measure and to test: every operator of ops.def in every direction, dtype and
 * arithmetic, with its default parameters and with others. */
#ifndef CLACT_TESTS_OP_CASE_H
#define CLACT_TESTS_OP_CASE_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum direction { FORWARD, FROM_OUTPUT, FROM_INPUT, DIRECTIONS };

/* The largest error in ULP, as in ops.def. */
struct budget {
    double normal;
    double subnormal;
    double half;
    double f64;
};

/* The results at -inf, -0, +0 and +inf, as in ops.def. */
enum { AT_MINUS_INFINITY, AT_MINUS_ZERO, AT_ZERO, AT_INFINITY, LIMITS };

/* f32 comes in two arithmetics; the other dtypes have one, which is CLACT_ARITHMETIC_AUTO here. An
 * operator with parameters is tested with its defaults and, if own_params, with others. */
struct op_case {
    clact_operator op;
    enum direction direction;
    clact_dtype dtype;
    clact_arithmetic arithmetic;
    struct budget budget;
    const double *limits; /* LIMITS of them, for a grad of 1; NULL where ops.def states none */
    bool own_params;
    clact_params params; /* that results are computed with, the defaults too: rounded to f32 where
                          * the library does that */
    char name[80];
};

/* All of them, *count many; valid for ever. The first call must not race with another. */
const struct op_case *op_cases(size_t *count);

/* "forward", "from_output" or "from_input". */
const char *direction_name(enum direction direction);

/* The budget for results in the normal range and for those below it. */
double case_budget(const struct op_case *c, bool subnormal);

/* Whether it is the first of those that differ from it in their formula alone: with as many operands,
 * with or without parameters, of its dtype and arithmetic. What the formula does not matter for is
 * tested on these. */
bool case_is_first_of_shape(const struct op_case *c);

/* What to pass to the library: NULL for the defaults. */
const clact_params *case_params(const struct op_case *c);

/* How many operands come before the output: grad and the saved value, or x. */
unsigned case_inputs(const struct op_case *c);

/* What a gradient is computed from. */
clact_saved case_saved(const struct op_case *c);

/* The host-array call of the case. grad is not looked at where there is none. */
clact_status case_call(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                       const void *saved, void *output);

#endif
