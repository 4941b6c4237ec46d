/* SPDX-License-Identifier: MIT */
/*
 * Where a contest is held: the arrays of a job in the device's memory, filled with random numbers.
 *
 * Each array holds `slices` times n elements, and each run takes the next slice, so that together
 * they are several times larger than the device's cache and no run finds its data there.
 */
#ifndef CLACT_BENCH_FIELD_H
#define CLACT_BENCH_FIELD_H

#include "job.h"

#include <clact/clact.h>

#include <stddef.h>

enum { FIELD_UNIT = 4096 }; /* n is to be a multiple */

struct field {
    const struct job *job;
    clact_context *ctx;
    cl_command_queue queue; /* with profiling */
    size_t n;
    size_t slices;
    clact_buffer *arrays[3]; /* the inputs and then the output */
    void *patterns[2];       /* what the inputs repeat */
};

/* With in_cache there is one slice however small it is. */
void field_create(struct field *field, const struct job *job, clact_context *ctx, size_t n,
                  bool in_cache);
void field_destroy(struct field *field);

/* Fills `count` slices of the output with NaN. */
void field_poison(const struct field *field, size_t slice, size_t count);

/* Element i of an input, counted from the start of the array. */
const void *field_input(const struct field *field, unsigned input, size_t i);

/* Maps a slice of the output for reading. */
void *field_map_output(const struct field *field, size_t slice);
void field_unmap_output(const struct field *field, void *output);

#endif
