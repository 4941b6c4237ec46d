/* SPDX-License-Identifier: MIT */
#include "gate_arguments.h"

#include "commands.h"
#include "operators.h"
#include "output.h"
#include "parameters.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* OPTION_PARAMETER and the numbers after it stand for parameter_options. */
enum { OPTION_BF16 = 256, OPTION_GATE, OPTION_GRAD, OPTION_DB, OPTION_PARAMETER };

static const struct {
    const char *name;
    clact_operator operation;
} units[] = {
#define UNIT(OPERATOR, operator, unit, ...) {#unit, CLACT_##OPERATOR},
    CLACT_GATED_MAP(UNIT)
#undef UNIT
};
enum { UNITS = sizeof units / sizeof units[0] };

void gate_print_help(void)
{
    puts(
        "Usage: clact gate UNIT A.npy B.npy -o Y.npy [OPTIONS]\n"
        "       clact gate UNIT AB.npy -o Y.npy [OPTIONS]\n"
        "       clact gate UNIT A.npy B.npy --grad GRAD.npy -o DA.npy --db DB.npy [OPTIONS]\n"
        "       clact gate UNIT AB.npy --grad GRAD.npy -o DAB.npy [OPTIONS]\n"
        "\n"
        "Y = OPERATOR(A) * B, for each element, or its gradients by A and B: that of Y, GRAD, "
        "times\n"
        "B * OPERATOR'(A) and times OPERATOR(A). A and B are two files, or the halves of one "
        "along\n"
        "its last axis; Y then has half of its shape, and DAB all of it.\n"
        "\n"
        "The files are NumPy's (.npy, versions 1.0 to 3.0) with elements of type f2, f4 or f8 in\n"
        "either byte order, all of the same type, and have to fit in memory; halves, with what\n"
        "belongs to them, in the device's memory. \"-\" is standard input or output. Results have "
        "the\n"
        "byte order and the Fortran order of what they are computed from, and are there whole or\n"
        "not at all.\n"
        "\n"
        "Options:\n"
        "  -o, --output FILE      where the result goes\n"
        "      --gate first       which half of one file is A, and goes through the operator (the\n"
        "      --gate second      default is the first; torch.nn.functional.glu has the second)\n"
        "      --grad FILE        the gradient of Y\n"
        "      --db FILE          where the gradient by B goes, of two files\n"
        "  -d, --device NAME      use the device that has NAME in its own or its platform's name\n"
        "      --bf16             the files are of type u2 (or V2) and hold bfloat16 numbers\n"
        "      --alpha A          the parameters of the operators that have them: decimal numbers\n"
        "      --beta B           (clact forward --help has the defaults)\n"
        "      --gamma C\n"
        "  -h, --help             print this text\n"
        "\n"
        "Units, and their operators; any other operator is one too:");
    for (size_t i = 0; i < UNITS; i++) {
        printf("  %-24s  %s", units[i].name, clact_operator_name(units[i].operation));
        parameters_print_defaults(units[i].operation);
        putchar('\n');
    }
}

static bool find_unit(const char *name, clact_operator *operation, struct failure *why)
{
    for (size_t i = 0; i < UNITS; i++)
        if (strcmp(name, units[i].name) == 0) {
            *operation = units[i].operation;
            return true;
        }
    struct failure inner;
    if (operators_find(name, operation, &inner))
        return true;
    char known[256] = "";
    for (size_t i = 0, used = 0; i < UNITS; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s, ", units[i].name);
    return fail_usage(why, "unknown unit '%s'; known: %sand all operators of clact forward", name,
                      known);
}

static bool parse_gate(const char *text, bool *second, struct failure *why)
{
    *second = strcmp(text, "second") == 0;
    return *second || strcmp(text, "first") == 0 ||
           fail_usage(why, "--gate needs 'first' or 'second', not '%s'", text);
}

static bool parse_options(struct gate_arguments *gate, struct parameters *given, bool *has_gate,
                          int argc, char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"bf16", no_argument, NULL, OPTION_BF16},
        {"gate", required_argument, NULL, OPTION_GATE},
        {"grad", required_argument, NULL, OPTION_GRAD},
        {"db", required_argument, NULL, OPTION_DB},
        {"alpha", required_argument, NULL, OPTION_PARAMETER},
        {"beta", required_argument, NULL, OPTION_PARAMETER + 1},
        {"gamma", required_argument, NULL, OPTION_PARAMETER + 2},
        {NULL, 0, NULL, 0},
    };
    int option;
    bool good = true;
    while (good && (option = getopt_long(argc, argv, ":o:d:h", options, NULL)) != -1) {
        if (option == 'h')
            gate->help = true;
        else if (option == 'd')
            gate->device = optarg;
        else if (option == 'o')
            good = output_parse_path("-o", optarg, &gate->output, why);
        else if (option == OPTION_BF16)
            gate->bf16 = true;
        else if (option == OPTION_GRAD)
            gate->inputs[GATE_GRAD] = optarg;
        else if (option == OPTION_DB)
            good = output_parse_path("--db", optarg, &gate->db, why);
        else if (option == OPTION_GATE)
            good = *has_gate = parse_gate(optarg, &gate->second, why);
        else if (option >= OPTION_PARAMETER)
            good = parameters_parse(given, (size_t)(option - OPTION_PARAMETER), optarg, why);
        else
            good = fail_option(why, option, argv);
    }
    return good;
}

/* Whether the options are those of one of the four uses. */
static bool check_use(const struct gate_arguments *gate, bool has_gate, struct failure *why)
{
    const bool both = gate->inputs[GATE_B] != NULL;
    if (!gate->output)
        return fail_usage(why, "where should the result go? Say -o FILE");
    if (both && has_gate)
        return fail_usage(why, "--gate is for one file, of which A is a half");
    if (both && gate->inputs[GATE_GRAD] && !gate->db)
        return fail_usage(why, "where should the gradient by %s go? Say --db FILE",
                          gate->inputs[GATE_B]);
    if (gate->db && (!both || !gate->inputs[GATE_GRAD]))
        return fail_usage(why, "--db is for the gradients of two files");
    if (gate->db && outputs_are_same(gate->db, gate->output))
        return fail_usage(why, "the gradients by A and B cannot be the same file");
    return true;
}

bool gate_arguments_parse(struct gate_arguments *gate, int argc, char **argv, struct failure *why)
{
    struct parameters given = {.given = 0};
    bool has_gate = false;
    *gate = (struct gate_arguments){.second = false};
    if (!parse_options(gate, &given, &has_gate, argc, argv, why) || gate->help)
        return gate->help;
    const int words = argc - optind;
    if (words < 2 || words > 3)
        return fail_usage(why,
                          "gate needs a unit and one or two files, not %d argument%s; see "
                          "clact gate --help",
                          words, words == 1 ? "" : "s");
    const char *name = argv[optind];
    gate->inputs[GATE_A] = argv[optind + 1];
    gate->inputs[GATE_B] = words == 3 ? argv[optind + 2] : NULL;
    return find_unit(name, &gate->operation, why) &&
           parameters_apply(&given, gate->operation, name, "gate", &gate->params, why) &&
           check_use(gate, has_gate, why);
}
