/* SPDX-License-Identifier: MIT */
/* The arguments of clact gate. */
#ifndef CLACT_TOOLS_GATE_ARGUMENTS_H
#define CLACT_TOOLS_GATE_ARGUMENTS_H

#include "failure.h"

#include <clact/clact.h>

#include <stdbool.h>

enum gate_input { GATE_A, GATE_B, GATE_GRAD, GATE_INPUTS };

struct gate_arguments {
    clact_operator operation;
    clact_params params;
    const char *inputs[GATE_INPUTS]; /* no B: A has both as its halves; no GRAD: forward */
    const char *output;
    const char *db;     /* for the gradients of two files, else NULL */
    const char *device; /* NULL if it is not named */
    bool second;        /* which half goes through the operator */
    bool bf16;
    bool help; /* nothing else is filled in */
};

bool gate_arguments_parse(struct gate_arguments *gate, int argc, char **argv, struct failure *why);

void gate_print_help(void);

#endif
