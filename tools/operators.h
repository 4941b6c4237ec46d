/* SPDX-License-Identifier: MIT */
/* The operators, and the types of elements, as the command line names them. */
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

/* Whether all of these names are operators'. */
bool operators_check(char *const *names, size_t count, struct failure *why);

/* Whether the names, which stand for all if there are none, have the operator's among them. */
bool operators_among(char *const *names, size_t count, clact_operator op);

/* The value of --dtype. */
bool operators_dtype(const char *text, clact_dtype *dtype, struct failure *why);

#endif
