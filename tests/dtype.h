/* SPDX-License-Identifier: MIT */
/*
 * The storage types on the host: every element as the double that it is, and doubles rounded to
 * elements. Written from IEEE 754 alone and sharing nothing with the library, which it judges.
 */
#ifndef CLACT_TESTS_DTYPE_H
#define CLACT_TESTS_DTYPE_H

#include <clact/clact.h>

#include <stddef.h>
#include <stdint.h>

/* A binary format: `precision` bits of significand with the hidden one, normal numbers from
 * 2^min_exponent on, the largest of them below 2^(max_exponent + 1). */
struct dtype_format {
    int precision;
    int min_exponent;
    int max_exponent;
    size_t size;
};

/* The format of a dtype, which must be a valid one here and in all that follows. */
const struct dtype_format *dtype_format(clact_dtype dtype);

/* The value of a bit pattern, in the low bits of `bits`. Exact: every dtype fits in a double. */
double dtype_from_bits(clact_dtype dtype, uint64_t bits);

/* The bit pattern of the element nearest to `value`, ties to even; past the largest finite one that
 * is infinity, as IEEE 754 rounds. A NaN gives a quiet NaN of its sign. */
uint64_t dtype_to_bits(clact_dtype dtype, double value);

/* The element nearest to `value`, as a double. */
double dtype_round(clact_dtype dtype, double value);

/* Element i of an array of elements in the host's byte order; no alignment is needed. */
uint64_t dtype_load_bits(clact_dtype dtype, const void *array, size_t i);
double dtype_load(clact_dtype dtype, const void *array, size_t i);
void dtype_store_bits(clact_dtype dtype, void *array, size_t i, uint64_t bits);
void dtype_store(clact_dtype dtype, void *array, size_t i, double value);

/* The next element above or below one, which must be representable: zero counts once, infinity and
 * NaN stay where they are. */
double dtype_next_up(clact_dtype dtype, double value);
double dtype_next_down(clact_dtype dtype, double value);

#endif
