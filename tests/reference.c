/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <stddef.h>
#include <tgmath.h>

/* A row of ops.def without its formulas leaves one of these undefined, and the link names it. */
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    double reference_##name##_forward(double x);                                                   \
    double reference_##name##_from_output(double grad, double y);                                  \
    double reference_##name##_from_input(double grad, double x);                                   \
    long double reference_##name##_forward_long(long double x);                                    \
    long double reference_##name##_from_output_long(long double grad, long double y);              \
    long double reference_##name##_from_input_long(long double grad, long double x);
#include <clact/ops.def>
#undef CLACT_OPERATOR

#define REAL double
#define REFERENCE(op, function) reference_##op##_##function
#include "reference_formulas.h"
#undef REAL
#undef REFERENCE

#define REAL long double
#define REFERENCE(op, function) reference_##op##_##function##_long
#include "reference_formulas.h"
#undef REAL
#undef REFERENCE

#define IF_SAVED(saved, kind, function) ((saved) & (kind)) != 0 ? (function) : NULL

static const struct reference references[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    [value] = {                                                                                    \
        reference_##name##_forward,                                                                \
        IF_SAVED(saved, CLACT_SAVED_OUTPUT, reference_##name##_from_output),                       \
        IF_SAVED(saved, CLACT_SAVED_INPUT, reference_##name##_from_input),                         \
        reference_##name##_forward_long,                                                           \
        IF_SAVED(saved, CLACT_SAVED_OUTPUT, reference_##name##_from_output_long),                  \
        IF_SAVED(saved, CLACT_SAVED_INPUT, reference_##name##_from_input_long),                    \
    },
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

const struct reference *reference_of(clact_operator op)
{
    if ((size_t)op >= sizeof references / sizeof references[0] || references[op].forward == NULL)
        return NULL;
    return &references[op];
}
