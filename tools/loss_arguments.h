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
    const char *output;              /* NULL: no gradient */
    const char *losses;              /* without reduction, else NULL */
    const char *device;              /* NULL if it is not named */
    clact_reduction reduction;
    bool bf16;
    bool help; /* nothing else is filled in */
};

bool loss_arguments_parse(struct loss_arguments *loss, int argc, char **argv, struct failure *why);

/* How many numbers are in a list with commas between them, if all are good; and, of such a list, the
 * number i. */
bool loss_list_count(const char *list, size_t *count, struct failure *why);
double loss_list_number(const char *list, size_t i);

void loss_print_help(void);

#endif
