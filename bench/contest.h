/* SPDX-License-Identifier: MIT */
/*
 * clact and others on the same job, in turn: in every round each has its turn, so that whatever else
 * the machine does meets all of them alike.
 *
 * A turn is some runs. The first is not timed: it wakes threads, and where data stays in the cache it
 * brings it there. What counts of a turn is the median of the others.
 */
#ifndef CLACT_BENCH_CONTEST_H
#define CLACT_BENCH_CONTEST_H

#include "field.h"
#include "rival.h"
#include "statistics.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

struct peer;
struct contestant;

/* Of a run, in seconds: from calling to having the results, and what the device's clock says; NAN
 * where that is not to be had. */
struct times {
    double wall;
    double device;
};

/* What the contestants of a sort have in common. Each works on memory of its own, the field's or that
 * of another process, which is filled as the field's is. */
struct contestant_sort {
    /* `count` runs, on this slice and those behind it. */
    void (*run)(struct contestant *self, struct field *field, size_t slice, struct times *times,
                size_t count);
    /* Fills a slice of the output with NaN, and reads the samples of one. */
    void (*poison)(struct contestant *self, struct field *field, size_t slice);
    void (*sample)(struct contestant *self, struct field *field, size_t slice,
                   uint64_t samples[SAMPLES]);
    /* Whether an element, at place i of the array, is what it should be. */
    bool (*is_right)(const struct contestant *self, const struct field *field, size_t i,
                     uint64_t bits);
};

struct contestant {
    char name[24];
    char way[48];
    const struct contestant_sort *sort;
    clact_params params;       /* that it computes with */
    const struct rival *rival; /* and its kernel */
    cl_kernel kernel;
    struct peer *peer;
    struct times *rounds; /* a turn each */
};

enum { MOST_PEERS = 8, MOST_CONTESTANTS = 1 + RIVALS + MOST_PEERS };

struct contest {
    const struct job *job;
    size_t n;
    size_t rounds;
    size_t runs; /* timed in each turn */
    size_t slices;
    bool in_cache;
    double others; /* the share of the CPUs that others used meanwhile; NAN if unknown */
    size_t count;
    struct contestant contestants[MOST_CONTESTANTS]; /* clact is the first */
};

/* Who takes part beside clact, and how often. */
struct contest_plan {
    size_t rounds;
    bool builtin; /* the one-line kernels; those that copy always take part */
    struct peer *peers;
    size_t peer_count;
};

/* NULL, or why it cannot be held here; then there is nothing to destroy. */
const char *contest_run(struct contest *contest, const struct contest_plan *plan,
                        const struct job *job, clact_context *ctx, size_t n);
void contest_destroy(struct contest *contest);

/* Of all rounds: the times by one of the clocks, and how many times as fast as the contestant clact
 * was. NAN where there are no such times. */
enum contest_clock { WALL, DEVICE };
struct summary contest_times(const struct contest *contest, const struct contestant *c,
                             enum contest_clock clock);
struct summary contest_speedup(const struct contest *contest, const struct contestant *c,
                               enum contest_clock clock);

/* The clock by which a contestant is compared with clact: the device's if it has it. */
enum contest_clock contest_clock_of(const struct contestant *c);

/* Of the contestants of that name, which differ in their ways, the fastest; NULL if there is none. */
const struct contestant *contest_fastest(const struct contest *contest, const char *name);

#endif
