/* SPDX-License-Identifier: MIT */
/* The kernels that clact is compared with on its own device: copy.cl and builtin.cl. */
#ifndef CLACT_BENCH_RIVAL_H
#define CLACT_BENCH_RIVAL_H

#include "job.h"

#include <clact/clact.h>

#include <stddef.h>

/* One way to launch one kernel. */
struct rival {
    const char *name;      /* in reports; ways of the same name stand next to each other */
    const char *way;       /* the same */
    const char *kernel;    /* NULL: that of the direction in builtin.cl */
    size_t bytes_per_item; /* in each array; 0: an element */
    size_t group;          /* work-items per group; 0 leaves it to OpenCL */
    bool is_copy;
};

enum { RIVALS = 6 };
extern const struct rival rivals[RIVALS];

/* The kernels that copy, of so many inputs (1 to 4), and those for an operator. */
cl_program rival_build(const clact_context *ctx, unsigned inputs, clact_operator op);

/* A rival's kernel for a job on n elements, or NULL: the device's compiler has no such store, nobody
 * has written that line, the device has no groups as large, or the work does not divide so. */
cl_kernel rival_kernel(const struct rival *rival, const clact_context *ctx, cl_program program,
                       const struct job *job, size_t n);

/* Sets the kernel's arguments: the inputs and then the output. */
void rival_set_arrays(cl_kernel kernel, const struct job *job, clact_buffer *const *arrays);

#endif
