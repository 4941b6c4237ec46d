/* SPDX-License-Identifier: MIT */
/* The contestants that run on the device itself: clact, and the kernels that it is compared with. */
#ifndef CLACT_BENCH_DEVICE_SORTS_H
#define CLACT_BENCH_DEVICE_SORTS_H

#include "contest.h"

extern const struct contestant_sort clact_sort, copy_sort, builtin_sort;

/* Whether a result is right but for a relative error; grad and the exact result count for as much as
 * the difference of their formula's terms may. */
bool is_roughly_right(const struct contestant *self, const struct field *field, size_t i,
                      uint64_t bits, double tolerance);

double now(void);

#endif
