/* SPDX-License-Identifier: MIT */
#include "reference_mpfr.h"

/* A row of ops.def without its formulas leaves one of these undefined, and the link names it. */
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    void reference_mpfr_##name##_forward(mpfr_ptr y, mpfr_srcptr x);                               \
    void reference_mpfr_##name##_from_output(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr y);        \
    void reference_mpfr_##name##_from_input(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr x);
#include <clact/ops.def>
#undef CLACT_OPERATOR

/* 1 / (1 + e^-x). MPFR's exponents are so wide that e^-x overflows only where the result is smaller
 * than any element can be. */
void reference_mpfr_sigmoid_forward(mpfr_ptr y, mpfr_srcptr x)
{
    mpfr_neg(y, x, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    mpfr_ui_div(y, 1, y, MPFR_RNDN);
}

/* grad * y * (1 - y) */
void reference_mpfr_sigmoid_from_output(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr y)
{
    mpfr_ui_sub(dx, 1, y, MPFR_RNDN);
    mpfr_mul(dx, dx, y, MPFR_RNDN);
    mpfr_mul(dx, dx, grad, MPFR_RNDN);
}

/* The quotient rule on the definition: grad * e^-x / (1 + e^-x)^2. The derivative is even, and with
 * |x| in place of x the exponential is at most 1. */
void reference_mpfr_sigmoid_from_input(mpfr_ptr dx, mpfr_srcptr grad, mpfr_srcptr x)
{
    mpfr_t numerator;
    mpfr_init2(numerator, REFERENCE_MPFR_BITS);
    mpfr_abs(dx, x, MPFR_RNDN);
    mpfr_neg(dx, dx, MPFR_RNDN);
    mpfr_exp(dx, dx, MPFR_RNDN);
    mpfr_mul(numerator, dx, grad, MPFR_RNDN);
    mpfr_add_ui(dx, dx, 1, MPFR_RNDN);
    mpfr_sqr(dx, dx, MPFR_RNDN);
    mpfr_div(dx, numerator, dx, MPFR_RNDN);
    mpfr_clear(numerator);
}

#define IF_SAVED(saved, kind, function) ((saved) & (kind)) != 0 ? (function) : NULL

static const struct reference_mpfr references[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    [value] = {                                                                                    \
        reference_mpfr_##name##_forward,                                                           \
        IF_SAVED(saved, CLACT_SAVED_OUTPUT, reference_mpfr_##name##_from_output),                  \
        IF_SAVED(saved, CLACT_SAVED_INPUT, reference_mpfr_##name##_from_input),                    \
    },
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

const struct reference_mpfr *reference_mpfr_of(clact_operator op)
{
    if ((size_t)op >= sizeof references / sizeof references[0] || references[op].forward == NULL)
        return NULL;
    return &references[op];
}
