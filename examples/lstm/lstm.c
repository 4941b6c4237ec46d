/* SPDX-License-Identifier: MIT */
/*
 * An LSTM that learns to add. It is shown the sums of small numbers, bit by bit, and then has to add
 * numbers that are four times as long. The matrix products run here in plain C, the cell, its gradient
 * and the loss through clact.
 *
 *     lstm
 */
#include <clact/clact.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HIDDEN = 12, GATES = 4 * HIDDEN, INPUTS = 2 };
enum { BATCH = 64, SHORT = 8, LONG = 32, MOST_STEPS = LONG + 1, TESTS = 16 };
enum { UPDATES = 600, REPORT_EVERY = 50, SEED = 1 };

/* All that is learned: the weights of the inputs, of the hidden state and of the output. */
typedef struct parameters {
    float input[INPUTS * GATES];
    float state[HIDDEN * GATES];
    float bias[GATES];
    float output[HIDDEN];
    float output_bias;
} parameters;

enum { PARAMETERS = sizeof(parameters) / sizeof(float) };

/* Numbers to add, the lowest bits first, and what the network makes of them: the states from before the
 * first step on, and what the way back needs of each step. */
typedef struct sequence {
    size_t steps;
    float bits[MOST_STEPS][BATCH * INPUTS];
    float targets[MOST_STEPS * BATCH];
    float h[MOST_STEPS + 1][BATCH * HIDDEN];
    float c[MOST_STEPS + 1][BATCH * HIDDEN];
    float gates[MOST_STEPS][BATCH * GATES];
    float logits[MOST_STEPS * BATCH];
} sequence;

/* Whether a call succeeded; if not, a line on stderr says what it was for and why. */
static bool ok(const clact_context *ctx, clact_status status, const char *doing)
{
    if (status != CLACT_SUCCESS)
        fprintf(stderr, "lstm: %s: %s: %s\n", doing, clact_status_string(status),
                clact_last_error(ctx)->message);
    return status == CLACT_SUCCESS;
}

/* Vigna's splitmix64. */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Two numbers of so many bits for each sequence of the batch, and their sum, which has one more. */
static void draw(sequence *s, size_t bits, uint64_t *state)
{
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    s->steps = bits + 1;
    for (size_t b = 0; b < BATCH; b++) {
        const uint64_t x = random_bits(state) & mask, y = random_bits(state) & mask;
        for (size_t t = 0; t < s->steps; t++) {
            s->bits[t][b * INPUTS] = (float)(x >> t & 1);
            s->bits[t][b * INPUTS + 1] = (float)(y >> t & 1);
            s->targets[t * BATCH + b] = (float)((x + y) >> t & 1);
        }
    }
}

/* out += a * weights, for BATCH rows of a. */
static void multiply(const float *a, size_t in, const float *weights, size_t out_cols, float *out)
{
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out_cols; o++)
                out[b * out_cols + o] += a[b * in + i] * weights[i * out_cols + o];
}

/* The gradient by the weights: out += a^T * grad. */
static void multiply_transposed(const float *a, size_t in, const float *grad, size_t cols,
                                float *out)
{
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < cols; o++)
                out[i * cols + o] += a[b * in + i] * grad[b * cols + o];
}

static bool forward(clact_context *ctx, const parameters *p, sequence *s)
{
    memset(s->h[0], 0, sizeof s->h[0]);
    memset(s->c[0], 0, sizeof s->c[0]);
    for (size_t t = 0; t < s->steps; t++) {
        float z[BATCH * GATES] = {0};
        multiply(s->bits[t], INPUTS, p->input, GATES, z);
        multiply(s->h[t], HIDDEN, p->state, GATES, z);
        const clact_lstm_arrays arrays = {.z = z,
                                          .bias = p->bias,
                                          .c_prev = s->c[t],
                                          .c = s->c[t + 1],
                                          .h = s->h[t + 1],
                                          .gates = s->gates[t]};
        if (!ok(ctx, clact_lstm_forward(ctx, CLACT_LSTM_IFGO, CLACT_F32, BATCH, HIDDEN, &arrays),
                "a step forward"))
            return false;
        for (size_t b = 0; b < BATCH; b++)
            s->logits[t * BATCH + b] = p->output_bias;
        multiply(s->h[t + 1], HIDDEN, p->output, 1, s->logits + t * BATCH);
    }
    return true;
}

/*
 * The mean loss of the logits, softplus(z) - t z for a logit z and a target t, and in their place its
 * gradient by them: sigmoid(z) - t, divided by how many there are.
 */
static bool find_loss(clact_context *ctx, sequence *s, double *loss)
{
    const size_t n = s->steps * BATCH;
    static float terms[MOST_STEPS * BATCH];
    float *z = s->logits;
    if (!ok(ctx, clact_forward(ctx, CLACT_SOFTPLUS, NULL, CLACT_F32, n, z, terms), "the loss"))
        return false;
    *loss = 0;
    for (size_t k = 0; k < n; k++)
        *loss += (double)(terms[k] - s->targets[k] * z[k]) / (double)n;
    if (!ok(ctx, clact_forward(ctx, CLACT_SIGMOID, NULL, CLACT_F32, n, z, z), "its gradient"))
        return false;
    for (size_t k = 0; k < n; k++)
        z[k] = (z[k] - s->targets[k]) / (float)n;
    return true;
}

/* From the last step to the first, with the gradients by the logits in their place. */
static bool backward(clact_context *ctx, const parameters *p, const sequence *s,
                     parameters *gradient)
{
    float dh[BATCH * HIDDEN] = {0}, dc[BATCH * HIDDEN] = {0}, dz[BATCH * GATES];
    memset(gradient, 0, sizeof *gradient);
    for (size_t t = s->steps; t-- > 0;) {
        multiply_transposed(s->h[t + 1], HIDDEN, s->logits + t * BATCH, 1, gradient->output);
        multiply(s->logits + t * BATCH, 1, p->output, HIDDEN, dh);
        for (size_t b = 0; b < BATCH; b++)
            gradient->output_bias += s->logits[t * BATCH + b];
        const clact_lstm_gradient_arrays arrays = {.grad_h = dh,
                                                   .grad_c = dc,
                                                   .gates = s->gates[t],
                                                   .c = s->c[t + 1],
                                                   .c_prev = s->c[t],
                                                   .dz = dz,
                                                   .dc_prev = dc};
        if (!ok(ctx, clact_lstm_backward(ctx, CLACT_LSTM_IFGO, CLACT_F32, BATCH, HIDDEN, &arrays),
                "a step back"))
            return false;
        multiply_transposed(s->bits[t], INPUTS, dz, GATES, gradient->input);
        multiply_transposed(s->h[t], HIDDEN, dz, GATES, gradient->state);
        for (size_t k = 0; k < BATCH * GATES; k++)
            gradient->bias[k % GATES] += dz[k];
        for (size_t k = 0; k < BATCH * HIDDEN; k++) {
            dh[k] = 0;
            for (size_t o = 0; o < GATES; o++)
                dh[k] += dz[k / HIDDEN * GATES + o] * p->state[k % HIDDEN * GATES + o];
        }
    }
    return true;
}

/* A step of Adam (D. P. Kingma, J. Ba, 2014), whose averages are in mean and square. */
static void update(parameters *p, const parameters *gradient, parameters *mean, parameters *square,
                   int step)
{
    const float rate = 0.02F, keep_mean = 0.9F, keep_square = 0.999F;
    const float *g = (const float *)gradient;
    float *w = (float *)p, *m = (float *)mean, *v = (float *)square;
    for (size_t k = 0; k < PARAMETERS; k++) {
        m[k] = keep_mean * m[k] + (1 - keep_mean) * g[k];
        v[k] = keep_square * v[k] + (1 - keep_square) * g[k] * g[k];
        const float m_hat = m[k] / (1 - powf(keep_mean, (float)step));
        const float v_hat = v[k] / (1 - powf(keep_square, (float)step));
        w[k] -= rate * m_hat / (sqrtf(v_hat) + 1e-8F);
    }
}

static bool train(clact_context *ctx, parameters *p, sequence *s, uint64_t *state)
{
    parameters gradient, mean = {.output_bias = 0}, square = {.output_bias = 0};
    for (int step = 1; step <= UPDATES; step++) {
        double loss;
        draw(s, SHORT, state);
        if (!forward(ctx, p, s) || !find_loss(ctx, s, &loss) || !backward(ctx, p, s, &gradient))
            return false;
        update(p, &gradient, &mean, &square, step);
        if (step == 1 || step % REPORT_EVERY == 0)
            printf("update %4d: loss %.6f\n", step, loss);
    }
    return true;
}

/* A sum is right if all of its bits are. */
static bool evaluate(clact_context *ctx, const parameters *p, sequence *s, size_t bits,
                     uint64_t *state)
{
    size_t right = 0;
    for (int test = 0; test < TESTS; test++) {
        draw(s, bits, state);
        if (!forward(ctx, p, s))
            return false;
        for (size_t b = 0; b < BATCH; b++) {
            size_t t = 0;
            while (t < s->steps &&
                   (s->logits[t * BATCH + b] > 0) == (s->targets[t * BATCH + b] > 0.5F))
                t++;
            right += t == s->steps;
        }
    }
    printf("sums of two %zu-bit numbers: %zu of %d right\n", bits, right, TESTS * BATCH);
    return true;
}

/* Small random weights, and a forget gate that at first forgets little. */
static void start(parameters *p, uint64_t *state)
{
    float *w = (float *)p;
    for (size_t k = 0; k < PARAMETERS; k++)
        w[k] = (float)((double)(random_bits(state) >> 11) * 0x1p-52 - 1) * 0.4F;
    for (size_t j = 0; j < HIDDEN; j++)
        p->bias[HIDDEN + j] = 1;
}

int main(void)
{
    static parameters p;
    static sequence s;
    uint64_t state = SEED;
    clact_context *ctx = NULL;
    start(&p, &state);
    bool done = ok(NULL, clact_context_create(NULL, &ctx), "finding a device") &&
                train(ctx, &p, &s, &state) && evaluate(ctx, &p, &s, SHORT, &state) &&
                evaluate(ctx, &p, &s, LONG, &state);
    clact_context_destroy(ctx);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "lstm: cannot write the output\n");
        done = false;
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
