/* SPDX-License-Identifier: MIT */
/* What a contest showed, for people and for programs. */
#ifndef CLACT_BENCH_REPORT_H
#define CLACT_BENCH_REPORT_H

#include "contest.h"

#include <stdio.h>

/* Says where it is measured. */
void report_device(const clact_context *ctx);

/* A table of a contest: of each rival the way that was fastest. */
void report_table(const struct contest *contest);

/* The same as CSV, with all ways. */
void report_csv_header(FILE *file);
void report_csv(const struct contest *contest, FILE *file);

/* How many times as fast as the rival clact was, by the device's clock, or 0 if there is no such
 * rival here. */
double report_speedup(const struct contest *contest, const char *rival);

#endif
