/* SPDX-License-Identifier: MIT */
/* Operands of recurrent cells on the host, and what a call made of them, judged unit by unit. */
#ifndef CLACT_TESTS_RECURRENT_OPERANDS_H
#define CLACT_TESTS_RECURRENT_OPERANDS_H

#include "recurrent_cells.h"

#include <stddef.h>
#include <stdint.h>

/* An operand that is left out, or whose memory is not there, is NULL. */
struct cell_data {
    enum cell_kind kind;
    int order;
    clact_dtype dtype;
    size_t batch, hidden;
    void *arrays[CELL_OPERANDS];
};

/* The elements of operand i, and the element of one column of a unit. */
size_t cell_count(const struct cell_data *data, size_t operand);
size_t cell_index(const struct cell_data *data, size_t operand, size_t row, size_t col,
                  size_t column);

/* Allocates all operands, those of `left_out` (a bit for each) excepted. The inputs get numbers of
 * every size that makes a difference; other seeds give others. Results are filled with ones. */
void cell_make(struct cell_data *data, unsigned left_out, uint64_t seed);
void cell_free(struct cell_data *data);

/* What of a unit the call was given. */
struct cell_unit cell_unit_of(const struct cell_data *data, size_t row, size_t col);

/* The distance of a result from the exact one in ULP of `scale`, as ulp.h counts them. */
double cell_error(clact_dtype dtype, double got, long double exact, long double scale);

/* Fails the test where a result is further from the exact one than that; returns the largest. */
double cell_judge(const struct cell_data *data, double allowed);

#endif
