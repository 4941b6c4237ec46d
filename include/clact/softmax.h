/* SPDX-License-Identifier: MIT */
/*
 * Softmax and log-softmax over rows, and their gradients. Included by clact.h.
 *
 * Each row of a matrix becomes probabilities, or their logarithms, and no row knows of another:
 *
 *     softmax      y[r][c] = e^x[r][c] / sum over k of e^x[r][k]
 *     log-softmax  y[r][c] = x[r][c] - log(sum over k of e^x[r][k])
 *
 * (J. S. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990;
 * ONNX Softmax and LogSoftmax along the last axis, torch.softmax and torch.log_softmax with dim=-1.)
 * For another axis make that the last one, which a view does where the other axes are of one row.
 *
 * Accuracy. Each y is within CLACT_SOFTMAX_BUDGETS of the exact result, subnormal ones too, however
 * long the row and however far apart its elements: the largest element is taken off exactly, and the
 * sum is compensated. The log-softmax of a class that dominates all others, which is nearly 0, is as
 * accurate as any. With two columns softmax(x, 0) keeps to the budgets of the sigmoid of x, and
 * log_softmax(x, 0) to those of its log-sigmoid.
 *
 * A gradient is a difference of terms, and may pass through 0. Beside its budget of ULP it may be off
 * by CLACT_SOFTMAX_CANCELLATION of the larger of its terms, which are
 *
 *     y grad and y * sum of |grad y| for softmax, grad and e^y * sum of |grad| for log-softmax
 *
 * and count at least 2^-100 for each column, below which products of a gradient underflow.
 *
 * Results do not depend on the vector width, the work-group size, alignments, strides or on other
 * rows: the order in which a row is added up is fixed.
 *
 * Special values. A row that holds NaN or +inf, or only -inf, is NaN throughout, as in PyTorch: there
 * is no limit. -inf beside numbers gives 0, and the log-softmax -inf. A row of one column gives 1 and
 * 0. Gradients are what their formulas give in IEEE arithmetic: where a sum over the row is infinite
 * or NaN, dx is infinite or NaN.
 *
 * Speed. On a CPU a row is the work of one thread, so that fewer rows than there are threads leave some
 * of these without work. On other devices a row of more than 64 columns is that of a work-group.
 */
#ifndef CLACT_SOFTMAX_H
#define CLACT_SOFTMAX_H

/* In ULP: f32 where the exact result is normal, f32 where it is subnormal, f16 and bf16, f64. */
#define CLACT_SOFTMAX_BUDGETS(XX)                                                                  \
    XX(softmax, 0.65, 0.80, 0.501, 1.0)                                                            \
    XX(log_softmax, 0.80, 0.80, 0.501, 1.0)                                                        \
    XX(softmax_backward, 1.0, 1.0, 0.501, 2.0)                                                     \
    XX(log_softmax_backward, 1.0, 1.0, 0.501, 2.0)

/* Of the larger term of a gradient: f32, f16 and bf16, f64. */
#define CLACT_SOFTMAX_CANCELLATION(XX) XX(0x1p-27, 0x1p-21, 0x1p-55)

/*
 * for (r = 0; r < rows; r++)
 *     for (c = 0; c < cols; c++)
 *         y[r * cols + c] = softmax of row r of x, at c
 *
 * x and y are host arrays of rows * cols elements of the given dtype. y may be x. Blocks until y is
 * written; with no rows or no columns there is nothing to do, and the arrays may be NULL. What is
 * larger than the device's memory goes through in pieces of some rows; one row has to fit in an
 * allocation, else it is CLACT_OUT_OF_MEMORY. All else as for clact_forward.
 */
CLACT_API clact_status clact_softmax(clact_context *ctx, clact_dtype dtype, size_t rows,
                                     size_t cols, const void *x, void *y);
CLACT_API clact_status clact_log_softmax(clact_context *ctx, clact_dtype dtype, size_t rows,
                                         size_t cols, const void *x, void *y);

/*
 * dx[r][c] = y[r][c] * (grad[r][c] - sum over k of grad[r][k] * y[r][k])       softmax
 * dx[r][c] = grad[r][c] - e^y[r][c] * sum over k of grad[r][k]                 log-softmax
 *
 * y is what the forward call gave. dx may be grad or y. All else as for clact_softmax.
 */
CLACT_API clact_status clact_softmax_backward(clact_context *ctx, clact_dtype dtype, size_t rows,
                                              size_t cols, const void *grad, const void *y,
                                              void *dx);
CLACT_API clact_status clact_log_softmax_backward(clact_context *ctx, clact_dtype dtype,
                                                  size_t rows, size_t cols, const void *grad,
                                                  const void *y, void *dx);

/*
 * The same on views of one shape, whose rows are the rows: enqueued on `queue` (NULL: the context's
 * own) after the events in `wait`, as clact_enqueue_forward does it. y may equal x, and dx grad or y;
 * other overlaps are CLACT_OVERLAP.
 */
CLACT_API clact_status clact_enqueue_softmax(clact_context *ctx, cl_command_queue queue,
                                             clact_view x, clact_view y, cl_uint n_wait,
                                             const cl_event *wait, cl_event *event);
CLACT_API clact_status clact_enqueue_log_softmax(clact_context *ctx, cl_command_queue queue,
                                                 clact_view x, clact_view y, cl_uint n_wait,
                                                 const cl_event *wait, cl_event *event);
CLACT_API clact_status clact_enqueue_softmax_backward(clact_context *ctx, cl_command_queue queue,
                                                      clact_view grad, clact_view y, clact_view dx,
                                                      cl_uint n_wait, const cl_event *wait,
                                                      cl_event *event);
CLACT_API clact_status clact_enqueue_log_softmax_backward(clact_context *ctx,
                                                          cl_command_queue queue, clact_view grad,
                                                          clact_view y, clact_view dx,
                                                          cl_uint n_wait, const cl_event *wait,
                                                          cl_event *event);

/* Compiles what the calls above need for a dtype, forward and backward and for rows of any length,
 * as clact_prepare does it for the operators. Blocks. */
CLACT_API clact_status clact_prepare_softmax(clact_context *ctx, clact_dtype dtype);
CLACT_API clact_status clact_prepare_log_softmax(clact_context *ctx, clact_dtype dtype);

#endif /* CLACT_SOFTMAX_H */
