/* SPDX-License-Identifier: MIT */
/*
 * The references' formulas. reference.c includes this file once for each type REAL that they are
 * computed in; REFERENCE(operator, function) is the name of a function for that type. The functions
 * of <tgmath.h> follow the type of their argument.
 */

/* 1 / (1 + e^-x). For negative x numerator and denominator are multiplied by e^x, so that the
 * exponential never overflows and a small result keeps its precision. */
REAL REFERENCE(sigmoid, forward)(REAL x)
{
    if (x >= 0)
        return 1 / (1 + exp(-x));
    REAL e = exp(x);
    return e / (1 + e);
}

/* The formula for the y that is given; 1 - y is exact where it could cancel. */
REAL REFERENCE(sigmoid, from_output)(REAL grad, REAL y)
{
    return grad * y * (1 - y);
}

/* The derivative is s(x) * (1 - s(x)), and 1 - s(x) = s(-x), which does not cancel. At finite x it
 * is positive, also where s(x) is too small for the type. */
REAL REFERENCE(sigmoid, from_input)(REAL grad, REAL x)
{
    if (isinf(grad) && isfinite(x))
        return grad;
    return grad * REFERENCE(sigmoid, forward)(x) * REFERENCE(sigmoid, forward)(-x);
}
