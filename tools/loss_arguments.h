/* SPDX-License-Identifier: MIT */
/* The arguments of clact loss. */
#ifndef CLACT_TOOLS_LOSS_ARGUMENTS_H
#define CLACT_TOOLS_LOSS_ARGUMENTS_H

#include "failure.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum loss_input { LOSS_LOGITS, LOSS_TARGETS, LOSS_WEIGHT, LOSS_POS_WEIGHT, LOSS_INPUTS };

struct loss_arguments {
    const char *inputs[LOSS_INPUTS]; /* NULL: not there */
    const char *pos_weights;         /* a list of numbers, in the place of a file, or NULL */
    size_t pos_weight_count;         /* of that list; 0 if there is none */
    const char *output;              /* NULL: no gradient */
    const char *losses;              /* without reduction, else NULL */
    const char *device;              /* NULL if it is not named */
    clact_reduction reduction;
    bool bf16;
    bool help; /* nothing else is filled in */
};

bool loss_arguments_parse(struct loss_arguments *loss, int argc, char **argv, struct failure *why);

/* The first number of such a list. *list becomes what follows it, or NULL behind the last. */
double loss_list_next(const char **list);

void loss_print_help(void);

#endif
