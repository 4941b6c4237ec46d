/* SPDX-License-Identifier: MIT */
/*
 * The operators once more, in MPFR with many digits: what the references in reference.h are judged
 * by. Only for finite operands.
 */
#ifndef CLACT_TESTS_REFERENCE_MPFR_H
#define CLACT_TESTS_REFERENCE_MPFR_H

#include <clact/clact.h>

#include <mpfr.h>

/* Enough that an error in the last bit, even after a few operations, is far below what is judged:
 * the references have 64 bits. */
#define REFERENCE_MPFR_BITS 200

/* The functions of struct reference, each into its first argument; a gradient that the operator
 * does not offer is NULL. The arguments must be different objects. */
struct reference_mpfr {
    void (*forward)(mpfr_ptr y, mpfr_srcptr x);
    void (*from_output)(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr y);
    void (*from_input)(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr x);
};

/* NULL for a value that is no operator. */
const struct reference_mpfr *reference_mpfr_of(clact_operator op);

#endif
