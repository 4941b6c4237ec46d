/* SPDX-License-Identifier: MIT */
/*
 * What a programmer in a hurry writes: one line per operator and direction, as in tutorials, in float,
 * with OpenCL's builtin functions, an element per item and the parameters' defaults. Of the operators,
 * that for which OP_<operator> is set by -D is compiled, as builtin_<direction>; a line that is missing
 * here is missing in reports.
 */
#define FORWARD(formula)                                                                           \
    kernel void builtin_forward(global const float *in, global float *out)                         \
    {                                                                                              \
        const float x = in[get_global_id(0)];                                                      \
        out[get_global_id(0)] = formula;                                                           \
    }

#define GRADIENT(direction, saved, formula)                                                        \
    kernel void builtin_##direction(global const float *grad, global const float *in,              \
                                    global float *out)                                             \
    {                                                                                              \
        const float saved = in[get_global_id(0)];                                                  \
        out[get_global_id(0)] = grad[get_global_id(0)] * (formula);                                \
    }
#define FROM_OUTPUT(formula) GRADIENT(from_output, y, formula)
#define FROM_INPUT(formula) GRADIENT(from_input, x, formula)

/* What several of the lines have in them. */
#define SIGMOID(x) (1.0f / (1.0f + exp(-(x))))
#define NORMAL_CDF(x) (0.5f * (1.0f + erf((x)*0.70710678f)))
#define NORMAL_PDF(x) (0.39894228f * exp(-0.5f * (x) * (x)))
#define CUBIC(x) (0.79788456f * ((x) + 0.044715f * (x) * (x) * (x)))
#define CUBIC_SLOPE(x) (0.79788456f * (1.0f + 0.134145f * (x) * (x)))
#define SOFTPLUS(x) log(1.0f + exp(x))

#ifdef OP_sigmoid
FORWARD(SIGMOID(x))
FROM_OUTPUT(y * (1.0f - y))
FROM_INPUT(SIGMOID(x) * (1.0f - SIGMOID(x)))
#endif

#ifdef OP_tanh
FORWARD(tanh(x))
FROM_OUTPUT(1.0f - y * y)
FROM_INPUT(1.0f - tanh(x) * tanh(x))
#endif

#ifdef OP_log_sigmoid
FORWARD(log(SIGMOID(x)))
FROM_INPUT(1.0f - SIGMOID(x))
#endif

#ifdef OP_softplus
FORWARD(SOFTPLUS(x))
FROM_INPUT(SIGMOID(x))
#endif

#ifdef OP_silu
FORWARD(x * SIGMOID(x))
FROM_INPUT(SIGMOID(x) * (1.0f + x * (1.0f - SIGMOID(x))))
#endif

#ifdef OP_gelu
FORWARD(x * NORMAL_CDF(x))
FROM_INPUT(NORMAL_CDF(x) + x * NORMAL_PDF(x))
#endif

#ifdef OP_gelu_tanh
FORWARD(0.5f * x * (1.0f + tanh(CUBIC(x))))
FROM_INPUT(0.5f * (1.0f + tanh(CUBIC(x))) +
               0.5f * x * (1.0f - tanh(CUBIC(x)) * tanh(CUBIC(x))) * CUBIC_SLOPE(x))
#endif

#ifdef OP_relu
FORWARD(fmax(x, 0.0f))
FROM_OUTPUT(y > 0.0f ? 1.0f : 0.0f)
FROM_INPUT(x > 0.0f ? 1.0f : 0.0f)
#endif

#ifdef OP_leaky_relu
FORWARD(x > 0.0f ? x : 0.01f * x)
FROM_INPUT(x > 0.0f ? 1.0f : 0.01f)
#endif

#ifdef OP_elu
FORWARD(x > 0.0f ? x : exp(x) - 1.0f)
FROM_INPUT(x > 0.0f ? 1.0f : exp(x))
#endif

#ifdef OP_selu
FORWARD(1.0507010f * (x > 0.0f ? x : 1.6732632f * (exp(x) - 1.0f)))
FROM_INPUT(1.0507010f * (x > 0.0f ? 1.0f : 1.6732632f * exp(x)))
#endif

#ifdef OP_hard_sigmoid
FORWARD(clamp(0.2f * x + 0.5f, 0.0f, 1.0f))
FROM_INPUT(x > -2.5f && x < 2.5f ? 0.2f : 0.0f)
#endif

#ifdef OP_hard_swish
FORWARD(x * clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f)
FROM_INPUT(x <= -3.0f ? 0.0f : x >= 3.0f ? 1.0f : x / 3.0f + 0.5f)
#endif

#ifdef OP_mish
FORWARD(x * tanh(SOFTPLUS(x)))
FROM_INPUT(tanh(SOFTPLUS(x)) +
           x * (1.0f - tanh(SOFTPLUS(x)) * tanh(SOFTPLUS(x))) * SIGMOID(x))
#endif

#ifdef OP_straight_through_sigmoid
FORWARD(SIGMOID(x) >= 0.5f ? 1.0f : 0.0f)
FROM_INPUT(SIGMOID(x) * (1.0f - SIGMOID(x)))
#endif

#ifdef OP_softsign
FORWARD(x / (1.0f + fabs(x)))
FROM_INPUT(1.0f / ((1.0f + fabs(x)) * (1.0f + fabs(x))))
#endif
