/* SPDX-License-Identifier: MIT */
/* clact loss: the binary cross-entropy of logits, and its gradient. */
#include "commands.h"
#include "dtype.h"
#include "fail_status.h"
#include "input_types.h"
#include "output.h"

#include <clact/clact.h>

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOGITS, TARGETS, INPUTS };
enum { OPTION_BF16 = 256, OPTION_SUM };

struct loss_arguments {
    const char *inputs[INPUTS];
    const char *output; /* NULL: no gradient */
    const char *device; /* NULL if it is not named */
    clact_reduction reduction;
    bool bf16;
    bool help; /* nothing else is filled in */
};

static void print_help(void)
{
    puts("Usage: clact loss LOGITS.npy TARGETS.npy [-o DX.npy] [OPTIONS]\n"
         "\n"
         "Prints the binary cross-entropy of the logits, the mean of\n"
         "  TARGETS log(1 + e^-LOGITS) + (1 - TARGETS) log(1 + e^LOGITS),\n"
         "rounded once, and writes its gradient by the logits, if it is told where. It is finite\n"
         "wherever its exact value is, and the same on every run.\n"
         "\n"
         "The files are NumPy's (.npy, versions 1.0 to 3.0) with elements of type f2, f4 or f8 in\n"
         "either byte order, both of the same type and shape, and have to fit in memory. Targets "
         "are\n"
         "from 0 to 1. \"-\" is standard input or output. DX has the type, shape and order of "
         "LOGITS,\n"
         "and is there whole or not at all.\n"
         "\n"
         "Options:\n"
         "  -o, --output FILE      where the gradient goes\n"
         "      --sum              the sum instead of the mean\n"
         "  -d, --device NAME      use the device that has NAME in its own or its platform's name\n"
         "      --bf16             the files are of type u2 (or V2) and hold bfloat16 numbers\n"
         "  -h, --help             print this text");
}

static bool parse(struct loss_arguments *loss, int argc, char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {"bf16", no_argument, NULL, OPTION_BF16},
        {"sum", no_argument, NULL, OPTION_SUM},   {NULL, 0, NULL, 0},
    };
    *loss = (struct loss_arguments){.reduction = CLACT_REDUCTION_MEAN};
    int option;
    while ((option = getopt_long(argc, argv, ":o:d:h", options, NULL)) != -1) {
        if (option == 'h')
            loss->help = true;
        else if (option == 'd')
            loss->device = optarg;
        else if (option == OPTION_BF16)
            loss->bf16 = true;
        else if (option == OPTION_SUM)
            loss->reduction = CLACT_REDUCTION_SUM;
        else if (option != 'o')
            return fail_option(why, option, argv);
        else if (!output_parse_path("-o", optarg, &loss->output, why))
            return false;
    }
    if (loss->help)
        return true;
    if (argc - optind != INPUTS)
        return fail_usage(why, "loss needs two files, the logits and the targets; see clact loss "
                               "--help");
    for (int i = 0; i < INPUTS; i++)
        loss->inputs[i] = argv[optind + i];
    if (input_is_standard(loss->inputs[LOGITS]) && input_is_standard(loss->inputs[TARGETS]))
        return fail_usage(why, "only one file can be standard input");
    if (loss->output && input_is_standard(loss->output))
        return fail_usage(why, "the loss is printed to standard output, which DX cannot be then");
    return true;
}

/* All of a file; the caller frees it. */
static void *read_all(struct input *input, size_t bytes, struct failure *why)
{
    void *elements = malloc(bytes ? bytes : 1);
    if (!elements) {
        fail(why, "%s: there is no memory for %zu bytes", input->path, bytes);
        return NULL;
    }
    if (input_read(input, elements, bytes, why) && input_finish(input, why))
        return elements;
    free(elements);
    return NULL;
}

static bool write_gradient(const char *path, const struct npy_header *header, void *dx,
                           size_t bytes, struct failure *why)
{
    unsigned char text[NPY_MAX_FORMATTED];
    struct output output;
    if (!output_open(&output, path, why))
        return false;
    swap_if_foreign(header, dx, bytes);
    if (output_write(&output, text, npy_format(header, text), why) &&
        output_write(&output, dx, bytes, why))
        return output_commit(&output, why);
    output_abandon(&output);
    return false;
}

static clact_status compute(clact_context *context, const struct loss_arguments *loss,
                            clact_dtype dtype, size_t count, void *const elements[INPUTS],
                            double *result)
{
    const clact_bce_arrays options = {.reduction = loss->reduction};
    if (!loss->output)
        return clact_bce_with_logits(context, &options, dtype, 1, count, elements[LOGITS],
                                     elements[TARGETS], result);
    return clact_bce_with_logits_forward_backward(context, &options, dtype, 1, count,
                                                  elements[LOGITS], elements[TARGETS], result,
                                                  elements[LOGITS]);
}

/* With the digits that tell it from all others of its type. */
static void print_loss(clact_dtype dtype, const double *result)
{
    printf("%.*g\n", dtype == CLACT_F64 ? 17 : 9, dtype_load(dtype, result, 0));
}

static bool compute_and_write(const struct loss_arguments *loss, clact_dtype dtype,
                              const struct npy_header *header, void *const elements[INPUTS],
                              struct failure *why)
{
    const clact_options options = {.device = loss->device};
    clact_context *context = NULL;
    double result = 0; /* room for an element of any type */
    clact_status status = clact_context_create(&options, &context);
    if (status == CLACT_SUCCESS)
        status = compute(context, loss, dtype, (size_t)header->count, elements, &result);
    const bool good = status == CLACT_SUCCESS || fail_status(why, context, status);
    clact_context_destroy(context);
    if (!good || (loss->output && !write_gradient(loss->output, header, elements[LOGITS],
                                                  (size_t)header->count * header->item_size, why)))
        return false;
    print_loss(dtype, &result);
    return true;
}

static bool read_and_compute(const struct loss_arguments *loss, struct input inputs[INPUTS],
                             struct failure *why)
{
    clact_dtype dtype = CLACT_F32;
    void *elements[INPUTS] = {NULL, NULL};
    for (int i = 0; i < INPUTS; i++)
        if (!input_find_dtype(&inputs[i], loss->bf16, &dtype, why))
            return false;
    if (!inputs_match(&inputs[LOGITS], &inputs[TARGETS], why))
        return false;
    const struct npy_header *header = &inputs[LOGITS].header;
    if (header->count > SIZE_MAX / header->item_size)
        return fail(why, "%s: larger than memory", inputs[LOGITS].path);
    bool good = true;
    for (int i = 0; i < INPUTS && good; i++) {
        elements[i] = read_all(&inputs[i], (size_t)header->count * header->item_size, why);
        good = elements[i] != NULL;
    }
    good = good && compute_and_write(loss, dtype, header, elements, why);
    for (int i = 0; i < INPUTS; i++)
        free(elements[i]);
    return good;
}

bool loss_command(int argc, char **argv, struct failure *why)
{
    struct loss_arguments loss;
    struct input inputs[INPUTS];
    int opened = 0;
    if (!parse(&loss, argc, argv, why))
        return false;
    if (loss.help) {
        print_help();
        return true;
    }
    while (opened < INPUTS && input_open(&inputs[opened], loss.inputs[opened], why))
        opened++;
    const bool good = opened == INPUTS && read_and_compute(&loss, inputs, why);
    while (opened > 0)
        input_close(&inputs[--opened]);
    return good;
}
