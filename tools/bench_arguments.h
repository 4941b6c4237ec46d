/* SPDX-License-Identifier: MIT */
/* The arguments of clact bench. */
#ifndef CLACT_TOOLS_BENCH_ARGUMENTS_H
#define CLACT_TOOLS_BENCH_ARGUMENTS_H

#include "failure.h"
#include "sizes.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

struct bench_arguments {
    bool help;
    clact_dtype dtype;
    struct sizes sizes;
    char *const *names; /* of operators; all of them are known */
    size_t name_count;  /* 0: all */
    const char *csv;    /* NULL: none */
    const char *json;   /* NULL: none */
    clact_options options;
};

bool bench_arguments_parse(struct bench_arguments *arguments, int argc, char **argv,
                           struct failure *why);

void bench_print_help(void);

#endif
