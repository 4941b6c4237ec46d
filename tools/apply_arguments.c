/* SPDX-License-Identifier: MIT */
#include "apply_arguments.h"

#include "commands.h"
#include "operators.h"
#include "parameters.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PIECE_BYTES = 64 << 20, LARGEST_ELEMENT = 8 };
/* OPTION_PARAMETER and the numbers after it stand for parameter_options. */
enum { OPTION_BF16 = 256, OPTION_SAVED, OPTION_PIECE_BYTES, OPTION_THRESHOLD, OPTION_PARAMETER };

static void print_operator(clact_operator operation)
{
    unsigned saved = clact_operator_saved(operation);
    printf("  %-24s  %s", clact_operator_name(operation),
           saved == CLACT_SAVED_OUTPUT  ? "output"
           : saved == CLACT_SAVED_INPUT ? "input"
                                        : "output, input");
    parameters_print_defaults(operation);
    putchar('\n');
}

static void print_operators(void)
{
    puts("\n"
         "Operators, what their gradients can be computed from, and the defaults of parameters:");
    for (size_t i = 0; i < operators_count; i++)
        print_operator(operators[i]);
    puts("\n"
         "Operators on each row, which the elements along the last axis are, of files in C order:");
    for (size_t i = 0; i < row_operations_count; i++)
        printf("  %-24s  output\n", row_operations[i].name);
}

void apply_print_help(enum apply_command command)
{
    if (command == APPLY_PREDICT)
        puts("Usage: clact predict LOGITS.npy -o LABELS.npy [--threshold T] [OPTIONS]\n"
             "\n"
             "LABELS = 1 where 1 / (1 + e^-LOGITS) >= T, else 0: bytes (u1), in the shape and "
             "order\n"
             "of LOGITS. They are right however near the probability is to T, as it is not "
             "rounded.\n"
             "The label of NaN is 0.\n");
    else if (command == APPLY_FORWARD)
        puts("Usage: clact forward OPERATOR X.npy -o Y.npy [OPTIONS]\n"
             "\n"
             "Y = OPERATOR(X), for each element, in the type, byte order, shape and Fortran order\n"
             "of X.\n");
    else
        puts("Usage: clact backward OPERATOR GRAD.npy SAVED.npy --saved output|input -o DX.npy"
             " [OPTIONS]\n"
             "\n"
             "DX = GRAD * OPERATOR'(...), for each element. SAVED holds the output of the forward\n"
             "pass or its input, as --saved says. GRAD and SAVED have the same type and shape; DX\n"
             "has these too, and the byte order and Fortran order of GRAD.\n");
    puts(
        "The files are NumPy's (.npy, versions 1.0 to 3.0) with elements of type f2, f4 or f8 in\n"
        "either byte order. They may be larger than memory. \"-\" is standard input or output.\n"
        "\n"
        "The result is there whole or not at all: until all of it is written it is in a temporary\n"
        "file in the same folder. So it may also replace a file that is being read. Pipes and\n"
        "devices are written as the results come.\n"
        "\n"
        "Options:\n"
        "  -o, --output FILE      where the result goes");
    if (command == APPLY_PREDICT)
        puts("      --threshold T      a decimal number from 0 to 1 (the default is 0.5)");
    if (command == APPLY_BACKWARD)
        puts("      --saved output     SAVED is what the forward pass gave\n"
             "      --saved input      SAVED is what the forward pass got; keeps more of a small\n"
             "                         gradient");
    puts(
        "  -d, --device NAME      use the device that has NAME in its own or its platform's name\n"
        "                         (clact devices lists them; the default is CLACT_DEVICE from the\n"
        "                         environment, else the first GPU, accelerator or CPU)\n"
        "      --bf16             the files are of type u2 (or V2) and hold bfloat16 numbers\n"
        "      --piece-bytes N    work on N bytes of a file at a time (for tuning; the default is\n"
        "                         67108864)");
    if (command != APPLY_PREDICT)
        puts("      --alpha A          the parameters of the operators that have them: decimal "
             "numbers\n"
             "      --beta B           (the defaults are below)\n"
             "      --gamma C");
    puts("  -h, --help             print this text");
    if (command != APPLY_PREDICT)
        print_operators();
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

static bool parse_threshold(const char *text, double *threshold, struct failure *why)
{
    if (!number_parse("--threshold", text, threshold, why))
        return false;
    return (*threshold >= 0 && *threshold <= 1) ||
           fail_usage(why, "--threshold needs a number from 0 to 1, not '%s'", text);
}

static bool parse_options(struct apply_arguments *apply, struct parameters *given, int argc,
                          char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"bf16", no_argument, NULL, OPTION_BF16},
        {"piece-bytes", required_argument, NULL, OPTION_PIECE_BYTES},
        {"saved", required_argument, NULL, OPTION_SAVED},
        {"threshold", required_argument, NULL, OPTION_THRESHOLD},
        {"alpha", required_argument, NULL, OPTION_PARAMETER},
        {"beta", required_argument, NULL, OPTION_PARAMETER + 1},
        {"gamma", required_argument, NULL, OPTION_PARAMETER + 2},
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
        else if (character == OPTION_THRESHOLD && apply->command == APPLY_PREDICT)
            good = parse_threshold(optarg, &apply->threshold, why);
        else if (character == OPTION_THRESHOLD)
            good = fail_usage(why, "--threshold is for clact predict");
        else if (character >= OPTION_PARAMETER && apply->command == APPLY_PREDICT)
            good = fail_usage(why, "clact predict has no %s; see clact predict --help",
                              parameter_options[character - OPTION_PARAMETER]);
        else if (character >= OPTION_PARAMETER)
            good = parameters_parse(given, (size_t)(character - OPTION_PARAMETER), optarg, why);
        else
            good = fail_option(why, character, argv);
    }
    return good;
}

/* Operators on rows have no parameters. */
static bool find_operation(struct apply_arguments *apply, const char *name, struct failure *why)
{
    apply->rows = row_operations_find(name);
    return apply->rows != NULL || operators_find(name, &apply->operation, why);
}

static bool fill_params(struct apply_arguments *apply, const struct parameters *given,
                        const char *command, struct failure *why)
{
    const char *name =
        apply->rows != NULL ? apply->rows->name : clact_operator_name(apply->operation);
    return parameters_apply(given, apply->operation, name, command, &apply->params, why);
}

bool apply_arguments_parse(struct apply_arguments *apply, enum apply_command command, int argc,
                           char **argv, struct failure *why)
{
    struct parameters given = {.given = 0};
    *apply = (struct apply_arguments){.command = command,
                                      .threshold = 0.5,
                                      .input_count = command == APPLY_BACKWARD ? 2 : 1,
                                      .piece_bytes = DEFAULT_PIECE_BYTES};
    if (!parse_options(apply, &given, argc, argv, why) || apply->help)
        return apply->help;
    size_t words = (size_t)(argc - optind);
    int first = command == APPLY_PREDICT ? optind : optind + 1; /* file */
    if (command == APPLY_PREDICT && words != 1)
        return fail_usage(
            why, "predict needs one file, not %zu arguments; see clact predict --help", words);
    if (command != APPLY_PREDICT && words != 1 + apply->input_count)
        return fail_usage(why,
                          "%s needs an operator and %s, not %zu argument%s; see clact %s --help",
                          argv[0], apply->input_count == 1 ? "one file" : "two files", words,
                          words == 1 ? "" : "s", argv[0]);
    if (command != APPLY_PREDICT &&
        (!find_operation(apply, argv[optind], why) || !fill_params(apply, &given, argv[0], why)))
        return false;
    for (size_t i = 0; i < apply->input_count; i++)
        apply->inputs[i] = argv[first + (int)i];
    if (apply->input_count == 2 && input_is_standard(apply->inputs[0]) &&
        input_is_standard(apply->inputs[1]))
        return fail_usage(why, "only one of the two files can be standard input");
    if (apply->output == NULL || apply->output[0] == '\0')
        return fail_usage(why, "where should the result go? Say -o FILE");
    if (apply->input_count == 2 && apply->saved == 0)
        return fail_usage(why, "what does %s hold? Say --saved output or --saved input",
                          apply->inputs[1]);
    if (apply->rows != NULL && apply->saved == CLACT_SAVED_INPUT)
        return fail_usage(why,
                          "the gradient of %s is computed from its output; see clact %s --help",
                          apply->rows->name, argv[0]);
    return true;
}
