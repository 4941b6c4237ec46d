/* SPDX-License-Identifier: MIT */
/*
 * The four calls of softmax.h as one, what they are to give, and how far from that they may be. The
 * reference is scalar, written from the definitions, in long double: its results are right to 2^-8
 * ULP of f64 where that type has 64 bits of precision or more, else f64 is not judged.
 */
#ifndef CLACT_TESTS_SOFTMAX_REFERENCE_H
#define CLACT_TESTS_SOFTMAX_REFERENCE_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum softmax_kind {
#define CLACT_X(name, normal, subnormal, half, f64) KIND_##name,
    CLACT_SOFTMAX_BUDGETS(CLACT_X)
#undef CLACT_X
        KINDS
};

const char *softmax_name(enum softmax_kind kind);

/* Whether it takes grad and y, and not x. */
bool softmax_is_backward(enum softmax_kind kind);

/* The call on host arrays and the one on views. a is x or grad; b is y, and not looked at forward. */
clact_status softmax_call(clact_context *ctx, enum softmax_kind kind, clact_dtype dtype,
                          size_t rows, size_t cols, const void *a, const void *b, void *out);
clact_status softmax_enqueue(clact_context *ctx, cl_command_queue queue, enum softmax_kind kind,
                             clact_view a, clact_view b, clact_view out, cl_uint n_wait,
                             const cl_event *wait, cl_event *event);

/* The exact results of one row, and for each the size of the terms that may cancel in it, as
 * softmax.h says; 0 forward, where none do. */
void softmax_reference(enum softmax_kind kind, size_t cols, const double *a, const double *b,
                       long double *exact, long double *terms);

/* The error as a part of what is allowed: not above 1 if the result is right. *ulp is the error in ULP,
 * or 0 where its terms cancel and that says little. */
double softmax_judge(enum softmax_kind kind, clact_dtype dtype, double got, long double exact,
                     long double terms, double *ulp);

#endif
