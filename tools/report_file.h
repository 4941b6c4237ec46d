/* SPDX-License-Identifier: MIT */
/* A report that goes to a file, if one is wanted: it is kept in memory, and the file appears at the end. */
#ifndef CLACT_TOOLS_REPORT_FILE_H
#define CLACT_TOOLS_REPORT_FILE_H

#include "failure.h"
#include "output.h"

#include <stdio.h>

struct report_file {
    struct output output; /* its path is NULL where none is wanted */
    FILE *stream;         /* what to write the report to, in any case */
    char *text;
    size_t size;
};

/* As output_open: before there are threads, and before an hour's work. path may be NULL. */
bool report_file_open(struct report_file *file, const char *path, struct failure *why);

/* Both end the file's life. */
bool report_file_commit(struct report_file *file, struct failure *why);
void report_file_abandon(struct report_file *file);

#endif
