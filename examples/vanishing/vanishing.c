/* SPDX-License-Identifier: MIT */
/*
 * Why deep networks are not made of sigmoids: trains two networks on real data that differ in nothing
 * but their activation, and prints how much of the gradient reaches the first layer of each. The
 * matrix products run here in plain C, the activations and their gradients through clact.
 *
 *     vanishing [OPERATOR OPERATOR]
 */
#include "dataset.h"

#include <clact/clact.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HIDDEN_LAYERS = 7, LAYERS = HIDDEN_LAYERS + 1, WIDTH = 24 };
enum { EPOCHS = 100, REPORT_EVERY = 10, SEED = 1 };
static const float learning_rate = 0.1F;

/* The weights go from `in` values to `out` values: those from value i on are weights[i * out]. */
typedef struct layer {
    size_t in, out;
    float *weights, *biases, *weights_gradient, *biases_gradient;
    float *input; /* of all samples, kept for the gradient by the weights */
} layer;

typedef struct network {
    clact_context *ctx;
    clact_operator op; /* of the hidden layers */
    size_t capacity;   /* in samples */
    layer layers[LAYERS];
    float *values;           /* what comes out of a layer, or the gradient by it on the way back */
    float *terms;            /* one of each sample, of the loss */
    clact_buffer *inputs;    /* of the activations, layer after layer, kept for the way back */
    clact_buffer *outputs;   /* of one layer */
    clact_buffer *gradients; /* by one layer */
} network;

/* Whether a call succeeded; if not, a line on stderr says what it was for and why. */
static bool ok(const network *net, clact_status status, const char *doing)
{
    if (status != CLACT_SUCCESS)
        fprintf(stderr, "vanishing: %s: %s: %s\n", doing, clact_status_string(status),
                clact_last_error(net != NULL ? net->ctx : NULL)->message);
    return status == CLACT_SUCCESS;
}

/* Vigna's splitmix64, made a number in [-1, 1). */
static float random_number(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (float)(z >> 40) * 0x1p-23F - 1.0F;
}

/* Random weights of the variance 2 / in (K. He et al., "Delving Deep into Rectifiers", 2015): that of
 * a number in [-limit, limit) is limit^2 / 3. */
static bool layer_create(layer *l, size_t in, size_t out, size_t samples, uint64_t *state)
{
    *l = (layer){.in = in, .out = out};
    l->weights = calloc(in * out, sizeof(float));
    l->biases = calloc(out, sizeof(float));
    l->weights_gradient = calloc(in * out, sizeof(float));
    l->biases_gradient = calloc(out, sizeof(float));
    l->input = calloc(samples * in, sizeof(float));
    if (l->weights == NULL || l->biases == NULL || l->weights_gradient == NULL ||
        l->biases_gradient == NULL || l->input == NULL)
        return false;
    for (size_t i = 0; i < in * out; i++)
        l->weights[i] = sqrtf(6.0F / (float)in) * random_number(state);
    return true;
}

static void network_destroy(network *net)
{
    for (layer *l = net->layers; l < net->layers + LAYERS; l++) {
        free(l->weights);
        free(l->biases);
        free(l->weights_gradient);
        free(l->biases_gradient);
        free(l->input);
    }
    free(net->values);
    free(net->terms);
    clact_buffer_destroy(net->inputs);
    clact_buffer_destroy(net->outputs);
    clact_buffer_destroy(net->gradients);
}

/* Zero or made: network_destroy is to be called whatever comes out of this. */
static bool network_create(network *net, clact_context *ctx, clact_operator op, size_t capacity)
{
    const size_t bytes = capacity * WIDTH * sizeof(float);
    uint64_t state = SEED;
    bool made = true;
    *net = (network){.ctx = ctx, .op = op, .capacity = capacity};
    for (size_t i = 0; i < LAYERS && made; i++)
        made = layer_create(&net->layers[i], i == 0 ? FEATURES : WIDTH,
                            i == HIDDEN_LAYERS ? 1 : WIDTH, capacity, &state);
    net->values = malloc(bytes);
    net->terms = malloc(capacity * sizeof(float));
    if (!made || net->values == NULL || net->terms == NULL) {
        fprintf(stderr, "vanishing: out of memory\n");
        return false;
    }
    return ok(net, clact_buffer_create(ctx, HIDDEN_LAYERS * bytes, &net->inputs), "a buffer") &&
           ok(net, clact_buffer_create(ctx, bytes, &net->outputs), "a buffer") &&
           ok(net, clact_buffer_create(ctx, bytes, &net->gradients), "a buffer");
}

/* output = input * weights + biases */
static void multiply(const layer *l, size_t samples, float *output)
{
    for (size_t s = 0; s < samples; s++) {
        float *row = output + s * l->out;
        memcpy(row, l->biases, l->out * sizeof *row);
        for (size_t i = 0; i < l->in; i++)
            for (size_t o = 0; o < l->out; o++)
                row[o] += l->input[s * l->in + i] * l->weights[i * l->out + o];
    }
}

/* The gradient by the weights and biases, from that by the layer's output. */
static void find_gradient(layer *l, size_t samples, const float *gradient)
{
    memset(l->weights_gradient, 0, l->in * l->out * sizeof(float));
    memset(l->biases_gradient, 0, l->out * sizeof(float));
    for (size_t s = 0; s < samples; s++, gradient += l->out) {
        for (size_t o = 0; o < l->out; o++)
            l->biases_gradient[o] += gradient[o];
        for (size_t i = 0; i < l->in; i++)
            for (size_t o = 0; o < l->out; o++)
                l->weights_gradient[i * l->out + o] += l->input[s * l->in + i] * gradient[o];
    }
}

/* From the gradient by a layer's output, in `values`, to that by its input, there too. The rows get no
 * shorter, so from the last one on none is overwritten before it is read. */
static void multiply_back(const layer *l, size_t samples, float *values)
{
    float row[WIDTH];
    for (size_t s = samples; s-- > 0;) {
        memcpy(row, values + s * l->out, l->out * sizeof *row);
        for (size_t i = 0; i < l->in; i++) {
            float sum = 0;
            for (size_t o = 0; o < l->out; o++)
                sum += row[o] * l->weights[i * l->out + o];
            values[s * l->in + i] = sum;
        }
    }
}

/* `values` to the device, where they stay, and what the activation makes of them to `output`. */
static bool activate(network *net, size_t hidden, size_t samples, float *output)
{
    const size_t n = samples * WIDTH, bytes = n * sizeof(float);
    const size_t start = hidden * net->capacity * WIDTH;
    const clact_view x = clact_buffer_view(net->inputs, CLACT_F32, start, n);
    const clact_view y = clact_buffer_view(net->outputs, CLACT_F32, 0, n);
    return ok(net, clact_buffer_write(net->inputs, start * sizeof(float), bytes, net->values),
              "writing a layer") &&
           ok(net, clact_enqueue_forward(net->ctx, NULL, net->op, NULL, x, y, 0, NULL, NULL),
              "forward") &&
           ok(net, clact_buffer_read(net->outputs, 0, bytes, output), "reading a layer");
}

/* From the gradient by an activation's output, in `values`, to that by its input, there too. */
static bool activate_back(network *net, size_t hidden, size_t samples)
{
    const size_t n = samples * WIDTH, bytes = n * sizeof(float);
    const size_t start = hidden * net->capacity * WIDTH;
    const clact_view x = clact_buffer_view(net->inputs, CLACT_F32, start, n);
    const clact_view grad = clact_buffer_view(net->gradients, CLACT_F32, 0, n);
    return ok(net, clact_buffer_write(net->gradients, 0, bytes, net->values),
              "writing a gradient") &&
           ok(net,
              clact_enqueue_backward(net->ctx, NULL, net->op, NULL, CLACT_SAVED_INPUT, grad, x,
                                     grad, 0, NULL, NULL),
              "backward") &&
           ok(net, clact_buffer_read(net->gradients, 0, bytes, net->values), "reading a gradient");
}

/* From the samples in layers[0].input to their logits in `values`. */
static bool forward(network *net, size_t samples)
{
    for (size_t i = 0; i < HIDDEN_LAYERS; i++) {
        multiply(&net->layers[i], samples, net->values);
        if (!activate(net, i, samples, net->layers[i + 1].input))
            return false;
    }
    multiply(&net->layers[HIDDEN_LAYERS], samples, net->values);
    return true;
}

/* From the gradient by the logits, in `values`, to that by all weights and biases. */
static bool backward(network *net, size_t samples)
{
    for (size_t i = HIDDEN_LAYERS; i > 0; i--) {
        find_gradient(&net->layers[i], samples, net->values);
        multiply_back(&net->layers[i], samples, net->values);
        if (!activate_back(net, i - 1, samples))
            return false;
    }
    find_gradient(&net->layers[0], samples, net->values);
    return true;
}

/*
 * The loss of the logits in `values`, and in their place its gradient by them. For a logit z and a
 * target t of 0 or 1 it is softplus(z) - t z: the cross-entropy of t and sigmoid(z), which cannot
 * overflow, as the logarithm of a sigmoid that has rounded to 0 would.
 */
static bool find_loss(network *net, const sample *samples, double *loss)
{
    const size_t n = net->capacity;
    float *z = net->values;
    if (!ok(net, clact_forward(net->ctx, CLACT_SOFTPLUS, NULL, CLACT_F32, n, z, net->terms),
            "computing the loss"))
        return false;
    *loss = 0;
    for (size_t s = 0; s < n; s++) {
        *loss += (double)(net->terms[s] - samples[s].target * z[s]) / (double)n;
        net->terms[s] = 1.0F / (float)n;
    }
    if (!ok(net,
            clact_backward(net->ctx, CLACT_SOFTPLUS, NULL, CLACT_F32, CLACT_SAVED_INPUT, n,
                           net->terms, z, z),
            "computing the loss's gradient"))
        return false;
    for (size_t s = 0; s < n; s++)
        z[s] -= samples[s].target / (float)n;
    return true;
}

/* The Euclidean norm of the gradient by a layer's weights. */
static double gradient_norm(const layer *l)
{
    double sum = 0;
    for (size_t k = 0; k < l->in * l->out; k++)
        sum += (double)l->weights_gradient[k] * (double)l->weights_gradient[k];
    return sqrt(sum);
}

/* One step of gradient descent over all samples, and the network's part of the table's line. */
static bool train(network *net, const sample *samples, bool report)
{
    double loss;
    if (!forward(net, net->capacity) || !find_loss(net, samples, &loss) ||
        !backward(net, net->capacity))
        return false;
    const double first = gradient_norm(&net->layers[0]);
    const double last = gradient_norm(&net->layers[HIDDEN_LAYERS]);
    if (report)
        printf("   %8.6f  %8.2e  %8.2e  %8.2e", loss, first, last, first / last);
    for (layer *l = net->layers; l < net->layers + LAYERS; l++) {
        for (size_t k = 0; k < l->in * l->out; k++)
            l->weights[k] -= learning_rate * l->weights_gradient[k];
        for (size_t k = 0; k < l->out; k++)
            l->biases[k] -= learning_rate * l->biases_gradient[k];
    }
    return true;
}

static void load_samples(network *net, const sample *samples, size_t n)
{
    for (size_t k = 0; k < n * FEATURES; k++)
        net->layers[0].input[k] = (float)samples[k / FEATURES].features[k % FEATURES];
}

static bool evaluate(network *net, const sample *samples, size_t n)
{
    size_t right = 0;
    load_samples(net, samples, n);
    if (!forward(net, n))
        return false;
    for (size_t s = 0; s < n; s++)
        right += (net->values[s] > 0) == (samples[s].target > 0.5F);
    printf("held-out accuracy of %s: %.4f (%zu of %zu)\n", clact_operator_name(net->op),
           (double)right / (double)n, right, n);
    return true;
}

/* Both networks learn in step from the first n samples. */
static bool train_both(network nets[2], const sample *samples, size_t n)
{
    printf("%5s   %-38s   %s\nepoch", "", clact_operator_name(nets[0].op),
           clact_operator_name(nets[1].op));
    for (int i = 0; i < 2; i++) {
        printf("   %8s  %8s  %8s  %8s", "loss", "|first|", "|last|", "ratio");
        load_samples(&nets[i], samples, n);
    }
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        const bool report = epoch == 1 || epoch % REPORT_EVERY == 0;
        if (report)
            printf("\n%5d", epoch);
        if (!train(&nets[0], samples, report) || !train(&nets[1], samples, report))
            return false;
    }
    printf("\n\n");
    return true;
}

/* Learns from three quarters of the samples and is judged by the rest. */
static bool compare(clact_context *ctx, const clact_operator ops[2], sample *samples, size_t count)
{
    const size_t n = count - count / 4;
    network nets[2] = {{.ctx = NULL}, {.ctx = NULL}};
    dataset_shuffle(samples, count, SEED);
    dataset_standardise(samples, count, n);
    bool done = network_create(&nets[0], ctx, ops[0], n) &&
                network_create(&nets[1], ctx, ops[1], n) && train_both(nets, samples, n) &&
                evaluate(&nets[0], samples + n, count - n) &&
                evaluate(&nets[1], samples + n, count - n);
    network_destroy(&nets[0]);
    network_destroy(&nets[1]);
    return done;
}

int main(int argc, char **argv)
{
    clact_operator ops[2] = {CLACT_SIGMOID, CLACT_RELU};
    bool done = argc == 1 || argc == 3;
    for (int i = 1; i < argc && done; i++)
        done = clact_operator_from_name(argv[i], &ops[i - 1]) == CLACT_SUCCESS;
    if (!done) {
        fprintf(stderr, "usage: vanishing [OPERATOR OPERATOR], such as sigmoid relu\n");
        return EXIT_FAILURE;
    }
    size_t count = 0;
    sample *samples = dataset_read("vanishing", VANISHING_DATA, &count);
    if (samples == NULL)
        return EXIT_FAILURE;

    clact_context *ctx = NULL;
    done = ok(NULL, clact_context_create(NULL, &ctx), "finding a device") &&
           compare(ctx, ops, samples, count);
    clact_context_destroy(ctx);
    free(samples);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "vanishing: cannot write the output\n");
        done = false;
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
