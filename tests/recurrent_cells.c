/* SPDX-License-Identifier: MIT */
#include "recurrent_cells.h"

const struct cell_call cell_calls[CELL_KINDS] = {
    [LSTM_FORWARD] = {"lstm_forward",
                      false,
                      4,
                      7,
                      {{"z", 4, PREACTIVATION, false, false},
                       {"bias", 4, PREACTIVATION, true, true},
                       {"peepholes", 3, PREACTIVATION, true, true},
                       {"c_prev", 1, STATE, false, true},
                       {"c", 1, RESULT, false, false},
                       {"h", 1, RESULT, false, false},
                       {"gates", 4, RESULT, false, true}}},
    [LSTM_BACKWARD] = {"lstm_backward",
                       true,
                       6,
                       8,
                       {{"gates", 4, SAVED_GATES, false, false},
                        {"c", 1, STATE, false, false},
                        {"c_prev", 1, STATE, false, true},
                        {"peepholes", 3, PREACTIVATION, true, true},
                        {"grad_h", 1, PREACTIVATION, false, true},
                        {"grad_c", 1, PREACTIVATION, false, true},
                        {"dz", 4, RESULT, false, false},
                        {"dc_prev", 1, RESULT, false, true}}},
    [GRU_FORWARD] = {"gru_forward",
                     false,
                     3,
                     5,
                     {{"x", 3, PREACTIVATION, false, false},
                      {"u", 3, PREACTIVATION, false, false},
                      {"h_prev", 1, STATE, false, true},
                      {"h", 1, RESULT, false, false},
                      {"gates", 4, RESULT, false, true}}},
    [GRU_BACKWARD] = {"gru_backward",
                      true,
                      3,
                      6,
                      {{"grad", 1, PREACTIVATION, false, false},
                       {"gates", 4, SAVED_GATES, false, false},
                       {"h_prev", 1, STATE, false, true},
                       {"dx", 3, RESULT, false, false},
                       {"du", 3, RESULT, false, false},
                       {"dh_prev", 1, RESULT, false, true}}},
    [GRU_RESET_FORWARD] = {"gru_reset_forward",
                           false,
                           3,
                           5,
                           {{"x", 3, PREACTIVATION, false, false},
                            {"u", 2, PREACTIVATION, false, false},
                            {"h_prev", 1, STATE, false, false},
                            {"reset", 1, RESULT, false, false},
                            {"gates", 3, RESULT, false, true}}},
    [GRU_RESET_BACKWARD] = {"gru_reset_backward",
                            true,
                            4,
                            6,
                            {{"dreset", 1, PREACTIVATION, false, false},
                             {"gates", 3, SAVED_GATES, false, false},
                             {"h_prev", 1, STATE, false, false},
                             {"dh_part", 1, PREACTIVATION, false, false},
                             {"dx", 3, RESULT, false, false},
                             {"dh_prev", 1, RESULT, false, false}}},
    [GRU_UPDATE_FORWARD] = {"gru_update_forward",
                            false,
                            4,
                            6,
                            {{"x", 3, PREACTIVATION, false, false},
                             {"u", 2, PREACTIVATION, false, false},
                             {"v", 1, PREACTIVATION, false, false},
                             {"h_prev", 1, STATE, false, true},
                             {"h", 1, RESULT, false, false},
                             {"gates", 3, RESULT, false, true}}},
    [GRU_UPDATE_BACKWARD] = {"gru_update_backward",
                             true,
                             3,
                             5,
                             {{"grad", 1, PREACTIVATION, false, false},
                              {"gates", 3, SAVED_GATES, false, false},
                              {"h_prev", 1, STATE, false, true},
                              {"dx", 3, RESULT, false, false},
                              {"dh_part", 1, RESULT, false, true}}},
};

clact_status cell_run(clact_context *ctx, enum cell_kind kind, int order, clact_dtype dtype,
                      size_t batch, size_t hidden, void *const a[CELL_OPERANDS])
{
    const clact_lstm_order lstm = (clact_lstm_order)order;
    const clact_gru_order gru = (clact_gru_order)order;
    switch (kind) {
    case LSTM_FORWARD:
        return clact_lstm_forward(ctx, lstm, dtype, batch, hidden,
                                  &(clact_lstm_arrays){a[0], a[1], a[2], a[3], a[4], a[5], a[6]});
    case LSTM_BACKWARD:
        return clact_lstm_backward(ctx, lstm, dtype, batch, hidden,
                                   &(clact_lstm_gradient_arrays){.gates = a[0],
                                                                 .c = a[1],
                                                                 .c_prev = a[2],
                                                                 .peepholes = a[3],
                                                                 .grad_h = a[4],
                                                                 .grad_c = a[5],
                                                                 .dz = a[6],
                                                                 .dc_prev = a[7]});
    case GRU_FORWARD:
        return clact_gru_forward(ctx, gru, dtype, batch, hidden,
                                 &(clact_gru_arrays){a[0], a[1], a[2], a[3], a[4]});
    case GRU_BACKWARD:
        return clact_gru_backward(ctx, gru, dtype, batch, hidden,
                                  &(clact_gru_gradient_arrays){a[0], a[1], a[2], a[3], a[4], a[5]});
    case GRU_RESET_FORWARD:
        return clact_gru_reset_forward(ctx, gru, dtype, batch, hidden,
                                       &(clact_gru_reset_arrays){a[0], a[1], a[2], a[3], a[4]});
    case GRU_RESET_BACKWARD:
        return clact_gru_reset_backward(
            ctx, gru, dtype, batch, hidden,
            &(clact_gru_reset_gradient_arrays){a[0], a[1], a[2], a[3], a[4], a[5]});
    case GRU_UPDATE_FORWARD:
        return clact_gru_update_forward(
            ctx, gru, dtype, batch, hidden,
            &(clact_gru_update_arrays){a[0], a[1], a[2], a[3], a[4], a[5]});
    default:
        return clact_gru_update_backward(
            ctx, gru, dtype, batch, hidden,
            &(clact_gru_update_gradient_arrays){a[0], a[1], a[2], a[3], a[4]});
    }
}

static clact_status enqueue_lstm(clact_context *ctx, cl_command_queue queue, enum cell_kind kind,
                                 int order, const clact_view *v, cl_uint n_wait,
                                 const cl_event *wait, cl_event *event)
{
    const clact_lstm_order lstm = (clact_lstm_order)order;
    if (kind == LSTM_FORWARD)
        return clact_enqueue_lstm_forward(
            ctx, queue, lstm, &(clact_lstm_views){v[0], v[1], v[2], v[3], v[4], v[5], v[6]}, n_wait,
            wait, event);
    return clact_enqueue_lstm_backward(ctx, queue, lstm,
                                       &(clact_lstm_gradient_views){.gates = v[0],
                                                                    .c = v[1],
                                                                    .c_prev = v[2],
                                                                    .peepholes = v[3],
                                                                    .grad_h = v[4],
                                                                    .grad_c = v[5],
                                                                    .dz = v[6],
                                                                    .dc_prev = v[7]},
                                       n_wait, wait, event);
}

clact_status cell_enqueue(clact_context *ctx, cl_command_queue queue, enum cell_kind kind,
                          int order, const clact_view v[CELL_OPERANDS], cl_uint n_wait,
                          const cl_event *wait, cl_event *event)
{
    const clact_gru_order gru = (clact_gru_order)order;
    switch (kind) {
    case LSTM_FORWARD:
    case LSTM_BACKWARD:
        return enqueue_lstm(ctx, queue, kind, order, v, n_wait, wait, event);
    case GRU_FORWARD:
        return clact_enqueue_gru_forward(
            ctx, queue, gru, &(clact_gru_views){v[0], v[1], v[2], v[3], v[4]}, n_wait, wait, event);
    case GRU_BACKWARD:
        return clact_enqueue_gru_backward(
            ctx, queue, gru, &(clact_gru_gradient_views){v[0], v[1], v[2], v[3], v[4], v[5]},
            n_wait, wait, event);
    case GRU_RESET_FORWARD:
        return clact_enqueue_gru_reset_forward(
            ctx, queue, gru, &(clact_gru_reset_views){v[0], v[1], v[2], v[3], v[4]}, n_wait, wait,
            event);
    case GRU_RESET_BACKWARD:
        return clact_enqueue_gru_reset_backward(
            ctx, queue, gru, &(clact_gru_reset_gradient_views){v[0], v[1], v[2], v[3], v[4], v[5]},
            n_wait, wait, event);
    case GRU_UPDATE_FORWARD:
        return clact_enqueue_gru_update_forward(
            ctx, queue, gru, &(clact_gru_update_views){v[0], v[1], v[2], v[3], v[4], v[5]}, n_wait,
            wait, event);
    default:
        return clact_enqueue_gru_update_backward(
            ctx, queue, gru, &(clact_gru_update_gradient_views){v[0], v[1], v[2], v[3], v[4]},
            n_wait, wait, event);
    }
}
