/* SPDX-License-Identifier: MIT */
/* How much of the machine something else has used meanwhile: then figures are not to be trusted. */
#ifndef CLACT_BENCH_LOAD_H
#define CLACT_BENCH_LOAD_H

#include <stddef.h>
#include <sys/types.h>

/* What all CPUs have done since the machine started, in ticks of its clock. */
struct load {
    double total; /* NAN where the system does not tell */
    double busy;
    double own; /* this process's and its peers' part of what was busy */
};

/* At this moment. */
struct load load_now(const pid_t *peers, size_t peer_count);

/* The share of the CPUs' time, from 0 to 1, that others used between the two; NAN if unknown. */
double load_of_others(const struct load *before, const struct load *after);

#endif
