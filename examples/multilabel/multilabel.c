/* SPDX-License-Identifier: MIT */
/*
 * Tells from the weather of one day what the next will have: rain, a downpour, wind, frost, heat, any
 * number of them. One linear layer gives a logit for each label; the loss with its gradient, the
 * probabilities and the labels are clact's. Labels are rare in different degrees, which is what
 * pos_weight and a threshold for each label are for: the program tries it with and without both.
 *
 *     multilabel [DATA.csv]
 */
#include "table.h"
#include "weather.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { EPOCHS = 400 };
static const double learning_rate = 2.0;

#define LABEL_NAME(name, meaning) #name,
static const char *const label_names[LABELS] = {WEATHER_LABELS(LABEL_NAME)};

/* What there is without pos_weight, and without thresholds. */
#define LABEL_ONE(name, meaning) 1.0F,
#define LABEL_HALF(name, meaning) 0.5,
static const float ones[LABELS] = {WEATHER_LABELS(LABEL_ONE)};
static const double halves[LABELS] = {WEATHER_LABELS(LABEL_HALF)};

typedef struct model {
    double weights[LABELS][FEATURES];
    double bias[LABELS];
    float pos_weight[LABELS];
} model;

/* The days, of which the first n_train are learned from, and what they need on the device: matrices
 * with a row for each day and a column for each label. */
typedef struct trainer {
    clact_context *ctx;
    const day *days;
    size_t n, n_train;
    clact_buffer *logits;
    clact_buffer *targets; /* a byte each, as the labels are */
    clact_buffer *labels;
    clact_buffer *pos_weight;
    clact_buffer *loss;
    clact_buffer *results; /* gradients, then probabilities */
    float *values;         /* of a matrix, on its way to the device or back */
    unsigned char *bytes;
} trainer;

/* How often a label was true, was predicted, and both. */
typedef struct score {
    size_t real, named, right;
} score;

/* The one place where a status is looked at: true if all is well, else a line on stderr. */
static bool ok(const clact_context *ctx, clact_status status, const char *doing)
{
    if (status != CLACT_SUCCESS)
        fprintf(stderr, "multilabel: %s: %s: %s\n", doing, clact_status_string(status),
                clact_last_error(ctx)->message);
    return status == CLACT_SUCCESS;
}

static void trainer_destroy(trainer *t)
{
    clact_buffer_destroy(t->logits);
    clact_buffer_destroy(t->targets);
    clact_buffer_destroy(t->labels);
    clact_buffer_destroy(t->pos_weight);
    clact_buffer_destroy(t->loss);
    clact_buffer_destroy(t->results);
    free(t->values);
    free(t->bytes);
}

static bool trainer_create(clact_context *ctx, const day *days, size_t n, trainer *t)
{
    const size_t elements = n * LABELS; /* cannot overflow: a day is larger than that */
    const size_t floats = elements * sizeof(float);
    *t = (trainer){.ctx = ctx, .days = days, .n = n, .n_train = n - n / 4};
    t->values = malloc(floats);
    t->bytes = malloc(elements);
    if (t->values == NULL || t->bytes == NULL)
        fprintf(stderr, "multilabel: out of memory\n");
    for (size_t i = 0; i < elements && t->bytes != NULL; i++)
        t->bytes[i] = days[i / LABELS].tomorrow[i % LABELS];
    if (t->values != NULL && t->bytes != NULL &&
        ok(ctx, clact_buffer_create(ctx, floats, &t->logits), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, elements, &t->targets), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, elements, &t->labels), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, LABELS * sizeof(float), &t->pos_weight),
           "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, sizeof(float), &t->loss), "making a buffer") &&
        ok(ctx, clact_buffer_create(ctx, floats, &t->results), "making a buffer") &&
        ok(ctx, clact_buffer_write(t->targets, 0, elements, t->bytes), "writing targets"))
        return true;
    trainer_destroy(t);
    return false;
}

/* Some columns of some rows of a matrix, from that element on. */
static clact_view part_of(const clact_buffer *buffer, clact_dtype dtype, size_t first, size_t rows,
                          size_t cols)
{
    return clact_view_2d(clact_buffer_mem(buffer), dtype, first, rows, cols, LABELS);
}

/* The first `rows` rows. */
static clact_view rows_of(const clact_buffer *buffer, clact_dtype dtype, size_t rows)
{
    return part_of(buffer, dtype, 0, rows, LABELS);
}

/* The linear layer, on the host; the first `rows` rows of logits are then on the device. */
static bool write_logits(trainer *t, const model *m, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t l = 0; l < LABELS; l++) {
            double sum = m->bias[l];
            for (size_t f = 0; f < FEATURES; f++)
                sum += m->weights[l][f] * t->days[i].features[f];
            t->values[i * LABELS + l] = (float)sum;
        }
    return ok(t->ctx, clact_buffer_write(t->logits, 0, rows * LABELS * sizeof(float), t->values),
              "writing logits");
}

/* The mean loss over all days and labels, and its gradient by the logits, in t->values. */
static bool loss_and_gradient(trainer *t, float *loss)
{
    const clact_bce_views options = {.pos_weight =
                                         clact_buffer_view(t->pos_weight, CLACT_F32, 0, LABELS)};
    return ok(t->ctx,
              clact_enqueue_bce_with_logits_forward_backward(
                  t->ctx, NULL, &options, rows_of(t->logits, CLACT_F32, t->n_train),
                  rows_of(t->targets, CLACT_U8, t->n_train),
                  clact_buffer_view(t->loss, CLACT_F32, 0, 1),
                  rows_of(t->results, CLACT_F32, t->n_train), 0, NULL, NULL),
              "loss and gradient") &&
           ok(t->ctx, clact_buffer_read(t->loss, 0, sizeof(float), loss), "reading the loss") &&
           ok(t->ctx,
              clact_buffer_read(t->results, 0, t->n_train * LABELS * sizeof(float), t->values),
              "reading the gradient");
}

/* Gradient descent from all weights 0. */
static bool train(trainer *t, model *m)
{
    float loss = 0;
    if (!ok(t->ctx, clact_buffer_write(t->pos_weight, 0, sizeof m->pos_weight, m->pos_weight),
            "writing pos_weight"))
        return false;
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        if (!write_logits(t, m, t->n_train) || !loss_and_gradient(t, &loss))
            return false;
        if (epoch == 1 || epoch == EPOCHS)
            printf("epoch %3d  loss %.6f\n", epoch, (double)loss);
        for (size_t i = 0; i < t->n_train * LABELS; i++) {
            const size_t l = i % LABELS;
            const double scaled = learning_rate * (double)t->values[i];
            for (size_t f = 0; f < FEATURES; f++)
                m->weights[l][f] -= scaled * t->days[i / LABELS].features[f];
            m->bias[l] -= scaled;
        }
    }
    return true;
}

static double f1(score s)
{
    return s.right == 0 ? 0.0 : 2.0 * (double)s.right / (double)(s.named + s.real);
}

/* Descending by the probability. */
typedef struct ranked {
    float probability;
    bool real;
} ranked;

static int compare_ranked(const void *left, const void *right)
{
    const float a = ((const ranked *)left)->probability, b = ((const ranked *)right)->probability;
    return (a < b) - (a > b);
}

/* The threshold with the best F1 on the days that were learned from, halfway between the probabilities
 * of two of them. t->values are the probabilities. */
static double best_threshold(const trainer *t, size_t label, ranked *order)
{
    score s = {0, 0, 0};
    double threshold = 0.5, best = 0.0;
    for (size_t i = 0; i < t->n_train; i++) {
        order[i] = (ranked){t->values[i * LABELS + label], t->days[i].tomorrow[label] != 0};
        s.real += order[i].real;
    }
    qsort(order, t->n_train, sizeof *order, compare_ranked);
    for (size_t i = 0; i + 1 < t->n_train; i++) {
        s.named++;
        s.right += order[i].real;
        const double p = (double)order[i].probability, next = (double)order[i + 1].probability;
        if (p > next && f1(s) > best) {
            best = f1(s);
            threshold = (p + next) / 2.0;
        }
    }
    return threshold;
}

/* A probability for each label of each day, those held out too, and from them the thresholds. */
static bool choose_thresholds(trainer *t, const model *m, double thresholds[LABELS])
{
    ranked *order = malloc(t->n_train * sizeof *order);
    if (order == NULL)
        fprintf(stderr, "multilabel: out of memory\n");
    bool done =
        order != NULL && write_logits(t, m, t->n) &&
        ok(t->ctx,
           clact_enqueue_forward(t->ctx, NULL, CLACT_SIGMOID, NULL,
                                 rows_of(t->logits, CLACT_F32, t->n),
                                 rows_of(t->results, CLACT_F32, t->n), 0, NULL, NULL),
           "probabilities") &&
        ok(t->ctx, clact_buffer_read(t->results, 0, t->n_train * LABELS * sizeof(float), t->values),
           "reading probabilities");
    for (size_t l = 0; l < LABELS && done; l++)
        thresholds[l] = best_threshold(t, l, order);
    free(order);
    return done;
}

/* Labels for the days held out. A column of the matrix is a view, so that each has its threshold; the
 * labels are made from the logits, which are not rounded to probabilities before they are compared. */
static bool judge(trainer *t, const double thresholds[LABELS], score scores[LABELS])
{
    const size_t held_out = t->n - t->n_train, first = t->n_train * LABELS;
    for (size_t l = 0; l < LABELS; l++) {
        clact_view logits = part_of(t->logits, CLACT_F32, first + l, held_out, 1);
        clact_view labels = part_of(t->labels, CLACT_U8, first + l, held_out, 1);
        if (!ok(t->ctx,
                clact_enqueue_predict(t->ctx, NULL, thresholds[l], logits, labels, 0, NULL, NULL),
                "labels"))
            return false;
        scores[l] = (score){0, 0, 0};
    }
    if (!ok(t->ctx, clact_buffer_read(t->labels, first, held_out * LABELS, t->bytes),
            "reading labels"))
        return false;
    for (size_t i = 0; i < held_out * LABELS; i++) {
        const bool named = t->bytes[i] != 0;
        const bool real = t->days[t->n_train + i / LABELS].tomorrow[i % LABELS] != 0;
        scores[i % LABELS].real += real;
        scores[i % LABELS].named += named;
        scores[i % LABELS].right += named && real;
    }
    return true;
}

/* Precision, recall and F1; those of a label that was never predicted are 0. */
static void print_score(double threshold, score s)
{
    printf("  %9.3f  %9.3f  %6.3f  %5.3f", threshold,
           s.named == 0 ? 0.0 : (double)s.right / (double)s.named,
           s.real == 0 ? 0.0 : (double)s.right / (double)s.real, f1(s));
}

static void report(const model *m, const score at_half[LABELS], const double thresholds[LABELS],
                   const score at_own[LABELS])
{
    double sums[2] = {0.0, 0.0};
    printf("%-8s  %10s  %9s  %9s  %6s  %5s  %9s  %9s  %6s  %5s\n", "label", "pos_weight",
           "threshold", "precision", "recall", "F1", "threshold", "precision", "recall", "F1");
    for (size_t l = 0; l < LABELS; l++) {
        printf("%-8s  %10.2f", label_names[l], (double)m->pos_weight[l]);
        print_score(0.5, at_half[l]);
        print_score(thresholds[l], at_own[l]);
        putchar('\n');
        sums[0] += f1(at_half[l]) / LABELS;
        sums[1] += f1(at_own[l]) / LABELS;
    }
    printf("mean F1   %48.3f  %36.3f\n", sums[0], sums[1]);
}

static bool learn_and_judge(trainer *t, const float pos_weight[LABELS], const char *title)
{
    double thresholds[LABELS];
    score at_half[LABELS], at_own[LABELS];
    model m = {.bias = {0.0}};
    for (size_t l = 0; l < LABELS; l++)
        m.pos_weight[l] = pos_weight[l];
    printf("\n%s\n", title);
    if (!train(t, &m) || !choose_thresholds(t, &m, thresholds) || !judge(t, halves, at_half) ||
        !judge(t, thresholds, at_own))
        return false;
    report(&m, at_half, thresholds, at_own);
    return true;
}

/* What balances a label: how many of the days to learn from do not have it, for each that has. */
static bool balance(const trainer *t, float pos_weight[LABELS])
{
    printf("days      %zu to learn from, %zu held out\n", t->n_train, t->n - t->n_train);
    for (size_t l = 0; l < LABELS; l++) {
        size_t positive = 0;
        for (size_t i = 0; i < t->n_train; i++)
            positive += t->days[i].tomorrow[l];
        if (positive == 0 || positive == t->n_train) {
            fprintf(stderr, "multilabel: %s of the days to learn from have the label '%s'\n",
                    positive == 0 ? "none" : "all", label_names[l]);
            return false;
        }
        pos_weight[l] = (float)(t->n_train - positive) / (float)positive;
        printf("%-8s  on %4zu of them, %5.2f %%\n", label_names[l], positive,
               100.0 * (double)positive / (double)t->n_train);
    }
    return true;
}

/* Learns from the first three quarters of the days, twice, and is judged by the rest. */
static bool run(clact_context *ctx, day *days, size_t count)
{
    float pos_weight[LABELS];
    clact_device_info info;
    trainer t;
    for (size_t f = 0; f < FEATURES; f++)
        table_standardise(days, count, sizeof *days, offsetof(day, features) + f * sizeof(double),
                          count - count / 4);
    if (!ok(ctx, clact_context_info(ctx, &info), "asking for the device") ||
        !trainer_create(ctx, days, count, &t))
        return false;
    printf("device    %s (%s)\n", info.name, info.platform_name);
    bool done = balance(&t, pos_weight) && learn_and_judge(&t, ones, "Without pos_weight") &&
                learn_and_judge(&t, pos_weight, "With pos_weight");
    trainer_destroy(&t);
    return done;
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        fprintf(stderr, "usage: multilabel [DATA.csv]\n");
        return EXIT_FAILURE;
    }
    size_t count = 0;
    day *days = weather_read("multilabel", argc == 2 ? argv[1] : MULTILABEL_DATA, &count);
    if (days == NULL)
        return EXIT_FAILURE;

    clact_context *ctx = NULL;
    bool done =
        ok(NULL, clact_context_create(NULL, &ctx), "finding a device") && run(ctx, days, count);
    clact_context_destroy(ctx);
    free(days);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "multilabel: cannot write the output\n");
        done = false;
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
