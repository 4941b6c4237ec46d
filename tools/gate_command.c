/* SPDX-License-Identifier: MIT */
/* clact gate: gated linear units, and their gradients. */
#include "commands.h"
#include "fail_status.h"
#include "gate_arguments.h"
#include "input_types.h"
#include "whole_file.h"

#include <clact/clact.h>

#include <stdio.h>
#include <stdlib.h>

/* What the library is given. The results take the places of the inputs, but for the halves' Y. */
struct gate {
    clact_dtype dtype;
    struct npy_header result;    /* that of Y, and of B and GRAD */
    void *elements[GATE_INPUTS]; /* A has both halves if there is no B */
    void *y;                     /* of halves, else NULL */
    size_t rows, cols;           /* of a half */
};

/* Which elements the halves are. In Fortran order they are those of the file. */
static bool find_halves(const struct input *input, struct gate *gate, struct failure *why)
{
    struct npy_header *half = &gate->result;
    const size_t dimensions = half->dimensions;
    if (dimensions == 0)
        return fail(why, "%s has no halves: it has no axis", input->path);
    if (half->shape[dimensions - 1] % 2 != 0)
        return fail(why, "%s has no halves: its last axis is odd", input->path);
    half->shape[dimensions - 1] /= 2;
    half->count /= 2;
    gate->cols = (size_t)half->shape[dimensions - 1];
    gate->rows = gate->cols > 0 ? (size_t)half->count / gate->cols : 0;
    if (half->fortran_order) {
        gate->rows = 1;
        gate->cols = (size_t)half->count;
    }
    return true;
}

static bool check_inputs(const struct gate_arguments *arguments, const struct input *inputs,
                         struct gate *gate, struct failure *why)
{
    char path[256];
    for (size_t i = 0; i < GATE_INPUTS; i++)
        if (arguments->inputs[i] &&
            !input_find_dtype(&inputs[i], arguments->bf16, &gate->dtype, why))
            return false;
    gate->result = inputs[GATE_A].header;
    if (arguments->inputs[GATE_B] && !inputs_match(&inputs[GATE_A], &inputs[GATE_B], why))
        return false;
    if (!arguments->inputs[GATE_B] && !find_halves(&inputs[GATE_A], gate, why))
        return false;
    snprintf(path, sizeof path, "%s%s", arguments->inputs[GATE_B] ? "" : "half of ",
             inputs[GATE_A].path);
    const struct input wanted = {.path = path, .header = gate->result};
    return !arguments->inputs[GATE_GRAD] || inputs_match(&wanted, &inputs[GATE_GRAD], why);
}

static bool read_inputs(const struct gate_arguments *arguments, struct input *inputs,
                        struct gate *gate, struct failure *why)
{
    if (!check_inputs(arguments, inputs, gate, why))
        return false;
    for (size_t i = 0; i < GATE_INPUTS; i++) {
        if (!arguments->inputs[i])
            continue;
        gate->elements[i] = whole_read(&inputs[i], why);
        if (!gate->elements[i])
            return false;
    }
    if (!arguments->inputs[GATE_B] && !arguments->inputs[GATE_GRAD])
        gate->y = whole_allocate(arguments->output,
                                 (size_t)gate->result.count * gate->result.item_size, why);
    return arguments->inputs[GATE_B] || arguments->inputs[GATE_GRAD] || gate->y;
}

static clact_status compute_files(clact_context *context, const struct gate_arguments *arguments,
                                  const struct gate *gate)
{
    void *const a = gate->elements[GATE_A], *const b = gate->elements[GATE_B];
    const size_t count = (size_t)gate->result.count;
    if (!gate->elements[GATE_GRAD])
        return clact_gated(context, arguments->operation, &arguments->params, gate->dtype, count, a,
                           b, a);
    return clact_gated_backward(context, arguments->operation, &arguments->params, gate->dtype,
                                count, gate->elements[GATE_GRAD], a, b, a, b);
}

/* `whole` has both halves on the device, and `half` is for what has their shape: Y or GRAD. */
static clact_status compute_on_device(clact_context *context,
                                      const struct gate_arguments *arguments,
                                      const struct gate *gate, clact_buffer *whole,
                                      clact_buffer *half)
{
    const size_t bytes = (size_t)gate->result.count * gate->result.item_size;
    const size_t rows = gate->rows, cols = gate->cols;
    const size_t start_a = arguments->second ? cols : 0, start_b = cols - start_a;
    const clact_view a =
        clact_view_2d(clact_buffer_mem(whole), gate->dtype, start_a, rows, cols, 2 * cols);
    const clact_view b =
        clact_view_2d(clact_buffer_mem(whole), gate->dtype, start_b, rows, cols, 2 * cols);
    const clact_view other =
        clact_view_2d(clact_buffer_mem(half), gate->dtype, 0, rows, cols, cols);
    clact_status status = clact_buffer_write(whole, 0, 2 * bytes, gate->elements[GATE_A]);
    if (status == CLACT_SUCCESS && gate->y) {
        status = clact_enqueue_gated(context, NULL, arguments->operation, &arguments->params, a, b,
                                     other, 0, NULL, NULL);
        return status == CLACT_SUCCESS ? clact_buffer_read(half, 0, bytes, gate->y) : status;
    }
    if (status == CLACT_SUCCESS)
        status = clact_buffer_write(half, 0, bytes, gate->elements[GATE_GRAD]);
    if (status == CLACT_SUCCESS)
        status = clact_enqueue_gated_backward(context, NULL, arguments->operation,
                                              &arguments->params, other, a, b, a, b, 0, NULL, NULL);
    return status == CLACT_SUCCESS ? clact_buffer_read(whole, 0, 2 * bytes, gate->elements[GATE_A])
                                   : status;
}

static clact_status compute_halves(clact_context *context, const struct gate_arguments *arguments,
                                   const struct gate *gate)
{
    const size_t bytes = (size_t)gate->result.count * gate->result.item_size;
    clact_buffer *whole = NULL, *half = NULL;
    clact_status status = clact_buffer_create(context, 2 * bytes, &whole);
    if (status == CLACT_SUCCESS)
        status = clact_buffer_create(context, bytes, &half);
    if (status == CLACT_SUCCESS)
        status = compute_on_device(context, arguments, gate, whole, half);
    clact_buffer_destroy(whole);
    clact_buffer_destroy(half);
    return status;
}

static bool compute(const struct gate_arguments *arguments, const struct gate *gate,
                    struct failure *why)
{
    const clact_options options = {.device = arguments->device};
    clact_context *context = NULL;
    clact_status status = clact_context_create(&options, &context);
    if (status == CLACT_SUCCESS)
        status = arguments->inputs[GATE_B] ? compute_files(context, arguments, gate)
                                           : compute_halves(context, arguments, gate);
    const bool good = status == CLACT_SUCCESS || fail_status(why, context, status);
    clact_context_destroy(context);
    return good;
}

static bool compute_and_write(const struct gate_arguments *arguments, const struct input *inputs,
                              const struct gate *gate, struct failure *why)
{
    const size_t count = arguments->db ? 2 : 1;
    struct whole_output files[OUTPUTS] = {
        {.path = arguments->output,
         .header = gate->y ? &gate->result : &inputs[GATE_A].header,
         .elements = gate->y ? gate->y : gate->elements[GATE_A]},
        {.path = arguments->db,
         .header = &inputs[GATE_B].header,
         .elements = gate->elements[GATE_B]},
    };
    return whole_open(files, count, why) &&
           whole_close(files, count, compute(arguments, gate, why), why);
}

bool gate_command(int argc, char **argv, struct failure *why)
{
    struct gate_arguments arguments;
    struct input inputs[GATE_INPUTS];
    struct gate gate = {.y = NULL};
    if (!gate_arguments_parse(&arguments, argc, argv, why))
        return false;
    if (arguments.help) {
        gate_print_help();
        return true;
    }
    if (!inputs_open(inputs, arguments.inputs, GATE_INPUTS, why))
        return false;
    const bool good = read_inputs(&arguments, inputs, &gate, why) &&
                      compute_and_write(&arguments, inputs, &gate, why);
    for (size_t i = 0; i < GATE_INPUTS; i++)
        free(gate.elements[i]);
    free(gate.y);
    inputs_close(inputs, arguments.inputs, GATE_INPUTS);
    return good;
}
