/* SPDX-License-Identifier: MIT */
/*
 * Binary cross-entropy with logits on the host, written from its definition and not from the
 * kernels, in long double; and operands to try it on. Where long double is no wider than double
 * results in f64 are not to be judged against it: see REFERENCE_JUDGES_F64.
 */
#ifndef CLACT_TESTS_LOSS_REFERENCE_H
#define CLACT_TESTS_LOSS_REFERENCE_H

#include <clact/clact.h>

#include <stddef.h>
#include <stdint.h>

/* Of one element; weights and grad that are not there are 1. */
struct bce {
    double x, y, weight, pos_weight, grad;
};

/* The loss, and the gradient with the larger of its two terms. */
long double bce_loss(const struct bce *b);
long double bce_gradient(const struct bce *b, long double *larger);

/* The largest errors, from CLACT_BCE_BUDGET_MAP. */
struct bce_budget {
    double loss, dx, reduced;
    long double rest; /* of the gradient's larger term */
};
struct bce_budget bce_budget(clact_dtype dtype);

/* Whether results are within that. For a loss `smallest` is 0; for a sum it is what its elements may
 * lose below the normal numbers. *error is what counts against the budget, in ULP. */
int bce_loss_is_right(clact_dtype dtype, double budget, double got, long double exact,
                      long double smallest, double *error);
int bce_gradient_is_right(clact_dtype dtype, double got, const struct bce *b, double *error);

/*
 * Operand i of a sequence that goes where results are special, each rounded to the dtype: logits of
 * all sizes, and close to where the gradient is 0; targets at 0, at 1, next to them and between;
 * weights near 1 and, of every eighth, of any size.
 */
struct bce bce_sample(clact_dtype dtype, uint64_t i);

#endif
