/* SPDX-License-Identifier: MIT */
/*
 * Epilogues: what follows a matrix product or a convolution, in one pass: y = act(x + bias), where act
 * is any operator of ops.def, and its gradients, which may be added to what is there. Included by
 * clact.h.
 *
 * x is rows x cols. The bias has an element for each column, as in a linear layer, or one for each
 * row, as where a row is a channel. It is of the same dtype.
 *
 * Accuracy. In f32 and f64 the sum x + bias is rounded to the type, so that y has the bits that
 * clact_forward has for the sums: the fused call may take the place of two. What computed x has
 * rounded it, too; with more of the sum the tails of y would only be those of another x. In f16 and
 * bf16 the sum is that of f32, which is not rounded to 16 bits: y is within CLACT_EPILOGUE_HALF_BUDGET
 * ULP of act(x + bias).
 */
#ifndef CLACT_EPILOGUE_H
#define CLACT_EPILOGUE_H

#define CLACT_EPILOGUE_HALF_BUDGET 0.51

/* What the bias has an element for. */
typedef enum clact_bias { CLACT_BIAS_PER_COLUMN = 0, CLACT_BIAS_PER_ROW = 1 } clact_bias;

/* NULL for a call stands for one that is all 0. A call is done with it when it returns. */
typedef struct clact_epilogue_options {
    clact_bias bias;
    /* Backward only: dx = beta * dx + grad * act'(...). With 0 what dx holds is not read. It is rounded
     * to f32 for all dtypes but f64; CLACT_INVALID_ARGUMENT if it is then not finite, or if it is not
     * 0 in a forward call. */
    double beta;
} clact_epilogue_options;

/*
 * for (r = 0; r < rows; r++)
 *     for (c = 0; c < cols; c++)
 *         y[r * cols + c] = act(x[r * cols + c] + bias[c]);    per row: bias[r]
 *
 * Host arrays of the given dtype, aligned to the element's size. y may be x; another overlap is
 * CLACT_OVERLAP. params are the operator's; NULL for its defaults. Blocks until y is written. Rows or
 * columns may be 0, and then the arrays may be NULL. All else as for clact_forward.
 */
CLACT_API clact_status clact_epilogue(clact_context *ctx, clact_operator op,
                                      const clact_params *params,
                                      const clact_epilogue_options *options, clact_dtype dtype,
                                      size_t rows, size_t cols, const void *x, const void *bias,
                                      void *y);

/*
 * dx = beta * dx + g, elementwise, and dbias = the sums of g over the columns' or the rows' elements,
 * where g = grad * act'(...)
 *
 * kind says what `saved` holds: the x of the forward pass, whose bias is given too, or is left out
 * (NULL) where there was none; or the y, and then bias has to be left out. In f64, and in f32 in
 * pairs, g has the bits of clact_backward's dx for the sums, and beta * dx is added to it with one
 * rounding; f32 in doubles is rounded once all is added.
 *
 * dbias may be left out (NULL). It is the sum of the g alone, whatever dx held, and has the same bits
 * in every run, however the work is cut: the g are added in one fixed order, as they are before they
 * are rounded to f16 or bf16, each time with what the rounding has lost. So it is within half an ULP
 * and k^2 2^-48 (f64: k^2 2^-106) of the sum of the |g|, where k is 64 + rows / 64, or for a bias per
 * row 272 + cols / 4096. A sum that overflows on its way is infinite.
 *
 * dx may be grad or saved, and dbias may be bias. CLACT_UNSUPPORTED if the operator has no gradient
 * from that kind. All else as for clact_epilogue. Where there are no rows, or no columns, to sum over,
 * dbias is as it was. With a dbias for each column all the rows have to fit into one of the device's
 * allocations, else it is CLACT_OUT_OF_MEMORY.
 */
CLACT_API clact_status clact_epilogue_backward(clact_context *ctx, clact_operator op,
                                               const clact_params *params,
                                               const clact_epilogue_options *options,
                                               clact_dtype dtype, clact_saved kind, size_t rows,
                                               size_t cols, const void *grad, const void *saved,
                                               const void *bias, void *dx, void *dbias);

/* The same on views: x and y of one shape, bias of 1 x cols or, per row, of rows x 1. All else as for
 * clact_enqueue_forward. */
CLACT_API clact_status clact_enqueue_epilogue(clact_context *ctx, cl_command_queue queue,
                                              clact_operator op, const clact_params *params,
                                              const clact_epilogue_options *options, clact_view x,
                                              clact_view bias, clact_view y, cl_uint n_wait,
                                              const cl_event *wait, cl_event *event);

/*
 * bias and dbias are left out where their mem is NULL. With a dbias there are two commands: memory for
 * partial sums is had from the OpenCL context for the time that they take, and the event is that of
 * the second; after CLACT_BUILD_FAILED, CLACT_OUT_OF_MEMORY or CLACT_OPENCL_ERROR the first may be
 * writing dx still. All else as for clact_enqueue_forward.
 */
CLACT_API clact_status clact_enqueue_epilogue_backward(
    clact_context *ctx, cl_command_queue queue, clact_operator op, const clact_params *params,
    const clact_epilogue_options *options, clact_saved kind, clact_view grad, clact_view saved,
    clact_view bias, clact_view dx, clact_view dbias, cl_uint n_wait, const cl_event *wait,
    cl_event *event);

/* Compiles the forward kernel, and the backward ones for a saved x with its bias and for a saved y,
 * each with dbias and without, ahead, as clact_prepare does, for a bias as options->bias says. */
CLACT_API clact_status clact_prepare_epilogue(clact_context *ctx, clact_operator op,
                                              const clact_epilogue_options *options,
                                              clact_dtype dtype);

#endif /* CLACT_EPILOGUE_H */
