/* SPDX-License-Identifier: MIT */
/*
 * Parameters of all sizes, and operands to try them with. What a formula makes of them on its way may
 * overflow, underflow or be 0 where its result does not.
 */
#ifndef CLACT_TESTS_EXTREMES_H
#define CLACT_TESTS_EXTREMES_H

#include <clact/clact.h>

#include <stddef.h>

enum { EXTREME_MOST_OPERANDS = 256 };

struct extreme_operands {
    size_t count;
    double at[EXTREME_MOST_OPERANDS];
};

/* How many sets of parameters there are for an operator in a dtype; 1 if the operator has none. */
size_t extreme_params_count(clact_operator op, clact_dtype dtype);

/* Set i of them, as the library computes with it: each parameter is its default, a number from the
 * smallest to the largest that the dtype is computed with, or, where it may be, 0 or the negative of such
 * a number. */
clact_params extreme_params(clact_operator op, clact_dtype dtype, size_t i);

/* Inputs of all sizes, and those that are special with these parameters: elements of the dtype, with
 * zeros, infinities and NaN. */
void extreme_inputs(clact_operator op, clact_dtype dtype, const clact_params *params,
                    struct extreme_operands *inputs);

/* The same of incoming gradients. */
void extreme_grads(clact_dtype dtype, struct extreme_operands *grads);

#endif
