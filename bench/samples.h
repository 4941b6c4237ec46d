/* SPDX-License-Identifier: MIT */
/* Which numbers the arrays hold and which of the results are looked at, in the bench as in its peers. */
#ifndef CLACT_BENCH_SAMPLES_H
#define CLACT_BENCH_SAMPLES_H

#include <stddef.h>

enum {
    SAMPLES_UNIT = 1024,     /* all sizes are multiples */
    SAMPLES_PATTERN = 65521, /* inputs repeat so many elements: a prime, so that no part of an array
                                holds the same numbers at the same places as another */
    SAMPLES = 64,            /* so many elements of an output are looked at */
};

/* Where sample k of n elements is: they are spread over all, at all places of a vector. */
static inline size_t sample_place(size_t n, size_t k)
{
    return k + 1 < SAMPLES ? (n / SAMPLES * k + k) % n : n - 1;
}

#endif
