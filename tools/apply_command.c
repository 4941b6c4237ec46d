/* SPDX-License-Identifier: MIT */
/* clact forward, clact backward and clact predict. */
#include "apply_arguments.h"
#include "commands.h"
#include "fail_status.h"
#include "input_types.h"
#include "stream.h"

#include <stdio.h>

/* How many elements a row has; a scalar is a row of one. */
static bool find_cols(const struct apply_arguments *apply, const struct input *input, size_t *cols,
                      struct failure *why)
{
    const struct npy_header *header = &input->header;
    if (header->fortran_order && header->dimensions > 1)
        return fail(why, "%s is in Fortran order, in which %s finds no rows", input->path,
                    apply->rows->name);
    *cols = header->dimensions > 0 ? (size_t)header->shape[header->dimensions - 1] : 1;
    return true;
}

static bool compute(const struct apply_arguments *apply, struct stream *stream, struct failure *why)
{
    unsigned char bytes[NPY_MAX_FORMATTED];
    struct npy_header header = stream->inputs[0]->header;
    if (stream->predicts) {
        header.kind = 'u';
        header.item_size = 1;
    }
    clact_options options = {.device = apply->device};
    clact_status status = clact_context_create(&options, &stream->context);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    bool good = stream_check(stream, why) &&
                output_write(stream->output, bytes, npy_format(&header, bytes), why) &&
                stream_run(stream, why);
    clact_context_destroy(stream->context);
    for (size_t i = 0; good && i < stream->input_count; i++)
        good = input_finish(stream->inputs[i], why);
    return good;
}

static bool check_and_compute(const struct apply_arguments *apply, struct input *inputs,
                              struct failure *why)
{
    struct output output;
    struct stream stream = {.operation = apply->operation,
                            .params = apply->params,
                            .rows = apply->rows,
                            .saved = apply->saved,
                            .predicts = apply->command == APPLY_PREDICT,
                            .threshold = apply->threshold,
                            .input_count = apply->input_count,
                            .inputs = {&inputs[0], &inputs[1]},
                            .output = &output,
                            .piece_bytes = apply->piece_bytes};
    for (size_t i = 0; i < apply->input_count; i++) {
        if (!input_find_dtype(&inputs[i], apply->bf16, &stream.dtype, why))
            return false;
    }
    if (apply->input_count == 2 && !inputs_match(&inputs[0], &inputs[1], why))
        return false;
    if (apply->rows != NULL && !find_cols(apply, &inputs[0], &stream.cols, why))
        return false;
    if (!output_open(&output, apply->output, why))
        return false;
    if (compute(apply, &stream, why))
        return output_commit(&output, why);
    output_abandon(&output);
    return false;
}

static bool run(const struct apply_arguments *apply, struct failure *why)
{
    struct input inputs[STREAM_MAX_INPUTS];
    size_t opened = 0;
    while (opened < apply->input_count && input_open(&inputs[opened], apply->inputs[opened], why))
        opened++;
    bool good = opened == apply->input_count && check_and_compute(apply, inputs, why);
    while (opened > 0)
        input_close(&inputs[--opened]);
    return good;
}

static bool apply_command(enum apply_command command, int argc, char **argv, struct failure *why)
{
    struct apply_arguments apply;
    if (!apply_arguments_parse(&apply, command, argc, argv, why))
        return false;
    if (!apply.help)
        return run(&apply, why);
    apply_print_help(command);
    return true;
}

bool forward_command(int argc, char **argv, struct failure *why)
{
    return apply_command(APPLY_FORWARD, argc, argv, why);
}

bool backward_command(int argc, char **argv, struct failure *why)
{
    return apply_command(APPLY_BACKWARD, argc, argv, why);
}

bool predict_command(int argc, char **argv, struct failure *why)
{
    return apply_command(APPLY_PREDICT, argc, argv, why);
}
