/* SPDX-License-Identifier: MIT */
#include "composite.h"

/* Softmax. */

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

/* Losses: the mean. */

static clact_status bce(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_bce_with_logits(ctx, NULL, NULL, v[0], v[1], v[2], 0, NULL, NULL);
}

static clact_status bce_backward(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_bce_with_logits_backward(ctx, NULL, NULL, v[0], v[1], v[2], v[3], 0, NULL,
                                                  NULL);
}

static clact_status bce_both(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_bce_with_logits_forward_backward(ctx, NULL, NULL, v[0], v[1], v[2], v[3],
                                                          0, NULL, NULL);
}

static clact_status bce_weight(clact_context *ctx, const clact_view v[])
{
    const clact_bce_views options = {.weight = v[4]};
    return clact_enqueue_bce_with_logits_forward_backward(ctx, NULL, &options, v[0], v[1], v[2],
                                                          v[3], 0, NULL, NULL);
}

static clact_status bce_pos_weight(clact_context *ctx, const clact_view v[])
{
    const clact_bce_views options = {.pos_weight = v[4]};
    return clact_enqueue_bce_with_logits_forward_backward(ctx, NULL, &options, v[0], v[1], v[2],
                                                          v[3], 0, NULL, NULL);
}

/* Gated units. */

/* One operand has both halves, as torch.nn.functional.glu has them: what goes through the operator is
 * the second. */
static clact_view half_of(clact_view both, size_t which)
{
    both.cols /= 2;
    both.offset += which * both.cols;
    return both;
}

static clact_status glu(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_gated(ctx, NULL, CLACT_SIGMOID, NULL, half_of(v[0], 1), half_of(v[0], 0),
                               v[1], 0, NULL, NULL);
}

static clact_status glu_backward(clact_context *ctx, const clact_view v[])
{
    return clact_enqueue_gated_backward(ctx, NULL, CLACT_SIGMOID, NULL, v[0], half_of(v[1], 1),
                                        half_of(v[1], 0), half_of(v[2], 1), half_of(v[2], 0), 0,
                                        NULL, NULL);
}

#define UNIT_CALLS(unit, op)                                                                       \
    static clact_status unit(clact_context *ctx, const clact_view v[])                             \
    {                                                                                              \
        return clact_enqueue_gated(ctx, NULL, op, NULL, v[0], v[1], v[2], 0, NULL, NULL);          \
    }                                                                                              \
    static clact_status unit##_backward(clact_context *ctx, const clact_view v[])                  \
    {                                                                                              \
        return clact_enqueue_gated_backward(ctx, NULL, op, NULL, v[0], v[1], v[2], v[3], v[4], 0,  \
                                            NULL, NULL);                                           \
    }
UNIT_CALLS(swiglu, CLACT_SILU)
UNIT_CALLS(geglu, CLACT_GELU)
UNIT_CALLS(geglu_tanh, CLACT_GELU_TANH)
UNIT_CALLS(reglu, CLACT_RELU)

/* Epilogues, with a bias per column. */

#define EPILOGUE_CALLS(name, op)                                                                   \
    static clact_status name##_bias(clact_context *ctx, const clact_view v[])                      \
    {                                                                                              \
        return clact_enqueue_epilogue(ctx, NULL, op, NULL, NULL, v[0], v[1], v[2], 0, NULL, NULL); \
    }                                                                                              \
    static clact_status name##_bias_backward(clact_context *ctx, const clact_view v[])             \
    {                                                                                              \
        const clact_view none = {.mem = NULL};                                                     \
        return clact_enqueue_epilogue_backward(ctx, NULL, op, NULL, NULL, CLACT_SAVED_INPUT, v[0], \
                                               v[1], v[2], v[3], none, 0, NULL, NULL);             \
    }                                                                                              \
    static clact_status name##_bias_backward_dbias(clact_context *ctx, const clact_view v[])       \
    {                                                                                              \
        return clact_enqueue_epilogue_backward(ctx, NULL, op, NULL, NULL, CLACT_SAVED_INPUT, v[0], \
                                               v[1], v[2], v[3], v[4], 0, NULL, NULL);             \
    }
EPILOGUE_CALLS(relu, CLACT_RELU)
EPILOGUE_CALLS(silu, CLACT_SILU)
EPILOGUE_CALLS(gelu, CLACT_GELU)

/* The rows. Most have 16 Mi elements, as many rows and columns as ROWS and COLS say. */

#define ROWS 16384
#define COLS 1024

/* clang-format off */
#define OPERAND(rows, cols, dtype, use) {rows, cols, dtype, use}
/* clang-format on */
#define IN(rows, cols) OPERAND(rows, cols, CLACT_F32, COMPOSITE_INPUT)
#define OUT(rows, cols) OPERAND(rows, cols, CLACT_F32, COMPOSITE_OUTPUT)
#define SCRATCH(rows, cols) OPERAND(rows, cols, CLACT_F32, COMPOSITE_SCRATCH)
#define SHARE(rows, cols) OPERAND(rows, cols, CLACT_F32, COMPOSITE_SHARE)
#define IN_FULL IN(ROWS, COLS)
#define OUT_FULL OUT(ROWS, COLS)

#define SOFTMAX_ROWS(rows, cols)                                                                   \
    {.name = "softmax " #rows " x " #cols,                                                         \
     .operands = {IN(rows, cols), OUT(rows, cols)},                                                \
     .enqueue = softmax,                                                                           \
     .pytorch = "torch.ops.aten._softmax.out(a, 1, False, out=b)"},                                \
        {.name = "log_softmax " #rows " x " #cols,                                                 \
         .operands = {IN(rows, cols), OUT(rows, cols)},                                            \
         .enqueue = log_softmax,                                                                   \
         .pytorch = "torch.ops.aten._log_softmax.out(a, 1, False, out=b)"},                        \
        {.name = "softmax_backward " #rows " x " #cols,                                            \
         .operands = {IN(rows, cols), IN(rows, cols), OUT(rows, cols)},                            \
         .enqueue = softmax_backward,                                                              \
         .pytorch = "torch.ops.aten._softmax_backward_data.out(a, b, 1, torch.float32, "           \
                    "grad_input=c)"},                                                              \
    {                                                                                              \
        .name = "log_softmax_backward " #rows " x " #cols,                                         \
        .operands = {IN(rows, cols), IN(rows, cols), OUT(rows, cols)},                             \
        .enqueue = log_softmax_backward,                                                           \
        .pytorch = "torch.ops.aten._log_softmax_backward_data.out(a, b, 1, torch.float32, out=c)", \
    }

/* The gradient alone is what autograd does after a forward pass that is not timed. */
#define UNIT_ROWS(unit, act)                                                                       \
    {.name = #unit,                                                                                \
     .operands = {IN_FULL, IN_FULL, OUT_FULL},                                                     \
     .enqueue = unit,                                                                              \
     .pytorch = "torch.mul(" act "(a), b, out=c)"},                                                \
    {                                                                                              \
        .name = #unit "_backward", .operands = {IN_FULL, IN_FULL, IN_FULL, OUT_FULL, OUT_FULL},    \
        .enqueue = unit##_backward,                                                                \
        .pytorch = "torch.autograd.grad(y, (b, c), a, retain_graph=True)",                         \
        .pytorch_before = "b.requires_grad_(); c.requires_grad_(); y = " act "(b) * c",            \
    }

#define EPILOGUE_ROWS(op, act)                                                                     \
    {.name = #op "_bias",                                                                          \
     .operands = {IN_FULL, IN(1, COLS), OUT_FULL},                                                 \
     .enqueue = op##_bias,                                                                         \
     .pytorch = act "(a + b)"},                                                                    \
        {.name = #op "_bias_backward",                                                             \
         .operands = {IN_FULL, IN_FULL, IN(1, COLS), OUT_FULL},                                    \
         .enqueue = op##_bias_backward,                                                            \
         .pytorch = "torch.autograd.grad(y, (b,), a, retain_graph=True)",                          \
         .pytorch_before = "b.requires_grad_(); y = " act "(b + c)"},                              \
    {                                                                                              \
        .name = #op "_bias_backward_dbias",                                                        \
        .operands = {IN_FULL, IN_FULL, IN(1, COLS), OUT_FULL, OUT(1, COLS)},                       \
        .enqueue = op##_bias_backward_dbias,                                                       \
        .pytorch = "torch.autograd.grad(y, (b, c), a, retain_graph=True)",                         \
        .pytorch_before = "b.requires_grad_(); c.requires_grad_(); y = " act "(b + c)",            \
    }

/* A cell's formula as one writes it who has no call for it; PyTorch's own is for GPUs alone. */
#define PYTORCH_LSTM(z, c_prev)                                                                    \
    "i, j, k, o = " z ".chunk(4, 1); "                                                             \
    "s = torch.sigmoid(j) * " c_prev " + torch.sigmoid(i) * torch.tanh(k); "                       \
    "h = torch.sigmoid(o) * torch.tanh(s)"
#define PYTORCH_GRU(x, u, h_prev)                                                                  \
    "i, j, k = " x ".chunk(3, 1); l, m, n = " u ".chunk(3, 1); "                                   \
    "z = torch.sigmoid(j + m); t = torch.tanh(k + torch.sigmoid(i + l) * n); "                     \
    "h = t + z * (" h_prev " - t)"

#define LSTM_ROWS(rows, cols)                                                                      \
    {.name = "lstm " #rows " x " #cols,                                                            \
     .operands = {IN(rows, 4 * cols), IN(rows, cols), OUT(rows, cols), OUT(rows, cols),            \
                  SCRATCH(rows, cols), SCRATCH(rows, cols), SCRATCH(rows, cols),                   \
                  SCRATCH(rows, cols), SCRATCH(rows, cols)},                                       \
     .enqueue = composite_lstm,                                                                    \
     .pytorch = PYTORCH_LSTM("a", "b"),                                                            \
     .separate = composite_lstm_separate},                                                         \
        {.name = "lstm_training " #rows " x " #cols,                                               \
         .operands = {IN(rows, 4 * cols), IN(rows, cols), OUT(rows, cols), OUT(rows, cols),        \
                      OUT(rows, 4 * cols)},                                                        \
         .enqueue = composite_lstm_training,                                                       \
         .pytorch = PYTORCH_LSTM("a", "b"),                                                        \
         .pytorch_before = "a.requires_grad_(); b.requires_grad_()"},                              \
    {                                                                                              \
        .name = "lstm_backward " #rows " x " #cols,                                                \
        .operands = {IN(rows, cols), IN(rows, cols),      IN(rows, 4 * cols), IN(rows, cols),      \
                     IN(rows, cols), OUT(rows, 4 * cols), OUT(rows, cols)},                        \
        .enqueue = composite_lstm_backward,                                                        \
        .pytorch = "torch.autograd.grad((h, s), (f, e), (a, b), retain_graph=True)",               \
        .pytorch_before = "f.requires_grad_(); e.requires_grad_(); " PYTORCH_LSTM("f", "e"),       \
    }

#define GRU_ROWS(rows, cols)                                                                       \
    {.name = "gru " #rows " x " #cols,                                                             \
     .operands = {IN(rows, 3 * cols), IN(rows, 3 * cols), IN(rows, cols), OUT(rows, cols)},        \
     .enqueue = composite_gru,                                                                     \
     .pytorch = PYTORCH_GRU("a", "b", "c")},                                                       \
        {.name = "gru_training " #rows " x " #cols,                                                \
         .operands = {IN(rows, 3 * cols), IN(rows, 3 * cols), IN(rows, cols), OUT(rows, cols),     \
                      OUT(rows, 4 * cols)},                                                        \
         .enqueue = composite_gru_training,                                                        \
         .pytorch = PYTORCH_GRU("a", "b", "c"),                                                    \
         .pytorch_before = "a.requires_grad_(); b.requires_grad_(); c.requires_grad_()"},          \
    {                                                                                              \
        .name = "gru_backward " #rows " x " #cols,                                                 \
        .operands = {IN(rows, cols),      IN(rows, 4 * cols),  IN(rows, cols),                     \
                     OUT(rows, 3 * cols), OUT(rows, 3 * cols), OUT(rows, cols)},                   \
        .enqueue = composite_gru_backward,                                                         \
        .pytorch = "torch.autograd.grad(h, (d, e, c), a, retain_graph=True)",                      \
        .pytorch_before =                                                                          \
            "d.requires_grad_(); e.requires_grad_(); c.requires_grad_(); " PYTORCH_GRU("d", "e",   \
                                                                                       "c"),       \
    }

#define BCE "F.binary_cross_entropy_with_logits"

/* Of PyTorch what one writes to train: the loss and then its gradient. */
#define BCE_BOTH_ROW(row, call, targets, dtype, ...)                                               \
    {                                                                                              \
        .name = row,                                                                               \
        .operands = {IN_FULL, OPERAND(ROWS, COLS, dtype, COMPOSITE_SHARE), OUT(1, 1), OUT_FULL,    \
                     __VA_ARGS__},                                                                 \
        .enqueue = call, .pytorch = "a.grad = None; " BCE "(a, " targets ").backward()",           \
        .pytorch_before = "a.requires_grad_()",                                                    \
    }
#define NO_MORE OPERAND(0, 0, CLACT_F32, COMPOSITE_INPUT)

const struct composite composites[] = {
    {.name = "bce",
     .operands = {IN_FULL, SHARE(ROWS, COLS), OUT(1, 1)},
     .enqueue = bce,
     .pytorch = BCE "(a, b)"},
    {.name = "bce_backward",
     .operands = {IN(1, 1), IN_FULL, SHARE(ROWS, COLS), OUT_FULL},
     .enqueue = bce_backward,
     .pytorch = "torch.autograd.grad(y, (b,), a[0, 0], retain_graph=True)",
     .pytorch_before = "b.requires_grad_(); y = " BCE "(b, c)"},
    BCE_BOTH_ROW("bce_both", bce_both, "b", CLACT_F32, NO_MORE),
    BCE_BOTH_ROW("bce_both bytes", bce_both, "b.float()", CLACT_U8, NO_MORE),
    BCE_BOTH_ROW("bce_both weight", bce_weight, "b, weight=e", CLACT_F32, SHARE(ROWS, COLS)),
    BCE_BOTH_ROW("bce_both pos_weight", bce_pos_weight, "b, pos_weight=e", CLACT_F32,
                 SHARE(1, COLS)),
    {.name = "glu",
     .operands = {IN(ROWS, 2 * COLS), OUT_FULL},
     .enqueue = glu,
     .pytorch = "torch.ops.aten.glu.out(a, 1, out=b)"},
    {.name = "glu_backward",
     .operands = {IN_FULL, IN(ROWS, 2 * COLS), OUT(ROWS, 2 * COLS)},
     .enqueue = glu_backward,
     .pytorch = "torch.ops.aten.glu_backward.grad_input(a, b, 1, grad_input=c)"},
    UNIT_ROWS(swiglu, "F.silu"),
    UNIT_ROWS(geglu, "F.gelu"),
    UNIT_ROWS(geglu_tanh, "(lambda t: F.gelu(t, approximate=\"tanh\"))"),
    UNIT_ROWS(reglu, "F.relu"),
    EPILOGUE_ROWS(relu, "F.relu"),
    EPILOGUE_ROWS(silu, "F.silu"),
    EPILOGUE_ROWS(gelu, "F.gelu"),
    LSTM_ROWS(64, 512),
    LSTM_ROWS(4096, 1024),
    GRU_ROWS(64, 512),
    GRU_ROWS(4096, 1024),
    SOFTMAX_ROWS(16384, 1024),
    SOFTMAX_ROWS(1048576, 16),
    SOFTMAX_ROWS(1048576, 10),
    SOFTMAX_ROWS(64, 50257),
};

const size_t composite_count = sizeof composites / sizeof *composites;
