/* SPDX-License-Identifier: MIT */
#include "row_operations.h"

#include <string.h>

const struct row_operation row_operations[] = {
    {"softmax", clact_softmax, clact_softmax_backward},
    {"log_softmax", clact_log_softmax, clact_log_softmax_backward},
};
const size_t row_operations_count = sizeof row_operations / sizeof row_operations[0];

const struct row_operation *row_operations_find(const char *name)
{
    for (size_t i = 0; i < row_operations_count; i++)
        if (strcmp(name, row_operations[i].name) == 0)
            return &row_operations[i];
    return NULL;
}
