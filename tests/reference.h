/* SPDX-License-Identifier: MIT */
/*
 * The scalar CPU reference of every operator, written from its definition in ops.def and not from
 * the kernels: a mistake that both share would pass.
 *
 * Results in f32, f16 and bf16 are judged against the functions in double, right to 2^-26 ULP of
 * f32 for operands that are f32. Results in f64 are judged against those in long double, right to
 * 2^-8 ULP of f64 where that type has 64 bits of precision, as on x86, or more. Where long double
 * is no wider than double REFERENCE_JUDGES_F64 is 0, and tests of f64 are to skip and say so.
 *
 * The functions have no state and may be called from any number of threads.
 */
#ifndef CLACT_TESTS_REFERENCE_H
#define CLACT_TESTS_REFERENCE_H

#include <clact/clact.h>

#include <float.h>

#define REFERENCE_JUDGES_F64 (LDBL_MANT_DIG >= 64)

/*
 * forward is op(x), from_output grad * op' at the given output y, from_input grad * op' at the
 * given input x. A gradient that the operator does not offer is NULL.
 *
 * Non-finite operands give the mathematical limit: a finite grad at an infinite x where op' tends
 * to 0 gives 0, an infinite grad where op' is not 0 gives an infinity although op'(x) may be too
 * small for the type, and NaN comes out where there is no limit or where NaN went in.
 */
struct reference {
    double (*forward)(double x);
    double (*from_output)(double grad, double y);
    double (*from_input)(double grad, double x);
    long double (*forward_long)(long double x);
    long double (*from_output_long)(long double grad, long double y);
    long double (*from_input_long)(long double grad, long double x);
};

/* NULL for a value that is no operator. */
const struct reference *reference_of(clact_operator op);

#endif
