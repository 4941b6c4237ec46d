/* SPDX-License-Identifier: MIT */
/* The arguments of clact forward, clact backward and clact predict. */
#ifndef CLACT_TOOLS_APPLY_ARGUMENTS_H
#define CLACT_TOOLS_APPLY_ARGUMENTS_H

#include "failure.h"
#include "stream.h"

#include <clact/clact.h>

enum apply_command { APPLY_FORWARD, APPLY_BACKWARD, APPLY_PREDICT };

struct apply_arguments {
    enum apply_command command;
    clact_operator operation; /* none for predict, and where there is one on rows */
    const struct row_operation *rows;
    clact_params params;
    clact_saved saved;  /* for two inputs */
    double threshold;   /* for predict */
    size_t input_count; /* 2 for backward, else 1 */
    const char *inputs[STREAM_MAX_INPUTS];
    const char *output;
    const char *device; /* NULL if it is not named */
    size_t piece_bytes;
    bool bf16;
    bool help; /* nothing else is filled in */
};

bool apply_arguments_parse(struct apply_arguments *arguments, enum apply_command command, int argc,
                           char **argv, struct failure *why);

void apply_print_help(enum apply_command command);

#endif
