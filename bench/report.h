/* SPDX-License-Identifier: MIT */
/* What contests showed, for people and for programs. */
#ifndef CLACT_BENCH_REPORT_H
#define CLACT_BENCH_REPORT_H

#include "contest.h"

#include <stdio.h>

/* Where and when it is measured. */
struct report_origin {
    clact_device_info device;
    cl_ulong cache; /* bytes */
    unsigned threads;
    char date[32];
    const struct peer *peers;
    size_t peer_count;
};

void report_fill_origin(struct report_origin *origin, const clact_context *ctx,
                        const struct contest_plan *plan);

/* One line: the device, its driver, the threads, the date, the peers. */
void report_origin_line(const struct report_origin *origin, FILE *file);

/* A table of a contest: of each contestant the way that was fastest. */
void report_table(const struct contest *contest);

/* The names of the contestants, in the order of their first way; returns how many there are. */
size_t report_names(const struct contest *contest, const char *names[MOST_CONTESTANTS]);

/* How much data a run moves and how many elements it does, in units of 1e9 per second. */
double report_gigabytes(const struct contest *contest, double seconds);
double report_gelements(const struct contest *contest, double seconds);

/* All figures, with all ways: a line of comma-separated values each, and a JSON object each. */
void report_csv_start(const struct report_origin *origin, FILE *file);
void report_csv_add(const struct contest *contest, FILE *file);

void report_json_start(const struct report_origin *origin, FILE *file);
void report_json_add(const struct contest *contest, bool is_first, FILE *file);
/* Ends the contests; what follows is written as further members of the object, up to report_json_end. */
void report_json_contests_end(FILE *file);
void report_json_end(FILE *file);

#endif
