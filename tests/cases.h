/* SPDX-License-Identifier: MIT */
/*
 * What there is to test: every operator of ops.def in every direction, dtype and arithmetic, each a
 * named test of its own for each property that a program checks.
 */
#ifndef CLACT_TESTS_CASES_H
#define CLACT_TESTS_CASES_H

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

/* f32 comes in two arithmetics; the other dtypes have one, which is CLACT_ARITHMETIC_AUTO here. */
struct op_case {
    clact_operator op;
    enum direction direction;
    clact_dtype dtype;
    clact_arithmetic arithmetic;
    struct budget budget;
    char name[48];
};

/* The budget for results in the normal range and for those below it. */
double case_budget(const struct op_case *c, bool subnormal);

/* How many operands come before the output: grad and the saved value, or x. */
unsigned case_inputs(const struct op_case *c);

/* A property of some cases, all if applies is NULL. test is a cmocka test whose initial state is
 * the struct op_case. */
struct property {
    const char *name;
    bool (*applies)(const struct op_case *c);
    void (*test)(void **state);
};

/* Runs each property of each case that has it as a test of its own, "<case>: <property>". Returns
 * what a main function is to return. */
int cases_run(const struct property *properties, size_t count);

#endif
