/* SPDX-License-Identifier: MIT */
/* clact loss: the binary cross-entropy of logits, and its gradient. */
#include "commands.h"
#include "dtype.h"
#include "fail_status.h"
#include "input_types.h"
#include "loss_arguments.h"
#include "whole_file.h"

#include <clact/clact.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What the library is given, and what it gives. */
struct loss {
    clact_dtype dtype;
    clact_dtype targets;
    size_t rows, cols;
    void *elements[LOSS_INPUTS]; /* that of the logits becomes the gradient */
    void *losses;                /* of each element, or NULL */
    double result;               /* room for an element of any type */
};

static bool find_types(const struct loss_arguments *arguments, const struct input *inputs,
                       struct loss *loss, struct failure *why)
{
    const struct input *logits = &inputs[LOSS_LOGITS];
    if (!input_find_dtype(logits, arguments->bf16, &loss->dtype, why))
        return false;
    for (size_t i = LOSS_TARGETS; i < LOSS_INPUTS; i++) {
        clact_dtype dtype = loss->dtype;
        const bool bytes = i == LOSS_TARGETS && inputs[i].header.item_size == 1;
        if (!arguments->inputs[i])
            continue;
        if (!bytes && !input_find_dtype(&inputs[i], arguments->bf16, &dtype, why))
            return false;
        if (i == LOSS_TARGETS)
            loss->targets = bytes ? CLACT_U8 : 0;
        if (i == LOSS_POS_WEIGHT ? !inputs_match_types(logits, &inputs[i], why)
            : bytes              ? !inputs_match_shapes(logits, &inputs[i], why)
                                 : !inputs_match(logits, &inputs[i], why))
            return false;
    }
    return true;
}

/* Where there are columns, and one pos_weight for each. Else all elements make a single column, as
 * the library cuts what is larger than a buffer between rows. */
static bool find_shape(const struct npy_header *header, const char *path, bool has_pos_weight,
                       size_t pos_weights, struct loss *loss, struct failure *why)
{
    const size_t count = (size_t)header->count, dimensions = header->dimensions;
    const size_t last = dimensions > 0 ? (size_t)header->shape[dimensions - 1] : 1;
    loss->rows = count;
    loss->cols = 1;
    if (!has_pos_weight || pos_weights == 1)
        return true;
    if (pos_weights != last)
        return fail(why, "--pos-weight has %zu numbers, but %s has %zu columns", pos_weights, path,
                    last);
    if (header->fortran_order && dimensions > 1)
        return fail(why, "%s is in Fortran order, in which --pos-weight finds no columns", path);
    loss->rows = last > 0 ? count / last : 0;
    loss->cols = last;
    return true;
}

/* The numbers of a list, as the file would have them. */
static bool fill_pos_weights(const char *list, size_t count, struct loss *loss, struct failure *why)
{
    void *numbers = whole_allocate("--pos-weight", count * clact_dtype_size(loss->dtype), why);
    loss->elements[LOSS_POS_WEIGHT] = numbers;
    for (size_t i = 0; i < count && numbers; i++) {
        const double number = loss_list_next(&list);
        dtype_store(loss->dtype, numbers, i, number);
        if (!isfinite(dtype_load(loss->dtype, numbers, i)))
            return fail(why, "--pos-weight: %g is too large for %s", number,
                        clact_dtype_name(loss->dtype));
    }
    return numbers != NULL;
}

static bool check_bytes(const char *path, const unsigned char *targets, size_t count,
                        struct failure *why)
{
    for (size_t i = 0; i < count; i++)
        if (targets[i] > 1)
            return fail(why, "%s: targets that are bytes have to be 0 or 1, not %u", path,
                        targets[i]);
    return true;
}

static bool read_inputs(const struct loss_arguments *arguments, struct input *inputs,
                        struct loss *loss, struct failure *why)
{
    const struct npy_header *header = &inputs[LOSS_LOGITS].header;
    const bool file = arguments->inputs[LOSS_POS_WEIGHT] != NULL;
    const size_t pos_weights =
        file ? (size_t)inputs[LOSS_POS_WEIGHT].header.count : arguments->pos_weight_count;
    if (!find_types(arguments, inputs, loss, why) ||
        !find_shape(header, arguments->inputs[LOSS_LOGITS], file || arguments->pos_weights,
                    pos_weights, loss, why))
        return false;
    for (size_t i = 0; i < LOSS_INPUTS; i++) {
        if (!arguments->inputs[i])
            continue;
        loss->elements[i] = whole_read(&inputs[i], why);
        if (!loss->elements[i])
            return false;
    }
    if (arguments->losses) {
        loss->losses = whole_allocate(arguments->losses,
                                      (size_t)header->count * clact_dtype_size(loss->dtype), why);
        if (!loss->losses)
            return false;
    }
    return (loss->targets != CLACT_U8 ||
            check_bytes(arguments->inputs[LOSS_TARGETS], loss->elements[LOSS_TARGETS],
                        (size_t)header->count, why)) &&
           (!arguments->pos_weights ||
            fill_pos_weights(arguments->pos_weights, pos_weights, loss, why));
}

static bool compute(const struct loss_arguments *arguments, struct loss *loss, struct failure *why)
{
    const clact_options device = {.device = arguments->device};
    const clact_bce_arrays options = {.reduction = arguments->reduction,
                                      .targets = loss->targets,
                                      .weight = loss->elements[LOSS_WEIGHT],
                                      .pos_weight = loss->elements[LOSS_POS_WEIGHT]};
    void *const result = loss->losses ? loss->losses : &loss->result;
    void *const logits = loss->elements[LOSS_LOGITS];
    clact_context *context = NULL;
    clact_status status = clact_context_create(&device, &context);
    if (status == CLACT_SUCCESS && !arguments->output)
        status = clact_bce_with_logits(context, &options, loss->dtype, loss->rows, loss->cols,
                                       logits, loss->elements[LOSS_TARGETS], result);
    else if (status == CLACT_SUCCESS)
        status = clact_bce_with_logits_forward_backward(
            context, &options, loss->dtype, loss->rows, loss->cols, logits,
            loss->elements[LOSS_TARGETS], result, logits);
    const bool good = status == CLACT_SUCCESS || fail_status(why, context, status);
    clact_context_destroy(context);
    return good;
}

/* The loss is printed with the digits that tell it from all others of its type. */
static bool compute_and_write(const struct loss_arguments *arguments,
                              const struct npy_header *header, struct loss *loss,
                              struct failure *why)
{
    struct whole_output files[OUTPUTS];
    size_t count = 0;
    if (arguments->output)
        files[count++] = (struct whole_output){
            .path = arguments->output, .header = header, .elements = loss->elements[LOSS_LOGITS]};
    if (arguments->losses)
        files[count++] = (struct whole_output){
            .path = arguments->losses, .header = header, .elements = loss->losses};
    if (!whole_open(files, count, why) ||
        !whole_close(files, count, compute(arguments, loss, why), why))
        return false;
    if (!arguments->losses)
        printf("%.*g\n", loss->dtype == CLACT_F64 ? 17 : 9,
               dtype_load(loss->dtype, &loss->result, 0));
    return true;
}

bool loss_command(int argc, char **argv, struct failure *why)
{
    struct loss_arguments arguments;
    struct input inputs[LOSS_INPUTS];
    struct loss loss = {.targets = 0};
    if (!loss_arguments_parse(&arguments, argc, argv, why))
        return false;
    if (arguments.help) {
        loss_print_help();
        return true;
    }
    if (!inputs_open(inputs, arguments.inputs, LOSS_INPUTS, why))
        return false;
    const bool good = read_inputs(&arguments, inputs, &loss, why) &&
                      compute_and_write(&arguments, &inputs[LOSS_LOGITS].header, &loss, why);
    for (size_t i = 0; i < LOSS_INPUTS; i++)
        free(loss.elements[i]);
    free(loss.losses);
    inputs_close(inputs, arguments.inputs, LOSS_INPUTS);
    return good;
}
