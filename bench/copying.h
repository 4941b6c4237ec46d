/* SPDX-License-Identifier: MIT */
/* Copying about as many bytes as something else reads and writes, in copy.cl's ways. */
#ifndef CLACT_BENCH_COPYING_H
#define CLACT_BENCH_COPYING_H

#include "rival.h"

#include <clact/clact.h>

#include <stddef.h>

enum { COPYING_MOST_INPUTS = 4 };

struct copying {
    clact_context *ctx;
    unsigned inputs; /* so many arrays are read for each that is written */
    size_t bytes;    /* of each array */
    clact_buffer *arrays[COPYING_MOST_INPUTS + 1];
    cl_program program;
    cl_kernel kernels[RIVALS]; /* NULL: this one does not copy, or the device has no such stores */
};

/* All the bytes are as many, in whole blocks, and the share that is written is as near as arrays of
 * one size come to it. */
void copying_create(struct copying *copying, clact_context *ctx, size_t read, size_t written);
void copying_destroy(struct copying *copying);

/* Does it once in the way of kernels[way], and waits. */
void copying_run(const struct copying *copying, unsigned way);

#endif
