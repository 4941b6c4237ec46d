/* SPDX-License-Identifier: MIT */
/*
 * Which arguments the library sets and how it launches, so that the same can be done by hand, on the
 * same kernel. A program that is linked with recorder.c has these two calls of OpenCL pass through it.
 */
#ifndef CLACT_BENCH_RECORDER_H
#define CLACT_BENCH_RECORDER_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum { RECORDER_ARGUMENTS = 32, RECORDER_BYTES = 64 };

/* A kernel, all of its arguments as they were last set, and its last launch. */
struct recorded_launch {
    cl_kernel kernel;
    size_t argument_count;
    struct {
        size_t size;
        unsigned char value[RECORDER_BYTES];
    } arguments[RECORDER_ARGUMENTS];
    cl_uint dimensions;
    size_t global[3], local[3];
};

/* From here on. Calls from several threads at once are not to be recorded. */
void recorder_start(void);

/* The last launch since then; NULL if none was seen, or one that cannot be repeated. */
const struct recorded_launch *recorder_stop(void);

/* The same launch. */
void recorder_repeat(const struct recorded_launch *launch, cl_command_queue queue);

#endif
