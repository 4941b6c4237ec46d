/* SPDX-License-Identifier: MIT */
/* The errors of a case's results over many operands, against the reference. */
#ifndef CLACT_TESTS_MEASURE_H
#define CLACT_TESTS_MEASURE_H

#include "cases.h"
#include "operands.h"
#include "ulp.h"

#include <clact/clact.h>

#include <stdbool.h>

/*
 * With random_grads each grad is any bit pattern, so that its logarithm is spread evenly over all
 * of the dtype, and a saved output is one that the forward direction gives for the operand; else
 * grad is 1 and the operand is what was saved, whatever it is.
 *
 * Where the device flushes f32 subnormal numbers, a result is judged as the OpenCL conformance
 * tests do: against the exact one of the operands, flushed or not, or 0 if that is subnormal,
 * whichever is the nearest.
 */
struct measurement {
    const struct op_case *c;
    clact_context *ctx;
    const struct operands *operands;
    bool random_grads;
};

/* Runs the case on as many threads as there are processors, each of which takes piece after piece
 * through the device and judges it. Fails the test if the library or the host does. */
void measure(const struct measurement *m, struct ulp_stats *stats);

#endif
