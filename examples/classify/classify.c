/* SPDX-License-Identifier: MIT */
/*
 * Trains a logistic model to tell malignant from benign tumours and tries it on patients that it
 * has not seen. The host does the linear part, clact the loss with its gradient, and the sigmoid.
 *
 *     classify [DATA.csv]
 */
#include "dataset.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { EPOCHS = 500, REPORT_EVERY = 50, SEED = 1, EXAMPLES_SHOWN = 8 };
static const double learning_rate = 1.0;

typedef struct model {
    double weights[FEATURES];
    double bias;
} model;

/* What training needs on the device, and one host array that serves each transfer in turn. */
typedef struct trainer {
    clact_context *ctx;
    size_t n;
    clact_buffer *logits;
    clact_buffer *targets;
    clact_buffer *loss;
    clact_buffer *gradient;
    float *values;
} trainer;

/* The one place where a status is looked at: true if all is well, else a line on stderr. */
static bool ok(const clact_context *ctx, clact_status status, const char *doing)
{
    if (status != CLACT_SUCCESS)
        fprintf(stderr, "classify: %s: %s: %s\n", doing, clact_status_string(status),
                clact_last_error(ctx)->message);
    return status == CLACT_SUCCESS;
}

static float logit_of(const model *m, const sample *s)
{
    double sum = m->bias;
    for (size_t f = 0; f < FEATURES; f++)
        sum += m->weights[f] * s->features[f];
    return (float)sum;
}

static void trainer_destroy(trainer *t)
{
    clact_buffer_destroy(t->logits);
    clact_buffer_destroy(t->targets);
    clact_buffer_destroy(t->loss);
    clact_buffer_destroy(t->gradient);
    free(t->values);
}

/* The targets stay on the device. */
static bool trainer_create(clact_context *ctx, const sample *samples, size_t n, trainer *t)
{
    size_t bytes = n * sizeof(float); /* cannot overflow: a sample is larger than a float */
    *t = (trainer){.ctx = ctx, .n = n, .values = malloc(bytes)};
    if (t->values == NULL)
        fprintf(stderr, "classify: out of memory\n");
    for (size_t i = 0; i < n && t->values != NULL; i++)
        t->values[i] = samples[i].target;
    if (t->values != NULL &&
        ok(ctx, clact_buffer_create(ctx, bytes, &t->logits), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, bytes, &t->targets), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, sizeof(float), &t->loss), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, bytes, &t->gradient), "making a buffer") &&
        ok(ctx, clact_buffer_write(t->targets, 0, bytes, t->values), "writing targets"))
        return true;
    trainer_destroy(t);
    return false;
}

/*
 * Logits from the host to the device, the gradient of their loss back, both in t->values, and the
 * loss itself. That is the mean binary cross-entropy, -t log p - (1 - t) log(1 - p), taken by the
 * logits in one formula: with p = s(x) rounded to 1 it would divide by 0.
 */
static bool loss_and_gradient(trainer *t, float *loss)
{
    size_t bytes = t->n * sizeof(float);
    clact_view x = clact_buffer_view(t->logits, CLACT_F32, 0, t->n);
    clact_view targets = clact_buffer_view(t->targets, CLACT_F32, 0, t->n);
    clact_view mean = clact_buffer_view(t->loss, CLACT_F32, 0, 1);
    clact_view dx = clact_buffer_view(t->gradient, CLACT_F32, 0, t->n);
    return ok(t->ctx, clact_buffer_write(t->logits, 0, bytes, t->values), "writing logits") &&
           ok(t->ctx,
              clact_enqueue_bce_with_logits_forward_backward(t->ctx, NULL, NULL, x, targets, mean,
                                                             dx, 0, NULL, NULL),
              "loss and gradient") &&
           ok(t->ctx, clact_buffer_read(t->loss, 0, sizeof(float), loss), "reading the loss") &&
           ok(t->ctx, clact_buffer_read(t->gradient, 0, bytes, t->values), "reading gradient");
}

/* One step of gradient descent over all samples. */
static void step(model *m, const sample *samples, size_t n, const float *gradient)
{
    for (size_t i = 0; i < n; i++) {
        double scaled = learning_rate * (double)gradient[i];
        for (size_t f = 0; f < FEATURES; f++)
            m->weights[f] -= scaled * samples[i].features[f];
        m->bias -= scaled;
    }
}

static bool train(trainer *t, const sample *samples, model *m)
{
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (size_t i = 0; i < t->n; i++)
            t->values[i] = logit_of(m, &samples[i]);
        float loss = 0;
        if (!loss_and_gradient(t, &loss))
            return false;
        if (epoch == 1 || epoch % REPORT_EVERY == 0)
            printf("epoch %3d  loss %.6f\n", epoch, (double)loss);
        step(m, samples, t->n, t->values);
    }
    return true;
}

static const char *class_name(bool malignant)
{
    return malignant ? "malignant" : "benign";
}

static void report(const sample *samples, size_t n, const float *probabilities)
{
    size_t count[2][2] = {{0}}; /* [truth][prediction] */
    for (size_t i = 0; i < n; i++)
        count[samples[i].target > 0.5F][probabilities[i] > 0.5F]++;
    size_t right = count[0][0] + count[1][1];

    printf("\n%-20s  truth\n", "P(malignant)");
    for (size_t i = 0; i < n && i < EXAMPLES_SHOWN; i++)
        printf("%-20.6f  %s\n", (double)probabilities[i], class_name(samples[i].target > 0.5F));

    printf("\n%-20s  predicted malignant  predicted benign\n", "truth");
    for (int truth = 1; truth >= 0; truth--)
        printf("%-20s  %19zu  %16zu\n", class_name(truth == 1), count[truth][1], count[truth][0]);

    printf("\nheld-out accuracy %.4f (%zu of %zu)\n", (double)right / (double)n, right, n);
}

/* Predicts from host arrays, with the call that does the transfers itself. */
static bool evaluate(clact_context *ctx, const model *m, const sample *samples, size_t n)
{
    float *values = malloc(n * sizeof *values);
    if (values == NULL) {
        fprintf(stderr, "classify: out of memory\n");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = logit_of(m, &samples[i]);
    bool done = ok(ctx, clact_forward(ctx, CLACT_SIGMOID, NULL, CLACT_F32, n, values, values),
                   "predicting");
    if (done)
        report(samples, n, values);
    free(values);
    return done;
}

static bool print_device(const clact_context *ctx)
{
    clact_device_info info;
    if (!ok(ctx, clact_context_info(ctx, &info), "asking for the device"))
        return false;
    printf("device    %s (%s)\n", info.name, info.platform_name);
    return true;
}

/* Learns from three quarters of the samples and is judged by the rest. */
static bool run(clact_context *ctx, sample *samples, size_t count)
{
    size_t n_train = count - count / 4;
    model m = {{0.0}, 0.0};
    trainer t;
    dataset_shuffle(samples, count, SEED);
    dataset_standardise(samples, count, n_train);
    if (!print_device(ctx) || !trainer_create(ctx, samples, n_train, &t))
        return false;
    printf("samples   %zu to learn from, %zu held out, %d features\n\n", n_train, count - n_train,
           FEATURES);
    bool trained = train(&t, samples, &m);
    trainer_destroy(&t);
    return trained && evaluate(ctx, &m, samples + n_train, count - n_train);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        fprintf(stderr, "usage: classify [DATA.csv]\n");
        return EXIT_FAILURE;
    }
    size_t count = 0;
    sample *samples = dataset_read("classify", argc == 2 ? argv[1] : CLASSIFY_DATA, &count);
    if (samples == NULL)
        return EXIT_FAILURE;

    clact_context *ctx = NULL;
    bool done =
        ok(NULL, clact_context_create(NULL, &ctx), "finding a device") && run(ctx, samples, count);
    clact_context_destroy(ctx);
    free(samples);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "classify: cannot write the output\n");
        done = false;
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
