/* SPDX-License-Identifier: MIT */
/* Decimal numbers on the command line, and the options that give operators their parameters. */
#ifndef CLACT_TOOLS_PARAMETERS_H
#define CLACT_TOOLS_PARAMETERS_H

#include "failure.h"

#include <clact/clact.h>

#include <stddef.h>

/* The value of an option: a decimal number that a double can hold. */
bool number_parse(const char *option, const char *text, double *number, struct failure *why);

/* --alpha, --beta and --gamma */
enum { PARAMETERS = 3 };
extern const char *const parameter_options[PARAMETERS];

/* What the command line says before it is known of which operator. */
struct parameters {
    clact_params values;
    unsigned given; /* clact_parameter values, or-ed */
};

/* The value of parameter_options[i]. */
bool parameters_parse(struct parameters *parameters, size_t i, const char *text,
                      struct failure *why);

/* The operator's defaults, but for what is given; a failure if it does not have that. The operator
 * may be none, with a name that is not one of theirs. */
bool parameters_apply(const struct parameters *parameters, clact_operator op, const char *name,
                      const char *command, clact_params *params, struct failure *why);

/* "  --alpha 0.01", for each parameter that the operator has. */
void parameters_print_defaults(clact_operator op);

#endif
