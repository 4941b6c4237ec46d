/* SPDX-License-Identifier: MIT */
/*
 * Operands to measure accuracy on, as bit patterns: every one of them where that is quick, else an
 * even spread over all of them and a closer look where results are special.
 */
#ifndef CLACT_TESTS_OPERANDS_H
#define CLACT_TESTS_OPERANDS_H

#include "op_case.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coverage {
    COVERAGE_QUICK,     /* some hundred, for simulators */
    COVERAGE_COARSE,    /* some hundred thousand of f32 and f64 */
    COVERAGE_NORMAL,    /* all of f16 and bf16, ten million or so of f32, three of f64 */
    COVERAGE_DENSE,     /* the same, but thirty million or so of f32, ten of f64 */
    COVERAGE_EXHAUSTIVE /* the same, but all of f32 */
};

/* The patterns first, first + step ... */
struct segment {
    uint64_t first;
    uint64_t step;
    uint64_t count;
};

struct operands {
    clact_dtype dtype;
    uint64_t total;
    size_t count;
    struct segment segments[2048];
};

/* Those of a case: its dtype's, and where its parameters put what is special. */
void operands_init(struct operands *operands, const struct op_case *c, enum coverage coverage);

/* Whether they are all that there are. */
bool operands_are_all(const struct operands *operands);

/* Stores the elements [first, first + n) of them, which must be there, in the array. */
void operands_store(const struct operands *operands, uint64_t first, size_t n, void *array);

/* A well-mixed number that depends on i alone, for operands that are to be any. */
uint64_t operands_hash(uint64_t i);

#endif
