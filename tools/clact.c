/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <clact/clact.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*run)(int argc, char **argv, struct failure *why);
    const char *summary;
} commands[] = {
    {"forward", forward_command, "apply an operator to the elements of a .npy file"},
    {"backward", backward_command, "multiply a gradient by an operator's derivative"},
    {"predict", predict_command, "turn logits into labels: 1 at or above a probability, else 0"},
    {"loss", loss_command, "the binary cross-entropy of logits, and its gradient"},
    {"gate", gate_command, "gated linear units, such as SwiGLU, and their gradients"},
    {"verify", verify_command, "measure the errors of a device's results"},
    {"bench", bench_command, "measure how fast a device is, beside copying the same bytes"},
    {"devices", devices_command, "list the OpenCL devices of this machine"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

bool fail_option(struct failure *why, int character, char **argv)
{
    /* getopt_long names a short option in optopt; a long one it has just stepped over. */
    char name[] = {'-', (char)optopt, '\0'};
    bool is_short = optopt > 0 && strncmp(argv[optind - 1], "--", 2) != 0;
    const char *option = is_short ? name : argv[optind - 1];
    return fail_usage(why,
                      character == ':' ? "%s needs a value; see clact %s --help"
                                       : "unknown option %s; see clact %s --help",
                      option, argv[0]);
}

static bool print_help(void)
{
    puts("Usage: clact COMMAND [ARGUMENTS]\n"
         "\n"
         "Activation functions and their gradients on OpenCL devices.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\n"
         "Options:\n"
         "  -h, --help      print this text; clact COMMAND --help describes a command\n"
         "  -V, --version   print the version\n"
         "\n"
         "Exit status: 0 on success, 2 if the arguments are wrong, 1 on any other error.");
    return true;
}

static bool run(int argc, char **argv, struct failure *why)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word == NULL)
        return fail_usage(why, "which command? See clact --help");
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        return print_help();
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
        printf("clact %s\n", clact_version_string());
        return true;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, why);
    }
    return fail_usage(why, "unknown %s '%s'; see clact --help",
                      word[0] == '-' ? "option" : "command", word);
}

int main(int argc, char **argv)
{
    struct failure why;
    if (!run(argc, argv, &why))
        return failure_print(&why);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fail_errno(&why, "standard output");
        return failure_print(&why);
    }
    return EXIT_SUCCESS;
}
