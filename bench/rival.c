/* SPDX-License-Identifier: MIT */
#include "rival.h"

#include "check.h"
#include "embedded_rivals.h" /* copy.cl and builtin.cl, made by the build */

#include <stdio.h>

const struct rival rivals[RIVALS] = {
    {"copy", "a vector per item", "copy_vectors", 16, 0, true},
    {"copy", "a block per item", "copy_blocks", 4096, 0, true},
    {"copy past cache", "a vector per item", "stream_vectors", 16, 0, true},
    {"copy past cache", "a block per item", "stream_blocks", 4096, 0, true},
    {"builtin", "local size NULL", NULL, 0, 0, false},
    {"builtin", "local size 256", NULL, 0, 256, false},
};

static void die_of_build(cl_program program, cl_device_id device)
{
    static char log[4096];
    cl_int code =
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
    die("the device's compiler rejected the benchmark's kernels: %s",
        code == CL_SUCCESS ? log : "(its log is not to be had)");
}

cl_program rival_build(const clact_context *ctx, unsigned inputs, clact_operator op)
{
    cl_device_id device = clact_context_device(ctx);
    char options[128];
    cl_int code = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(clact_context_cl(ctx), EMBEDDED_COUNT,
                                                   embedded_texts, embedded_lengths, &code);
    check_cl(code, "clCreateProgramWithSource");
    snprintf(options, sizeof options, "-DINPUTS=%u -DOP_%s", inputs, clact_operator_name(op));
    if (clBuildProgram(program, 1, &device, options, NULL, NULL) != CL_SUCCESS)
        die_of_build(program, device);
    return program;
}

/* Whether all of n elements are done by whole items and whole groups. */
static bool divides(const struct rival *rival, const struct job *job, size_t n)
{
    const size_t size = clact_dtype_size(job->dtype);
    const size_t bytes = rival->bytes_per_item != 0 ? rival->bytes_per_item : size;
    return n * size % bytes == 0 && (rival->group == 0 || n * size / bytes % rival->group == 0);
}

cl_kernel rival_kernel(const struct rival *rival, const clact_context *ctx, cl_program program,
                       const struct job *job, size_t n)
{
    char name[32];
    cl_int code = CL_SUCCESS;
    size_t largest = 0;
    if (!divides(rival, job, n))
        return NULL;
    if (rival->kernel != NULL)
        snprintf(name, sizeof name, "%s", rival->kernel);
    else if (job->dtype == CLACT_F32)
        snprintf(name, sizeof name, "builtin_%s", job_direction_name(job));
    else
        return NULL;
    cl_kernel kernel = clCreateKernel(program, name, &code);
    if (code == CL_INVALID_KERNEL_NAME)
        return NULL;
    check_cl(code, "clCreateKernel");
    check_cl(clGetKernelWorkGroupInfo(kernel, clact_context_device(ctx), CL_KERNEL_WORK_GROUP_SIZE,
                                      sizeof largest, &largest, NULL),
             "clGetKernelWorkGroupInfo");
    if (largest >= rival->group)
        return kernel;
    clReleaseKernel(kernel);
    return NULL;
}

void rival_set_arrays(cl_kernel kernel, const struct job *job, clact_buffer *const *arrays)
{
    for (unsigned i = 0; i <= job_inputs(job); i++) {
        cl_mem mem = clact_buffer_mem(arrays[i]);
        check_cl(clSetKernelArg(kernel, i, sizeof mem, &mem), "clSetKernelArg");
    }
}
