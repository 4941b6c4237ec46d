/* SPDX-License-Identifier: MIT */
/*
 * What a programmer in a hurry writes: one line per operator and direction, in float, with OpenCL's
 * builtin functions, an element per item. They are called builtin_<operator>_<direction>; those
 * that are missing here are missing in the report.
 */
kernel void builtin_sigmoid_forward(global const float *x, global float *y)
{
    const size_t i = get_global_id(0);
    y[i] = 1.0f / (1.0f + exp(-x[i]));
}

kernel void builtin_sigmoid_from_output(global const float *grad, global const float *y,
                                        global float *dx)
{
    const size_t i = get_global_id(0);
    dx[i] = grad[i] * y[i] * (1.0f - y[i]);
}

kernel void builtin_sigmoid_from_input(global const float *grad, global const float *x,
                                       global float *dx)
{
    const size_t i = get_global_id(0);
    const float y = 1.0f / (1.0f + exp(-x[i]));
    dx[i] = grad[i] * y * (1.0f - y);
}
