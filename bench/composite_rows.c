/* SPDX-License-Identifier: MIT */
#include "composite.h"

static clact_status softmax(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_softmax(ctx, NULL, v[0], v[1], 0, NULL, NULL);
}

static clact_status log_softmax(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_log_softmax(ctx, NULL, v[0], v[1], 0, NULL, NULL);
}

static clact_status softmax_backward(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_softmax_backward(ctx, NULL, v[0], v[1], v[2], 0, NULL, NULL);
}

static clact_status log_softmax_backward(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_log_softmax_backward(ctx, NULL, v[0], v[1], v[2], 0, NULL, NULL);
}

#define IN(rows, cols, dtype)                                                                      \
    {                                                                                              \
        rows, cols, dtype, false                                                                   \
    }
#define OUT(rows, cols, dtype)                                                                     \
    {                                                                                              \
        rows, cols, dtype, true                                                                    \
    }

#define SOFTMAX_ROWS(rows, cols)                                                                   \
    {"softmax " #rows " x " #cols,                                                                 \
     {IN(rows, cols, CLACT_F32), OUT(rows, cols, CLACT_F32)},                                      \
     softmax,                                                                                      \
     "torch.ops.aten._softmax.out(a, 1, False, out=b)"},                                           \
        {"log_softmax " #rows " x " #cols,                                                         \
         {IN(rows, cols, CLACT_F32), OUT(rows, cols, CLACT_F32)},                                  \
         log_softmax,                                                                              \
         "torch.ops.aten._log_softmax.out(a, 1, False, out=b)"},                                   \
        {"softmax_backward " #rows " x " #cols,                                                    \
         {IN(rows, cols, CLACT_F32), IN(rows, cols, CLACT_F32), OUT(rows, cols, CLACT_F32)},       \
         softmax_backward,                                                                         \
         "torch.ops.aten._softmax_backward_data.out(a, b, 1, torch.float32, grad_input=c)"},       \
    {                                                                                              \
        "log_softmax_backward " #rows " x " #cols,                                                 \
            {IN(rows, cols, CLACT_F32), IN(rows, cols, CLACT_F32), OUT(rows, cols, CLACT_F32)},    \
            log_softmax_backward,                                                                  \
            "torch.ops.aten._log_softmax_backward_data.out(a, b, 1, torch.float32, out=c)"         \
    }

const struct composite composites[] = {
    SOFTMAX_ROWS(16384, 1024),
    SOFTMAX_ROWS(1048576, 16),
    SOFTMAX_ROWS(1048576, 10),
    SOFTMAX_ROWS(64, 50257),
};

const size_t composite_count = sizeof composites / sizeof *composites;
