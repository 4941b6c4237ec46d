/* SPDX-License-Identifier: MIT */
/* A call of an epilogue on arrays of one file's making: what the tests of epilogues have in common. */
#ifndef CLACT_TESTS_EPILOGUE_CALLS_H
#define CLACT_TESTS_EPILOGUE_CALLS_H

#include "host_fixture.h"

enum { ROOM = 9000 }; /* elements in an array */

/* The operands of a call, backward; x and y of the forward call are the saved one and dx. */
enum operand { GRAD, SAVED, BIAS, DX, DBIAS, OPERANDS, X = SAVED, Y = DX };

/* What the host does is the same for every operator: one with a parameter that compiles fast. */
#define QUICK CLACT_LEAKY_RELU

struct call {
    clact_operator op;
    clact_epilogue_options options;
    clact_dtype dtype;
    size_t rows, cols;
    clact_saved kind; /* 0: forward */
    bool bias, dbias;
};

struct arrays {
    _Alignas(8) unsigned char at[OPERANDS][ROOM * 8];
};

bool call_is_per_row(const struct call *c);
/* The shape of an operand, and whether the call has it. */
size_t call_rows(const struct call *c, unsigned i);
size_t call_cols(const struct call *c, unsigned i);
bool call_has(const struct call *c, unsigned i);

/* The same operands each time, the outputs too. */
void arrays_fill(struct arrays *a, clact_dtype dtype);

/* The call on host arrays. */
void call_run(clact_context *ctx, const struct call *c, struct arrays *a);

#endif
