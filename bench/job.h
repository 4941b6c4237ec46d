/* SPDX-License-Identifier: MIT */
/* What there is to measure: every operator of ops.def in every direction and dtype. */
#ifndef CLACT_BENCH_JOB_H
#define CLACT_BENCH_JOB_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum direction { FORWARD, FROM_OUTPUT, FROM_INPUT, DIRECTIONS };

struct job {
    clact_operator op;
    enum direction direction;
    clact_dtype dtype;
};

/* Calls visit, unless it is NULL, with each job that has these names; NULL stands for any name.
 * Returns how many there are. */
size_t job_each(const char *op, const char *direction, const char *dtype,
                void (*visit)(const struct job *job, void *user), void *user);

/* "forward", "from_output" or "from_input". */
const char *job_direction_name(const struct job *job);

/* How many arrays it reads: x, or grad and the saved value. */
unsigned job_inputs(const struct job *job);

/* What the reference gives for an element; grad is not looked at in the forward direction. */
double job_exact(const struct job *job, const clact_params *params, double grad, double saved);

/* The parameters' defaults, as the library computes with them. */
clact_params job_params(const struct job *job);

/* Enqueues clact's call on n elements that start `offset` elements into each of the arrays, which
 * are the inputs and then the output. */
clact_status job_enqueue(const struct job *job, clact_context *ctx, cl_command_queue queue,
                         clact_buffer *const *arrays, size_t offset, size_t n, cl_event *event);

#endif
