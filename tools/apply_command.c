/* SPDX-License-Identifier: MIT */
/* clact forward and clact backward. */
#include "commands.h"
#include "fail_status.h"
#include "stream.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PIECE_BYTES = 64 << 20, LARGEST_ELEMENT = 8 };
enum { OPTION_BF16 = 256, OPTION_SAVED, OPTION_PIECE_BYTES };

/* The command line. */
struct apply {
    clact_operator operation;
    size_t input_count;
    const char *inputs[STREAM_MAX_INPUTS];
    const char *output;
    const char *device;
    clact_saved saved;
    size_t piece_bytes;
    bool bf16;
    bool help;
};

static const struct {
    const char *name;
    int saved;
} operators[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, forward, from_output, from_input) {#name, saved},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

static void print_operators(void)
{
    puts("\nOperators, and what their gradients can be computed from:");
    for (size_t i = 0; i < OPERATORS; i++) {
        int saved = operators[i].saved;
        printf("  %-16s %s%s%s\n", operators[i].name, saved & CLACT_SAVED_OUTPUT ? "output" : "",
               saved == (CLACT_SAVED_OUTPUT | CLACT_SAVED_INPUT) ? ", " : "",
               saved & CLACT_SAVED_INPUT ? "input" : "");
    }
}

static void print_help(size_t input_count)
{
    if (input_count == 1)
        puts("Usage: clact forward OPERATOR X.npy -o Y.npy [OPTIONS]\n"
             "\n"
             "Y = OPERATOR(X), for each element.\n");
    else
        puts("Usage: clact backward OPERATOR GRAD.npy SAVED.npy --saved output|input -o DX.npy"
             " [OPTIONS]\n"
             "\n"
             "DX = GRAD * OPERATOR'(...), for each element. SAVED holds the output of the forward\n"
             "pass or its input, as --saved says. GRAD and SAVED have the same type and shape.\n");
    puts(
        "The files are NumPy's (.npy, versions 1.0 to 3.0) with elements of type f2, f4 or f8 in\n"
        "either byte order. Type, byte order, shape and Fortran order of the result are those of\n"
        "the first file. Files may be larger than memory. \"-\" is standard input or output.\n"
        "\n"
        "The result is there whole or not at all: until all of it is written it is in a temporary\n"
        "file in the same folder. So it may also replace a file that is being read. Pipes and\n"
        "devices are written as the results come.\n"
        "\n"
        "Options:\n"
        "  -o, --output FILE      where the result goes");
    if (input_count == 2)
        puts("      --saved output     SAVED is what the forward pass gave\n"
             "      --saved input      SAVED is what the forward pass got; keeps more of a small\n"
             "                         gradient");
    puts(
        "  -d, --device NAME      use the device that has NAME in its own or its platform's name\n"
        "                         (clact devices lists them; the default is CLACT_DEVICE from the\n"
        "                         environment, else a GPU, else a CPU)\n"
        "      --bf16             the files are of type u2 (or V2) and hold bfloat16 numbers\n"
        "      --piece-bytes N    work on N bytes of a file at a time (for tuning; the default is\n"
        "                         67108864)\n"
        "  -h, --help             print this text");
    print_operators();
}

static bool fail_operator(struct failure *why, const char *name)
{
    char known[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < OPERATORS && used < sizeof known; i++) {
        int length = snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                              operators[i].name);
        used += length > 0 ? (size_t)length : 0;
    }
    return fail_usage(why, "unknown operator '%s'; known: %s", name, known);
}

static bool parse_piece_bytes(const char *text, size_t *bytes, struct failure *why)
{
    char *end;
    errno = 0;
    uintmax_t value = strtoumax(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < LARGEST_ELEMENT ||
        value > PTRDIFF_MAX)
        return fail_usage(why, "--piece-bytes needs a number of at least %d, not '%s'",
                          LARGEST_ELEMENT, text);
    *bytes = (size_t)value;
    return true;
}

static bool parse_saved(const char *text, clact_saved *saved, struct failure *why)
{
    if (strcmp(text, "output") == 0)
        *saved = CLACT_SAVED_OUTPUT;
    else if (strcmp(text, "input") == 0)
        *saved = CLACT_SAVED_INPUT;
    else
        return fail_usage(why, "--saved needs 'output' or 'input', not '%s'", text);
    return true;
}

static bool parse_options(struct apply *apply, int argc, char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"bf16", no_argument, NULL, OPTION_BF16},
        {"piece-bytes", required_argument, NULL, OPTION_PIECE_BYTES},
        {"saved", required_argument, NULL, OPTION_SAVED},
        {NULL, 0, NULL, 0},
    };
    int character;
    bool good = true;
    while (good && (character = getopt_long(argc, argv, ":o:d:h", options, NULL)) != -1) {
        if (character == 'o')
            apply->output = optarg;
        else if (character == 'd')
            apply->device = optarg;
        else if (character == 'h')
            apply->help = true;
        else if (character == OPTION_BF16)
            apply->bf16 = true;
        else if (character == OPTION_PIECE_BYTES)
            good = parse_piece_bytes(optarg, &apply->piece_bytes, why);
        else if (character == OPTION_SAVED && apply->input_count == 2)
            good = parse_saved(optarg, &apply->saved, why);
        else if (character == OPTION_SAVED)
            good = fail_usage(why, "--saved is for clact backward");
        else
            good = fail_option(why, character, argv);
    }
    return good;
}

static bool parse(struct apply *apply, int argc, char **argv, struct failure *why)
{
    if (!parse_options(apply, argc, argv, why) || apply->help)
        return apply->help;
    size_t words = (size_t)(argc - optind);
    if (words != 1 + apply->input_count)
        return fail_usage(why,
                          "%s needs an operator and %s, not %zu argument%s; see clact %s --help",
                          argv[0], apply->input_count == 1 ? "one file" : "two files", words,
                          words == 1 ? "" : "s", argv[0]);
    if (clact_operator_from_name(argv[optind], &apply->operation) != CLACT_SUCCESS)
        return fail_operator(why, argv[optind]);
    for (size_t i = 0; i < apply->input_count; i++)
        apply->inputs[i] = argv[optind + 1 + (int)i];
    if (apply->input_count == 2 && input_is_standard(apply->inputs[0]) &&
        input_is_standard(apply->inputs[1]))
        return fail_usage(why, "only one of the two files can be standard input");
    if (apply->output == NULL || apply->output[0] == '\0')
        return fail_usage(why, "where should the result go? Say -o FILE");
    if (apply->input_count == 2 && apply->saved == 0)
        return fail_usage(why, "what does %s hold? Say --saved output or --saved input",
                          apply->inputs[1]);
    return true;
}

static bool find_dtype(const struct input *input, bool bf16, clact_dtype *dtype,
                       struct failure *why)
{
    const struct npy_header *header = &input->header;
    char type[8];
    npy_format_type(header, type);
    if (bf16 && header->kind == 'f')
        return fail(why, "%s: with --bf16 the elements have to be of type u2, not '%s'",
                    input->path, type);
    if (!bf16 && header->kind != 'f')
        return fail(why, "%s: elements of type '%s' are read with --bf16 only", input->path, type);
    *dtype = bf16                     ? CLACT_BF16
             : header->item_size == 2 ? CLACT_F16
             : header->item_size == 4 ? CLACT_F32
                                      : CLACT_F64;
    return true;
}

/* The two inputs of a backward pass go together element by element, in the order of the files. */
static bool check_match(const struct input *grad, const struct input *saved, struct failure *why)
{
    const struct npy_header *g = &grad->header;
    const struct npy_header *s = &saved->header;
    char left[256], right[256];
    if (g->item_size != s->item_size) {
        npy_format_type(g, left);
        npy_format_type(s, right);
        return fail(why, "%s and %s differ in their types: '%s' and '%s'", grad->path, saved->path,
                    left, right);
    }
    if (g->dimensions != s->dimensions ||
        memcmp(g->shape, s->shape, g->dimensions * sizeof g->shape[0]) != 0) {
        npy_format_shape(g, left, sizeof left);
        npy_format_shape(s, right, sizeof right);
        return fail(why, "%s and %s differ in their shapes: %s and %s", grad->path, saved->path,
                    left, right);
    }
    if (g->dimensions > 1 && g->fortran_order != s->fortran_order)
        return fail(why, "%s and %s differ in their order: one is in C order, one in Fortran order",
                    grad->path, saved->path);
    return true;
}

static bool compute(const struct apply *apply, struct stream *stream, struct failure *why)
{
    unsigned char bytes[NPY_MAX_FORMATTED];
    clact_options options = {.device = apply->device};
    if (!output_write(stream->output, bytes, npy_format(&stream->inputs[0]->header, bytes), why))
        return false;
    clact_status status = clact_context_create(&options, &stream->context);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    bool good = stream_run(stream, why);
    clact_context_destroy(stream->context);
    for (size_t i = 0; good && i < stream->input_count; i++)
        good = input_finish(stream->inputs[i], why);
    return good;
}

static bool check_and_compute(const struct apply *apply, struct input *inputs, struct failure *why)
{
    struct output output;
    struct stream stream = {.operation = apply->operation,
                            .saved = apply->saved,
                            .input_count = apply->input_count,
                            .inputs = {&inputs[0], &inputs[1]},
                            .output = &output,
                            .piece_bytes = apply->piece_bytes};
    for (size_t i = 0; i < apply->input_count; i++) {
        if (!find_dtype(&inputs[i], apply->bf16, &stream.dtype, why))
            return false;
    }
    if (apply->input_count == 2 && !check_match(&inputs[0], &inputs[1], why))
        return false;
    if (!output_open(&output, apply->output, why))
        return false;
    if (compute(apply, &stream, why))
        return output_commit(&output, why);
    output_abandon(&output);
    return false;
}

static bool run(const struct apply *apply, struct failure *why)
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

static bool apply_command(size_t input_count, int argc, char **argv, struct failure *why)
{
    struct apply apply = {.input_count = input_count, .piece_bytes = DEFAULT_PIECE_BYTES};
    if (!parse(&apply, argc, argv, why))
        return false;
    if (!apply.help)
        return run(&apply, why);
    print_help(input_count);
    return true;
}

bool forward_command(int argc, char **argv, struct failure *why)
{
    return apply_command(1, argc, argv, why);
}

bool backward_command(int argc, char **argv, struct failure *why)
{
    return apply_command(2, argc, argv, why);
}
