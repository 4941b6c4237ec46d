/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_TESTS = 4096 };

static struct CMUnitTest tests[MOST_TESTS];
static char names[MOST_TESTS][128];

static bool is_wanted(const struct op_case *c)
{
    const char *only_shapes = getenv("CLACT_TEST_SHAPES");
    return only_shapes == NULL || strcmp(only_shapes, "1") != 0 || case_is_first_of_shape(c);
}

int cases_run(const struct property *properties, size_t count)
{
    size_t case_count;
    const struct op_case *cases = op_cases(&case_count);
    size_t test_count = 0;
    if (case_count * count > MOST_TESTS) {
        fprintf(stderr, "more than %d tests\n", MOST_TESTS);
        return 1;
    }
    for (size_t i = 0; i < case_count * count; i++) {
        const struct property *property = &properties[i % count];
        const struct op_case *c = &cases[i / count];
        if (!is_wanted(c) || (property->applies != NULL && !property->applies(c)))
            continue;
        snprintf(names[test_count], sizeof names[0], "%s: %s", c->name, property->name);
        /* cmocka's state is not const. */
        tests[test_count] = (struct CMUnitTest){
            .name = names[test_count], .test_func = property->test, .initial_state = (void *)c};
        test_count++;
    }
    /* cmocka passes over the entries that are left empty. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
