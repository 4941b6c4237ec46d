/* SPDX-License-Identifier: MIT */
/* The table of operators and the names of everything that a user can name. */
#include "internal.h"

#include <math.h>
#include <string.h>

const clact__op clact__ops[CLACT__OPS] = {
#define CLACT_NO_PARAMETERS CLACT_PARAMETERS(0, 0, 0, 0, 0)
#define CLACT_PARAMETERS(used, positive, alpha, beta, gamma)                                       \
    used, positive,                                                                                \
    {                                                                                              \
        alpha, beta, gamma                                                                         \
    }
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, ...)                                  \
    {CLACT_##NAME, #name, saved, parameters},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

const clact__op *clact__op_find(clact_operator value)
{
    for (size_t i = 0; i < CLACT__OPS; i++)
        if (clact__ops[i].value == value)
            return &clact__ops[i];
    return NULL;
}

const char *clact__direction_name(clact__direction direction)
{
    static const char *const names[CLACT__DIRECTIONS] = {"forward", "from_output", "from_input"};
    return names[direction];
}

clact__direction clact__direction_of(clact_saved kind)
{
    switch (kind) {
    case CLACT_SAVED_OUTPUT:
        return CLACT__FROM_OUTPUT;
    case CLACT_SAVED_INPUT:
        return CLACT__FROM_INPUT;
    }
    return CLACT__DIRECTIONS;
}

bool clact__op_has(const clact__op *op, clact__direction direction)
{
    switch (direction) {
    case CLACT__FROM_OUTPUT:
        return (op->saved & CLACT_SAVED_OUTPUT) != 0;
    case CLACT__FROM_INPUT:
        return (op->saved & CLACT_SAVED_INPUT) != 0;
    default:
        return true;
    }
}

clact_status clact__direction_check(const clact_context *ctx, const clact__op *op,
                                    clact__direction direction)
{
    if (direction == CLACT__DIRECTIONS)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "kind is no clact_saved value");
    if (!clact__op_has(op, direction))
        return clact__fail(ctx, CLACT_UNSUPPORTED, "%s has no gradient %s", op->name,
                           clact__direction_name(direction));
    return CLACT_SUCCESS;
}

unsigned clact__inputs(clact__direction direction)
{
    return direction == CLACT__FORWARD ? 1 : 2;
}

/* What an operator has, and what it is called. */

const char *clact_operator_name(clact_operator op)
{
    const clact__op *row = clact__op_find(op);
    return row ? row->name : NULL;
}

clact_status clact_operator_from_name(const char *name, clact_operator *op)
{
    if (!name || !op)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "name or op is NULL");
    for (size_t i = 0; i < CLACT__OPS; i++) {
        if (strcmp(clact__ops[i].name, name) == 0) {
            *op = clact__ops[i].value;
            return CLACT_SUCCESS;
        }
    }
    return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "there is no operator \"%s\"", name);
}

unsigned clact_operator_saved(clact_operator op)
{
    const clact__op *row = clact__op_find(op);
    return row ? row->saved : 0;
}

unsigned clact_operator_parameters(clact_operator op)
{
    const clact__op *row = clact__op_find(op);
    return row ? row->parameters : 0;
}

/* Parameters. */

clact_status clact_params_default(clact_operator op, clact_params *params)
{
    const clact__op *row = clact__op_find(op);
    if (!row)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "op is no operator");
    if (!params)
        return clact__fail(NULL, CLACT_INVALID_ARGUMENT, "params is NULL");
    *params = row->defaults;
    return CLACT_SUCCESS;
}

/* Through memory: GCC 12 makes nothing of conversions to float and back where it vectorises them. */
double clact__rounded_to_f32(double value)
{
    volatile float rounded = (float)value;
    return rounded;
}

/* Checks one parameter and rounds it to what is computed with. */
static clact_status resolve(const clact_context *ctx, const clact__op *op, clact_dtype dtype,
                            clact_parameter parameter, const char *name, double *value)
{
    const double given = *value;
    if (!(op->parameters & parameter)) {
        if (given == 0)
            return CLACT_SUCCESS;
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "params.%s is %g, but %s has no %s: it must be 0", name, given, op->name,
                           name);
    }
    if (dtype != CLACT_F64)
        *value = clact__rounded_to_f32(given);
    if (!isfinite(*value))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "params.%s of %s must be finite%s, but is %g", name, op->name,
                           isfinite(given) ? " in f32" : "", given);
    if ((op->positive & parameter) && !(*value > 0))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "params.%s of %s must be greater than 0%s, but is %g", name, op->name,
                           given > 0 ? " in f32" : "", given);
    return CLACT_SUCCESS;
}

clact_status clact__params_resolve(const clact_context *ctx, const clact__op *op, clact_dtype dtype,
                                   const clact_params *params, clact_params *resolved)
{
    *resolved = params ? *params : op->defaults;
    if (!params && !op->parameters)
        return CLACT_SUCCESS;
    clact_status status = resolve(ctx, op, dtype, CLACT_ALPHA, "alpha", &resolved->alpha);
    if (status == CLACT_SUCCESS)
        status = resolve(ctx, op, dtype, CLACT_BETA, "beta", &resolved->beta);
    if (status == CLACT_SUCCESS)
        status = resolve(ctx, op, dtype, CLACT_GAMMA, "gamma", &resolved->gamma);
    return status;
}

/* Dtypes and the version. */

size_t clact_dtype_size(clact_dtype dtype)
{
    return clact__dtype_size(dtype);
}

const char *clact_dtype_name(clact_dtype dtype)
{
    switch (dtype) {
#define XX(value, NAME, name, size)                                                                \
    case CLACT_##NAME:                                                                             \
        return #name;
        CLACT_DTYPE_MAP(XX)
        CLACT_LABEL_DTYPE_MAP(XX)
#undef XX
    }
    return NULL;
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *clact_version_string(void)
{
    return TEXT(CLACT_VERSION_MAJOR) "." TEXT(CLACT_VERSION_MINOR) "." TEXT(CLACT_VERSION_PATCH);
}
