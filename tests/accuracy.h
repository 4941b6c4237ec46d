/* SPDX-License-Identifier: MIT */
/* All that is measured of one case, and whether that is what ops.def promises. */
#ifndef CLACT_TESTS_ACCURACY_H
#define CLACT_TESTS_ACCURACY_H

#include "measure.h"
#include "op_case.h"
#include "operands.h"
#include "special_values.h"
#include "ulp.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accuracy {
    const struct op_case *c;
    bool all;                  /* stats are of every operand there is */
    struct ulp_stats stats;    /* of a grad of 1, where there is one */
    struct ulp_stats any_grad; /* of a gradient with random grads; else empty */
    struct special_values special;
};

/* The operands that a coverage has for a case. Random grads take its operands through at most the
 * dense one, as do parameters that are not the defaults. */
void accuracy_operands(const struct op_case *c, enum coverage coverage, bool random_grads,
                       struct operands *operands);

/* How many operands accuracy_measure goes through. */
uint64_t accuracy_work(const struct op_case *c, enum coverage coverage);

/* Measures a case that measure_judges; progress is as in measure.h, and done counts up to
 * accuracy_work. */
clact_status accuracy_measure(const struct op_case *c, clact_context *ctx, enum coverage coverage,
                              void (*progress)(void *user, uint64_t done), void *progress_user,
                              struct accuracy *accuracy);

/* The largest error that is allowed, with a grad of 1 or with any. */
double accuracy_allowed(const struct op_case *c, bool subnormal, bool any_grad);

/* Whether all of it is as promised. */
bool accuracy_holds(const struct accuracy *accuracy);

/* What is not, as lines of English that each end in '\n', cut to fit. */
void accuracy_explain(const struct accuracy *accuracy, char *text, size_t size);

#endif
