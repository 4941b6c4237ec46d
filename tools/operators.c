/* SPDX-License-Identifier: MIT */
#include "operators.h"

#include <stdio.h>
#include <string.h>

const clact_operator operators[] = {
#define CLACT_OPERATOR(value, NAME, ...) CLACT_##NAME,
#include <clact/ops.def>
#undef CLACT_OPERATOR
};
const size_t operators_count = sizeof operators / sizeof operators[0];

bool operators_find(const char *name, clact_operator *op, struct failure *why)
{
    char known[1024] = "";
    size_t used = 0;
    if (clact_operator_from_name(name, op) == CLACT_SUCCESS)
        return true;
    for (size_t i = 0; i < operators_count && used < sizeof known; i++) {
        int length = snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                              clact_operator_name(operators[i]));
        used += length > 0 ? (size_t)length : 0;
    }
    return fail_usage(why, "unknown operator '%s'; known: %s", name, known);
}

bool operators_check(char *const *names, size_t count, struct failure *why)
{
    clact_operator op;
    for (size_t i = 0; i < count; i++)
        if (!operators_find(names[i], &op, why))
            return false;
    return true;
}

bool operators_among(char *const *names, size_t count, clact_operator op)
{
    bool found = count == 0;
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(names[i], clact_operator_name(op)) == 0;
    return found;
}

bool operators_dtype(const char *text, clact_dtype *dtype, struct failure *why)
{
#define XX(value, NAME, name, size)                                                                \
    if (strcmp(text, #name) == 0) {                                                                \
        *dtype = CLACT_##NAME;                                                                     \
        return true;                                                                               \
    }
    CLACT_DTYPE_MAP(XX)
#undef XX
    return fail_usage(why, "--dtype needs f32, f16, bf16 or f64, not '%s'", text);
}
