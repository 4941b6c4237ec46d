/* SPDX-License-Identifier: MIT */
/* Operands to test the references at: the same ones in every run. */
#ifndef CLACT_TESTS_REFERENCE_SAMPLES_H
#define CLACT_TESTS_REFERENCE_SAMPLES_H

#include <clact/clact.h>

#include <stdint.h>

enum { SAMPLE_MOST_PLACES = 8 };

struct sample_source {
    clact_dtype dtype;
    uint64_t random;
    /* Where the operator's slope changes its sign, or is no longer 0. */
    double places[SAMPLE_MOST_PLACES];
    int place_count;
};

void sample_source_init(struct sample_source *source, clact_operator op, clact_dtype dtype,
                        const clact_params *p);

/* Between -1 and 1, as likely anywhere. */
double sample_uniform(struct sample_source *source);

/* A finite element: any bits, or next to where something changes, or as inputs and outputs are, or
 * in a tail. */
double sample_operand(struct sample_source *source);

/* A finite element to multiply with; often 1. */
double sample_grad(struct sample_source *source);

#endif
