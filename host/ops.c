/* SPDX-License-Identifier: MIT */
/* The table of operators and the names of everything that a user can name. */
#include "internal.h"

#include <string.h>

const clact__op clact__ops[CLACT__OPS] = {
#define CLACT_OPERATOR(value, NAME, name, saved, forward, from_output, from_input)                 \
    {CLACT_##NAME, #name, saved},
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

size_t clact_dtype_size(clact_dtype dtype)
{
    switch (dtype) {
#define XX(value, NAME, name, size)                                                                \
    case CLACT_##NAME:                                                                             \
        return size;
        CLACT_DTYPE_MAP(XX)
#undef XX
    }
    return 0;
}

const char *clact_dtype_name(clact_dtype dtype)
{
    switch (dtype) {
#define XX(value, NAME, name, size)                                                                \
    case CLACT_##NAME:                                                                             \
        return #name;
        CLACT_DTYPE_MAP(XX)
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
