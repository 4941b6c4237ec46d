/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "table.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool table_fail(const table_file *file, const char *problem)
{
    fprintf(stderr, "%s: %s, line %zu: %s\n", file->program, file->path, file->line, problem);
    return false;
}

bool table_open(table_file *file, const char *program, const char *path)
{
    *file = (table_file){.program = program, .path = path, .stream = fopen(path, "r")};
    if (file->stream == NULL)
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
    return file->stream != NULL;
}

void table_close(table_file *file)
{
    free(file->text);
    fclose(file->stream);
}

/* Reads the next line without its end. */
static bool read_line(table_file *file, bool *found)
{
    file->line++;
    errno = 0;
    ssize_t length = getline(&file->text, &file->room, file->stream);
    *found = length >= 0;
    if (!*found)
        return feof(file->stream) ? true : table_fail(file, strerror(errno));
    if (strlen(file->text) != (size_t)length)
        return table_fail(file, "a zero byte");
    size_t end = (size_t)length;
    end -= end > 0 && file->text[end - 1] == '\n';
    end -= end > 0 && file->text[end - 1] == '\r';
    file->text[end] = '\0';
    return true;
}

bool table_next(table_file *file, size_t columns, char **fields, bool *found)
{
    size_t n = 0;
    if (!read_line(file, found))
        return false;
    for (char *rest = *found ? file->text : NULL; rest != NULL; n++) {
        char *comma = strchr(rest, ',');
        if (n < columns)
            fields[n] = rest;
        if (comma != NULL)
            *comma++ = '\0';
        rest = comma;
    }
    if (!*found || n == columns)
        return true;
    fprintf(stderr, "%s: %s, line %zu: %zu columns expected, %zu found\n", file->program,
            file->path, file->line, columns, n);
    return false;
}

/* strtod alone would also take an empty field, leading blanks, "nan", "inf", 0x10 and 1e999. */
bool table_number(const table_file *file, size_t column, const char *text, double *number)
{
    char *end = NULL;
    bool decimal = text[strspn(text, "+-.0123456789eE")] == '\0';
    *number = strtod(text, &end);
    if (decimal && end != text && *end == '\0' && fabs(*number) <= (double)FLT_MAX)
        return true;
    fprintf(stderr, "%s: %s, line %zu, column %zu: not a number that a float can hold: '%.40s'\n",
            file->program, file->path, file->line, column, text);
    return false;
}

void *table_reserve(const table_file *file, void *rows, size_t row_bytes, size_t count,
                    size_t *capacity)
{
    if (count < *capacity)
        return rows;
    size_t more = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = more > SIZE_MAX / 2 / row_bytes ? NULL : realloc(rows, more * row_bytes);
    if (grown == NULL)
        table_fail(file, "out of memory");
    else
        *capacity = more;
    return grown;
}

void table_standardise(void *rows, size_t count, size_t row_bytes, size_t offset, size_t train)
{
    char *column = (char *)rows + offset;
    double mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < train; i++)
        mean += *(double *)(column + i * row_bytes) / (double)train;
    for (size_t i = 0; i < train; i++)
        variance += pow(*(double *)(column + i * row_bytes) - mean, 2.0) / (double)train;
    /* A column that never varies says nothing; it must become 0, not 0 / 0. */
    double scale = variance > 0.0 ? 1.0 / sqrt(variance) : 0.0;
    for (size_t i = 0; i < count; i++) {
        double *value = (double *)(column + i * row_bytes);
        *value = (*value - mean) * scale;
    }
}
