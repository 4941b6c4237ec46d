/* SPDX-License-Identifier: MIT */
/* The layer of fault_layer.h. It stands before the calls that the library makes, and before those
 * that create, retain or release what it counts. */
#include "fault_layer.h"

#include <CL/cl_layer.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static const cl_icd_dispatch *next;
static cl_icd_dispatch table;

static atomic_ulong countdown;
static atomic_int fault_code;
static _Atomic(const char *) fired_name;
static atomic_long live_objects[FAULT_OBJECTS];
static atomic_ulong compilation_count;
static atomic_size_t memory_size = SIZE_MAX;
static atomic_size_t memory_used; /* by buffers created while that is limited */

static void arm(unsigned long nth, cl_int code)
{
    atomic_store(&fault_code, code);
    atomic_store(&fired_name, NULL);
    atomic_store(&countdown, nth);
}

static const char *fired(void)
{
    return atomic_load(&fired_name);
}

static long live(enum fault_object kind)
{
    return atomic_load(&live_objects[kind]);
}

static unsigned long compilations(void)
{
    return atomic_load(&compilation_count);
}

static void memory(size_t bytes)
{
    atomic_store(&memory_size, bytes);
}

EXPORT const struct fault_layer *fault_layer_get(void);

const struct fault_layer *fault_layer_get(void)
{
    static const struct fault_layer controls = {arm, fired, live, compilations, memory};
    return &controls;
}

/* The code with which this call is to fail; CL_SUCCESS lets it through. */
static cl_int fault(const char *name)
{
    if (strcmp(name, "clCreateProgramWithSource") == 0)
        atomic_fetch_add(&compilation_count, 1);
    unsigned long left = atomic_load(&countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
    }
    if (left != 1)
        return CL_SUCCESS;
    atomic_store(&fired_name, name);
    return atomic_load(&fault_code);
}

static void count(enum fault_object kind, long change)
{
    atomic_fetch_add(&live_objects[kind], change);
}

/* Counts the event that a command gave. */
static cl_int gave(cl_int code, const cl_event *event)
{
    if (code == CL_SUCCESS && event && *event)
        count(FAULT_EVENT, 1);
    return code;
}

static void report(cl_int *errcode, cl_int code)
{
    if (errcode)
        *errcode = code;
}

/* A call that returns its code. */
#define PLAIN(name, parameters, arguments)                                                         \
    static cl_int CL_API_CALL layer_##name parameters                                              \
    {                                                                                              \
        const cl_int code = fault(#name);                                                          \
        return code != CL_SUCCESS ? code : next->name arguments;                                   \
    }

/* A command that returns its code and may give an event. */
#define COMMAND(name, parameters, arguments)                                                       \
    static cl_int CL_API_CALL layer_##name parameters                                              \
    {                                                                                              \
        const cl_int code = fault(#name);                                                          \
        return code != CL_SUCCESS ? code : gave(next->name arguments, event);                      \
    }

/* A call that returns a new object and its code through errcode. */
#define CREATE(type, kind, name, parameters, arguments)                                            \
    static type CL_API_CALL layer_##name parameters                                                \
    {                                                                                              \
        const cl_int code = fault(#name);                                                          \
        report(errcode, code);                                                                     \
        type made = code == CL_SUCCESS ? next->name arguments : NULL;                              \
        count(kind, made ? 1 : 0);                                                                 \
        return made;                                                                               \
    }

#define RETAIN(type, kind, name)                                                                   \
    static cl_int CL_API_CALL layer_##name(type object)                                            \
    {                                                                                              \
        const cl_int faulty = fault(#name);                                                        \
        const cl_int code = faulty != CL_SUCCESS ? faulty : next->name(object);                    \
        count(kind, code == CL_SUCCESS ? 1 : 0);                                                   \
        return code;                                                                               \
    }

/* Never fails: no program could do anything about it. */
#define RELEASE(type, kind, name)                                                                  \
    static cl_int CL_API_CALL layer_##name(type object)                                            \
    {                                                                                              \
        const cl_int code = next->name(object);                                                    \
        count(kind, code == CL_SUCCESS ? -1 : 0);                                                  \
        return code;                                                                               \
    }

PLAIN(clGetPlatformIDs, (cl_uint room, cl_platform_id *platforms, cl_uint *found),
      (room, platforms, found))
PLAIN(clGetPlatformInfo,
      (cl_platform_id platform, cl_platform_info what, size_t size, void *value, size_t *used),
      (platform, what, size, value, used))
PLAIN(clGetDeviceIDs,
      (cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices,
       cl_uint *found),
      (platform, type, room, devices, found))
PLAIN(clGetContextInfo,
      (cl_context context, cl_context_info what, size_t size, void *value, size_t *used),
      (context, what, size, value, used))
PLAIN(clGetCommandQueueInfo,
      (cl_command_queue queue, cl_command_queue_info what, size_t size, void *value, size_t *used),
      (queue, what, size, value, used))
PLAIN(clGetMemObjectInfo, (cl_mem mem, cl_mem_info what, size_t size, void *value, size_t *used),
      (mem, what, size, value, used))
PLAIN(clGetEventInfo, (cl_event event, cl_event_info what, size_t size, void *value, size_t *used),
      (event, what, size, value, used))
PLAIN(clGetProgramInfo,
      (cl_program program, cl_program_info what, size_t size, void *value, size_t *used),
      (program, what, size, value, used))
PLAIN(clGetProgramBuildInfo,
      (cl_program program, cl_device_id device, cl_program_build_info what, size_t size,
       void *value, size_t *used),
      (program, device, what, size, value, used))
PLAIN(clGetKernelWorkGroupInfo,
      (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size,
       void *value, size_t *used),
      (kernel, device, what, size, value, used))
PLAIN(clBuildProgram,
      (cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
       void(CL_CALLBACK *notify)(cl_program, void *), void *user),
      (program, n, devices, options, notify, user))
PLAIN(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value),
      (kernel, index, size, value))
PLAIN(clFlush, (cl_command_queue queue), (queue))
PLAIN(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))

/* Waits also where it then reports a failure: after that there is nothing a program could wait
 * with before it frees what its commands use. */
static cl_int CL_API_CALL layer_clFinish(cl_command_queue queue)
{
    const cl_int faulty = fault("clFinish");
    const cl_int code = next->clFinish(queue);
    return faulty != CL_SUCCESS ? faulty : code;
}

static cl_int CL_API_CALL layer_clGetDeviceInfo(cl_device_id device, cl_device_info what,
                                                size_t size, void *value, size_t *used)
{
    cl_int code = fault("clGetDeviceInfo");
    if (code == CL_SUCCESS)
        code = next->clGetDeviceInfo(device, what, size, value, used);
    if (code != CL_SUCCESS || !value ||
        (what != CL_DEVICE_GLOBAL_MEM_SIZE && what != CL_DEVICE_MAX_MEM_ALLOC_SIZE))
        return code;
    cl_ulong *told = value;
    const size_t most = atomic_load(&memory_size);
    *told = *told < most ? *told : most;
    return code;
}

static void CL_CALLBACK give_memory_back(cl_mem mem, void *bytes)
{
    (void)mem;
    atomic_fetch_sub(&memory_used, (size_t)(uintptr_t)bytes);
}

static cl_mem CL_API_CALL layer_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes,
                                               void *host, cl_int *errcode)
{
    const size_t most = atomic_load(&memory_size);
    const size_t taken = most == SIZE_MAX || (flags & CL_MEM_USE_HOST_PTR) ? 0 : bytes;
    cl_int code = fault("clCreateBuffer");
    const size_t used = atomic_fetch_add(&memory_used, taken) + taken;
    if (code == CL_SUCCESS && taken > 0 && used > most)
        code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    report(errcode, code);
    cl_mem made =
        code == CL_SUCCESS ? next->clCreateBuffer(context, flags, bytes, host, errcode) : NULL;
    count(FAULT_MEM, made ? 1 : 0);
    if (!made || taken == 0)
        atomic_fetch_sub(&memory_used, taken);
    else if (next->clSetMemObjectDestructorCallback(made, give_memory_back,
                                                    (void *)(uintptr_t)taken) != CL_SUCCESS)
        atomic_store(&memory_used, SIZE_MAX / 2); /* so that a test notices */
    return made;
}

COMMAND(clEnqueueNDRangeKernel,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
         const size_t *global, const size_t *local, cl_uint n_wait, const cl_event *wait,
         cl_event *event),
        (queue, kernel, dimensions, offset, global, local, n_wait, wait, event))
COMMAND(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool blocking, size_t offset, size_t bytes,
         void *to, cl_uint n_wait, const cl_event *wait, cl_event *event),
        (queue, mem, blocking, offset, bytes, to, n_wait, wait, event))
COMMAND(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool blocking, size_t offset, size_t bytes,
         const void *from, cl_uint n_wait, const cl_event *wait, cl_event *event),
        (queue, mem, blocking, offset, bytes, from, n_wait, wait, event))
COMMAND(clEnqueueUnmapMemObject,
        (cl_command_queue queue, cl_mem mem, void *mapped, cl_uint n_wait, const cl_event *wait,
         cl_event *event),
        (queue, mem, mapped, n_wait, wait, event))
COMMAND(clEnqueueMarkerWithWaitList,
        (cl_command_queue queue, cl_uint n_wait, const cl_event *wait, cl_event *event),
        (queue, n_wait, wait, event))

static void *CL_API_CALL layer_clEnqueueMapBuffer(cl_command_queue queue, cl_mem mem,
                                                  cl_bool blocking, cl_map_flags flags,
                                                  size_t offset, size_t bytes, cl_uint n_wait,
                                                  const cl_event *wait, cl_event *event,
                                                  cl_int *errcode)
{
    const cl_int code = fault("clEnqueueMapBuffer");
    report(errcode, code);
    if (code != CL_SUCCESS)
        return NULL;
    void *mapped = next->clEnqueueMapBuffer(queue, mem, blocking, flags, offset, bytes, n_wait,
                                            wait, event, errcode);
    if (mapped)
        gave(CL_SUCCESS, event);
    return mapped;
}

CREATE(cl_context, FAULT_CONTEXT, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
        cl_int *errcode),
       (properties, n, devices, notify, user, errcode))
CREATE(cl_command_queue, FAULT_QUEUE, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties,
        cl_int *errcode),
       (context, device, properties, errcode))
CREATE(cl_mem, FAULT_MEM, clCreateSubBuffer,
       (cl_mem mem, cl_mem_flags flags, cl_buffer_create_type type, const void *info,
        cl_int *errcode),
       (mem, flags, type, info, errcode))
CREATE(cl_mem, FAULT_MEM, clCreateImage,
       (cl_context context, cl_mem_flags flags, const cl_image_format *format,
        const cl_image_desc *size, void *host, cl_int *errcode),
       (context, flags, format, size, host, errcode))
CREATE(cl_program, FAULT_PROGRAM, clCreateProgramWithSource,
       (cl_context context, cl_uint n, const char **texts, const size_t *lengths, cl_int *errcode),
       (context, n, texts, lengths, errcode))
CREATE(cl_program, FAULT_PROGRAM, clCreateProgramWithBinary,
       (cl_context context, cl_uint n, const cl_device_id *devices, const size_t *sizes,
        const unsigned char **binaries, cl_int *accepted, cl_int *errcode),
       (context, n, devices, sizes, binaries, accepted, errcode))
CREATE(cl_kernel, FAULT_KERNEL, clCreateKernel,
       (cl_program program, const char *name, cl_int *errcode), (program, name, errcode))
CREATE(cl_event, FAULT_EVENT, clCreateUserEvent, (cl_context context, cl_int *errcode),
       (context, errcode))

RETAIN(cl_context, FAULT_CONTEXT, clRetainContext)
RETAIN(cl_command_queue, FAULT_QUEUE, clRetainCommandQueue)
RETAIN(cl_mem, FAULT_MEM, clRetainMemObject)
RETAIN(cl_program, FAULT_PROGRAM, clRetainProgram)
RETAIN(cl_kernel, FAULT_KERNEL, clRetainKernel)
RETAIN(cl_event, FAULT_EVENT, clRetainEvent)
RELEASE(cl_context, FAULT_CONTEXT, clReleaseContext)
RELEASE(cl_command_queue, FAULT_QUEUE, clReleaseCommandQueue)
RELEASE(cl_mem, FAULT_MEM, clReleaseMemObject)
RELEASE(cl_program, FAULT_PROGRAM, clReleaseProgram)
RELEASE(cl_kernel, FAULT_KERNEL, clReleaseKernel)
RELEASE(cl_event, FAULT_EVENT, clReleaseEvent)

#define CALLS(XX)                                                                                  \
    XX(clGetPlatformIDs)                                                                           \
    XX(clGetPlatformInfo)                                                                          \
    XX(clGetDeviceIDs)                                                                             \
    XX(clGetDeviceInfo)                                                                            \
    XX(clGetContextInfo)                                                                           \
    XX(clGetCommandQueueInfo)                                                                      \
    XX(clGetMemObjectInfo)                                                                         \
    XX(clGetEventInfo)                                                                             \
    XX(clGetProgramInfo)                                                                           \
    XX(clGetProgramBuildInfo)                                                                      \
    XX(clGetKernelWorkGroupInfo)                                                                   \
    XX(clBuildProgram)                                                                             \
    XX(clSetKernelArg)                                                                             \
    XX(clFlush)                                                                                    \
    XX(clFinish)                                                                                   \
    XX(clWaitForEvents)                                                                            \
    XX(clEnqueueNDRangeKernel)                                                                     \
    XX(clEnqueueReadBuffer)                                                                        \
    XX(clEnqueueWriteBuffer)                                                                       \
    XX(clEnqueueUnmapMemObject)                                                                    \
    XX(clEnqueueMarkerWithWaitList)                                                                \
    XX(clEnqueueMapBuffer)                                                                         \
    XX(clCreateContext)                                                                            \
    XX(clCreateCommandQueue)                                                                       \
    XX(clCreateBuffer)                                                                             \
    XX(clCreateSubBuffer)                                                                          \
    XX(clCreateImage)                                                                              \
    XX(clCreateProgramWithSource)                                                                  \
    XX(clCreateProgramWithBinary)                                                                  \
    XX(clCreateKernel)                                                                             \
    XX(clCreateUserEvent)                                                                          \
    XX(clRetainContext)                                                                            \
    XX(clRetainCommandQueue)                                                                       \
    XX(clRetainMemObject)                                                                          \
    XX(clRetainProgram)                                                                            \
    XX(clRetainKernel)                                                                             \
    XX(clRetainEvent)                                                                              \
    XX(clReleaseContext)                                                                           \
    XX(clReleaseCommandQueue)                                                                      \
    XX(clReleaseMemObject)                                                                         \
    XX(clReleaseProgram)                                                                           \
    XX(clReleaseKernel)                                                                            \
    XX(clReleaseEvent)

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *used)
{
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    static const char name[] = "clact test faults";
    const void *answer = what == CL_LAYER_NAME ? (const void *)name : (const void *)&version;
    const size_t length = what == CL_LAYER_NAME ? sizeof(name) : sizeof(version);
    if (what != CL_LAYER_NAME && what != CL_LAYER_API_VERSION)
        return CL_INVALID_VALUE;
    if (value && size < length)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, answer, length);
    if (used)
        *used = length;
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clInitLayer(cl_uint entries, const cl_icd_dispatch *target,
                                      cl_uint *entries_ret, const cl_icd_dispatch **layer)
{
    if (!target || !entries_ret || !layer || entries < sizeof(table) / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
#define XX(name) table.name = layer_##name;
    CALLS(XX)
#undef XX
    *entries_ret = sizeof(table) / sizeof(void *);
    *layer = &table;
    return CL_SUCCESS;
}
