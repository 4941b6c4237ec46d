/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "recorder.h"

#include "check.h"

#include <dlfcn.h>
#include <string.h>

enum { KERNELS = 16 };

static struct {
    bool on;
    struct recorded_launch launches[KERNELS];
    size_t count;
    const struct recorded_launch *last;
} recorder;

static struct recorded_launch *find(cl_kernel kernel)
{
    for (size_t i = 0; i < recorder.count; i++)
        if (recorder.launches[i].kernel == kernel)
            return &recorder.launches[i];
    if (recorder.count == KERNELS)
        return NULL;
    recorder.launches[recorder.count] = (struct recorded_launch){.kernel = kernel};
    return &recorder.launches[recorder.count++];
}

static void record_argument(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    struct recorded_launch *launch = find(kernel);
    if (launch == NULL || index >= RECORDER_ARGUMENTS || size > RECORDER_BYTES || value == NULL)
        return;
    if (launch->argument_count <= index)
        launch->argument_count = index + 1;
    launch->arguments[index].size = size;
    memcpy(launch->arguments[index].value, value, size);
}

static void record_launch(cl_kernel kernel, cl_uint dimensions, const size_t *global,
                          const size_t *local)
{
    struct recorded_launch *launch = find(kernel);
    recorder.last = NULL;
    if (launch == NULL || local == NULL)
        return;
    launch->dimensions = dimensions;
    memcpy(launch->global, global, dimensions * sizeof *global);
    memcpy(launch->local, local, dimensions * sizeof *local);
    recorder.last = launch;
}

void recorder_start(void)
{
    memset(&recorder, 0, sizeof recorder);
    recorder.on = true;
}

const struct recorded_launch *recorder_stop(void)
{
    recorder.on = false;
    return recorder.last;
}

void recorder_repeat(const struct recorded_launch *launch, cl_command_queue queue)
{
    for (cl_uint i = 0; i < launch->argument_count; i++)
        check_cl(clSetKernelArg(launch->kernel, i, launch->arguments[i].size,
                                launch->arguments[i].value),
                 "clSetKernelArg");
    check_cl(clEnqueueNDRangeKernel(queue, launch->kernel, launch->dimensions, NULL, launch->global,
                                    launch->local, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
}

/* The calls themselves: the dynamic linker finds these first, and the loader's behind them. */

/* ISO C has no conversion from an object's address to a function's, POSIX has. */
static void find_next(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        die("there is no %s", name);
    memcpy(function, &found, sizeof found);
}

CL_API_ENTRY cl_int CL_API_CALL clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size,
                                               const void *value)
{
    static cl_int (*next)(cl_kernel, cl_uint, size_t, const void *);
    if (next == NULL)
        find_next("clSetKernelArg", &next);
    const cl_int code = next(kernel, index, size, value);
    if (recorder.on && code == CL_SUCCESS)
        record_argument(kernel, index, size, value);
    return code;
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                       cl_uint dimensions, const size_t *offset,
                                                       const size_t *global, const size_t *local,
                                                       cl_uint n_wait, const cl_event *wait,
                                                       cl_event *event)
{
    static cl_int (*next)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                          const size_t *, cl_uint, const cl_event *, cl_event *);
    if (next == NULL)
        find_next("clEnqueueNDRangeKernel", &next);
    const cl_int code = next(queue, kernel, dimensions, offset, global, local, n_wait, wait, event);
    if (recorder.on && code == CL_SUCCESS)
        record_launch(kernel, dimensions, global, local);
    return code;
}
