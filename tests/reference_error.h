/* SPDX-License-Identifier: MIT */
/* How far a reference may be off, and how far it is. */
#ifndef CLACT_TESTS_REFERENCE_ERROR_H
#define CLACT_TESTS_REFERENCE_ERROR_H

#include <clact/clact.h>

/*
 * What the references may be off by in ULP of the dtype, as reference.h says. The longest formulas
 * round about eight times, each time by at most 2^-53 of the value in double and 2^-64 in an x86
 * long double. A result has at most 2^24 ULP of f32 and 2^53 of f64.
 */
double reference_bound(clact_dtype dtype);

/* The error in ULP of the dtype, given the difference, which is more precise than its terms. Past the
 * largest number any value is as good: each is stored as infinity. */
double reference_error(clact_dtype dtype, long double got, long double exact,
                       long double difference);

#endif
