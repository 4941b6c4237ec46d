/* SPDX-License-Identifier: MIT */
/* Each case of op_case.h as a named cmocka test of its own for each property that a program checks. */
#ifndef CLACT_TESTS_CASES_H
#define CLACT_TESTS_CASES_H

#include "op_case.h"

/* A property of some cases, all if applies is NULL. test is a cmocka test whose initial state is
 * the struct op_case, which it must not change. */
struct property {
    const char *name;
    bool (*applies)(const struct op_case *c);
    void (*test)(void **state);
};

/*
 * Runs each property of each case that has it as a test of its own, "<case>: <property>". Returns
 * what a main function is to return.
 *
 * With the environment variable CLACT_TEST_SHAPES set to 1, only the first case of each shape: enough
 * for what watches the host's code, which is the same for all.
 */
int cases_run(const struct property *properties, size_t count);

#endif
