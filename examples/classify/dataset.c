/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dataset.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINIMUM = 4 };

/* Who reads what and where, for the messages. */
typedef struct position {
    const char *program;
    const char *path;
    size_t line;
} position;

static bool complain(const position *at, const char *problem)
{
    fprintf(stderr, "%s: %s, line %zu: %s\n", at->program, at->path, at->line, problem);
    return false;
}

/* strtod alone would also take an empty field, leading blanks, "nan", "inf", 0x10 and 1e999. The
 * range is that of float, so that squares of features cannot overflow a double later. */
static bool parse_number(const position *at, size_t column, const char *text, double *number)
{
    char *end = NULL;
    bool decimal = text[strspn(text, "+-.0123456789eE")] == '\0';
    *number = strtod(text, &end);
    if (decimal && end != text && *end == '\0' && fabs(*number) <= (double)FLT_MAX)
        return true;
    fprintf(stderr, "%s: %s, line %zu, column %zu: not a number that a float can hold: '%.40s'\n",
            at->program, at->path, at->line, column, text);
    return false;
}

/* Cuts the line at its commas. */
static bool split_line(const position *at, char *line, char *fields[FEATURES + 1])
{
    size_t n = 0;
    for (char *rest = line; rest != NULL; n++) {
        char *comma = strchr(rest, ',');
        if (n < FEATURES + 1)
            fields[n] = rest;
        if (comma != NULL)
            *comma++ = '\0';
        rest = comma;
    }
    if (n == FEATURES + 1)
        return true;
    fprintf(stderr, "%s: %s, line %zu: %d columns expected, %zu found\n", at->program, at->path,
            at->line, FEATURES + 1, n);
    return false;
}

static bool parse_sample(const position *at, char *fields[FEATURES + 1], sample *result)
{
    if (strcmp(fields[0], "0") != 0 && strcmp(fields[0], "1") != 0)
        return complain(at, "the first column is not 0 or 1");
    result->target = fields[0][0] == '1' ? 1.0F : 0.0F;
    for (size_t f = 0; f < FEATURES; f++)
        if (!parse_number(at, f + 2, fields[f + 1], &result->features[f]))
            return false;
    return true;
}

/* Makes room for one sample more. */
static bool reserve(const position *at, sample **samples, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity == 0 ? 64 : *capacity * 2;
    sample *grown =
        more > SIZE_MAX / 2 / sizeof **samples ? NULL : realloc(*samples, more * sizeof *grown);
    if (grown == NULL)
        return complain(at, "out of memory");
    *samples = grown;
    *capacity = more;
    return true;
}

/* Reads the file's next line without its end; *found is false at the end of the file. */
static bool read_line(FILE *file, position *at, char **line, size_t *room, bool *found)
{
    at->line++;
    errno = 0;
    ssize_t length = getline(line, room, file);
    *found = length >= 0;
    if (!*found)
        return feof(file) ? true : complain(at, strerror(errno));
    if (strlen(*line) != (size_t)length)
        return complain(at, "a zero byte");
    size_t end = (size_t)length;
    end -= end > 0 && (*line)[end - 1] == '\n';
    end -= end > 0 && (*line)[end - 1] == '\r';
    (*line)[end] = '\0';
    return true;
}

static bool read_samples(FILE *file, position *at, char **line, sample **samples, size_t *count)
{
    size_t room = 0, capacity = 0;
    char *fields[FEATURES + 1];
    bool found = false;
    if (!read_line(file, at, line, &room, &found))
        return false;
    if (!found)
        return complain(at, "the file is empty");
    if (!split_line(at, *line, fields))
        return false;
    if (strcmp(fields[0], "malignant") != 0)
        return complain(at, "not a header whose first column is 'malignant'");
    for (*count = 0;; ++*count) {
        if (!read_line(file, at, line, &room, &found))
            return false;
        if (!found)
            return *count >= MINIMUM || complain(at, "the file ends after fewer than 4 samples");
        if (!split_line(at, *line, fields) || !reserve(at, samples, *count, &capacity) ||
            !parse_sample(at, fields, &(*samples)[*count]))
            return false;
    }
}

sample *dataset_read(const char *program, const char *path, size_t *count)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
        return NULL;
    }
    position at = {program, path, 0};
    char *line = NULL;
    sample *samples = NULL;
    if (!read_samples(file, &at, &line, &samples, count)) {
        free(samples);
        samples = NULL;
    }
    free(line);
    fclose(file);
    return samples;
}

/* Fisher and Yates' shuffle, with Knuth's 64-bit linear congruential generator (MMIX). */
void dataset_shuffle(sample *samples, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = count; i-- > 1;) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t j = (size_t)((state >> 32) % (i + 1));
        sample other = samples[j];
        samples[j] = samples[i];
        samples[i] = other;
    }
}

void dataset_standardise(sample *samples, size_t count, size_t train)
{
    for (size_t f = 0; f < FEATURES; f++) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < train; i++)
            mean += samples[i].features[f] / (double)train;
        for (size_t i = 0; i < train; i++)
            variance += pow(samples[i].features[f] - mean, 2.0) / (double)train;
        /* A feature that never varies says nothing; it must become 0, not 0 / 0. */
        double scale = variance > 0.0 ? 1.0 / sqrt(variance) : 0.0;
        for (size_t i = 0; i < count; i++)
            samples[i].features[f] = (samples[i].features[f] - mean) * scale;
    }
}
