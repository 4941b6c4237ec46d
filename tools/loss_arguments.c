/* SPDX-License-Identifier: MIT */
#include "loss_arguments.h"

#include "commands.h"
#include "output.h"
#include "parameters.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_BF16 = 256, OPTION_REDUCTION, OPTION_LOSSES, OPTION_WEIGHT, OPTION_POS_WEIGHT };

void loss_print_help(void)
{
    puts(
        "Usage: clact loss LOGITS.npy TARGETS.npy [-o DX.npy] [OPTIONS]\n"
        "\n"
        "Prints the binary cross-entropy of the logits, the mean of\n"
        "  W (P TARGETS log(1 + e^-LOGITS) + (1 - TARGETS) log(1 + e^LOGITS)),\n"
        "rounded once, and writes its gradient by the logits, if it is told where. It is finite\n"
        "wherever its exact value is, and the same on every run. W and P are 1 if they are not\n"
        "given.\n"
        "\n"
        "The files are NumPy's (.npy, versions 1.0 to 3.0) with elements of type f2, f4 or f8 in\n"
        "either byte order, all of the same type and shape, and have to fit in memory. Targets "
        "are\n"
        "from 0 to 1, or of type u1 or b1, 0 or 1. \"-\" is standard input or output. DX has the "
        "type,\n"
        "shape and order of LOGITS, and is there whole or not at all.\n"
        "\n"
        "Options:\n"
        "  -o, --output FILE      where the gradient goes\n"
        "      --weight FILE      W, for each element\n"
        "      --pos-weight P     for each column, which is a place along the last axis, the name\n"
        "                         of a file or numbers with commas between them; or one number "
        "for\n"
        "                         all of them\n"
        "      --reduction mean|sum|none\n"
        "                         the sum instead of the mean, or the loss of each element\n"
        "      --losses FILE      where those go, without reduction; nothing is printed then\n"
        "  -d, --device NAME      use the device that has NAME in its own or its platform's name\n"
        "      --bf16             the files are of type u2 (or V2) and hold bfloat16 numbers\n"
        "  -h, --help             print this text");
}

static bool parse_reduction(const char *text, clact_reduction *reduction, struct failure *why)
{
    static const char *const names[] = {"mean", "sum", "none"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *reduction = (clact_reduction)i;
            return true;
        }
    return fail_usage(why, "--reduction needs 'mean', 'sum' or 'none', not '%s'", text);
}

/* How many numbers are in a list with commas between them, if all are good. */
static bool count_list(const char *list, size_t *count, struct failure *why)
{
    char text[64];
    double number;
    for (*count = 0; list; ++*count) {
        const size_t length = strcspn(list, ",");
        snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text),
                 list);
        if (length >= sizeof text)
            return fail_usage(why, "--pos-weight: a number is too long: '%s...'", text);
        if (!number_parse("--pos-weight", text, &number, why))
            return false;
        list = list[length] ? list + length + 1 : NULL;
    }
    return true;
}

/* What has digits, and nothing that numbers do not have, is a list of them. */
static bool parse_pos_weight(struct loss_arguments *loss, const char *text, struct failure *why)
{
    const bool list = text[strspn(text, "+-.,0123456789eE")] == '\0' && strpbrk(text, "0123456789");
    loss->pos_weights = list ? text : NULL;
    loss->pos_weight_count = 0;
    loss->inputs[LOSS_POS_WEIGHT] = list ? NULL : text;
    return !list || count_list(text, &loss->pos_weight_count, why);
}

double loss_list_next(const char **list)
{
    char *end;
    const double number = strtod(*list, &end);
    *list = *end ? end + 1 : NULL;
    return number;
}

static bool parse_options(struct loss_arguments *loss, int argc, char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"bf16", no_argument, NULL, OPTION_BF16},
        {"reduction", required_argument, NULL, OPTION_REDUCTION},
        {"losses", required_argument, NULL, OPTION_LOSSES},
        {"weight", required_argument, NULL, OPTION_WEIGHT},
        {"pos-weight", required_argument, NULL, OPTION_POS_WEIGHT},
        {NULL, 0, NULL, 0},
    };
    int option;
    bool good = true;
    while (good && (option = getopt_long(argc, argv, ":o:d:h", options, NULL)) != -1) {
        if (option == 'h')
            loss->help = true;
        else if (option == 'd')
            loss->device = optarg;
        else if (option == 'o')
            good = output_parse_path("-o", optarg, &loss->output, why);
        else if (option == OPTION_BF16)
            loss->bf16 = true;
        else if (option == OPTION_REDUCTION)
            good = parse_reduction(optarg, &loss->reduction, why);
        else if (option == OPTION_LOSSES)
            good = output_parse_path("--losses", optarg, &loss->losses, why);
        else if (option == OPTION_WEIGHT)
            loss->inputs[LOSS_WEIGHT] = optarg;
        else if (option == OPTION_POS_WEIGHT)
            good = parse_pos_weight(loss, optarg, why);
        else
            good = fail_option(why, option, argv);
    }
    return good;
}

bool loss_arguments_parse(struct loss_arguments *loss, int argc, char **argv, struct failure *why)
{
    *loss = (struct loss_arguments){.reduction = CLACT_REDUCTION_MEAN};
    if (!parse_options(loss, argc, argv, why) || loss->help)
        return loss->help;
    if (argc - optind != 2)
        return fail_usage(why, "loss needs two files, the logits and the targets; see clact loss "
                               "--help");
    loss->inputs[LOSS_LOGITS] = argv[optind];
    loss->inputs[LOSS_TARGETS] = argv[optind + 1];
    const bool each = loss->reduction == CLACT_REDUCTION_NONE;
    if (each && !loss->losses)
        return fail_usage(why, "where should the losses go? Say --losses FILE");
    if (!each && loss->losses)
        return fail_usage(why, "--losses is for --reduction none");
    if (!each && loss->output && output_is_standard(loss->output))
        return fail_usage(why, "the loss is printed to standard output, which DX cannot be then");
    if (each && loss->output && outputs_are_same(loss->output, loss->losses))
        return fail_usage(why, "the losses and DX cannot be the same file");
    return true;
}
