/* SPDX-License-Identifier: MIT */
/* The calls of the recurrent cells that are measured, and an LSTM's step of separate calls. */
#include "check.h"
#include "composite.h"

clact_status composite_lstm(clact_context *ctx, const clact_view v[])
{
    const clact_lstm_views views = {.z = v[0], .c_prev = v[1], .c = v[2], .h = v[3]};
    return clact_enqueue_lstm_forward(ctx, NULL, CLACT_LSTM_IFGO, &views, 0, NULL, NULL);
}

clact_status composite_lstm_training(clact_context *ctx, const clact_view v[])
{
    const clact_lstm_views views = {.z = v[0], .c_prev = v[1], .c = v[2], .h = v[3], .gates = v[4]};
    return clact_enqueue_lstm_forward(ctx, NULL, CLACT_LSTM_IFGO, &views, 0, NULL, NULL);
}

clact_status composite_lstm_backward(clact_context *ctx, const clact_view v[])
{
    const clact_lstm_gradient_views views = {.grad_h = v[0],
                                             .grad_c = v[1],
                                             .gates = v[2],
                                             .c = v[3],
                                             .c_prev = v[4],
                                             .dz = v[5],
                                             .dc_prev = v[6]};
    return clact_enqueue_lstm_backward(ctx, NULL, CLACT_LSTM_IFGO, &views, 0, NULL, NULL);
}

clact_status composite_gru(clact_context *ctx, const clact_view v[])
{
    const clact_gru_views views = {.x = v[0], .u = v[1], .h_prev = v[2], .h = v[3]};
    return clact_enqueue_gru_forward(ctx, NULL, CLACT_GRU_RZN, &views, 0, NULL, NULL);
}

clact_status composite_gru_training(clact_context *ctx, const clact_view v[])
{
    const clact_gru_views views = {.x = v[0], .u = v[1], .h_prev = v[2], .h = v[3], .gates = v[4]};
    return clact_enqueue_gru_forward(ctx, NULL, CLACT_GRU_RZN, &views, 0, NULL, NULL);
}

clact_status composite_gru_backward(clact_context *ctx, const clact_view v[])
{
    const clact_gru_gradient_views views = {
        .grad = v[0], .gates = v[1], .h_prev = v[2], .dx = v[3], .du = v[4], .dh_prev = v[5]};
    return clact_enqueue_gru_backward(ctx, NULL, CLACT_GRU_RZN, &views, 0, NULL, NULL);
}

/* An LSTM's step of separate calls: the activations of the four gates, tanh of the state, and two
 * kernels of one line for the products and the sum, of which clact has no call. */

static const char *const source =
    "kernel void new_state(global const float *f, global const float *c, global const float *i,\n"
    "                      global const float *g, global float *y)\n"
    "{\n"
    "    const size_t k = get_global_id(0);\n"
    "    y[k] = f[k] * c[k] + i[k] * g[k];\n"
    "}\n"
    "kernel void new_output(global const float *o, global const float *t, global float *y)\n"
    "{\n"
    "    const size_t k = get_global_id(0);\n"
    "    y[k] = o[k] * t[k];\n"
    "}\n";

/* Compiled when they are first needed, which is in a run that is not counted. */
static cl_kernel new_state, new_output;

static void compile(const clact_context *ctx)
{
    cl_int code = CL_SUCCESS;
    const cl_device_id device = clact_context_device(ctx);
    const char *text = source;
    cl_program program = clCreateProgramWithSource(clact_context_cl(ctx), 1, &text, NULL, &code);
    check_cl(code, "clCreateProgramWithSource");
    check_cl(clBuildProgram(program, 1, &device, "", NULL, NULL), "clBuildProgram");
    new_state = clCreateKernel(program, "new_state", &code);
    check_cl(code, "clCreateKernel");
    new_output = clCreateKernel(program, "new_output", &code);
    check_cl(code, "clCreateKernel");
    clReleaseProgram(program);
}

void composite_cells_end(void)
{
    if (new_state)
        clReleaseKernel(new_state);
    if (new_output)
        clReleaseKernel(new_output);
    new_state = new_output = NULL;
}

static void run_kernel(const clact_context *ctx, cl_kernel kernel, const clact_view *const views[],
                       cl_uint count)
{
    const size_t n = views[0]->rows * views[0]->cols;
    for (cl_uint i = 0; i < count; i++)
        check_cl(clSetKernelArg(kernel, i, sizeof views[i]->mem, &views[i]->mem), "clSetKernelArg");
    check_cl(
        clEnqueueNDRangeKernel(clact_context_queue(ctx), kernel, 1, NULL, &n, NULL, 0, NULL, NULL),
        "clEnqueueNDRangeKernel");
}

/* v: z, c_prev, c and h, and then the gates i, f, g and o and tanh(c) */
clact_status composite_lstm_separate(clact_context *ctx, const clact_view v[])
{
    static const clact_operator operators[4] = {CLACT_SIGMOID, CLACT_SIGMOID, CLACT_TANH,
                                                CLACT_SIGMOID};
    enum { C_PREV = 1, C, H, I, F, G, O, TANH_C };
    clact_status status = CLACT_SUCCESS;
    if (!new_state)
        compile(ctx);
    for (size_t gate = 0; gate < 4 && status == CLACT_SUCCESS; gate++) {
        clact_view z = v[0];
        z.cols = v[C].cols;
        z.offset = gate * z.cols;
        status =
            clact_enqueue_forward(ctx, NULL, operators[gate], NULL, z, v[I + gate], 0, NULL, NULL);
    }
    if (status != CLACT_SUCCESS)
        return status;
    run_kernel(ctx, new_state, (const clact_view *[]){&v[F], &v[C_PREV], &v[I], &v[G], &v[C]}, 5);
    status = clact_enqueue_forward(ctx, NULL, CLACT_TANH, NULL, v[C], v[TANH_C], 0, NULL, NULL);
    if (status == CLACT_SUCCESS)
        run_kernel(ctx, new_output, (const clact_view *[]){&v[O], &v[TANH_C], &v[H]}, 3);
    return status;
}
