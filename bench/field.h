/* SPDX-License-Identifier: MIT */
/*
 * Where a contest is held: the arrays of a job in the device's memory, filled with random numbers.
 *
 * Each array holds `slices` times n elements, and each run takes the next slice. What a run reads
 * and writes fits into half of the device's cache, and then there is one slice, which stays there;
 * or it does not, and then all slices together are several times larger than the cache, so that no
 * run finds its data there.
 */
#ifndef CLACT_BENCH_FIELD_H
#define CLACT_BENCH_FIELD_H

#include "job.h"
#include "samples.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
    const struct job *job;
    clact_context *ctx;
    cl_command_queue queue; /* with profiling */
    size_t n;
    size_t slices;
    bool in_cache;
    clact_buffer *arrays[3]; /* the inputs and then the output */
    void *patterns[2];       /* what the inputs repeat */
};

/* False if n elements are more than the device has memory for; then there is nothing to destroy. */
bool field_create(struct field *field, const struct job *job, clact_context *ctx, size_t n);
void field_destroy(struct field *field);

/* The bytes that a run reads and writes. */
size_t field_bytes(const struct field *field);

/* Fills `count` slices of the output with NaN. */
void field_poison(const struct field *field, size_t slice, size_t count);

/* Element i of an input, counted from the start of the array. */
const void *field_input(const struct field *field, unsigned input, size_t i);

/* The samples of a slice of the output, as bit patterns. */
void field_sample(const struct field *field, size_t slice, uint64_t samples[SAMPLES]);

#endif
