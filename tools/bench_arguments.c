/* SPDX-License-Identifier: MIT */
#include "bench_arguments.h"

#include "commands.h"
#include "operators.h"
#include "output.h"

#include <getopt.h>
#include <stdio.h>

enum { OPTION_DTYPE = 256, OPTION_SIZES, OPTION_CSV, OPTION_JSON, OPTION_BUILD };

void bench_print_help(void)
{
    puts(
        "Usage: clact bench [OPERATOR ...] [OPTIONS]\n"
        "\n"
        "Measures how fast the operators (default: all) are on this machine's device, beside the\n"
        "limit that memory sets: a kernel that only copies, with as many arrays to read and to\n"
        "write. Prints a row for each operator, direction and size: the time by the device's\n"
        "clock, the median of seven and the distance between their quartiles; how many elements\n"
        "and bytes that is a second; clact's speed as a part of the faster copy's, be that one\n"
        "with plain stores or with stores past the cache; and how much of the CPUs other programs\n"
        "used meanwhile. What moves less than half of the device's cache is measured in the\n"
        "cache, all else out of it. Some of the results are checked.\n"
        "\n"
        "All operators take about a minute, and the first time longer, as their kernels are\n"
        "compiled.\n"
        "\n"
        "Options:\n"
        "      --dtype TYPE           f32, f16, bf16 or f64 (default: f32)\n"
        "      --sizes LIST           numbers of elements (default: 64K,1M,16M)\n"
        "      --csv FILE             write all figures as comma-separated values, too\n"
        "      --json FILE            write all figures as JSON, too\n"
        "  -d, --device NAME          use the device that has NAME in its own or its platform's\n"
        "                             name (clact devices lists them)\n"
        "      --build-options TEXT   more options for the device's compiler\n"
        "  -h, --help                 print this text\n"
        "\n"
        "Exit status: 0 on success, 1 on an error, as when a result is wrong, 2 if the arguments\n"
        "are wrong.");
}

static bool parse_option(struct bench_arguments *arguments, int character, char **argv,
                         struct failure *why)
{
    switch (character) {
    case 'h':
        arguments->help = true;
        return true;
    case 'd':
        arguments->options.device = optarg;
        return true;
    case OPTION_DTYPE:
        return operators_dtype(optarg, &arguments->dtype, why);
    case OPTION_SIZES:
        return sizes_parse(&arguments->sizes, optarg) || fail_usage(why, SIZES_WRONG, optarg);
    case OPTION_CSV:
        return output_parse_path("--csv", optarg, &arguments->csv, why);
    case OPTION_JSON:
        return output_parse_path("--json", optarg, &arguments->json, why);
    case OPTION_BUILD:
        arguments->options.build_options = optarg;
        return true;
    default:
        return fail_option(why, character, argv);
    }
}

bool bench_arguments_parse(struct bench_arguments *arguments, int argc, char **argv,
                           struct failure *why)
{
    static const struct option known[] = {
        {"dtype", required_argument, NULL, OPTION_DTYPE},
        {"sizes", required_argument, NULL, OPTION_SIZES},
        {"csv", required_argument, NULL, OPTION_CSV},
        {"json", required_argument, NULL, OPTION_JSON},
        {"device", required_argument, NULL, 'd'},
        {"build-options", required_argument, NULL, OPTION_BUILD},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int character;
    *arguments = (struct bench_arguments){.dtype = CLACT_F32};
    sizes_parse(&arguments->sizes, "64K,1M,16M");
    while ((character = getopt_long(argc, argv, ":d:h", known, NULL)) != -1) {
        if (!parse_option(arguments, character, argv, why))
            return false;
    }
    arguments->names = argv + optind;
    arguments->name_count = (size_t)(argc - optind);
    return arguments->help || operators_check(arguments->names, arguments->name_count, why);
}
