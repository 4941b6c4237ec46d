/* SPDX-License-Identifier: MIT */
/*
 * The file that a command writes. A regular file appears, whole, when output_commit is called:
 * until then the bytes are in a temporary file beside it, which goes away on failure and when a
 * signal ends the program. Devices, pipes and standard output are written as they are.
 */
#ifndef CLACT_TOOLS_OUTPUT_H
#define CLACT_TOOLS_OUTPUT_H

#include "failure.h"

#include <stddef.h>

enum { OUTPUTS = 2 }; /* at a time */

struct output {
    const char *path;
    char *target; /* what the temporary file will be renamed to; NULL if there is none */
    struct temporary *temporary;
    int descriptor;
};

/* The value of an option that names an output file. */
bool output_parse_path(const char *option, const char *text, const char **path,
                       struct failure *why);

/* Whether the path means standard output. */
bool output_is_standard(const char *path);
/* Whether two paths name one file by their words, or are both standard output. */
bool outputs_are_same(const char *one, const char *other);

/* At most OUTPUTS at a time, and before the program has a second thread: see output.c on signals. On
 * failure there is nothing to close or to remove. */
bool output_open(struct output *output, const char *path, struct failure *why);

bool output_write(struct output *output, const void *data, size_t bytes, struct failure *why);

/* Both end the output's life. After a failing output_commit the target is as it was. */
bool output_commit(struct output *output, struct failure *why);
void output_abandon(struct output *output);

#endif
