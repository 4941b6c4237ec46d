/* SPDX-License-Identifier: MIT */
#include "dataset.h"

#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { MINIMUM = 4 };

static bool parse_sample(const table_file *file, char *fields[FEATURES + 1], sample *result)
{
    if (strcmp(fields[0], "0") != 0 && strcmp(fields[0], "1") != 0)
        return table_fail(file, "the first column is not 0 or 1");
    result->target = fields[0][0] == '1' ? 1.0F : 0.0F;
    for (size_t f = 0; f < FEATURES; f++)
        if (!table_number(file, f + 2, fields[f + 1], &result->features[f]))
            return false;
    return true;
}

static bool read_samples(table_file *file, sample **samples, size_t *count)
{
    size_t capacity = 0;
    char *fields[FEATURES + 1];
    bool found = false;
    if (!table_next(file, FEATURES + 1, fields, &found))
        return false;
    if (!found)
        return table_fail(file, "the file is empty");
    if (strcmp(fields[0], "malignant") != 0)
        return table_fail(file, "not a header whose first column is 'malignant'");
    for (*count = 0;; ++*count) {
        if (!table_next(file, FEATURES + 1, fields, &found))
            return false;
        if (!found)
            return *count >= MINIMUM ||
                   table_fail(file, "the file ends after fewer than 4 samples");
        sample *room = table_reserve(file, *samples, sizeof *room, *count, &capacity);
        if (room == NULL)
            return false;
        *samples = room;
        if (!parse_sample(file, fields, &room[*count]))
            return false;
    }
}

sample *dataset_read(const char *program, const char *path, size_t *count)
{
    table_file file;
    sample *samples = NULL;
    if (!table_open(&file, program, path))
        return NULL;
    if (!read_samples(&file, &samples, count)) {
        free(samples);
        samples = NULL;
    }
    table_close(&file);
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
    for (size_t f = 0; f < FEATURES; f++)
        table_standardise(samples, count, sizeof *samples,
                          offsetof(sample, features) + f * sizeof samples->features[0], train);
}
