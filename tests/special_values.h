/* SPDX-License-Identifier: MIT */
/* A case's results at infinities, zeros, NaN and the ends of the range of its dtype, for a grad of 1. */
#ifndef CLACT_TESTS_SPECIAL_VALUES_H
#define CLACT_TESTS_SPECIAL_VALUES_H

#include "op_case.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum { SPECIAL_VALUES = 11 };

/* One operand and its result. Where ops.def states the result, at the infinities and zeros, it has to
 * be that, bit for bit if an f32 can hold what is stated; elsewhere it is held to the reference. Both
 * times what is 0 has to be 0, of the right sign, and else the case's budget decides. */
struct special_value {
    double x;
    double got;
    double wanted;
    bool right;
};

struct special_values {
    struct special_value at[SPECIAL_VALUES]; /* from -inf to +inf, then NaN */
    size_t wrong;                            /* how many are not right */
};

/* What an operand is called: "-inf", "-max", "-min", "-tiny" (the subnormal number next to 0), "-0" and
 * the same for the others. */
const char *special_value_name(size_t i);

clact_status special_values_measure(const struct op_case *c, clact_context *ctx,
                                    struct special_values *values);

#endif
