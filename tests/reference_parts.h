/* SPDX-License-Identifier: MIT */
/* What the operators' formulas are made of. Included by reference.c, as often as its
 * formulas are and in the same terms. */

/* The gradient where op' is 0 on a whole interval. */
static REAL OF_TYPE(flat)(REAL grad)
{
    return isnan(grad) ? grad : 0;
}

/* The gradient where it is not. At a finite x a slope that is 0 is one that was too small for the
 * type, and has the sign of the exact one. */
static REAL OF_TYPE(times)(REAL grad, REAL x, REAL slope)
{
    if (isinf(grad) && isfinite(x) && !isnan(slope))
        return grad * copysign(1, slope);
    return grad * slope;
}

/* What a product has lost by its rounding. */
static REAL OF_TYPE(lost)(REAL a, REAL b)
{
    return fma(a, b, -(a * b));
}

/* e^(high + low), low being far below 1: the error that high was rounded by. */
static REAL OF_TYPE(exp_sum)(REAL high, REAL low)
{
    REAL e = exp(high);
    return e + e * low;
}

/* 1 / (1 + e^-x) of x = high + low. For negative x numerator and denominator are multiplied by e^x,
 * so that the exponential never overflows and a small result keeps its precision. */
static REAL OF_TYPE(logistic)(REAL high, REAL low)
{
    if (high >= 0)
        return 1 / (1 + OF_TYPE(exp_sum)(-high, -low));
    REAL e = OF_TYPE(exp_sum)(high, low);
    return e / (1 + e);
}

/* (1 + e)^2, rounded less often than that. */
static REAL OF_TYPE(square)(REAL e)
{
    return fma(e, 2 + e, 1);
}

/* s'(x) = s(x) s(-x), which is even and does not cancel. */
static REAL OF_TYPE(logistic_slope)(REAL high, REAL low)
{
    REAL e = high >= 0 ? OF_TYPE(exp_sum)(-high, -low) : OF_TYPE(exp_sum)(high, low);
    return e / ((1 + e) * (1 + e));
}

/* The normal distribution: the probability of less than x, erfc(-x / sqrt(2)) / 2. In its tail erfc
 * magnifies the rounding error of its argument a, to first order by 2 a. */
static REAL OF_TYPE(normal)(REAL x)
{
    const REAL root = SQRT_HALF + (REAL)SQRT_HALF_LOW;
    const REAL root_low = (SQRT_HALF - root) + (REAL)SQRT_HALF_LOW;
    REAL a = -x * root;
    REAL probability = erfc(a) / 2;
    if (a > 0)
        probability -= probability * 2 * a * (OF_TYPE(lost)(-x, root) - x * root_low);
    return probability;
}

/* Its density, e^(-x^2 / 2) / sqrt(2 pi), and that root is 4 / sqrt(8 / pi). */
static REAL OF_TYPE(density)(REAL x)
{
    const REAL factor = (SQRT_8_PI + (REAL)SQRT_8_PI_LOW) / 4;
    return factor * OF_TYPE(exp_sum)(-x * x / 2, -OF_TYPE(lost)(x, x) / 2);
}

/* gelu_tanh's v = 2 u = x (c + a x^2), c = sqrt(8 / pi) and a = 0.044715 c, as v + *low: the
 * exponential of v magnifies its error. */
static REAL OF_TYPE(twice_u)(REAL x, REAL *low)
{
    const REAL c = SQRT_8_PI;
    const REAL c_low = (REAL)SQRT_8_PI_LOW;
    const REAL a = CUBIC;
    const REAL a_low = (REAL)CUBIC_LOW;
    REAL square = x * x;
    REAL product = a * square;
    REAL sum = c + product;
    REAL sum_low = product - (sum - c) + (c - (sum - (sum - c)));
    sum_low += OF_TYPE(lost)(a, square) + a * OF_TYPE(lost)(x, x) + a_low * square + c_low;
    *low = OF_TYPE(lost)(x, sum) + x * sum_low;
    return x * sum;
}
