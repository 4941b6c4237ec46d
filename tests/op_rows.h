/* SPDX-License-Identifier: MIT */
/* What ops.def says of each operator but its values and bounds, for tests of what the library and the
 * command make of it. */
#ifndef CLACT_TESTS_OP_ROWS_H
#define CLACT_TESTS_OP_ROWS_H

#include <clact/clact.h>

struct op_row {
    clact_operator op;
    const char *name;
    unsigned saved;
    unsigned used;     /* the parameters that it has */
    unsigned positive; /* those that have to be */
    clact_params defaults;
};

static const struct op_row op_rows[] = {
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
#undef CLACT_PARAMETERS
#undef CLACT_NO_PARAMETERS
};

enum { OP_ROWS = sizeof op_rows / sizeof op_rows[0] };

#endif
