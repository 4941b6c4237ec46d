/* SPDX-License-Identifier: MIT */
/* What the files of host/ share that make calls: what a call is, its checks, its launch, and its
 * ways from host arrays. */
#ifndef CLACT_CALL_H
#define CLACT_CALL_H

#include "internal.h"

/* view.c: checked operands */

/* Where a view lies: the buffer behind any sub-buffer, and the bytes in it. */
typedef struct clact__extent {
    cl_mem root;
    size_t begin, end; /* the range from the first element to behind the last */
    size_t row_bytes, stride_bytes;
    size_t rows;
} clact__extent;

/* Checks a view by itself: its dtype, its range, its buffer's context and access. */
clact_status clact__view_check(const clact_context *ctx, const clact_view *view, const char *name,
                               bool is_output, clact__extent *extent);
/* Checks that an output and another operand have no element in common or, if that may be, are equal. */
clact_status clact__view_check_overlap(const clact_context *ctx, const clact__extent *output,
                                       const char *name, const clact__extent *other,
                                       const char *other_name, bool may_equal);

/* call.c: a call and its operands, and whether they may be used */

/* What an operand of a call on rows x cols has to be. */
typedef struct clact__role {
    const char *name;  /* as the messages call it */
    clact_dtype dtype; /* 0: the variant's */
    unsigned rows;     /* 1: as many as the call has; 0: one */
    unsigned cols;     /* k: k times as many as the call has; 0: one */
    bool output;
    bool optional; /* left out where its mem is NULL */
    bool partial;  /* an output of which some elements stay as they were */
} clact__role;

/* One call. */
typedef struct clact__call {
    clact__variant variant;
    const clact__role *roles;
    unsigned operands;
    size_t rows, cols;
    const clact_view *views; /* the caller's: of each operand */
    unsigned scalars;
    struct {
        size_t size;
        union {
            cl_ulong integer; /* of 8 bytes */
            cl_float floats[4];
            cl_double doubles[4];
        } value;
    } scalar[CLACT__SCALARS];
} clact__call;

/* Checks that ctx is there and that its device can compute with elements of this dtype. */
clact_status clact__dtype_check(const clact_context *ctx, clact_dtype dtype);
void clact__call_add_integer(clact__call *call, cl_ulong value);
/* Four numbers of the type that the kernel computes in. */
void clact__call_add_reals(const clact_context *ctx, clact__call *call, double a, double b,
                           double c, double d);
/* Whether an operand is there. */
static inline bool clact__call_has(const clact__call *call, unsigned i)
{
    return !call->roles[i].optional || call->views[i].mem;
}

/* What operand i has to be made of, and its shape. */
static inline clact_dtype clact__operand_dtype(const clact__call *call, unsigned i)
{
    return call->roles[i].dtype ? call->roles[i].dtype : call->variant.dtype;
}

static inline size_t clact__operand_rows(const clact__call *call, unsigned i)
{
    return call->roles[i].rows ? call->rows : 1;
}

static inline size_t clact__operand_cols(const clact__call *call, unsigned i)
{
    return call->roles[i].cols ? call->roles[i].cols * call->cols : 1;
}

/* Whether an output may lie where another operand does: where an element of both is one item's alone. */
bool clact__may_be_equal(const clact__role *output, const clact__role *other);
/* Makes the operands views without gaps of these buffers. The views are kept in `views`. */
void clact__call_view(clact__call *call, size_t rows, size_t cols, const cl_mem mems[],
                      clact_view views[]);
/* Everything about the operands that can be known to be wrong before anything is enqueued. Where
 * that is nothing, decides what depends on them. */
clact_status clact__call_check(const clact_context *ctx, clact__call *call);
static inline bool clact__call_empty(const clact__call *call)
{
    return call->rows == 0 || call->cols == 0;
}

/* Whether rows that follow each other without a gap make all the operands one long row. */
bool clact__is_one_row(const clact__call *call);
/* Whether the call moves more than the cache holds. If it is not in place, where each line has been
 * read anyway, its outputs should then go past the cache: that saves reading a line before it is
 * written. */
bool clact__moves_much(const clact_context *ctx, const clact__call *call);
/* Checks that a queue belongs to the context and turns NULL into the context's own. */
clact_status clact__queue_check(const clact_context *ctx, cl_command_queue *queue);
/* Checks a wait list's shape. */
clact_status clact__wait_check(const clact_context *ctx, cl_uint n_wait, const cl_event *wait);
/* Checks a call's views, its wait list and its queue, which it turns from NULL into the context's. */
clact_status clact__call_ready(const clact_context *ctx, cl_command_queue *queue, clact__call *call,
                               cl_uint n_wait, const cl_event *wait);
/* The same, and launches it. */
clact_status clact__call_enqueue(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                 cl_uint n_wait, const cl_event *wait, cl_event *event);

/* launch.c: the one way to a kernel */

/* So many rows of items some devices take at the most. */
enum { CLACT__MOST_DOWN = 65535 };

/* How many items a group has side by side, of `across` that there are: a power of two, and no more
 * than the device and the kernel run with. */
size_t clact__group_across(const clact_context *ctx, size_t largest_group, size_t across);
/* Gives each item about the same number of elements, as the profile wants them: a part of a row, or
 * several rows where they are short. */
clact__grid clact__cut(const clact_context *ctx, const clact__call *call, size_t largest_group);
/* Enqueues a call whose views are checked. */
clact_status clact__launch(clact_context *ctx, cl_command_queue queue, const clact__call *call,
                           cl_uint n_wait, const cl_event *wait, cl_event *event);
/* Enqueues two such calls, of which the second reads what the first has written. */
clact_status clact__launch_two(clact_context *ctx, cl_command_queue queue, const clact__call *first,
                               const clact__call *second, cl_uint n_wait, const cl_event *wait,
                               cl_event *event);
/* Memory for what a call's first kernel leaves to its second: pairs of what the kernels of this dtype
 * compute in. It can be released as soon as both are enqueued. */
clact_status clact__partials_create(clact_context *ctx, clact_dtype dtype, size_t pairs,
                                    cl_mem *partials);
/* An event for having nothing to do: complete once the wait list is. */
clact_status clact__enqueue_nothing(const clact_context *ctx, cl_command_queue queue,
                                    cl_uint n_wait, const cl_event *wait, cl_event *event);
/* Launches the call on nothing, with stores of either kind, and waits: drivers that compile at the
 * first launch do it here. */
clact_status clact__prepare(clact_context *ctx, const clact__call *call);

/* array.c: calls on host arrays of n elements */

/* Checks that `n` elements of `size` bytes can be there. */
clact_status clact__array_check(const clact_context *ctx, const char *name, const void *array,
                                size_t n, size_t size);
/* Mapping is how a kernel's results become visible in host memory; nothing moves where it is
 * shared. Returns when that is done. */
clact_status clact__make_visible(const clact_context *ctx, cl_mem mem, size_t bytes);

/* matrix.c: other calls on host arrays */

/* How a call on views is enqueued: clact__call_enqueue, or what a shape has of its own. */
typedef clact_status clact__enqueuer(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                     cl_uint n_wait, const cl_event *wait, cl_event *event);

/*
 * Runs a call whose rows and columns are set on host arrays and waits: arrays[i] is operand i, row
 * after row; NULL for an optional one that is left out. What is too large for one allocation, or to
 * be copied at once, goes in several calls on some of the rows, if all the outputs have rows; else
 * what is too large for one allocation is CLACT_OUT_OF_MEMORY. The inputs are never written.
 */
clact_status clact__matrix_run(clact_context *ctx, const clact__call *call,
                               const void *const arrays[], clact__enqueuer *enqueue);

/* pointwise.c and predict.c: all of a call but its views and its shape, whatever it held */

clact_status clact__pointwise_begin(const clact_context *ctx, clact_operator op,
                                    const clact_params *params, clact__direction direction,
                                    clact_dtype dtype, clact__call *call);
clact_status clact__predict_begin(const clact_context *ctx, clact_dtype dtype, double threshold,
                                  clact__call *call);

#endif /* CLACT_CALL_H */
