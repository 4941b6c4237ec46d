/* SPDX-License-Identifier: MIT */
/*
 * The calls of recurrent.h, each with its operands as a list, so that one test can go through all of
 * them; and what they have to give for one unit of one sequence, in long double, written from the
 * formulas of the header and sharing nothing with the kernels.
 */
#ifndef CLACT_TESTS_RECURRENT_CELLS_H
#define CLACT_TESTS_RECURRENT_CELLS_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum cell_kind {
    LSTM_FORWARD,
    LSTM_BACKWARD,
    GRU_FORWARD,
    GRU_BACKWARD,
    GRU_RESET_FORWARD,
    GRU_RESET_BACKWARD,
    GRU_UPDATE_FORWARD,
    GRU_UPDATE_BACKWARD,
    CELL_KINDS
};

/* What tells its operands' values apart. */
enum cell_range {
    STATE,         /* between -1 and 1, or more for the LSTM's c */
    PREACTIVATION, /* any number */
    GATE,          /* between 0 and 1 */
    SAVED_GATES,   /* gates and a candidate, in the order of the call */
    RESULT
};

enum { CELL_OPERANDS = 8, CELL_MOST_GATES = 4 };

struct cell_operand {
    const char *name;
    size_t cols; /* how many times the columns of the state */
    enum cell_range range;
    bool shared; /* one row for all */
    bool optional;
};

struct cell_call {
    const char *name;
    bool backward;
    size_t inputs, operands;
    struct cell_operand operand[CELL_OPERANDS];
};

extern const struct cell_call cell_calls[CELL_KINDS];

/* order is 0 or 1. arrays and views are in the order of the operands; what is NULL is left out. */
clact_status cell_run(clact_context *ctx, enum cell_kind kind, int order, clact_dtype dtype,
                      size_t batch, size_t hidden, void *const arrays[CELL_OPERANDS]);
clact_status cell_enqueue(clact_context *ctx, cl_command_queue queue, enum cell_kind kind,
                          int order, const clact_view views[CELL_OPERANDS], cl_uint n_wait,
                          const cl_event *wait, cl_event *event);

/* A unit's values, by operand and by the place of their column among those of the operand. An operand
 * that is left out has zeros. */
struct cell_unit {
    long double value[CELL_OPERANDS][CELL_MOST_GATES];
};

/* Of each result: its exact value, the largest of the terms that it is the sum of, and whether the
 * call writes it at all. */
struct cell_exact {
    long double value[CELL_OPERANDS][CELL_MOST_GATES];
    long double scale[CELL_OPERANDS][CELL_MOST_GATES];
    bool written[CELL_OPERANDS][CELL_MOST_GATES];
};

void cell_reference(enum cell_kind kind, int order, const struct cell_unit *in,
                    struct cell_exact *out);

/* The place of a column in the order of a cell's gates: i f g o or r z n. */
size_t cell_place(enum cell_kind kind, int order, size_t gate);

#endif
