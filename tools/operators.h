/* SPDX-License-Identifier: MIT */
/* The operators as the command line names them. */
#ifndef CLACT_TOOLS_OPERATORS_H
#define CLACT_TOOLS_OPERATORS_H

#include "failure.h"

#include <clact/clact.h>

#include <stddef.h>

/* In the order of ops.def, operators_count of them. */
extern const clact_operator operators[];
extern const size_t operators_count;

/* The operator of that name, or a failure that names all of them. */
bool operators_find(const char *name, clact_operator *op, struct failure *why);

#endif
