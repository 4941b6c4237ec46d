/* SPDX-License-Identifier: MIT */
/* The arguments of clact verify. */
#ifndef CLACT_TOOLS_VERIFY_ARGUMENTS_H
#define CLACT_TOOLS_VERIFY_ARGUMENTS_H

#include "failure.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

struct verify_arguments {
    bool help;
    bool exhaustive;
    clact_dtype dtype;     /* 0: all */
    char *const *names;    /* of operators; all of them are known */
    size_t name_count;     /* 0: all */
    const char *csv;       /* NULL: none */
    const char *markdown;  /* NULL: none */
    clact_options options; /* of the context */
};

bool verify_arguments_parse(struct verify_arguments *arguments, int argc, char **argv,
                            struct failure *why);

void verify_print_help(void);

#endif
