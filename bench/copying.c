/* SPDX-License-Identifier: MIT */
#include "copying.h"

#include "check.h"

#include <string.h>

/* Not that anything is computed: the kernels move bytes. */
static const struct job job = {.op = CLACT_SIGMOID, .direction = FORWARD, .dtype = CLACT_F32};

static unsigned inputs_for(size_t read, size_t written)
{
    for (unsigned inputs = 1; inputs < COPYING_MOST_INPUTS; inputs++)
        if (2 * read < (2 * inputs + 1) * written)
            return inputs;
    return COPYING_MOST_INPUTS;
}

void copying_create(struct copying *c, clact_context *ctx, size_t read, size_t written)
{
    enum { BLOCK = 4096 };
    *c = (struct copying){.ctx = ctx, .inputs = inputs_for(read, written)};
    const size_t share = (read + written) / (c->inputs + 1);
    c->bytes = (share / BLOCK + 1) * BLOCK;
    c->program = rival_build(ctx, c->inputs, job.op);
    for (unsigned i = 0; i <= c->inputs; i++) {
        void *bytes = NULL;
        check_clact(ctx, clact_buffer_create(ctx, c->bytes, &c->arrays[i]));
        check_clact(ctx, clact_buffer_map(c->arrays[i], CL_MAP_WRITE, 0, c->bytes, &bytes));
        memset(bytes, (int)i, c->bytes);
        check_clact(ctx, clact_buffer_unmap(c->arrays[i], bytes));
    }
    for (unsigned way = 0; way < RIVALS; way++) {
        if (!rivals[way].is_copy)
            continue;
        c->kernels[way] =
            rival_kernel(&rivals[way], ctx, c->program, &job, c->bytes / sizeof(float));
        for (unsigned i = 0; i <= c->inputs && c->kernels[way]; i++) {
            const cl_mem mem = clact_buffer_mem(c->arrays[i]);
            check_cl(clSetKernelArg(c->kernels[way], i, sizeof mem, &mem), "clSetKernelArg");
        }
    }
}

void copying_destroy(struct copying *c)
{
    for (unsigned way = 0; way < RIVALS; way++)
        if (c->kernels[way])
            clReleaseKernel(c->kernels[way]);
    for (unsigned i = 0; i <= c->inputs; i++)
        clact_buffer_destroy(c->arrays[i]);
    clReleaseProgram(c->program);
}

void copying_run(const struct copying *c, unsigned way)
{
    const cl_command_queue queue = clact_context_queue(c->ctx);
    const size_t items = c->bytes / rivals[way].bytes_per_item;
    check_cl(clEnqueueNDRangeKernel(queue, c->kernels[way], 1, NULL, &items, NULL, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
    check_cl(clFinish(queue), "clFinish");
}
