/* SPDX-License-Identifier: MIT */
/*
 * Gated linear units: y = act(a) * b, where act is any operator of ops.def. Included by clact.h.
 *
 * The usual ones have names of their own (Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, "Language
 * Modeling with Gated Convolutional Networks", 2016; N. Shazeer, "GLU Variants Improve Transformer",
 * 2020):
 *
 *     GLU     CLACT_SIGMOID                     SwiGLU  CLACT_SILU, with its beta
 *     GEGLU   CLACT_GELU or CLACT_GELU_TANH     ReGLU   CLACT_RELU
 *
 * a is what goes through the operator. torch.nn.functional.glu takes the first half of its input as
 * b and the second as a; the usual SwiGLU and GEGLU take the first as a (diffusers' GEGLU: the
 * second). The halves of one matrix need no copy: of a matrix of n rows and 2 * h columns in mem,
 *
 *     clact_view first = clact_view_2d(mem, CLACT_F32, 0, n, h, 2 * h);
 *     clact_view second = clact_view_2d(mem, CLACT_F32, h, n, h, 2 * h);
 *
 * Accuracy. The units below are computed as a whole and rounded once: their results are within these
 * ULP of the exact act(a) * b for any a and b, also where act(a) alone would be too small for the
 * type. With another operator act(a) is first within that operator's budget in ops.def, in f32 and
 * f64 rounded to the type, and its product with b is rounded again.
 *
 *   XX(OPERATOR, operator, unit, largest error in f32 with a normal result, f32 with a subnormal
 *      result, f16 and bf16, f64)
 */
#ifndef CLACT_GATED_H
#define CLACT_GATED_H

#define CLACT_GATED_MAP(XX)                                                                        \
    XX(SIGMOID, sigmoid, glu, 0.65, 0.85, 0.501, 0.85)                                             \
    XX(SILU, silu, swiglu, 0.65, 0.85, 0.501, 0.85)                                                \
    XX(GELU, gelu, geglu, 1.0, 0.85, 0.501, 1.0)                                                   \
    XX(GELU_TANH, gelu_tanh, geglu_tanh, 0.65, 0.85, 0.501, 0.85)                                  \
    XX(RELU, relu, reglu, 0.501, 0.501, 0.501, 0.501)

/* da = grad * b * act'(a) is within so many ULP more, where it is normal and where it is subnormal,
 * than ops.def allows the operator's gradient from the input, and in f16 and bf16 within 0.501.
 * db = grad * act(a) is as accurate as y. */
#define CLACT_GATED_GRADIENT_ALLOWANCE 0.55
#define CLACT_GATED_GRADIENT_ALLOWANCE_SUBNORMAL 0.75

/*
 * y[i] = act(a[i]) * b[i], for i in [0, n)
 *
 * a, b and y are host arrays of n elements of the given dtype, aligned to the element's size. y may
 * be a or b; another overlap is CLACT_OVERLAP. params are the operator's; NULL for its defaults.
 * Blocks until y is written. All else as for clact_forward.
 *
 * Infinities and NaN: where a is finite, an infinite b makes an infinite y, of the sign of act(a),
 * unless act(a) is exactly 0; else y is act(a) times b as IEEE 754 multiplies them, so that 0 times
 * infinity is NaN. Operators that are not among the units above multiply their rounded result.
 */
CLACT_API clact_status clact_gated(clact_context *ctx, clact_operator op,
                                   const clact_params *params, clact_dtype dtype, size_t n,
                                   const void *a, const void *b, void *y);

/*
 * da[i] = grad[i] * b[i] * act'(a[i]) and db[i] = grad[i] * act(a[i]), for i in [0, n), in one pass
 *
 * a and b are the inputs of the forward pass. da and db may be grad, a or b, but not the same array.
 * grad * b may be larger or smaller than the type holds if da is not: only where it is larger, and
 * act'(a) is below 2^-246 (f64: 2^-2038), is da 0. All else as for clact_gated.
 */
CLACT_API clact_status clact_gated_backward(clact_context *ctx, clact_operator op,
                                            const clact_params *params, clact_dtype dtype, size_t n,
                                            const void *grad, const void *a, const void *b,
                                            void *da, void *db);

/* y = act(a) * b on views of the same shape and dtype; y may equal a or b. All else as for
 * clact_enqueue_forward. */
CLACT_API clact_status clact_enqueue_gated(clact_context *ctx, cl_command_queue queue,
                                           clact_operator op, const clact_params *params,
                                           clact_view a, clact_view b, clact_view y, cl_uint n_wait,
                                           const cl_event *wait, cl_event *event);

/* da and db as clact_gated_backward has them, on views of the same shape and dtype, in one kernel.
 * Each of them may equal grad, a or b. All else as for clact_enqueue_forward. */
CLACT_API clact_status clact_enqueue_gated_backward(clact_context *ctx, cl_command_queue queue,
                                                    clact_operator op, const clact_params *params,
                                                    clact_view grad, clact_view a, clact_view b,
                                                    clact_view da, clact_view db, cl_uint n_wait,
                                                    const cl_event *wait, cl_event *event);

/* Compiles both ahead, as clact_prepare does. */
CLACT_API clact_status clact_prepare_gated(clact_context *ctx, clact_operator op,
                                           clact_dtype dtype);

#endif /* CLACT_GATED_H */
