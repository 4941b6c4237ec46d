/* SPDX-License-Identifier: MIT */
/*
 * An OpenCL layer that lets one chosen call fail, makes devices small and counts the objects that are
 * alive. A loader that knows layers loads it where OPENCL_LAYERS names its file; the test in the same
 * process then reaches its controls through fault_layer_find.
 */
#ifndef CLACT_TESTS_FAULT_LAYER_H
#define CLACT_TESTS_FAULT_LAYER_H

#include <CL/cl.h>
#include <stdbool.h>

enum fault_object {
    FAULT_CONTEXT,
    FAULT_QUEUE,
    FAULT_MEM,
    FAULT_PROGRAM,
    FAULT_KERNEL,
    FAULT_EVENT,
    FAULT_OBJECTS
};

struct fault_layer {
    /* From now on the nth call (the first is 1) that can fail returns `code` and does nothing. 0
     * lets all calls through. */
    void (*arm)(unsigned long nth, cl_int code);
    /* The name of the call that failed since; NULL if none did. */
    const char *(*fired)(void);
    /* References to objects of that kind: created and retained, less those released. */
    long (*live)(enum fault_object kind);
    /* How often a program was made from source so far, or was to be. */
    unsigned long (*compilations)(void);
    /* From now on devices say that they have no more memory than so much, and buffers created from
     * now on that do not fit in it beside each other are an allocation failure. SIZE_MAX for all that
     * there is. */
    void (*memory)(size_t bytes);
};

/* What the layer's file exports under the name "fault_layer_get". */
typedef const struct fault_layer *(*fault_layer_getter)(void);

#endif
