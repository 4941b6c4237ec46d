/* SPDX-License-Identifier: MIT */
/* The errors of a case's results over many operands, against the reference. */
#ifndef CLACT_TESTS_MEASURE_H
#define CLACT_TESTS_MEASURE_H

#include "op_case.h"
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

    /* NULL, or what is called now and then, in the thread that called measure, with the number of
     * operands that are done. */
    void (*progress)(void *user, uint64_t done);
    void *progress_user;
};

/* Whether results of the dtype can be judged here: those in f64 only where long double is more
 * precise. */
bool measure_judges(clact_dtype dtype);

/* Runs the case on as many threads as there are processors, each of which takes piece after piece
 * through the device and judges it. The status is the library's, or CLACT_OUT_OF_MEMORY. */
clact_status measure(const struct measurement *m, struct ulp_stats *stats);

#endif
