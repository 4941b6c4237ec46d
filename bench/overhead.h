/* SPDX-License-Identifier: MIT */
/* What a call of clact costs over the OpenCL calls in it: setting the arguments and launching. */
#ifndef CLACT_BENCH_OVERHEAD_H
#define CLACT_BENCH_OVERHEAD_H

#include "job.h"
#include "statistics.h"

#include <stdio.h>

/* One way of calling, by clact and by hand: seconds per call. */
struct overhead_pair {
    struct summary clact, raw;
};

struct overhead {
    struct job job;
    size_t n, arguments, calls;
    struct overhead_pair queued; /* until it returns, behind work that has not begun */
    struct overhead_pair call;   /* until it returns, on a device that has nothing to do */
    struct overhead_pair all;    /* until its results are there */
};

/* False if the library's launches could not be seen. */
bool overhead_measure(struct overhead *overhead, const clact_options *options, size_t calls);

void overhead_print(const struct overhead *overhead);
/* As a JSON object. */
void overhead_json(const struct overhead *overhead, FILE *file);

#endif
