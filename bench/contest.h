/* SPDX-License-Identifier: MIT */
/*
 * clact and its rivals on the same job, in turn: in every round each runs once, so that whatever
 * else the machine does meets all of them alike.
 */
#ifndef CLACT_BENCH_CONTEST_H
#define CLACT_BENCH_CONTEST_H

#include "field.h"
#include "rival.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

struct contestant {
    const char *name;
    const char *way;
    /* Whether element i of the output, counted from the start of the array, is what it should be.
     */
    bool (*is_right)(const struct field *field, size_t i, const void *got);
    /* Enqueues the work on a slice. */
    void (*enqueue)(const struct contestant *self, const struct field *field, size_t slice,
                    cl_event *event);
    const struct rival *rival; /* and its kernel; NULL for clact */
    cl_kernel kernel;
    double *wall;   /* seconds in each round, from enqueueing to the end */
    double *device; /* seconds in each round that the device says it took */
};

struct contest {
    const struct job *job;
    size_t n;
    size_t rounds;
    size_t slices;
    size_t count;
    struct contestant contestants[1 + RIVALS]; /* clact is the first */
};

/* False if the device cannot do the job; then there is nothing to destroy. */
bool contest_run(struct contest *contest, const struct job *job, clact_context *ctx, size_t n,
                 size_t rounds, bool in_cache);
void contest_destroy(struct contest *contest);

#endif
