/* SPDX-License-Identifier: MIT */
/* Puts the elements of one or two inputs through an operator, or of one through clact_predict, and
 * into an output, in pieces. */
#ifndef CLACT_TOOLS_STREAM_H
#define CLACT_TOOLS_STREAM_H

#include "input.h"
#include "output.h"
#include "row_operations.h"

#include <clact/clact.h>

enum { STREAM_MAX_INPUTS = 2 };

struct stream {
    clact_context *context;
    clact_operator operation;
    clact_params params;
    const struct row_operation
        *rows; /* NULL, or what is done instead, on rows of `cols` elements */
    size_t cols;
    bool predicts; /* labels at this threshold, and no operator */
    double threshold;
    clact_dtype dtype;
    clact_saved saved;                       /* for two inputs: what the second one holds */
    size_t input_count;                      /* 1: forward. 2: backward from gradient and saved */
    struct input *inputs[STREAM_MAX_INPUTS]; /* with equal headers, but for the byte order */
    struct output *output;                   /* gets the byte order of the first input */
    size_t piece_bytes;                      /* at least one element; of rows, at least one goes */
};

/* Whether the library does at all what is asked for, which it says of no elements too. */
bool stream_check(const struct stream *stream, struct failure *why);

/* From the first element to the last. */
bool stream_run(const struct stream *stream, struct failure *why);

#endif
