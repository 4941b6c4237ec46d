/* SPDX-License-Identifier: MIT */
/*
 * Errors in units in the last place. One ULP is 2^(max(e, emin) - p + 1), where e is the exponent
 * of the exact result and p and emin the precision and least exponent of the dtype: subnormal
 * results count at their own fixed spacing, and e is at most that of the largest finite number.
 */
#ifndef CLACT_TESTS_ULP_H
#define CLACT_TESTS_ULP_H

#include <clact/clact.h>

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The distance of `got`, an element of the dtype, from the exact result; never negative.
 *
 * NaN for NaN and an infinity for the same infinity are no error; NaN for a number, a number for
 * NaN or for an infinity are an infinite one. An infinity for a finite exact result stands for the
 * power of two after the largest finite number, as in the OpenCL conformance tests, and for any
 * exact result from there on it is no error. The sign of a zero does not count.
 */
double ulp_error(clact_dtype dtype, double got, double exact);

/* The same for f64, against a more precise exact result. */
double ulp_error_f64(double got, long double exact);

/* For the grad of results that have none, such as those of a forward pass. */
#define ULP_NO_GRAD ((double)NAN)

/* One result: its error, its operands, what came out and what was right. */
struct ulp_result {
    double error;
    double grad;
    double x; /* the operand that was saved, be it an input or an output */
    double got;
    long double exact;
};

/* What was seen of one class of results. While count is 0 the error of worst is negative. */
struct ulp_class {
    uint64_t count;
    uint64_t rounded;        /* correctly rounded results */
    struct ulp_result worst; /* the first of those with the largest error */
};

/* Errors of many results, apart for those whose exact value is in the normal range of the dtype and
 * those whose exact value is below it, zero included. */
struct ulp_stats {
    clact_dtype dtype;
    double smallest_normal;
    struct ulp_class normal;
    struct ulp_class subnormal;
};

void ulp_stats_init(struct ulp_stats *stats, clact_dtype dtype);

/* Adds one result. */
void ulp_stats_add(struct ulp_stats *stats, double grad, double x, double got, double exact);

/* The same where stats->dtype is CLACT_F64. */
void ulp_stats_add_f64(struct ulp_stats *stats, double grad, double x, double got,
                       long double exact);

/*
 * The same for n results where stats->dtype is CLACT_F32, much faster: that all floats can be judged
 * in minutes depends on it. grad is NULL for results that have none.
 */
void ulp_stats_add_f32(struct ulp_stats *stats, size_t n, const float *grad, const float *x,
                       const float *got, const double *exact);

/* Adds all results of `from`, of the same dtype: the stats of another thread, say. */
void ulp_stats_merge(struct ulp_stats *stats, const struct ulp_stats *from);

/* Writes a line for each class: the largest error, where it is, and the share of correctly rounded
 * results. Returns 0, or -1 if a write failed. */
int ulp_stats_print(const struct ulp_stats *stats, const char *title, FILE *file);

#endif
