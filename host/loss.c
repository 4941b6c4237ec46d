/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits: calls of loss.cl's kernel, and of reduce.cl's where the losses
 * are added up. */
#include "call.h"

#include <stdio.h>

/* The kernels. */

typedef enum pass { FORWARD, BACKWARD, FORWARD_BACKWARD } pass;

/* What a kernel's index is made of; the index of the one kernel that is not of loss.cl is behind. */
enum { POS_WEIGHT = 1, WEIGHT = 2, BYTES = 4, REDUCED = 8, PASS = 16 };
enum { REDUCE = 3 * PASS };
_Static_assert(REDUCE + 1 == CLACT__LOSS_KERNELS, "a kernel for each index");

/* Elements per chunk and lanes: see reduce.cl. They decide the order of a sum, and so its bits. */
enum { CHUNK = 4096, LANES = 16, RUNS = 64 };

/* The operands of loss.cl's kernel. The last is memory that the call has of its own. */
enum { LOGITS, TARGETS, WEIGHTS, POS_WEIGHTS, GRAD, LOSS, DX, PARTIALS, OPERANDS };

static void name_bce(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                     char name[CLACT__NAME_SIZE])
{
    const unsigned index = variant->index;
    const pass p = (pass)(index / PASS);
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_BCE%s%s%s%s%s%s%s",
             p != BACKWARD ? " -DCLACT_BCE_LOSS" : "", p != FORWARD ? " -DCLACT_BCE_DX" : "",
             p == BACKWARD ? " -DCLACT_BCE_GRAD" : "",
             index & REDUCED ? " -DCLACT_BCE_REDUCED" : "",
             index & BYTES ? " -DCLACT_BCE_BYTES" : "", index & WEIGHT ? " -DCLACT_BCE_WEIGHT" : "",
             index & POS_WEIGHT ? " -DCLACT_BCE_POS_WEIGHT" : "");
    snprintf(name, CLACT__NAME_SIZE, "clact_bce");
}

/* Whether the rows of all the operands that have an element for each follow each other without a gap;
 * pos_weight then is repeated. */
static bool is_one_row(const clact__call *call)
{
    if (call->rows > 1)
        for (unsigned i = 0; i < PARTIALS; i++)
            if (call->roles[i].rows && clact__call_has(call, i) &&
                call->views[i].stride != call->views[i].cols)
                return false;
    return true;
}

static size_t chunks_of(const clact__call *call)
{
    return clact__divide_up(call->rows * call->cols, CHUNK);
}

/* An item has some of the lanes of one chunk. */
static clact__grid cut_bce(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    /* Cannot overflow: a full output fits in a buffer, and where there is none begin() has looked. */
    const size_t elements = call->rows * call->cols;
    const bool in_one = is_one_row(call);
    const size_t width = clact__vector_width(ctx, call->variant.dtype, false);
    /* Of a chunk's vectors side by side an item does all where items are few, else one. */
    const size_t vectors = ctx->profile.item_elements > 1 ? LANES / width : 1;
    const size_t items = clact__at_least(1, chunks_of(call) * (LANES / width / vectors));
    const size_t local = clact__group_across(ctx, largest_group, items);
    return (clact__grid){
        .global = {clact__divide_up(items, local) * local, 1},
        .local = {local, 1},
        .rows = in_one ? clact__at_most(elements, 1) : call->rows,
        .cols = in_one ? elements : call->cols,
        .row_span = vectors,
        .col_span = CHUNK,
    };
}

static const clact__shape bce = {
    .first_row = CLACT__LOSS_ROW, .name = name_bce, .streams = true, .cut = cut_bce};

static void name_reduce(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    (void)variant; /* there is one kernel */
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_REDUCE");
    snprintf(name, CLACT__NAME_SIZE, "clact_reduce");
}

/* One group does it all: the columns are chunks. */
static clact__grid cut_reduce(const clact_context *ctx, const clact__call *call,
                              size_t largest_group)
{
    const size_t group =
        clact__at_most(clact__at_most(ctx->profile.group_size, RUNS * LANES),
                       clact__at_most(largest_group, ctx->profile.largest_group[0]));
    return (clact__grid){
        .global = {group, 1},
        .local = {group, 1},
        .rows = call->rows,
        .cols = call->cols,
        .row_span = 1,
        .col_span = clact__divide_up(call->cols, RUNS),
    };
}

static const clact__shape reduce = {
    .first_row = CLACT__LOSS_ROW, .name = name_reduce, .cut = cut_reduce};

static const clact__role reduce_roles[] = {
    {.name = "partials", .rows = 1, .cols = 1},
    {.name = "loss", .output = true},
};

/* Calls. */

/* What a call of either layer is asked for. */
typedef struct request {
    pass pass;
    clact_reduction reduction;
    clact_dtype dtype;
    clact_dtype targets; /* 0: the same */
    bool weight, pos_weight;
    size_t rows, cols;
} request;

typedef struct bce_call {
    clact__call call;
    clact__role roles[OPERANDS];
} bce_call;

/* What the losses are divided by, as a sum of two of what the kernels compute in. */
static void add_divisor(const clact_context *ctx, clact__call *call, const request *r)
{
    const double n = r->reduction == CLACT_REDUCTION_MEAN ? (double)(r->rows * r->cols) : 1;
    const double high = clact__computes_in_double(ctx, r->dtype) ? n : (double)(float)n;
    clact__call_add_reals(ctx, call, high, n - high, 0, 0);
}

static void set_roles(clact__role roles[OPERANDS], const request *r)
{
    const unsigned full = r->reduction == CLACT_REDUCTION_NONE;
    const clact__role all[OPERANDS] = {
        [LOGITS] = {.name = "logits", .rows = 1, .cols = 1},
        [TARGETS] = {.name = "targets", .rows = 1, .cols = 1, .dtype = r->targets},
        [WEIGHTS] = {.name = "weight", .rows = 1, .cols = 1, .optional = !r->weight},
        [POS_WEIGHTS] = {.name = "pos_weight", .cols = 1, .optional = !r->pos_weight},
        [GRAD] = {.name = "grad", .rows = full, .cols = full, .optional = r->pass != BACKWARD},
        [LOSS] = {.name = "loss",
                  .rows = full,
                  .cols = full,
                  .output = true,
                  .optional = r->pass == BACKWARD},
        [DX] = {.name = "dx", .rows = 1, .cols = 1, .output = true, .optional = r->pass == FORWARD},
        [PARTIALS] = {.name = "partials", .optional = true},
    };
    for (unsigned i = 0; i < OPERANDS; i++)
        roles[i] = all[i];
}

static clact_status begin(const clact_context *ctx, const request *r, bce_call *b)
{
    const clact_status status = clact__dtype_check(ctx, r->dtype);
    if (status != CLACT_SUCCESS)
        return status;
    if (r->reduction != CLACT_REDUCTION_MEAN && r->reduction != CLACT_REDUCTION_SUM &&
        r->reduction != CLACT_REDUCTION_NONE)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options->reduction is no clact_reduction");
    if (r->targets != 0 && r->targets != CLACT_U8 && r->targets != r->dtype)
        return clact__fail(ctx, CLACT_DTYPE_MISMATCH,
                           "the targets are of neither the logits' dtype, %s, nor u8",
                           clact_dtype_name(r->dtype));
    if (r->reduction != CLACT_REDUCTION_NONE && (r->rows == 0 || r->cols == 0))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "there are no losses to take the %s of",
                           r->reduction == CLACT_REDUCTION_MEAN ? "mean" : "sum");
    /* Of inputs whose rows are one and the same, as of a stride of 0, there may be any number. */
    if (r->reduction != CLACT_REDUCTION_NONE && r->cols > SIZE_MAX / r->rows)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%zu x %zu losses are too many to count",
                           r->rows, r->cols);
    const unsigned index = (unsigned)r->pass * PASS +
                           (r->reduction == CLACT_REDUCTION_NONE ? 0 : REDUCED) +
                           (r->targets == CLACT_U8 ? BYTES : 0) + (r->weight ? WEIGHT : 0) +
                           (r->pos_weight ? POS_WEIGHT : 0);
    set_roles(b->roles, r);
    b->call.variant = (clact__variant){.shape = &bce, .index = index, .dtype = r->dtype};
    b->call.roles = b->roles;
    b->call.operands = PARTIALS;
    b->call.rows = r->rows;
    b->call.cols = r->cols;
    clact__call_add_integer(&b->call, r->pos_weight ? r->cols : SIZE_MAX);
    add_divisor(ctx, &b->call, r);
    return CLACT_SUCCESS;
}

/* Adds up what the first kernel has left in `partials`. Its views are kept in `views`. */
static clact__call reducing(const clact__call *call, cl_mem partials, clact_view views[2])
{
    const size_t chunks = partials ? chunks_of(call) : 0;
    views[0] = clact_view_1d(partials, call->variant.dtype, 0, chunks);
    views[1] = call->views[LOSS];
    clact__call sum = {
        .variant = {.shape = &reduce, .index = REDUCE, .dtype = call->variant.dtype},
        .roles = reduce_roles,
        .operands = 2,
        .views = views,
        .rows = 1,
        .cols = chunks,
        .scalars = 1,
    };
    sum.scalar[0] = call->scalar[call->scalars - 1];
    return sum;
}

static clact_status launch_both(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                cl_mem partials, cl_uint n_wait, const cl_event *wait,
                                cl_event *event)
{
    clact_view sum_views[2], views[OPERANDS];
    const clact__call sum = reducing(call, partials, sum_views);
    for (unsigned i = 0; i < PARTIALS; i++)
        views[i] = call->views[i];
    views[PARTIALS] = clact_view_1d(partials, call->variant.dtype, 0, 0);
    call->views = views;
    call->operands = OPERANDS;
    return clact__launch_two(ctx, queue, call, &sum, n_wait, wait, event);
}

/* Whether the losses of a call are added up. */
static bool adds_up(const clact__call *call)
{
    return (call->variant.index & REDUCED) && clact__call_has(call, LOSS);
}

static clact_status launch_reduced(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                   cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    cl_mem partials = NULL;
    clact_status status =
        clact__partials_create(ctx, call->variant.dtype, chunks_of(call) * LANES, &partials);
    if (status != CLACT_SUCCESS)
        return status;
    status = launch_both(ctx, queue, call, partials, n_wait, wait, event);
    clReleaseMemObject(partials);
    return status;
}

/* The last operand has no role until the others are checked, and stands for any buffer where nothing
 * is added up. */
static clact_status enqueue(clact_context *ctx, cl_command_queue queue, clact__call *call,
                            cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    const clact_status status = clact__call_ready(ctx, &queue, call, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    if (clact__call_empty(call))
        return clact__enqueue_nothing(ctx, queue, n_wait, wait, event);
    clact__call ready = *call;
    /* A kernel that writes one number has nothing to store past the cache. */
    ready.variant.streams = call->variant.streams && !(adds_up(call) && !clact__call_has(call, DX));
    if (adds_up(call))
        return launch_reduced(ctx, queue, &ready, n_wait, wait, event);
    ready.operands = OPERANDS;
    return clact__launch(ctx, queue, &ready, n_wait, wait, event);
}

/* Views. */

static request of_views(pass p, const clact_bce_views *options, clact_view logits,
                        clact_view targets)
{
    const clact_bce_views none = {.reduction = CLACT_REDUCTION_MEAN};
    const clact_bce_views *o = options ? options : &none;
    return (request){
        .pass = p,
        .reduction = o->reduction,
        .dtype = logits.dtype,
        .targets = targets.dtype,
        .weight = o->weight.mem != NULL,
        .pos_weight = o->pos_weight.mem != NULL,
        .rows = logits.rows,
        .cols = logits.cols,
    };
}

/* The options' views, and then those of the pass. */
static clact_status enqueue_views(clact_context *ctx, cl_command_queue queue, const request *r,
                                  const clact_bce_views *options, const clact_view views[PARTIALS],
                                  cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    clact_view all[OPERANDS] = {{.mem = NULL}};
    bce_call b = {.call = {.views = all}};
    const clact_status status = begin(ctx, r, &b);
    if (status != CLACT_SUCCESS)
        return status;
    for (unsigned i = 0; i < PARTIALS; i++)
        all[i] = views[i];
    if (options) {
        all[WEIGHTS] = options->weight;
        all[POS_WEIGHTS] = options->pos_weight;
    }
    return enqueue(ctx, queue, &b.call, n_wait, wait, event);
}

clact_status clact_enqueue_bce_with_logits(clact_context *ctx, cl_command_queue queue,
                                           const clact_bce_views *options, clact_view logits,
                                           clact_view targets, clact_view loss, cl_uint n_wait,
                                           const cl_event *wait, cl_event *event)
{
    const request r = of_views(FORWARD, options, logits, targets);
    const clact_view views[PARTIALS] = {[LOGITS] = logits, [TARGETS] = targets, [LOSS] = loss};
    return enqueue_views(ctx, queue, &r, options, views, n_wait, wait, event);
}

clact_status clact_enqueue_bce_with_logits_backward(clact_context *ctx, cl_command_queue queue,
                                                    const clact_bce_views *options, clact_view grad,
                                                    clact_view logits, clact_view targets,
                                                    clact_view dx, cl_uint n_wait,
                                                    const cl_event *wait, cl_event *event)
{
    const request r = of_views(BACKWARD, options, logits, targets);
    const clact_view views[PARTIALS] = {
        [LOGITS] = logits, [TARGETS] = targets, [GRAD] = grad, [DX] = dx};
    return enqueue_views(ctx, queue, &r, options, views, n_wait, wait, event);
}

clact_status clact_enqueue_bce_with_logits_forward_backward(
    clact_context *ctx, cl_command_queue queue, const clact_bce_views *options, clact_view logits,
    clact_view targets, clact_view loss, clact_view dx, cl_uint n_wait, const cl_event *wait,
    cl_event *event)
{
    const request r = of_views(FORWARD_BACKWARD, options, logits, targets);
    const clact_view views[PARTIALS] = {
        [LOGITS] = logits, [TARGETS] = targets, [LOSS] = loss, [DX] = dx};
    return enqueue_views(ctx, queue, &r, options, views, n_wait, wait, event);
}

/* Host arrays. */

static request of_arrays(pass p, const clact_bce_arrays *options, clact_dtype dtype, size_t rows,
                         size_t cols)
{
    const clact_bce_arrays none = {.reduction = CLACT_REDUCTION_MEAN};
    const clact_bce_arrays *o = options ? options : &none;
    return (request){
        .pass = p,
        .reduction = o->reduction,
        .dtype = dtype,
        .targets = o->targets,
        .weight = o->weight != NULL,
        .pos_weight = o->pos_weight != NULL,
        .rows = rows,
        .cols = cols,
    };
}

static clact_status run_arrays(clact_context *ctx, const request *r,
                               const clact_bce_arrays *options, const void *arrays[PARTIALS])
{
    bce_call b = {.call = {.operands = 0}};
    const clact_status status = begin(ctx, r, &b);
    if (status != CLACT_SUCCESS)
        return status;
    arrays[WEIGHTS] = options ? options->weight : NULL;
    arrays[POS_WEIGHTS] = options ? options->pos_weight : NULL;
    return clact__matrix_run(ctx, &b.call, arrays, enqueue);
}

clact_status clact_bce_with_logits(clact_context *ctx, const clact_bce_arrays *options,
                                   clact_dtype dtype, size_t rows, size_t cols, const void *logits,
                                   const void *targets, void *loss)
{
    const request r = of_arrays(FORWARD, options, dtype, rows, cols);
    const void *arrays[PARTIALS] = {[LOGITS] = logits, [TARGETS] = targets, [LOSS] = loss};
    return run_arrays(ctx, &r, options, arrays);
}

clact_status clact_bce_with_logits_backward(clact_context *ctx, const clact_bce_arrays *options,
                                            clact_dtype dtype, size_t rows, size_t cols,
                                            const void *grad, const void *logits,
                                            const void *targets, void *dx)
{
    const request r = of_arrays(BACKWARD, options, dtype, rows, cols);
    const void *arrays[PARTIALS] = {
        [LOGITS] = logits, [TARGETS] = targets, [GRAD] = grad, [DX] = dx};
    return run_arrays(ctx, &r, options, arrays);
}

clact_status clact_bce_with_logits_forward_backward(clact_context *ctx,
                                                    const clact_bce_arrays *options,
                                                    clact_dtype dtype, size_t rows, size_t cols,
                                                    const void *logits, const void *targets,
                                                    void *loss, void *dx)
{
    const request r = of_arrays(FORWARD_BACKWARD, options, dtype, rows, cols);
    const void *arrays[PARTIALS] = {
        [LOGITS] = logits, [TARGETS] = targets, [LOSS] = loss, [DX] = dx};
    return run_arrays(ctx, &r, options, arrays);
}

/* Ahead of use. */

clact_status clact_prepare_bce_with_logits(clact_context *ctx, const clact_bce_arrays *options,
                                           clact_dtype dtype)
{
    clact_status status = CLACT_SUCCESS;
    for (pass p = FORWARD; p <= FORWARD_BACKWARD && status == CLACT_SUCCESS; p++) {
        const request r = of_arrays(p, options, dtype, 1, 1);
        clact_view views[OPERANDS] = {{.mem = NULL}}, sum_views[2];
        bce_call b = {.call = {.views = views}};
        status = begin(ctx, &r, &b);
        if (status != CLACT_SUCCESS)
            break;
        const clact__call sum = reducing(&b.call, NULL, sum_views);
        const bool reduces = (b.call.variant.index & REDUCED) && p == FORWARD;
        b.call.operands = OPERANDS;
        status = clact__prepare(ctx, &b.call);
        if (status == CLACT_SUCCESS && reduces)
            status = clact__prepare(ctx, &sum);
    }
    return status;
}
