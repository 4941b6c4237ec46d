/* SPDX-License-Identifier: MIT */
#include "job.h"

#include "reference.h"

#include <string.h>

static const struct row {
    clact_operator op;
    unsigned saved;
} rows[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...) {CLACT_##NAME, saved},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

static const clact_dtype dtypes[] = {
#define XX(value, NAME, name, size) CLACT_##NAME,
    CLACT_DTYPE_MAP(XX)
#undef XX
};

static const char *const direction_names[DIRECTIONS] = {"forward", "from_output", "from_input"};

/* The saved values that make a direction possible. */
static const unsigned needs[DIRECTIONS] = {0, CLACT_SAVED_OUTPUT, CLACT_SAVED_INPUT};

static bool is_named(const char *wanted, const char *name)
{
    return wanted == NULL || strcmp(wanted, name) == 0;
}

size_t job_each(const char *op, const char *direction, const char *dtype,
                void (*visit)(const struct job *job, void *user), void *user)
{
    enum { ROWS = sizeof rows / sizeof rows[0], DTYPES = sizeof dtypes / sizeof dtypes[0] };
    size_t count = 0;
    for (size_t i = 0; i < ROWS * DIRECTIONS * DTYPES; i++) {
        const struct row *row = &rows[i / (DIRECTIONS * DTYPES)];
        const struct job job = {row->op, (enum direction)(i / DTYPES % DIRECTIONS),
                                dtypes[i % DTYPES]};
        if ((row->saved & needs[job.direction]) != needs[job.direction] ||
            !is_named(op, clact_operator_name(job.op)) ||
            !is_named(direction, job_direction_name(&job)) ||
            !is_named(dtype, clact_dtype_name(job.dtype)))
            continue;
        if (visit != NULL)
            visit(&job, user);
        count++;
    }
    return count;
}

const char *job_direction_name(const struct job *job)
{
    return direction_names[job->direction];
}

unsigned job_inputs(const struct job *job)
{
    return job->direction == FORWARD ? 1 : 2;
}

clact_params job_params(const struct job *job)
{
    return reference_defaults(job->op, job->dtype);
}

double job_exact(const struct job *job, const clact_params *params, double grad, double saved)
{
    const struct reference *reference = reference_of(job->op);
    switch (job->direction) {
    case FROM_OUTPUT:
        return reference->from_output(grad, saved, params);
    case FROM_INPUT:
        return reference->from_input(grad, saved, params);
    default:
        return reference->forward(saved, params);
    }
}

clact_status job_enqueue(const struct job *job, clact_context *ctx, cl_command_queue queue,
                         clact_buffer *const *arrays, size_t offset, size_t n, cl_event *event)
{
    clact_view views[3];
    for (unsigned i = 0; i <= job_inputs(job); i++)
        views[i] = clact_buffer_view(arrays[i], job->dtype, offset, n);
    if (job->direction == FORWARD)
        return clact_enqueue_forward(ctx, queue, job->op, NULL, views[0], views[1], 0, NULL, event);
    const clact_saved saved =
        job->direction == FROM_OUTPUT ? CLACT_SAVED_OUTPUT : CLACT_SAVED_INPUT;
    return clact_enqueue_backward(ctx, queue, job->op, NULL, saved, views[0], views[1], views[2], 0,
                                  NULL, event);
}
