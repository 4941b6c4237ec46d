/* SPDX-License-Identifier: MIT */
/* The patients that classify and vanishing learn from: reading, shuffling and scaling them. */
#ifndef DATASET_H
#define DATASET_H

#include <stddef.h>
#include <stdint.h>

enum { FEATURES = 30 };

typedef struct sample {
    float target; /* 1: malignant, 0: benign */
    double features[FEATURES];
} sample;

/*
 * Reads a CSV file: one line of column names of which the first is "malignant", then one line per
 * sample, 0 or 1 and FEATURES finite numbers. Gives an array of *count samples, at least 4, that
 * the caller frees. If the file is anything else: one line on stderr, that starts with the program's
 * name, and NULL.
 */
sample *dataset_read(const char *program, const char *path, size_t *count);

/* Puts the samples into an order that depends on the seed alone, the same on every machine. */
void dataset_shuffle(sample *samples, size_t count, uint64_t seed);

/* Gives each feature the mean 0 and the standard deviation 1 over the first `train` samples. The
 * others are scaled alike, so nothing about them leaks into what is learned. */
void dataset_standardise(sample *samples, size_t count, size_t train);

#endif
