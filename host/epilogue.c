/* SPDX-License-Identifier: MIT */
/* Fused epilogues: calls of epilogue.cl's kernel, and of the one there that adds up a bias' gradient. */
#include "call.h"

#include <math.h>
#include <stdio.h>

/* The kernels. */

/* What a kernel's index is made of for each operator; that of the one that adds up is behind all. */
enum { HAS_BIAS = 1, PER_ROW = 2, HAS_DBIAS = 4, DIRECTION = 8, OF_OPERATOR = 3 * DIRECTION };
enum { REDUCE = CLACT__OPS * OF_OPERATOR };
_Static_assert(REDUCE + 1 == CLACT__EPILOGUE_KERNELS, "a kernel for each index");

/* As in epilogue.cl: they decide the order of a sum, and so its bits. */
enum { CHUNK_ROWS = 64, CHUNK_COLS = 4096 };

/* How many columns an item sums up at the most, and at once. */
enum { BLOCK = 1024 };

static clact__direction direction_of(const clact__variant *variant)
{
    return (clact__direction)(variant->index % OF_OPERATOR / DIRECTION);
}

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    const clact__op *op = &clact__ops[variant->index / OF_OPERATOR];
    const clact__direction direction = direction_of(variant);
    const char *of_direction = clact__direction_name(direction);
    const unsigned index = variant->index % DIRECTION;
    snprintf(options, CLACT__NAME_SIZE,
             "-DCLACT_EPILOGUE=%s_epilogue_%s -DCLACT_EPILOGUE_BODY=%s_%s%s%s%s%s%s", op->name,
             of_direction, op->name, of_direction,
             direction == CLACT__FORWARD ? "" : " -DCLACT_EPILOGUE_BACKWARD",
             index & HAS_BIAS ? " -DCLACT_EPILOGUE_BIAS" : "",
             index & PER_ROW ? " -DCLACT_EPILOGUE_PER_ROW" : "",
             index & HAS_DBIAS ? " -DCLACT_EPILOGUE_DBIAS" : "",
             op->parameters ? " -DCLACT_HAS_PARAMETERS" : "");
    snprintf(name, CLACT__NAME_SIZE, "clact_%s_epilogue_%s", op->name, of_direction);
}

/* Into how many chunks what is summed up is cut, and how many sums there are. */
static size_t chunks_of(const clact__call *call)
{
    return call->variant.index & PER_ROW ? clact__divide_up(call->cols, CHUNK_COLS)
                                         : clact__divide_up(call->rows, CHUNK_ROWS);
}

static size_t sums_of(const clact__call *call)
{
    return call->variant.index & PER_ROW ? call->rows : call->cols;
}

/* Items that are so wide, of so many rows each. */
static clact__grid grid_of(const clact_context *ctx, const clact__call *call, size_t largest_group,
                           size_t col_span, size_t row_span)
{
    const size_t across = clact__at_least(1, clact__divide_up(call->cols, col_span));
    const size_t down = clact__at_least(1, clact__divide_up(call->rows, row_span));
    const size_t local = clact__group_across(ctx, largest_group, across);
    return (clact__grid){
        .global = {clact__divide_up(across, local) * local, down},
        .local = {local, 1},
        .rows = call->rows,
        .cols = call->cols,
        .row_span = row_span,
        .col_span = col_span,
    };
}

/* Where sums are wanted an item has whole chunks. */
static clact__grid cut(const clact_context *ctx, const clact__call *call, size_t largest_group)
{
    const clact__profile *profile = &ctx->profile;
    if (!(call->variant.index & HAS_DBIAS))
        return clact__cut(ctx, call, largest_group);
    if (call->variant.index & PER_ROW) {
        const size_t wanted = profile->item_elements / clact__at_least(1, call->cols);
        const size_t least = clact__divide_up(call->rows, CLACT__MOST_DOWN);
        return grid_of(ctx, call, largest_group, CHUNK_COLS,
                       clact__at_least(1, clact__at_least(wanted, least)));
    }
    const size_t width = clact__vector_width(ctx, call->variant.dtype, call->variant.narrow);
    const size_t block = profile->item_elements > CHUNK_ROWS * width ? BLOCK : width;
    const size_t chunks =
        clact__divide_up(clact__divide_up(call->rows, CHUNK_ROWS), CLACT__MOST_DOWN);
    return grid_of(ctx, call, largest_group, block, CHUNK_ROWS * clact__at_least(1, chunks));
}

static const clact__shape epilogue = {.first_row = CLACT__EPILOGUE_ROW,
                                      .streams = true,
                                      .narrow = true,
                                      .name = name_kernel,
                                      .cut = cut};

static void name_reduce(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    (void)variant; /* there is one kernel */
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_EPILOGUE_REDUCE");
    snprintf(name, CLACT__NAME_SIZE, "clact_epilogue_reduce");
}

/* The rows are chunks and the columns sums, of which an item has some. */
static clact__grid cut_reduce(const clact_context *ctx, const clact__call *call,
                              size_t largest_group)
{
    const size_t span =
        ctx->profile.item_elements > CHUNK_ROWS ? CHUNK_ROWS : (size_t)1; /* a CPU, a GPU */
    clact__grid g = grid_of(ctx, call, largest_group, span, 1);
    g.global[1] = 1;
    return g;
}

static const clact__shape reduce = {
    .first_row = CLACT__EPILOGUE_ROW, .name = name_reduce, .cut = cut_reduce};

static const clact__role reduce_roles[] = {
    {.name = "partials", .rows = 1, .cols = 1},
    {.name = "dbias", .cols = 1, .output = true},
};

/* Calls. */

/* The operands: x and y of the forward kernel are where saved and dx are; it has no others than these
 * and the bias. What dx holds, where it is wanted, is an operand of its own. */
enum { GRAD, SAVED, BIAS, OLD, DX, DBIAS, BACKWARD_OPERANDS };
enum { FORWARD_X, FORWARD_BIAS, FORWARD_Y, FORWARD_OPERANDS };

typedef struct request {
    clact_operator op;
    const clact_params *params;
    const clact_epilogue_options *options;
    clact__direction direction;
    clact_dtype dtype;
    size_t rows, cols;
    bool bias, dbias;
} request;

typedef struct epilogue_call {
    clact__call call;
    clact__role roles[BACKWARD_OPERANDS];
    bool accumulates;
} epilogue_call;

static void set_roles(epilogue_call *e, const request *r, bool per_row)
{
    const clact__role full = {.rows = 1, .cols = 1};
    clact__role all[BACKWARD_OPERANDS] = {full, full, {0}, full, full, {0}};
    const bool forward = r->direction == CLACT__FORWARD;
    static const char *const names[2][BACKWARD_OPERANDS] = {
        {"grad", "saved", "bias", "dx", "dx", "dbias"}, {"x", "bias", "y"}};
    const unsigned bias = forward ? FORWARD_BIAS : BIAS;
    all[bias].optional = !forward;
    all[bias].cols = !per_row;
    all[bias].rows = per_row;
    if (forward) {
        all[FORWARD_Y] = full;
        all[FORWARD_Y].output = true;
    } else {
        all[OLD].optional = true;
        all[DX].output = true;
        all[DBIAS] = all[BIAS];
        all[DBIAS].output = true;
    }
    e->call.operands = forward ? FORWARD_OPERANDS : BACKWARD_OPERANDS;
    for (unsigned i = 0; i < e->call.operands; i++) {
        e->roles[i] = all[i];
        e->roles[i].name = names[forward][i];
    }
    e->call.roles = e->roles;
}

static clact_status check_options(const clact_context *ctx, const request *r,
                                  clact_epilogue_options *options)
{
    const clact_epilogue_options none = {.beta = 0};
    *options = r->options ? *r->options : none;
    if (options->bias != CLACT_BIAS_PER_COLUMN && options->bias != CLACT_BIAS_PER_ROW)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options->bias is no clact_bias");
    if (r->dtype != CLACT_F64)
        options->beta = clact__rounded_to_f32(options->beta);
    if (!isfinite(options->beta))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "options->beta must be finite");
    if (r->direction == CLACT__FORWARD && options->beta != 0)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "options->beta is for gradients: in a forward call it must be 0");
    if (r->direction == CLACT__FROM_OUTPUT && r->bias)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "bias must be left out where the output is saved");
    return CLACT_SUCCESS;
}

static clact_status begin(const clact_context *ctx, const request *r, epilogue_call *e)
{
    clact_status status = clact__dtype_check(ctx, r->dtype);
    if (status != CLACT_SUCCESS)
        return status;
    const clact__op *row = clact__op_find(r->op);
    if (!row)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "op is no operator");
    clact_params p;
    clact_epilogue_options options;
    status = clact__direction_check(ctx, row, r->direction);
    if (status == CLACT_SUCCESS)
        status = clact__params_resolve(ctx, row, r->dtype, r->params, &p);
    if (status == CLACT_SUCCESS)
        status = check_options(ctx, r, &options);
    if (status != CLACT_SUCCESS)
        return status;
    const bool per_row = options.bias == CLACT_BIAS_PER_ROW;
    const unsigned index = (unsigned)(row - clact__ops) * OF_OPERATOR +
                           (unsigned)r->direction * DIRECTION + (r->bias ? HAS_BIAS : 0) +
                           (per_row ? PER_ROW : 0) + (r->dbias ? HAS_DBIAS : 0);
    e->call.variant = (clact__variant){.shape = &epilogue, .index = index, .dtype = r->dtype};
    e->call.rows = r->rows;
    e->call.cols = r->cols;
    e->accumulates = options.beta != 0;
    set_roles(e, r, per_row);
    clact__call_add_reals(ctx, &e->call, p.alpha, p.beta, p.gamma, options.beta);
    return CLACT_SUCCESS;
}

/* Adds up what the first kernel has left in `partials`. Its views are kept in `views`. */
static clact__call reducing(const clact__call *call, cl_mem partials, clact_view views[2])
{
    views[0] = clact_view_2d(partials, call->variant.dtype, 0, 0, 0, 0);
    views[1] = call->views[DBIAS];
    if (!(call->variant.index & PER_ROW))
        views[1].stride = 1; /* which is that from one sum to the next */
    return (clact__call){
        .variant = {.shape = &reduce, .index = REDUCE, .dtype = call->variant.dtype},
        .roles = reduce_roles,
        .operands = 2,
        .views = views,
        .rows = chunks_of(call),
        .cols = sums_of(call),
    };
}

static clact_status launch_both(clact_context *ctx, cl_command_queue queue, clact__call *call,
                                cl_mem partials, cl_uint n_wait, const cl_event *wait,
                                cl_event *event)
{
    clact_view sum_views[2], views[CLACT__OPERANDS];
    const clact__call sum = reducing(call, partials, sum_views);
    for (unsigned i = 0; i < call->operands; i++)
        views[i] = call->views[i];
    views[DBIAS] = clact_view_2d(partials, call->variant.dtype, 0, 0, 0, 0);
    call->views = views;
    return clact__launch_two(ctx, queue, call, &sum, n_wait, wait, event);
}

static clact_status enqueue(clact_context *ctx, cl_command_queue queue, clact__call *call,
                            cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    if (!(call->variant.index & HAS_DBIAS))
        return clact__call_enqueue(ctx, queue, call, n_wait, wait, event);
    clact_status status = clact__call_ready(ctx, &queue, call, n_wait, wait);
    if (status != CLACT_SUCCESS)
        return status;
    if (clact__call_empty(call))
        return clact__enqueue_nothing(ctx, queue, n_wait, wait, event);
    cl_mem partials = NULL;
    status = clact__partials_create(ctx, call->variant.dtype, chunks_of(call) * sums_of(call),
                                    &partials);
    if (status != CLACT_SUCCESS)
        return status;
    clact__call first = *call;
    status = launch_both(ctx, queue, &first, partials, n_wait, wait, event);
    clReleaseMemObject(partials);
    return status;
}

/* Views. */

clact_status clact_enqueue_epilogue(clact_context *ctx, cl_command_queue queue, clact_operator op,
                                    const clact_params *params,
                                    const clact_epilogue_options *options, clact_view x,
                                    clact_view bias, clact_view y, cl_uint n_wait,
                                    const cl_event *wait, cl_event *event)
{
    const request r = {op, params, options, CLACT__FORWARD, x.dtype, x.rows, x.cols, true, false};
    epilogue_call e = {.call = {.views = (clact_view[]){x, bias, y}}};
    const clact_status status = begin(ctx, &r, &e);
    return status == CLACT_SUCCESS ? enqueue(ctx, queue, &e.call, n_wait, wait, event) : status;
}

clact_status clact_enqueue_epilogue_backward(clact_context *ctx, cl_command_queue queue,
                                             clact_operator op, const clact_params *params,
                                             const clact_epilogue_options *options,
                                             clact_saved kind, clact_view grad, clact_view saved,
                                             clact_view bias, clact_view dx, clact_view dbias,
                                             cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    const request r = {
        op,        params,    options,          clact__direction_of(kind), grad.dtype,
        grad.rows, grad.cols, bias.mem != NULL, dbias.mem != NULL};
    clact_view views[] = {grad, saved, bias, {0}, dx, dbias};
    epilogue_call e = {.call = {.views = views}};
    const clact_status status = begin(ctx, &r, &e);
    if (status != CLACT_SUCCESS)
        return status;
    if (e.accumulates)
        views[OLD] = dx;
    return enqueue(ctx, queue, &e.call, n_wait, wait, event);
}

/* Host arrays. */

clact_status clact_epilogue(clact_context *ctx, clact_operator op, const clact_params *params,
                            const clact_epilogue_options *options, clact_dtype dtype, size_t rows,
                            size_t cols, const void *x, const void *bias, void *y)
{
    const request r = {op, params, options, CLACT__FORWARD, dtype, rows, cols, true, false};
    epilogue_call e = {.call = {.operands = 0}};
    const clact_status status = begin(ctx, &r, &e);
    return status == CLACT_SUCCESS
               ? clact__matrix_run(ctx, &e.call, (const void *const[]){x, bias, y}, enqueue)
               : status;
}

clact_status clact_epilogue_backward(clact_context *ctx, clact_operator op,
                                     const clact_params *params,
                                     const clact_epilogue_options *options, clact_dtype dtype,
                                     clact_saved kind, size_t rows, size_t cols, const void *grad,
                                     const void *saved, const void *bias, void *dx, void *dbias)
{
    const request r = {op,   params, options,      clact__direction_of(kind), dtype, rows,
                       cols, bias,   dbias != NULL};
    epilogue_call e = {.call = {.operands = 0}};
    const clact_status status = begin(ctx, &r, &e);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const arrays[BACKWARD_OPERANDS] = {grad, saved, bias, e.accumulates ? dx : NULL,
                                                   dx,   dbias};
    return clact__matrix_run(ctx, &e.call, arrays, enqueue);
}

/* Ahead of use. */

static clact_status prepare(clact_context *ctx, const request *r)
{
    epilogue_call e = {.call = {.operands = 0}};
    const clact_status status = begin(ctx, r, &e);
    return status == CLACT_SUCCESS ? clact__prepare(ctx, &e.call) : status;
}

clact_status clact_prepare_epilogue(clact_context *ctx, clact_operator op,
                                    const clact_epilogue_options *options, clact_dtype dtype)
{
    /* One kernel serves all beta. */
    const clact_epilogue_options per = {.bias = options ? options->bias : CLACT_BIAS_PER_COLUMN};
    request r = {.op = op, .options = &per, .dtype = dtype};
    clact_status status = CLACT_SUCCESS;
    for (int d = 0; d < CLACT__DIRECTIONS && status == CLACT_SUCCESS; d++) {
        const clact__op *row = clact__op_find(op);
        r.direction = (clact__direction)d;
        r.bias = r.direction != CLACT__FROM_OUTPUT;
        if (row && !clact__op_has(row, r.direction))
            continue;
        r.dbias = false;
        status = prepare(ctx, &r);
        r.dbias = true;
        if (status == CLACT_SUCCESS && r.direction != CLACT__FORWARD)
            status = prepare(ctx, &r);
    }
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view views[CLACT__OPERANDS] = {{.mem = NULL}};
    const clact__call nothing = {.variant = {.dtype = dtype}, .views = views};
    clact_view sum_views[2];
    const clact__call sum = reducing(&nothing, NULL, sum_views);
    return clact__prepare(ctx, &sum);
}
