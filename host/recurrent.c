/* SPDX-License-Identifier: MIT */
/* The recurrent cells on views and host arrays: calls of the kernels of lstm.cl and gru.cl. */
#include "call.h"

#include <stdio.h>

/* The kernels. */

typedef enum kind {
    LSTM_FORWARD,
    LSTM_BACKWARD,
    GRU_FORWARD,
    GRU_BACKWARD,
    GRU_RESET_FORWARD,
    GRU_RESET_BACKWARD,
    GRU_UPDATE_FORWARD,
    GRU_UPDATE_BACKWARD,
    KINDS
} kind;

/* What the kernel is compiled with or without, or-ed: the rest of what may be left out it is told by
 * flags, as that costs it next to nothing. */
enum { BIAS = 1, PEEPHOLES = 2, GATES = 4, DEFINED = 8 };

_Static_assert(KINDS *DEFINED == CLACT__RECURRENT_KERNELS, "each kernel has its place");

/* The most operands of any of them. */
enum { MOST = 8 };

typedef struct cell {
    const char *name;
    const char *option;
    unsigned operands;
    unsigned state; /* the operand whose shape is that of the state */
    clact__role roles[MOST];
    unsigned defined[MOST]; /* of each operand: what it is compiled with if that is there */
    unsigned flag[MOST];    /* or the bit, counted from 1, that says that it is there */
} cell;

#define ROLE(label, r, k, is_output, left_out, in_part)                                            \
    {                                                                                              \
        .name = label, .rows = r, .cols = k, .output = is_output, .optional = left_out,            \
        .partial = in_part                                                                         \
    }
#define IN(label, k) ROLE(label, 1, k, false, false, false)
#define MAYBE_IN(label, k) ROLE(label, 1, k, false, true, false)
#define SHARED(label, k) ROLE(label, 0, k, false, true, false)
#define OUT(label, k) ROLE(label, 1, k, true, false, false)
#define MAYBE_OUT(label, k) ROLE(label, 1, k, true, true, false)
#define PART_OUT(label, k, left_out) ROLE(label, 1, k, true, left_out, true)

static const cell cells[KINDS] = {
    [LSTM_FORWARD] = {"lstm_forward",
                      "-DCLACT_LSTM_FORWARD",
                      7,
                      4,
                      {IN("z", 4), SHARED("bias", 4), SHARED("peepholes", 3), MAYBE_IN("c_prev", 1),
                       OUT("c", 1), OUT("h", 1), MAYBE_OUT("gates", 4)},
                      .defined = {0, BIAS, PEEPHOLES, 0, 0, 0, GATES},
                      .flag = {0, 0, 0, 1}},
    [LSTM_BACKWARD] = {"lstm_backward",
                       "-DCLACT_LSTM_BACKWARD",
                       8,
                       1,
                       {IN("gates", 4), IN("c", 1), MAYBE_IN("c_prev", 1), SHARED("peepholes", 3),
                        MAYBE_IN("grad_h", 1), MAYBE_IN("grad_c", 1), OUT("dz", 4),
                        MAYBE_OUT("dc_prev", 1)},
                       .defined = {0, 0, 0, PEEPHOLES},
                       .flag = {0, 0, 1, 0, 2, 3, 0, 4}},
    [GRU_FORWARD] = {"gru_forward",
                     "-DCLACT_GRU -DCLACT_GRU_FORWARD",
                     5,
                     3,
                     {IN("x", 3), IN("u", 3), MAYBE_IN("h_prev", 1), OUT("h", 1),
                      MAYBE_OUT("gates", 4)},
                     .defined = {0, 0, 0, 0, GATES},
                     .flag = {0, 0, 1}},
    [GRU_BACKWARD] = {"gru_backward",
                      "-DCLACT_GRU -DCLACT_GRU_BACKWARD",
                      6,
                      0,
                      {IN("grad", 1), IN("gates", 4), MAYBE_IN("h_prev", 1), OUT("dx", 3),
                       OUT("du", 3), MAYBE_OUT("dh_prev", 1)},
                      .flag = {0, 0, 1, 0, 0, 2}},
    [GRU_RESET_FORWARD] = {"gru_reset_forward",
                           "-DCLACT_GRU -DCLACT_GRU_RESET_FORWARD",
                           5,
                           2,
                           {IN("x", 3), IN("u", 2), IN("h_prev", 1), OUT("reset", 1),
                            PART_OUT("gates", 3, true)},
                           .defined = {0, 0, 0, 0, GATES}},
    [GRU_RESET_BACKWARD] = {"gru_reset_backward",
                            "-DCLACT_GRU -DCLACT_GRU_RESET_BACKWARD",
                            6,
                            0,
                            {IN("dreset", 1), IN("gates", 3), IN("h_prev", 1), IN("dh_part", 1),
                             PART_OUT("dx", 3, false), OUT("dh_prev", 1)},
                            .defined = {0}},
    [GRU_UPDATE_FORWARD] = {"gru_update_forward",
                            "-DCLACT_GRU -DCLACT_GRU_UPDATE_FORWARD",
                            6,
                            2,
                            {IN("x", 3), IN("u", 2), IN("v", 1), MAYBE_IN("h_prev", 1), OUT("h", 1),
                             PART_OUT("gates", 3, true)},
                            .defined = {0, 0, 0, 0, 0, GATES},
                            .flag = {0, 0, 0, 1}},
    [GRU_UPDATE_BACKWARD] = {"gru_update_backward",
                             "-DCLACT_GRU -DCLACT_GRU_UPDATE_BACKWARD",
                             5,
                             0,
                             {IN("grad", 1), IN("gates", 3), MAYBE_IN("h_prev", 1),
                              PART_OUT("dx", 3, false), MAYBE_OUT("dh_part", 1)},
                             .flag = {0, 0, 1, 0, 2}},
};

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    const cell *cell = &cells[variant->index / DEFINED];
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_RECURRENT %s%s%s%s", cell->option,
             variant->index & BIAS ? " -DCLACT_HAS_BIAS" : "",
             variant->index & PEEPHOLES ? " -DCLACT_HAS_PEEPHOLES" : "",
             variant->index & GATES ? " -DCLACT_HAS_GATES" : "");
    snprintf(name, CLACT__NAME_SIZE, "clact_%s", cell->name);
}

static const clact__shape shape = {
    .first_row = CLACT__RECURRENT_ROW, .streams = true, .narrow = true, .name = name_kernel};

/* Orders of the gates, as the kernels take them: two bits for each gate, its place. */

static unsigned place(unsigned gate, unsigned at)
{
    return at << (2 * gate);
}

/* Checks what every call has: a context, and a struct of operands. */
static clact_status check_struct(const clact_context *ctx, const void *operands)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    return operands ? CLACT_SUCCESS
                    : clact__fail(ctx, CLACT_INVALID_ARGUMENT, "the struct of operands is NULL");
}

static clact_status lstm_layout(const clact_context *ctx, const void *operands,
                                clact_lstm_order order, unsigned *layout)
{
    enum { I, F, G, O };
    const clact_status status = check_struct(ctx, operands);
    if (status != CLACT_SUCCESS)
        return status;
    if (order == CLACT_LSTM_IFGO)
        *layout = place(I, 0) | place(F, 1) | place(G, 2) | place(O, 3);
    else if (order == CLACT_LSTM_IOFG)
        *layout = place(I, 0) | place(O, 1) | place(F, 2) | place(G, 3);
    else
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "order is no clact_lstm_order");
    return CLACT_SUCCESS;
}

static clact_status gru_layout(const clact_context *ctx, const void *operands,
                               clact_gru_order order, unsigned *layout)
{
    enum { R, Z, N };
    const clact_status status = check_struct(ctx, operands);
    if (status != CLACT_SUCCESS)
        return status;
    if (order == CLACT_GRU_RZN)
        *layout = place(R, 0) | place(Z, 1) | place(N, 2);
    else if (order == CLACT_GRU_ZRN)
        *layout = place(Z, 0) | place(R, 1) | place(N, 2);
    else
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "order is no clact_gru_order");
    return CLACT_SUCCESS;
}

/* Calls. */

/* All but the operands; there[i] says whether operand i is there. */
static clact_status begin(const clact_context *ctx, kind kind, unsigned layout, clact_dtype dtype,
                          const bool there[MOST], clact__call *call)
{
    enum { FLAGS = 8 }; /* from this bit on */
    const clact_status status = clact__dtype_check(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    const cell *cell = &cells[kind];
    unsigned index = kind * DEFINED;
    for (unsigned i = 0; i < cell->operands; i++)
        if (there[i]) {
            index |= cell->defined[i];
            layout |= cell->flag[i] ? 1U << (FLAGS + cell->flag[i] - 1) : 0;
        }
    call->variant = (clact__variant){.shape = &shape, .index = index, .dtype = dtype};
    call->roles = cell->roles;
    call->operands = cell->operands;
    clact__call_add_integer(call, layout);
    return CLACT_SUCCESS;
}

static clact_status check_gradients(const clact_context *ctx, kind kind, const clact__call *call,
                                    const bool there[MOST])
{
    enum { GRAD_H = 4, GRAD_C = 5 };
    if (kind == LSTM_BACKWARD && !clact__call_empty(call) && !there[GRAD_H] && !there[GRAD_C])
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "grad_h and grad_c are both left out");
    return CLACT_SUCCESS;
}

static clact_status enqueue(clact_context *ctx, cl_command_queue queue, kind kind, unsigned layout,
                            const clact_view views[], cl_uint n_wait, const cl_event *wait,
                            cl_event *event)
{
    const clact_view *state = &views[cells[kind].state];
    clact__call call = {.views = views, .rows = state->rows, .cols = state->cols};
    bool there[MOST] = {false};
    for (unsigned i = 0; i < cells[kind].operands; i++)
        there[i] = views[i].mem != NULL;
    clact_status status = begin(ctx, kind, layout, views[0].dtype, there, &call);
    if (status == CLACT_SUCCESS)
        status = check_gradients(ctx, kind, &call, there);
    return status == CLACT_SUCCESS ? clact__call_enqueue(ctx, queue, &call, n_wait, wait, event)
                                   : status;
}

static clact_status run(clact_context *ctx, kind kind, unsigned layout, clact_dtype dtype,
                        size_t batch, size_t hidden, const void *const arrays[])
{
    clact__call call = {.rows = batch, .cols = hidden};
    bool there[MOST] = {false};
    for (unsigned i = 0; i < cells[kind].operands; i++)
        there[i] = arrays[i] != NULL;
    clact_status status = begin(ctx, kind, layout, dtype, there, &call);
    if (status == CLACT_SUCCESS)
        status = check_gradients(ctx, kind, &call, there);
    return status == CLACT_SUCCESS ? clact__matrix_run(ctx, &call, arrays, clact__call_enqueue)
                                   : status;
}

/* LSTM. */

clact_status clact_lstm_forward(clact_context *ctx, clact_lstm_order order, clact_dtype dtype,
                                size_t batch, size_t hidden, const clact_lstm_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = lstm_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->z, arrays->bias, arrays->peepholes, arrays->c_prev,
                               arrays->c, arrays->h,    arrays->gates};
    return run(ctx, LSTM_FORWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_lstm_forward(clact_context *ctx, cl_command_queue queue,
                                        clact_lstm_order order, const clact_lstm_views *views,
                                        cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = lstm_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->z, views->bias, views->peepholes, views->c_prev,
                              views->c, views->h,    views->gates};
    return enqueue(ctx, queue, LSTM_FORWARD, layout, all, n_wait, wait, event);
}

clact_status clact_lstm_backward(clact_context *ctx, clact_lstm_order order, clact_dtype dtype,
                                 size_t batch, size_t hidden,
                                 const clact_lstm_gradient_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = lstm_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->gates,  arrays->c,      arrays->c_prev, arrays->peepholes,
                               arrays->grad_h, arrays->grad_c, arrays->dz,     arrays->dc_prev};
    return run(ctx, LSTM_BACKWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_lstm_backward(clact_context *ctx, cl_command_queue queue,
                                         clact_lstm_order order,
                                         const clact_lstm_gradient_views *views, cl_uint n_wait,
                                         const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = lstm_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->gates,  views->c,      views->c_prev, views->peepholes,
                              views->grad_h, views->grad_c, views->dz,     views->dc_prev};
    return enqueue(ctx, queue, LSTM_BACKWARD, layout, all, n_wait, wait, event);
}

/* GRU. */

clact_status clact_gru_forward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                               size_t batch, size_t hidden, const clact_gru_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->x, arrays->u, arrays->h_prev, arrays->h, arrays->gates};
    return run(ctx, GRU_FORWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_forward(clact_context *ctx, cl_command_queue queue,
                                       clact_gru_order order, const clact_gru_views *views,
                                       cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->x, views->u, views->h_prev, views->h, views->gates};
    return enqueue(ctx, queue, GRU_FORWARD, layout, all, n_wait, wait, event);
}

clact_status clact_gru_backward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                                size_t batch, size_t hidden,
                                const clact_gru_gradient_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->grad, arrays->gates, arrays->h_prev,
                               arrays->dx,   arrays->du,    arrays->dh_prev};
    return run(ctx, GRU_BACKWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_backward(clact_context *ctx, cl_command_queue queue,
                                        clact_gru_order order,
                                        const clact_gru_gradient_views *views, cl_uint n_wait,
                                        const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->grad, views->gates, views->h_prev,
                              views->dx,   views->du,    views->dh_prev};
    return enqueue(ctx, queue, GRU_BACKWARD, layout, all, n_wait, wait, event);
}

clact_status clact_gru_reset_forward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                                     size_t batch, size_t hidden,
                                     const clact_gru_reset_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->x, arrays->u, arrays->h_prev, arrays->reset, arrays->gates};
    return run(ctx, GRU_RESET_FORWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_reset_forward(clact_context *ctx, cl_command_queue queue,
                                             clact_gru_order order,
                                             const clact_gru_reset_views *views, cl_uint n_wait,
                                             const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->x, views->u, views->h_prev, views->reset, views->gates};
    return enqueue(ctx, queue, GRU_RESET_FORWARD, layout, all, n_wait, wait, event);
}

clact_status clact_gru_reset_backward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                                      size_t batch, size_t hidden,
                                      const clact_gru_reset_gradient_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->dreset,  arrays->gates, arrays->h_prev,
                               arrays->dh_part, arrays->dx,    arrays->dh_prev};
    return run(ctx, GRU_RESET_BACKWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_reset_backward(clact_context *ctx, cl_command_queue queue,
                                              clact_gru_order order,
                                              const clact_gru_reset_gradient_views *views,
                                              cl_uint n_wait, const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->dreset,  views->gates, views->h_prev,
                              views->dh_part, views->dx,    views->dh_prev};
    return enqueue(ctx, queue, GRU_RESET_BACKWARD, layout, all, n_wait, wait, event);
}

clact_status clact_gru_update_forward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                                      size_t batch, size_t hidden,
                                      const clact_gru_update_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->x,      arrays->u, arrays->v,
                               arrays->h_prev, arrays->h, arrays->gates};
    return run(ctx, GRU_UPDATE_FORWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_update_forward(clact_context *ctx, cl_command_queue queue,
                                              clact_gru_order order,
                                              const clact_gru_update_views *views, cl_uint n_wait,
                                              const cl_event *wait, cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->x, views->u, views->v, views->h_prev, views->h, views->gates};
    return enqueue(ctx, queue, GRU_UPDATE_FORWARD, layout, all, n_wait, wait, event);
}

clact_status clact_gru_update_backward(clact_context *ctx, clact_gru_order order, clact_dtype dtype,
                                       size_t batch, size_t hidden,
                                       const clact_gru_update_gradient_arrays *arrays)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, arrays, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const void *const all[] = {arrays->grad, arrays->gates, arrays->h_prev, arrays->dx,
                               arrays->dh_part};
    return run(ctx, GRU_UPDATE_BACKWARD, layout, dtype, batch, hidden, all);
}

clact_status clact_enqueue_gru_update_backward(clact_context *ctx, cl_command_queue queue,
                                               clact_gru_order order,
                                               const clact_gru_update_gradient_views *views,
                                               cl_uint n_wait, const cl_event *wait,
                                               cl_event *event)
{
    unsigned layout = 0;
    const clact_status status = gru_layout(ctx, views, order, &layout);
    if (status != CLACT_SUCCESS)
        return status;
    const clact_view all[] = {views->grad, views->gates, views->h_prev, views->dx, views->dh_part};
    return enqueue(ctx, queue, GRU_UPDATE_BACKWARD, layout, all, n_wait, wait, event);
}

/* Ahead of use. */

static clact_status prepare(clact_context *ctx, kind kind, unsigned parts, clact_dtype dtype)
{
    const cell *cell = &cells[kind];
    bool there[MOST] = {false};
    clact__call call = {.operands = 0};
    for (unsigned i = 0; i < cell->operands; i++)
        there[i] = (cell->defined[i] & parts) != 0;
    const clact_status status = begin(ctx, kind, 0, dtype, there, &call);
    return status == CLACT_SUCCESS ? clact__prepare(ctx, &call) : status;
}

/* Those of the kinds that come last are gradients. */
static clact_status prepare_all(clact_context *ctx, clact_dtype dtype, unsigned parts,
                                unsigned known, const kind kinds[], unsigned forward,
                                unsigned backward)
{
    if (!ctx)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "ctx is NULL");
    if (parts & ~known)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "parts has a part that the cell has not");
    const bool training = parts & CLACT_CELL_TRAINING;
    clact_status status = CLACT_SUCCESS;
    for (unsigned i = 0; i < forward + (training ? backward : 0) && status == CLACT_SUCCESS; i++)
        status = prepare(ctx, kinds[i], parts, dtype);
    return status;
}

_Static_assert((int)CLACT_CELL_BIAS == BIAS && (int)CLACT_CELL_PEEPHOLES == PEEPHOLES &&
                   (int)CLACT_CELL_TRAINING == GATES,
               "the parts are what kernels are compiled with");

clact_status clact_prepare_lstm(clact_context *ctx, clact_dtype dtype, unsigned parts)
{
    static const kind kinds[] = {LSTM_FORWARD, LSTM_BACKWARD};
    return prepare_all(ctx, dtype, parts, BIAS | PEEPHOLES | GATES, kinds, 1, 1);
}

clact_status clact_prepare_gru(clact_context *ctx, clact_dtype dtype, unsigned parts)
{
    static const kind kinds[] = {GRU_FORWARD,  GRU_RESET_FORWARD,   GRU_UPDATE_FORWARD,
                                 GRU_BACKWARD, GRU_UPDATE_BACKWARD, GRU_RESET_BACKWARD};
    return prepare_all(ctx, dtype, parts, GATES, kinds, 3, 3);
}
