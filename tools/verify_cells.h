/* SPDX-License-Identifier: MIT */
/* The cells of the tables of clact verify, which are the same on a terminal and in Markdown. */
#ifndef CLACT_TOOLS_VERIFY_CELLS_H
#define CLACT_TOOLS_VERIFY_CELLS_H

#include "accuracy.h"

#include <stdbool.h>

enum {
    CELL_OPERATOR,
    CELL_DIRECTION,
    CELL_DTYPE,
    CELL_OPERANDS,
    CELL_NORMAL,
    CELL_NORMAL_AT,
    CELL_SUBNORMAL,
    CELL_SUBNORMAL_AT,
    CELL_ROUNDED,
    CELL_ANY_GRAD,
    CELL_SPECIAL,
    CELL_VERDICT,
    CELLS
};
typedef char verify_cells[CELLS][48];

extern const char *const verify_titles[CELLS];

void verify_fill_cells(const struct accuracy *row, verify_cells cells);

/* Whether the table of special values has the row: f32 with the default parameters. */
bool verify_shows_special(const struct accuracy *row);

/* A special value, marked if it is wrong. */
void verify_fill_special(const struct special_value *value, char cell[48]);

#endif
