/* SPDX-License-Identifier: MIT */
/* The formulas as C programs have them, in float, with the C library's functions. */
#ifndef CLACT_BENCH_PLAIN_H
#define CLACT_BENCH_PLAIN_H

#include <clact/clact.h>

struct plain {
    clact_operator op;
    float (*forward)(float x);
    float (*from_input)(float x); /* for grad = 1 */
};

/* NULL if there is none for the operator. */
const struct plain *plain_of(clact_operator op);

#endif
