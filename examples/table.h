/* SPDX-License-Identifier: MIT */
/* Tables of numbers from CSV files: reading them line by line, and scaling their columns. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A file that is being read: lines of fields with commas between them, and no quotes. */
typedef struct table_file {
    const char *program; /* who reads it, for the messages */
    const char *path;
    FILE *stream;
    size_t line; /* the number of the last line */
    char *text;  /* that line */
    size_t room;
} table_file;

/* All that give false have printed why: one line on stderr, which starts with the program's name. */
bool table_open(table_file *file, const char *program, const char *path);

/* The next line, cut into that many fields, which stay until the next call. *found is false at the end
 * of the file. */
bool table_next(table_file *file, size_t columns, char **fields, bool *found);

/* The number in a field, which is that of the column, counted from 1. It is one that a float can hold,
 * so that squares cannot overflow a double later. */
bool table_number(const table_file *file, size_t column, const char *text, double *number);

/* Room for row number `count`, of row_bytes bytes, behind those in `rows`, which starts as NULL with a
 * *capacity of 0. Gives the rows, which may have moved, or NULL; then they are where they were. */
void *table_reserve(const table_file *file, void *rows, size_t row_bytes, size_t count,
                    size_t *capacity);

/* Prints what is wrong with the last line. */
bool table_fail(const table_file *file, const char *problem);

void table_close(table_file *file);

/*
 * Gives a column of doubles the mean 0 and the standard deviation 1 over the first `train` rows. The
 * others are scaled alike, so that nothing about them leaks into what is learned. A row has row_bytes
 * bytes, of which the column's start after `offset`.
 */
void table_standardise(void *rows, size_t count, size_t row_bytes, size_t offset, size_t train);

#endif
