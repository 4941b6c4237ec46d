/* SPDX-License-Identifier: MIT */
#ifndef CLACT_BENCH_STATISTICS_H
#define CLACT_BENCH_STATISTICS_H

#include <stddef.h>

struct summary {
    double least;
    double median;
    double spread; /* between the quartiles */
};

/* Of count > 0 values. */
struct summary summarize(const double *values, size_t count);

/* Of the quotients over[i] / under[i]. Values of one round are set against each other, so that what
 * slows down a whole round does not count. */
struct summary summarize_ratios(const double *over, const double *under, size_t count);

#endif
