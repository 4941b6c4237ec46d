/* SPDX-License-Identifier: MIT */
/*
 * The scalar CPU reference of every operator, written from its definition in ops.def and not from
 * the kernels: a mistake that both share would pass.
 *
 * Results in f32, f16 and bf16 are judged against the functions in double, right to 2^-26 ULP of
 * f32 for operands and parameters that are f32. Results in f64 are judged against those in long
 * double, right to 2^-8 ULP of f64 where that type has 64 bits of precision, as on x86, or more.
 * Where long double is no wider than double REFERENCE_JUDGES_F64 is 0, and tests of f64 are to skip
 * and say so. Both are judged against the functions in quad where the compiler has that type.
 *
 * The functions have no state and may be called from any number of threads.
 */
#ifndef CLACT_TESTS_REFERENCE_H
#define CLACT_TESTS_REFERENCE_H

#include <clact/clact.h>

#include <float.h>

#define REFERENCE_JUDGES_F64 (LDBL_MANT_DIG >= 64)

/* glibc has the functions of <tgmath.h> for _Float128 since 2.26. */
#if defined(__FLT128_MANT_DIG__) && defined(__GLIBC__)
#define REFERENCE_HAS_QUAD __GLIBC_PREREQ(2, 26)
#else
#define REFERENCE_HAS_QUAD 0
#endif

#if REFERENCE_HAS_QUAD
__extension__ typedef _Float128 reference_quad;
#endif

/*
 * forward is op(x), from_output grad * op' at the given output y, from_input grad * op' at the
 * given input x. A gradient that the operator does not offer is NULL. The parameters are those that
 * the library computes with, see reference_params.
 *
 * Operands that are not finite give the mathematical limit, and zeros have the sign that ops.def
 * says. NaN in gives NaN out. A gradient from the input is
 *   0 for every grad but NaN where op' is 0 on a whole interval, as left of 0 for relu, at an
 *     infinite x too;
 *   an infinity of the right sign for an infinite grad at any finite x where op' is not 0, although
 *     op'(x) may be too small for the type;
 *   NaN for an infinite grad at an infinite x where op' only tends to 0, and where op' passes
 *     through 0.
 * A gradient from the output is the formula at the y that is given, be it an output or not.
 */
struct reference {
    double (*forward)(double x, const clact_params *p);
    double (*from_output)(double grad, double y, const clact_params *p);
    double (*from_input)(double grad, double x, const clact_params *p);
    long double (*forward_long)(long double x, const clact_params *p);
    long double (*from_output_long)(long double grad, long double y, const clact_params *p);
    long double (*from_input_long)(long double grad, long double x, const clact_params *p);
#if REFERENCE_HAS_QUAD
    reference_quad (*forward_quad)(reference_quad x, const clact_params *p);
    reference_quad (*from_output_quad)(reference_quad grad, reference_quad y,
                                       const clact_params *p);
    reference_quad (*from_input_quad)(reference_quad grad, reference_quad x, const clact_params *p);
#endif
};

/* NULL for a value that is no operator. */
const struct reference *reference_of(clact_operator op);

/* What the library computes with when it is given these parameters: for all dtypes but f64 they are
 * rounded to f32. */
clact_params reference_params(clact_dtype dtype, const clact_params *given);

/* The same of an operator's defaults; op must be one. */
clact_params reference_defaults(clact_operator op, clact_dtype dtype);

#endif
