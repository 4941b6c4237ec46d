/* SPDX-License-Identifier: MIT */
/* What is right for the operands of a case on a device, and how far results are from it. */
#ifndef CLACT_TESTS_JUDGE_H
#define CLACT_TESTS_JUDGE_H

#include "op_case.h"
#include "reference.h"
#include "ulp.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

struct judge {
    const struct op_case *c;
    const struct reference *reference;
    bool flushes; /* the device may flush f32 subnormal numbers: see measure.h */
};

/* Asks the context's device whether it flushes. */
clact_status judge_init(struct judge *judge, const struct op_case *c, const clact_context *ctx);

/* What a result is to be judged against, in double or, for f64, in more: the exact one, or on a device
 * that flushes the one of those that are right there that is the nearest to what it gave. grad is not
 * looked at where there is none. */
double judge_nearest(const struct judge *judge, double grad, double x, double got);
long double judge_exact_long(const struct judge *judge, double grad, double x);

/* Adds what the device gave for n operands of the case's dtype to the stats. */
void judge_add(const struct judge *judge, struct ulp_stats *stats, size_t n, const void *grad,
               const void *x, const void *got);

#endif
