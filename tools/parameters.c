/* SPDX-License-Identifier: MIT */
#include "parameters.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const parameter_options[PARAMETERS] = {"--alpha", "--beta", "--gamma"};

static const clact_parameter names[PARAMETERS] = {CLACT_ALPHA, CLACT_BETA, CLACT_GAMMA};

static double *value_of(clact_params *params, size_t i)
{
    double *const values[PARAMETERS] = {&params->alpha, &params->beta, &params->gamma};
    return values[i];
}

static bool has(clact_operator op, size_t i)
{
    return (clact_operator_parameters(op) & names[i]) != 0;
}

/* strtod would also take leading blanks, "nan", "inf" and hexadecimal digits. */
bool number_parse(const char *option, const char *text, double *number, struct failure *why)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    bool held = isfinite(*number) && (errno == 0 || *number != 0);
    if (end == text || text[strspn(text, "+-.0123456789eE")] != '\0' || *end != '\0' || !held)
        return fail_usage(why, "%s needs a decimal number that a double can hold, not '%s'", option,
                          text);
    return true;
}

bool parameters_parse(struct parameters *parameters, size_t i, const char *text,
                      struct failure *why)
{
    parameters->given |= (unsigned)names[i];
    return number_parse(parameter_options[i], text, value_of(&parameters->values, i), why);
}

bool parameters_apply(const struct parameters *parameters, clact_operator op, const char *name,
                      const char *command, clact_params *params, struct failure *why)
{
    clact_params given = parameters->values;
    *params = (clact_params){0, 0, 0};
    clact_params_default(op, params);
    for (size_t i = 0; i < PARAMETERS; i++) {
        if ((parameters->given & names[i]) == 0)
            continue;
        if (!has(op, i))
            return fail_usage(why, "%s has no %s; see clact %s --help", name, parameter_options[i],
                              command);
        *value_of(params, i) = *value_of(&given, i);
    }
    return true;
}

/* With as few digits as say which double it is. */
static void print_number(double value)
{
    char text[32];
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*g", digits, value);
    while (digits++ < 17 && strtod(text, NULL) != value);
    fputs(text, stdout);
}

void parameters_print_defaults(clact_operator op)
{
    clact_params defaults = {0, 0, 0};
    clact_params_default(op, &defaults);
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!has(op, i))
            continue;
        printf("  %s ", parameter_options[i]);
        print_number(*value_of(&defaults, i));
    }
}
