/* SPDX-License-Identifier: MIT */
/* Losses: binary cross-entropy with logits and its gradient. Included by clact.h. */
#ifndef CLACT_LOSS_H
#define CLACT_LOSS_H

/*
 * Binary cross-entropy with logits (torch.nn.BCEWithLogitsLoss): with s the sigmoid, softplus(x) =
 * log(1 + e^x), x a logit, y its target, w its weight and p its column's pos_weight,
 *
 *     loss = w (p y softplus(-x) + (1 - y) softplus(x))
 *     dx   = grad w ((1 - y) s(x) - p y s(-x))
 *
 * which is -w (p y log s(x) + (1 - y) log(1 - s(x))) without what that loses: neither is computed
 * from a probability, nor from one another, so that a loss keeps its precision down to the smallest
 * number, and is finite wherever it is one.
 *
 * Targets are from 0 to 1, of the logits' dtype or, as 0 and 1, bytes (CLACT_U8). All others go into
 * the formula as they are, which then may lose precision; pos_weight is meant to be at least 0.
 *
 * Infinite logits: the loss of +inf with target 1 and of -inf with target 0 is 0, that of +inf with
 * another target +inf; dx is its limit. What has a weight of 0 adds 0, at infinite logits too; so do
 * a pos_weight and a target whose product is 0. Of infinite weights or gradients what IEEE 754 makes
 * of the formula is the result. A NaN gives NaN, also next to a weight of 0.
 *
 * Reductions. The mean and the sum of the losses are the same bits on every run and for any strides,
 * offsets, vector width, work-group size and way to store; so are they on any devices that compute
 * with the same arithmetic (clact_options.arithmetic). All elements are added up in an order that
 * only their number decides, with their low parts, and rounded once at the end.
 */
typedef enum clact_reduction {
    CLACT_REDUCTION_MEAN = 0, /* the sum divided by the number of elements, weights or not */
    CLACT_REDUCTION_SUM = 1,
    CLACT_REDUCTION_NONE = 2, /* a loss for each element */
} clact_reduction;

/*
 * The largest errors in ULP of the dtype, for targets from 0 to 1 and weights of any size:
 * XX(NAME, loss, dx, reduced, log2 of rest).
 *
 * loss is that of an element, reduced that of a mean or a sum. dx goes through 0 where s(x) = p y /
 * (1 - y + p y); to its bound comes 2^rest times the larger of its two terms, which counts there. To the
 * bound of a sum each element adds half of the smallest subnormal number, as losses below the normal
 * numbers are rounded before they are added (a mean's last place is no finer than that). The sum has
 * to be in the range of the arithmetic, also where only the mean is wanted: the losses of f32, f16 and
 * bf16 may not add up to more than 3.4e38.
 */
#define CLACT_BCE_BUDGET_MAP(XX)                                                                   \
    XX(F32, 1.0, 1.0, 1.0, -27)                                                                    \
    XX(F16, 0.501, 0.501, 0.501, -22)                                                              \
    XX(BF16, 0.501, 0.501, 0.501, -22)                                                             \
    XX(F64, 1.0, 1.0, 1.0, -56)

/* 1. Simple: host arrays */

/* What is not an argument of every call. All zero, or NULL in its place, for the mean, targets of the
 * logits' dtype and no weights. */
typedef struct clact_bce_arrays {
    clact_reduction reduction;
    clact_dtype targets;    /* 0: the logits' dtype; or CLACT_U8 */
    const void *weight;     /* rows x cols of the logits' dtype; NULL: 1 */
    const void *pos_weight; /* one for each of the cols, of the logits' dtype; NULL: 1 */
} clact_bce_arrays;

/*
 * for (r = 0; r < rows; r++)
 *     for (c = 0; c < cols; c++)
 *         loss[r * cols + c] = (the formula above)
 *
 * and of those the mean or the sum, if that is asked for, into the one element loss[0]. All arrays
 * have the dtype, but for targets that are bytes, and no gaps. Without reduction loss may be logits,
 * targets or weight if that is of its dtype; another overlap is CLACT_OVERLAP. Blocks until loss is
 * written. With no elements there is nothing to do without reduction, and with one it is
 * CLACT_INVALID_ARGUMENT. What is larger than one allocation of the device goes through in pieces of
 * whole rows without reduction, and is CLACT_OUT_OF_MEMORY with one. Errors as for clact_forward.
 */
CLACT_API clact_status clact_bce_with_logits(clact_context *ctx, const clact_bce_arrays *options,
                                             clact_dtype dtype, size_t rows, size_t cols,
                                             const void *logits, const void *targets, void *loss);

/* dx from the gradient of the loss: grad has one element for a mean or a sum, of which dx then has
 * its n-th part or all of it, and rows x cols without reduction. dx may be any of the arrays of
 * rows x cols and of its dtype. All else as above; pieces work for all reductions. */
CLACT_API clact_status clact_bce_with_logits_backward(clact_context *ctx,
                                                      const clact_bce_arrays *options,
                                                      clact_dtype dtype, size_t rows, size_t cols,
                                                      const void *grad, const void *logits,
                                                      const void *targets, void *dx);

/* Both in one pass over the inputs, which takes hardly longer than one of them: the loss, the same
 * bits as alone, and its gradient for a grad of 1. */
CLACT_API clact_status clact_bce_with_logits_forward_backward(
    clact_context *ctx, const clact_bce_arrays *options, clact_dtype dtype, size_t rows,
    size_t cols, const void *logits, const void *targets, void *loss, void *dx);

/* 2. Explicit: views */

/* The same of views; a view whose mem is NULL is not there. The views' own dtypes say what they are. */
typedef struct clact_bce_views {
    clact_reduction reduction;
    clact_view weight;     /* as many rows and columns as the logits */
    clact_view pos_weight; /* one row, as many columns */
} clact_bce_views;

/*
 * The calls above on views, as clact_enqueue_forward is clact_forward: they return at once, with an
 * event that is complete when all outputs are written. targets, weight, dx and, without reduction,
 * loss and grad have the shape of the logits; with one loss and grad are views of 1 x 1. An output
 * may be equal to an input of its shape and dtype. A reduction takes memory of the device while it
 * runs, at most 2 percent of that of the logits and 256 bytes, and one more small kernel: after
 * CLACT_BUILD_FAILED, CLACT_OUT_OF_MEMORY or CLACT_OPENCL_ERROR the first may be writing dx still.
 * NULL options as above.
 */
CLACT_API clact_status clact_enqueue_bce_with_logits(clact_context *ctx, cl_command_queue queue,
                                                     const clact_bce_views *options,
                                                     clact_view logits, clact_view targets,
                                                     clact_view loss, cl_uint n_wait,
                                                     const cl_event *wait, cl_event *event);
CLACT_API clact_status clact_enqueue_bce_with_logits_backward(
    clact_context *ctx, cl_command_queue queue, const clact_bce_views *options, clact_view grad,
    clact_view logits, clact_view targets, clact_view dx, cl_uint n_wait, const cl_event *wait,
    cl_event *event);
CLACT_API clact_status clact_enqueue_bce_with_logits_forward_backward(
    clact_context *ctx, cl_command_queue queue, const clact_bce_views *options, clact_view logits,
    clact_view targets, clact_view loss, clact_view dx, cl_uint n_wait, const cl_event *wait,
    cl_event *event);

/* 3. Advanced */

/* clact_prepare for the three calls with these options, of either layer; of weight and pos_weight
 * only whether they are NULL is looked at. */
CLACT_API clact_status clact_prepare_bce_with_logits(clact_context *ctx,
                                                     const clact_bce_arrays *options,
                                                     clact_dtype dtype);

#endif /* CLACT_LOSS_H */
