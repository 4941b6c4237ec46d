/* SPDX-License-Identifier: MIT */
#include "verify_arguments.h"

#include "commands.h"
#include "operators.h"
#include "output.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_EXHAUSTIVE = 256,
    OPTION_DTYPE,
    OPTION_CSV,
    OPTION_MARKDOWN,
    OPTION_ARITHMETIC,
    OPTION_WIDTH,
    OPTION_BUILD
};

void verify_print_help(void)
{
    puts(
        "Usage: clact verify [OPERATOR ...] [OPTIONS]\n"
        "\n"
        "Measures the errors of the operators (default: all) on this machine's device and holds\n"
        "them against what the library promises: the largest error in units in the last place\n"
        "(ULP), and the results at infinities, zeros, NaN and the ends of the range. Prints a row\n"
        "for each operator, direction and type of elements: how many operands were tried, the\n"
        "largest errors of normal and of subnormal results, with the promised bounds in\n"
        "parentheses and where they are, the share of correctly rounded results, and the largest\n"
        "error of gradients with any incoming gradient (elsewhere it is 1). Numbers in\n"
        "parentheses after an operator's name are parameters other than the defaults.\n"
        "\n"
        "All f16 and bf16 numbers are tried, and millions of f32 and f64 numbers, most of\n"
        "them where results are hard.\n"
        "\n"
        "Options:\n"
        "      --exhaustive           try all 2^32 f32 numbers: minutes to an hour\n"
        "      --dtype TYPE           only f32, f16, bf16 or f64 (default: all)\n"
        "      --csv FILE             write all figures as comma-separated values, too\n"
        "      --markdown FILE        write the tables as Markdown, too\n"
        "  -d, --device NAME          use the device that has NAME in its own or its platform's\n"
        "                             name (clact devices lists them)\n"
        "      --arithmetic NAME      how f32 results are computed: in pairs of f32, the default,\n"
        "                             or in doubles\n"
        "      --vector-width N       elements per vector: 1, 2, 4, 8 or 16\n"
        "      --build-options TEXT   more options for the device's compiler\n"
        "  -h, --help                 print this text\n"
        "\n"
        "Exit status: 0 if every promise holds, 1 if one does not or on an error, 2 if the\n"
        "arguments are wrong.");
}

static bool parse_arithmetic(const char *text, clact_arithmetic *arithmetic, struct failure *why)
{
    if (strcmp(text, "pairs") == 0)
        *arithmetic = CLACT_ARITHMETIC_PAIRS;
    else if (strcmp(text, "doubles") == 0)
        *arithmetic = CLACT_ARITHMETIC_DOUBLES;
    else
        return fail_usage(why, "--arithmetic needs 'pairs' or 'doubles', not '%s'", text);
    return true;
}

static bool parse_width(const char *text, size_t *width, struct failure *why)
{
    static const char *const widths[] = {"1", "2", "4", "8", "16"};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (strcmp(text, widths[i]) == 0) {
            *width = (size_t)1 << i;
            return true;
        }
    }
    return fail_usage(why, "--vector-width needs 1, 2, 4, 8 or 16, not '%s'", text);
}

static bool parse_option(struct verify_arguments *arguments, int character, char **argv,
                         struct failure *why)
{
    clact_options *options = &arguments->options;
    switch (character) {
    case 'h':
        arguments->help = true;
        return true;
    case 'd':
        options->device = optarg;
        return true;
    case OPTION_EXHAUSTIVE:
        arguments->exhaustive = true;
        return true;
    case OPTION_DTYPE:
        return operators_dtype(optarg, &arguments->dtype, why);
    case OPTION_CSV:
        return output_parse_path("--csv", optarg, &arguments->csv, why);
    case OPTION_MARKDOWN:
        return output_parse_path("--markdown", optarg, &arguments->markdown, why);
    case OPTION_ARITHMETIC:
        return parse_arithmetic(optarg, &options->arithmetic, why);
    case OPTION_WIDTH:
        return parse_width(optarg, &options->vector_width, why);
    case OPTION_BUILD:
        options->build_options = optarg;
        return true;
    default:
        return fail_option(why, character, argv);
    }
}

bool verify_arguments_parse(struct verify_arguments *arguments, int argc, char **argv,
                            struct failure *why)
{
    static const struct option known[] = {
        {"exhaustive", no_argument, NULL, OPTION_EXHAUSTIVE},
        {"dtype", required_argument, NULL, OPTION_DTYPE},
        {"csv", required_argument, NULL, OPTION_CSV},
        {"markdown", required_argument, NULL, OPTION_MARKDOWN},
        {"device", required_argument, NULL, 'd'},
        {"arithmetic", required_argument, NULL, OPTION_ARITHMETIC},
        {"vector-width", required_argument, NULL, OPTION_WIDTH},
        {"build-options", required_argument, NULL, OPTION_BUILD},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int character;
    *arguments = (struct verify_arguments){.help = false};
    while ((character = getopt_long(argc, argv, ":d:h", known, NULL)) != -1) {
        if (!parse_option(arguments, character, argv, why))
            return false;
    }
    arguments->names = argv + optind;
    arguments->name_count = (size_t)(argc - optind);
    return arguments->help || operators_check(arguments->names, arguments->name_count, why);
}
