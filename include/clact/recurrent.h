/* SPDX-License-Identifier: MIT */
/*
 * Recurrent cells: the part of LSTM and GRU that is not a matrix product. Included by clact.h.
 *
 * A step of such a cell on a batch of B sequences with H hidden units is two matrix products, of the
 * input and of the hidden state with their weights, and then a formula for each of the B x H units.
 * That formula is here: one call for a step forward and one for its gradient, in one pass over memory.
 *
 * Operands are matrices of one dtype. B and H are those of the state. Where a matrix has the columns
 * of several gates, gate after gate, each of them has H columns, in the order that the call is given.
 *
 * Errors. s is the sigmoid. Results are those of the exact formula on the given operands, and what
 * is between, such as c' in tanh(c'), is not rounded. Budgets are in ULP, of the result or, if that
 * is larger, of the largest of the terms that it is the sum of, as independent terms may cancel:
 *
 *                                                      f32    f16, bf16   f64
 *   c', h', r h and the gates forward                  1.5      0.501     2
 *   all gradients                                      1.5      0.501     2
 *
 * A peephole multiplies c' with its error: where |p_o| times c', or the larger term of it, is above 1,
 * what is allowed of o and h' is that many times as much.
 *
 * Gradients are exact to that of the values that were saved, which have been rounded. As long as they
 * are not so small that a product of the factors of `grad` is below 2^-100 (f64: 2^-900).
 *
 * All else, such as queues, events, errors and threads, is as clact.h says of clact_enqueue_forward, and
 * of clact_forward for the calls on host arrays. Biases' gradients are the column sums of those by
 * the pre-activations: the product that makes the weights' gradient gives them, with a column of ones.
 */
#ifndef CLACT_RECURRENT_H
#define CLACT_RECURRENT_H

/* What this version promises, as above: X(name, f32, f16 and bf16, f64). */
#define CLACT_RECURRENT_BUDGETS(X)                                                                 \
    X(FORWARD, 1.5, 0.501, 2.0)                                                                    \
    X(BACKWARD, 1.5, 0.501, 2.0)

/*
 * LSTM (S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", 1997; F. Gers et al., "Learning to
 * Forget", 2000, and for peepholes "Learning Precise Timing", 2002; ONNX LSTM, torch.nn.LSTMCell).
 */

/* The order of the gates: i, f and o are the input, forget and output gate, and g is the candidate,
 * which ONNX calls c. */
typedef enum clact_lstm_order {
    CLACT_LSTM_IFGO = 0, /* PyTorch, cuDNN, Keras */
    CLACT_LSTM_IOFG = 1  /* ONNX */
} clact_lstm_order;

/*
 * for (b = 0; b < B; b++)
 *     for (j = 0; j < H; j++) {
 *         i = s(z_i[b][j] + bias_i[j] + p_i[j] * c_prev[b][j]);
 *         f = s(z_f[b][j] + bias_f[j] + p_f[j] * c_prev[b][j]);
 *         g = tanh(z_g[b][j] + bias_g[j]);
 *         c[b][j] = f * c_prev[b][j] + i * g;
 *         o = s(z_o[b][j] + bias_o[j] + p_o[j] * c[b][j]);
 *         h[b][j] = o * tanh(c[b][j]);
 *     }
 *
 * z is B x 4H, the sum of both products: the second one is best added to the first where it is
 * made. Left out (mem, or the array, is NULL): bias, 1 x 4H, is 0; peepholes, 1 x 3H, in the order
 * i o f whatever that of the gates, are 0; c_prev is 0. gates, B x 4H, receives i, f, g and o in
 * their order for the gradient; leave it out where there will be none, which changes no result.
 *
 * c may be c_prev and gates may be z.
 */
typedef struct clact_lstm_views {
    clact_view z;
    clact_view bias;      /* may be left out */
    clact_view peepholes; /* may be left out */
    clact_view c_prev;    /* may be left out */
    clact_view c;         /* output */
    clact_view h;         /* output */
    clact_view gates;     /* output, may be left out */
} clact_lstm_views;

typedef struct clact_lstm_arrays {
    const void *z, *bias, *peepholes, *c_prev;
    void *c, *h, *gates;
} clact_lstm_arrays;

CLACT_API clact_status clact_lstm_forward(clact_context *ctx, clact_lstm_order order,
                                          clact_dtype dtype, size_t batch, size_t hidden,
                                          const clact_lstm_arrays *arrays);
CLACT_API clact_status clact_enqueue_lstm_forward(clact_context *ctx, cl_command_queue queue,
                                                  clact_lstm_order order,
                                                  const clact_lstm_views *views, cl_uint n_wait,
                                                  const cl_event *wait, cl_event *event);

/*
 * for (b = 0; b < B; b++)
 *     for (j = 0; j < H; j++) {
 *         dz_o = grad_h * tanh(c) * o * (1 - o);
 *         dc = grad_c + grad_h * o * (1 - tanh(c) * tanh(c)) + p_o * dz_o;
 *         dz_i = dc * g * i * (1 - i);
 *         dz_f = dc * c_prev * f * (1 - f);
 *         dz_g = dc * i * (1 - g * g);
 *         dc_prev = dc * f + p_i * dz_i + p_f * dz_f;
 *     }
 *
 * where all but the peepholes have [b][j]. grad_h and grad_c are the loss's gradients by h and c; what
 * is left out of them is 0, but not both. gates and c are what the forward call has given, c_prev and
 * peepholes what it was given. dz, B x 4H, is the gradient by z, in the gates' order; dc_prev is that
 * by c_prev.
 *
 * dz may be gates, and dc_prev any of the inputs of its shape.
 */
typedef struct clact_lstm_gradient_views {
    clact_view grad_h; /* may be left out, if grad_c is there */
    clact_view grad_c; /* may be left out, if grad_h is there */
    clact_view gates;
    clact_view c;
    clact_view c_prev;    /* may be left out */
    clact_view peepholes; /* may be left out */
    clact_view dz;        /* output */
    clact_view dc_prev;   /* output, may be left out */
} clact_lstm_gradient_views;

typedef struct clact_lstm_gradient_arrays {
    const void *grad_h, *grad_c, *gates, *c, *c_prev, *peepholes;
    void *dz, *dc_prev;
} clact_lstm_gradient_arrays;

CLACT_API clact_status clact_lstm_backward(clact_context *ctx, clact_lstm_order order,
                                           clact_dtype dtype, size_t batch, size_t hidden,
                                           const clact_lstm_gradient_arrays *arrays);
CLACT_API clact_status clact_enqueue_lstm_backward(clact_context *ctx, cl_command_queue queue,
                                                   clact_lstm_order order,
                                                   const clact_lstm_gradient_views *views,
                                                   cl_uint n_wait, const cl_event *wait,
                                                   cl_event *event);

/* What of a cell is used, for clact_prepare_lstm and clact_prepare_gru: or-ed. */
typedef enum clact_cell_part {
    CLACT_CELL_BIAS = 1,      /* the LSTM's bias is there */
    CLACT_CELL_PEEPHOLES = 2, /* the LSTM's peepholes are there */
    CLACT_CELL_TRAINING = 4   /* the gates are stored, and the gradient is wanted */
} clact_cell_part;

/* Compiles ahead, as clact_prepare does, what steps of this kind need. */
CLACT_API clact_status clact_prepare_lstm(clact_context *ctx, clact_dtype dtype, unsigned parts);

/*
 * GRU (K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014; ONNX GRU,
 * torch.nn.GRUCell).
 *
 * There are two conventions. In the paper the reset gate is applied to the hidden state before its
 * product with the candidate's weights, so that a step takes two calls with that product between
 * them: clact_gru_reset_forward and clact_gru_update_forward. cuDNN, PyTorch and, where
 * linear_before_reset is 1, ONNX apply it to the product: one call, clact_gru_forward.
 */

/* The order of the gates: r and z are the reset and the update gate, and n is the candidate, which
 * ONNX calls h. */
typedef enum clact_gru_order {
    CLACT_GRU_RZN = 0, /* PyTorch, cuDNN */
    CLACT_GRU_ZRN = 1  /* ONNX, Keras */
} clact_gru_order;

/*
 * The reset gate after the product:
 *
 * for (b = 0; b < B; b++)
 *     for (j = 0; j < H; j++) {
 *         r = s(x_r[b][j] + u_r[b][j]);
 *         z = s(x_z[b][j] + u_z[b][j]);
 *         n = tanh(x_n[b][j] + r * u_n[b][j]);
 *         h[b][j] = (1 - z) * n + z * h_prev[b][j];
 *     }
 *
 * x, B x 3H, is the product of the input with its weights, and u, B x 3H, that of h_prev, each with its
 * biases. h_prev that is left out is 0. gates, B x 4H, receives for the gradient r, z and n in their
 * order, and u_n behind them; leave it out where there will be none, which changes no result.
 *
 * h may be h_prev.
 */
typedef struct clact_gru_views {
    clact_view x;
    clact_view u;
    clact_view h_prev; /* may be left out */
    clact_view h;      /* output */
    clact_view gates;  /* output, may be left out */
} clact_gru_views;

typedef struct clact_gru_arrays {
    const void *x, *u, *h_prev;
    void *h, *gates;
} clact_gru_arrays;

CLACT_API clact_status clact_gru_forward(clact_context *ctx, clact_gru_order order,
                                         clact_dtype dtype, size_t batch, size_t hidden,
                                         const clact_gru_arrays *arrays);
CLACT_API clact_status clact_enqueue_gru_forward(clact_context *ctx, cl_command_queue queue,
                                                 clact_gru_order order,
                                                 const clact_gru_views *views, cl_uint n_wait,
                                                 const cl_event *wait, cl_event *event);

/*
 * for (b = 0; b < B; b++)
 *     for (j = 0; j < H; j++) {
 *         dx_z = du_z = grad * (h_prev - n) * z * (1 - z);
 *         dx_n = grad * (1 - z) * (1 - n * n);
 *         du_n = dx_n * r;
 *         dx_r = du_r = dx_n * u_n * r * (1 - r);
 *         dh_prev = grad * z;
 *     }
 *
 * where all have [b][j]. grad is the loss's gradient by h; gates is what the forward call has given,
 * h_prev what it was given. dx and du, B x 3H, are the gradients by x and u. dh_prev, which may be
 * left out, is that by h_prev where it is not multiplied: what du gives through the product comes to it.
 * dh_prev may be grad or h_prev.
 */
typedef struct clact_gru_gradient_views {
    clact_view grad;
    clact_view gates;
    clact_view h_prev;  /* may be left out */
    clact_view dx;      /* output */
    clact_view du;      /* output */
    clact_view dh_prev; /* output, may be left out */
} clact_gru_gradient_views;

typedef struct clact_gru_gradient_arrays {
    const void *grad, *gates, *h_prev;
    void *dx, *du, *dh_prev;
} clact_gru_gradient_arrays;

CLACT_API clact_status clact_gru_backward(clact_context *ctx, clact_gru_order order,
                                          clact_dtype dtype, size_t batch, size_t hidden,
                                          const clact_gru_gradient_arrays *arrays);
CLACT_API clact_status clact_enqueue_gru_backward(clact_context *ctx, cl_command_queue queue,
                                                  clact_gru_order order,
                                                  const clact_gru_gradient_views *views,
                                                  cl_uint n_wait, const cl_event *wait,
                                                  cl_event *event);

/*
 * The reset gate before the product, forward:
 *
 *     reset   = s(x_r + u_r) * h_prev
 *     (the caller: v = reset * weights)
 *     z       = s(x_z + u_z)
 *     n       = tanh(x_n + v)
 *     h       = (1 - z) * n + z * h_prev
 *
 * and backward, from grad, the gradient by h:
 *
 *     dx_z    = grad * (h_prev - n) * z * (1 - z)
 *     dx_n    = grad * (1 - z) * (1 - n * n)
 *     dh_part = grad * z
 *     (the caller: dreset, from dx_n and the weights of v)
 *     dx_r    = dreset * h_prev * r * (1 - r)
 *     dh_prev = dh_part + dreset * r
 *
 * for each [b][j]. x, gates and dx are B x 3H in the gates' order; u, the product of h_prev with the
 * weights of r and z alone, is B x 2H in that order; all others are B x H. A call writes only those
 * columns of gates and dx that it computes: those of r, or those of z and n. dx is the gradient by u as
 * well, and its columns of n are that by v. gates may be left out, and of the second call h_prev.
 * gates may be x, dx may be gates, h may be h_prev, and dh_prev may be dh_part.
 */
typedef struct clact_gru_reset_views {
    clact_view x;
    clact_view u;
    clact_view h_prev;
    clact_view reset; /* output */
    clact_view gates; /* output, may be left out: r */
} clact_gru_reset_views;

typedef struct clact_gru_update_views {
    clact_view x;
    clact_view u;
    clact_view v;
    clact_view h_prev; /* may be left out */
    clact_view h;      /* output */
    clact_view gates;  /* output, may be left out: z and n */
} clact_gru_update_views;

typedef struct clact_gru_update_gradient_views {
    clact_view grad;
    clact_view gates;
    clact_view h_prev;  /* may be left out */
    clact_view dx;      /* output: dx_z and dx_n */
    clact_view dh_part; /* output, may be left out */
} clact_gru_update_gradient_views;

typedef struct clact_gru_reset_gradient_views {
    clact_view dreset;
    clact_view gates;
    clact_view h_prev;
    clact_view dh_part;
    clact_view dx;      /* output: dx_r */
    clact_view dh_prev; /* output */
} clact_gru_reset_gradient_views;

typedef struct clact_gru_reset_arrays {
    const void *x, *u, *h_prev;
    void *reset, *gates;
} clact_gru_reset_arrays;

typedef struct clact_gru_update_arrays {
    const void *x, *u, *v, *h_prev;
    void *h, *gates;
} clact_gru_update_arrays;

typedef struct clact_gru_update_gradient_arrays {
    const void *grad, *gates, *h_prev;
    void *dx, *dh_part;
} clact_gru_update_gradient_arrays;

typedef struct clact_gru_reset_gradient_arrays {
    const void *dreset, *gates, *h_prev, *dh_part;
    void *dx, *dh_prev;
} clact_gru_reset_gradient_arrays;

CLACT_API clact_status clact_gru_reset_forward(clact_context *ctx, clact_gru_order order,
                                               clact_dtype dtype, size_t batch, size_t hidden,
                                               const clact_gru_reset_arrays *arrays);
CLACT_API clact_status clact_enqueue_gru_reset_forward(clact_context *ctx, cl_command_queue queue,
                                                       clact_gru_order order,
                                                       const clact_gru_reset_views *views,
                                                       cl_uint n_wait, const cl_event *wait,
                                                       cl_event *event);
CLACT_API clact_status clact_gru_update_forward(clact_context *ctx, clact_gru_order order,
                                                clact_dtype dtype, size_t batch, size_t hidden,
                                                const clact_gru_update_arrays *arrays);
CLACT_API clact_status clact_enqueue_gru_update_forward(clact_context *ctx, cl_command_queue queue,
                                                        clact_gru_order order,
                                                        const clact_gru_update_views *views,
                                                        cl_uint n_wait, const cl_event *wait,
                                                        cl_event *event);
CLACT_API clact_status clact_gru_update_backward(clact_context *ctx, clact_gru_order order,
                                                 clact_dtype dtype, size_t batch, size_t hidden,
                                                 const clact_gru_update_gradient_arrays *arrays);
CLACT_API clact_status
clact_enqueue_gru_update_backward(clact_context *ctx, cl_command_queue queue, clact_gru_order order,
                                  const clact_gru_update_gradient_views *views, cl_uint n_wait,
                                  const cl_event *wait, cl_event *event);
CLACT_API clact_status clact_gru_reset_backward(clact_context *ctx, clact_gru_order order,
                                                clact_dtype dtype, size_t batch, size_t hidden,
                                                const clact_gru_reset_gradient_arrays *arrays);
CLACT_API clact_status clact_enqueue_gru_reset_backward(clact_context *ctx, cl_command_queue queue,
                                                        clact_gru_order order,
                                                        const clact_gru_reset_gradient_views *views,
                                                        cl_uint n_wait, const cl_event *wait,
                                                        cl_event *event);

/* Compiles ahead what steps of either convention need. Of the parts only CLACT_CELL_TRAINING. */
CLACT_API clact_status clact_prepare_gru(clact_context *ctx, clact_dtype dtype, unsigned parts);

#endif /* CLACT_RECURRENT_H */
