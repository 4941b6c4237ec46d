/* SPDX-License-Identifier: MIT */
/* The accuracy table of the documentation, from the figures of one run. */
#ifndef CLACT_TESTS_ACCURACY_TABLE_H
#define CLACT_TESTS_ACCURACY_TABLE_H

#include "cases.h"
#include "ulp.h"

#include <clact/clact.h>

#include <stdbool.h>

/* Keeps the figures of a case for the table. `all` says that they are of every operand there is.
 * Returns 0, or -1 when there is no room. */
int accuracy_table_add(const struct op_case *c, const struct ulp_stats *stats, bool all);

/* Writes the table in Markdown, in the place of the file `path` once it is complete. Returns 0, or
 * -1 and leaves a file that was there as it was. */
int accuracy_table_write(const char *path, const clact_device_info *device);

#endif
