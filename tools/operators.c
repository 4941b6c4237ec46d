/* SPDX-License-Identifier: MIT */
#include "operators.h"

#include <stdio.h>

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
