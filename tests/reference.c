/* SPDX-License-Identifier: MIT */
/*
 * The formulas are in the second half of this file, which the first half includes once for each type
 * REAL that they are computed in. There OF_TYPE(name) is the name of a function for that type and
 * REFERENCE(op, function) that of an operator's; the functions of <tgmath.h> follow the type of
 * their arguments. A constant that a double does not hold is the sum of two, as x0 and x0_low.
 */
#ifndef REAL

/* For <tgmath.h> to know _Float128. */
#define __STDC_WANT_IEC_60559_TYPES_EXT__ 1

#include "reference.h"

#include <stdbool.h>
#include <stddef.h>
#include <tgmath.h>

#define REFERENCE(op, function) OF_TYPE(reference_##op##_##function)

/* Beside 1, e^-100 is nothing in any of the types; e^-20000 is 0 in all of them. */
enum { SATURATED = 100, VANISHED = 20000 };

/* sqrt(1 / 2), sqrt(8 / pi), and 0.044715 times the latter. */
#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define SQRT_HALF_LOW -0x1.bdd3413b26455aap-55L
#define SQRT_8_PI 0x1.9884533d43651p+0
#define SQRT_8_PI_LOW -0x1.cbc0d30ebfd151c8p-54L
#define CUBIC 0x1.2444f2a4d8b4bp-4
#define CUBIC_LOW -0x1.6c843a29d1c70796p-61L

/* The formulas of operators that have no parameters do not look at p. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define REAL double
#define OF_TYPE(name) name##_double
#include "reference.c"
#undef REAL
#undef OF_TYPE

#define REAL long double
#define OF_TYPE(name) name##_long
#include "reference.c"
#undef REAL
#undef OF_TYPE

#define IF_SAVED(saved, kind, function) ((saved) & (kind)) != 0 ? (function) : NULL
#define FUNCTIONS(name, saved, suffix)                                                             \
    reference_##name##_forward##suffix,                                                            \
        IF_SAVED(saved, CLACT_SAVED_OUTPUT, reference_##name##_from_output##suffix),               \
        IF_SAVED(saved, CLACT_SAVED_INPUT, reference_##name##_from_input##suffix)

#if REFERENCE_HAS_QUAD
#define REAL reference_quad
#define OF_TYPE(name) name##_quad
#include "reference.c"
#undef REAL
#undef OF_TYPE
#define QUAD_FUNCTIONS(name, saved) FUNCTIONS(name, saved, _quad)
#else
#define QUAD_FUNCTIONS(name, saved)
#endif

static const struct reference references[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    [value] = {FUNCTIONS(name, saved, _double), FUNCTIONS(name, saved, _long),                     \
               QUAD_FUNCTIONS(name, saved)},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

static const clact_params defaults[] = {
#define CLACT_NO_PARAMETERS CLACT_PARAMETERS(0, 0, 0, 0, 0)
#define CLACT_PARAMETERS(used, positive, alpha, beta, gamma)                                       \
    {                                                                                              \
        alpha, beta, gamma                                                                         \
    }
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, ...) [value] = parameters,
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

const struct reference *reference_of(clact_operator op)
{
    if ((size_t)op >= sizeof references / sizeof references[0] || references[op].forward == NULL)
        return NULL;
    return &references[op];
}

/* Through memory: GCC 12 makes nothing of two conversions to float and back that are side by side. */
static double rounded_to_f32(double value)
{
    volatile float rounded = (float)value;
    return rounded;
}

clact_params reference_params(clact_dtype dtype, const clact_params *given)
{
    if (dtype == CLACT_F64)
        return *given;
    return (clact_params){rounded_to_f32(given->alpha), rounded_to_f32(given->beta),
                          rounded_to_f32(given->gamma)};
}

clact_params reference_defaults(clact_operator op, clact_dtype dtype)
{
    return reference_params(dtype, &defaults[op]);
}

#else

/* A row of ops.def without its formulas leaves one of these undefined, and the link names it. */
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    REAL REFERENCE(name, forward)(REAL x, const clact_params *p);                                  \
    REAL REFERENCE(name, from_output)(REAL grad, REAL y, const clact_params *p);                   \
    REAL REFERENCE(name, from_input)(REAL grad, REAL x, const clact_params *p);
#include <clact/ops.def>
#undef CLACT_OPERATOR

#include "reference_parts.h"

REAL REFERENCE(sigmoid, forward)(REAL x, const clact_params *p)
{
    return OF_TYPE(logistic)(x, 0);
}

/* 1 - y is exact where it could cancel. */
REAL REFERENCE(sigmoid, from_output)(REAL grad, REAL y, const clact_params *p)
{
    return grad * y * (1 - y);
}

REAL REFERENCE(sigmoid, from_input)(REAL grad, REAL x, const clact_params *p)
{
    return OF_TYPE(times)(grad, x, OF_TYPE(logistic_slope)(x, 0));
}

REAL REFERENCE(tanh, forward)(REAL x, const clact_params *p)
{
    return tanh(x);
}

/* 1 - y^2, the factors being exact where they could cancel. */
REAL REFERENCE(tanh, from_output)(REAL grad, REAL y, const clact_params *p)
{
    return grad * ((1 - y) * (1 + y));
}

/* 1 / cosh(x)^2 = 4 s'(2 x). */
REAL REFERENCE(tanh, from_input)(REAL grad, REAL x, const clact_params *p)
{
    return OF_TYPE(times)(grad, x, 4 * OF_TYPE(logistic_slope)(2 * x, 0));
}

/* log(1 + e^(beta x)) / beta; above 0, with e^(beta x) taken out of the logarithm. */
static REAL OF_TYPE(softplus)(REAL x, REAL beta)
{
    REAL t = beta * x;
    if (t > SATURATED)
        return x;
    if (t < -VANISHED)
        return 0;
    if (t > 0)
        return x + log1p(exp(-t)) / beta;
    return log1p(OF_TYPE(exp_sum)(t, OF_TYPE(lost)(beta, x))) / beta;
}

static REAL OF_TYPE(softplus_slope)(REAL x, REAL beta)
{
    REAL t = beta * x;
    if (t > SATURATED)
        return 1;
    if (t < -VANISHED)
        return 0;
    return OF_TYPE(logistic)(t, OF_TYPE(lost)(beta, x));
}

REAL REFERENCE(softplus, forward)(REAL x, const clact_params *p)
{
    return OF_TYPE(softplus)(x, p->beta);
}

REAL REFERENCE(softplus, from_input)(REAL grad, REAL x, const clact_params *p)
{
    return OF_TYPE(times)(grad, x, OF_TYPE(softplus_slope)(x, p->beta));
}

REAL REFERENCE(log_sigmoid, forward)(REAL x, const clact_params *p)
{
    return -OF_TYPE(softplus)(-x, 1);
}

REAL REFERENCE(log_sigmoid, from_input)(REAL grad, REAL x, const clact_params *p)
{
    return OF_TYPE(times)(grad, x, OF_TYPE(softplus_slope)(-x, 1));
}

/*
 * The slopes of silu, gelu, gelu_tanh and mish pass through 0 at a negative x0, and their terms
 * cancel there. Near x0 what is calculated is the difference from the 0 at x0, in terms of
 * d = x - x0 whose sum does not cancel.
 */

REAL REFERENCE(silu, forward)(REAL x, const clact_params *p)
{
    REAL t = p->beta * x;
    if (t > SATURATED)
        return x;
    if (t < -VANISHED)
        return -(REAL)0;
    return x * OF_TYPE(logistic)(t, OF_TYPE(lost)(p->beta, x));
}

/*
 * s(t) (1 + t s(-t)) with t = beta x: above 0 (1 + e + t e) / (1 + e)^2 with e = e^-t, elsewhere
 * e (1 + e + t) / (1 + e)^2 with e = e^t. With e0 = e^t0 the sum in the latter is 0 = 1 + e0 + t0 at
 * t0 and differs from that by e0 (e^d - 1) + d. A product beta x may be as near to t0 as half its own last
 * place, so that it takes three doubles to say where t0 is; the differences from the first two are exact.
 */
REAL REFERENCE(silu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    const REAL t0 = -0x1.474973c84120bp+0;
    const REAL t0_low = -0x1.f8d74bc9ac154p-54;
    const REAL t0_rest = (REAL)-0x1.44a50180ba77fb0ep-108L;
    REAL t = p->beta * x;
    if (t > SATURATED)
        return grad;
    if (t < -VANISHED)
        return OF_TYPE(times)(grad, x, -(REAL)0);
    REAL low = OF_TYPE(lost)(p->beta, x);
    REAL e = t > 0 ? OF_TYPE(exp_sum)(-t, -low) : OF_TYPE(exp_sum)(t, low);
    REAL d = (t - t0) + (low - t0_low) - t0_rest;
    REAL slope;
    if (t > 0)
        slope = 1 + e + t * e;
    else if (fabs(d) < 0.5)
        slope = e * (d - (1 + t0 + t0_low) * expm1(d));
    else
        slope = e * (1 + e + t);
    return OF_TYPE(times)(grad, x, slope / OF_TYPE(square)(e));
}

REAL REFERENCE(gelu, forward)(REAL x, const clact_params *p)
{
    if (x > SATURATED)
        return x;
    if (x < -SATURATED)
        return -(REAL)0;
    return x * OF_TYPE(normal)(x);
}

/*
 * The slope of gelu at x0 + d. Its own derivative is f(x) (2 - x^2), f the density, and
 * f(x0 + t) = f(x0) e^(-x0 t - t^2 / 2). That exponential is the sum of c[k] t^k with
 * (k + 1) c[k + 1] = -x0 c[k] - c[k - 1]; times 2 - x^2 and integrated from 0 to d it gives the
 * slope. For |d| <= 1/2 all that is left out is below 2^-90 of the first term.
 */
static REAL OF_TYPE(gelu_slope_near)(REAL x0, REAL d)
{
    enum { TERMS = 32 };
    REAL terms[TERMS];
    REAL power = d;
    REAL c[3] = {1, 0, 0}; /* c[k], c[k - 1], c[k - 2] */
    for (int k = 0; k < TERMS; k++) {
        terms[k] = ((2 - x0 * x0) * c[0] - 2 * x0 * c[1] - c[2]) / (k + 1) * power;
        power *= d;
        REAL next = -(x0 * c[0] + c[1]) / (k + 1);
        c[2] = c[1];
        c[1] = c[0];
        c[0] = next;
    }
    REAL sum = 0;
    for (int k = TERMS; k > 0; k--)
        sum += terms[k - 1];
    return OF_TYPE(density)(x0) * sum;
}

REAL REFERENCE(gelu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    const REAL x0 = -0x1.80ead197f00b4p-1;
    const REAL x0_low = (REAL)0x1.13e74c58cada82ccp-56L;
    if (x > SATURATED)
        return grad;
    if (x < -SATURATED)
        return OF_TYPE(times)(grad, x, -(REAL)0);
    REAL d = (x - x0) - x0_low;
    if (fabs(d) < 0.5)
        return OF_TYPE(times)(grad, x, OF_TYPE(gelu_slope_near)(x0 + x0_low, d));
    REAL slope = fma(x, OF_TYPE(density)(x), OF_TYPE(normal)(x));
    return OF_TYPE(times)(grad, x, copysign(slope, d));
}

/* x s(2 u) with v = 2 u. */
REAL REFERENCE(gelu_tanh, forward)(REAL x, const clact_params *p)
{
    if (x > SATURATED)
        return x;
    if (x < -SATURATED)
        return -(REAL)0;
    REAL low;
    REAL v = OF_TYPE(twice_u)(x, &low);
    return x * OF_TYPE(logistic)(v, low);
}

/*
 * s(v) (1 + x v' s(-v)): above 0 (1 + e + x v' e) / (1 + e)^2 with e = e^-v, elsewhere
 * e (1 + e + x v') / (1 + e)^2 with e = e^v. The sum in the latter is 0 at x0 and differs from that
 * by e0 (e^(v - v0) - 1) + x v' - x0 v0', where
 *   v - v0 = d (c + a q), x v' - x0 v0' = d (c + 3 a q), q = x^2 + x x0 + x0^2.
 */
REAL REFERENCE(gelu_tanh, from_input)(REAL grad, REAL x, const clact_params *p)
{
    const REAL c = SQRT_8_PI + (REAL)SQRT_8_PI_LOW;
    const REAL a = CUBIC + (REAL)CUBIC_LOW;
    const REAL x0 = -0x1.81429f9e97e4dp-1;
    const REAL x0_low = (REAL)0x1.4f523ed77dbdb966p-55L;
    if (x > SATURATED)
        return grad;
    if (x < -SATURATED)
        return OF_TYPE(times)(grad, x, -(REAL)0);
    REAL low;
    REAL v = OF_TYPE(twice_u)(x, &low);
    REAL e = v > 0 ? OF_TYPE(exp_sum)(-v, -low) : OF_TYPE(exp_sum)(v, low);
    REAL d = (x - x0) - x0_low;
    REAL slope_v = fma(3 * a, x * x, c);
    REAL slope;
    if (x > 0) {
        slope = 1 + e + x * slope_v * e;
    } else if (fabs(d) < 0.5) {
        REAL root = x0 + x0_low;
        REAL q = x * x + x * root + root * root;
        REAL e0 = -(1 + root * (c + 3 * a * root * root));
        slope = e * (e0 * expm1(d * (c + a * q)) + d * (c + 3 * a * q));
    } else {
        slope = e * fma(x, slope_v, 1 + e);
    }
    return OF_TYPE(times)(grad, x, slope / OF_TYPE(square)(e));
}

REAL REFERENCE(relu, forward)(REAL x, const clact_params *p)
{
    return x > 0 || isnan(x) ? x : 0;
}

REAL REFERENCE(relu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    if (isnan(x))
        return x;
    return x > 0 ? grad : OF_TYPE(flat)(grad);
}

/* y > 0 is where x > 0. */
REAL REFERENCE(relu, from_output)(REAL grad, REAL y, const clact_params *p)
{
    return REFERENCE(relu, from_input)(grad, y, p);
}

/* With alpha = 0 it is relu. */
REAL REFERENCE(leaky_relu, forward)(REAL x, const clact_params *p)
{
    if (p->alpha == 0)
        return REFERENCE(relu, forward)(x, p);
    return x > 0 ? x : p->alpha * x;
}

REAL REFERENCE(leaky_relu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    if (p->alpha == 0)
        return REFERENCE(relu, from_input)(grad, x, p);
    return x > 0 ? grad : isnan(x) ? x : p->alpha * grad;
}

/* With alpha = 0 it is relu. */
REAL REFERENCE(elu, forward)(REAL x, const clact_params *p)
{
    if (p->alpha == 0)
        return REFERENCE(relu, forward)(x, p);
    return x > 0 ? x : p->alpha * expm1(x);
}

REAL REFERENCE(elu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    if (p->alpha == 0)
        return REFERENCE(relu, from_input)(grad, x, p);
    return x > 0 ? grad : OF_TYPE(times)(grad, x, p->alpha * exp(x));
}

/* A gamma of 0 makes all of it 0. */
REAL REFERENCE(selu, forward)(REAL x, const clact_params *p)
{
    if (p->gamma == 0)
        return OF_TYPE(flat)(x);
    return p->gamma * REFERENCE(elu, forward)(x, p);
}

REAL REFERENCE(selu, from_input)(REAL grad, REAL x, const clact_params *p)
{
    REAL slope = REFERENCE(elu, from_input)(1, x, p);
    if (p->gamma == 0 || (p->alpha == 0 && x <= 0))
        return isnan(x) ? x : OF_TYPE(flat)(grad);
    return OF_TYPE(times)(grad, x, p->gamma * slope);
}

/* With alpha = 0 it is the same everywhere, at an infinite x too. */
REAL REFERENCE(hard_sigmoid, forward)(REAL x, const clact_params *p)
{
    REAL y = p->alpha == 0 && isinf(x) ? (REAL)p->beta : fma(p->alpha, x, p->beta);
    return y < 0 ? 0 : y > 1 ? 1 : y;
}

/* The rounded alpha x + beta is above 0 where the exact one is. For 1 - beta - alpha x that holds
 * with 1 - beta as an exact sum; where the parts of it cancel they are exact in this type. */
REAL REFERENCE(hard_sigmoid, from_input)(REAL grad, REAL x, const clact_params *p)
{
    REAL beta = p->beta;
    REAL rest = 1 - beta;
    REAL rest_low = (1 - (rest + beta)) + ((rest + beta) - rest - beta);
    bool above = fma(p->alpha, x, beta) > 0;
    bool below = fma(-p->alpha, x, rest) + rest_low > 0;
    if (isnan(x))
        return x;
    return above && below && p->alpha != 0 ? p->alpha * grad : OF_TYPE(flat)(grad);
}

/* x + 3 is exact where it could cancel. */
REAL REFERENCE(hard_swish, forward)(REAL x, const clact_params *p)
{
    if (x >= 3)
        return x;
    return x <= -3 ? -(REAL)0 : x * (x + 3) / 6;
}

REAL REFERENCE(hard_swish, from_input)(REAL grad, REAL x, const clact_params *p)
{
    if (x >= 3)
        return grad;
    return x <= -3 ? OF_TYPE(flat)(grad) : grad * (2 * x + 3) / 6;
}

/* tanh(log(1 + e^x)) = ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1) = n / (n + 2), n = e^x (e^x + 2). Above
 * 0 numerator and denominator are multiplied by e^(-2 x). */
REAL REFERENCE(mish, forward)(REAL x, const clact_params *p)
{
    if (x > SATURATED)
        return x;
    if (x < -VANISHED)
        return -(REAL)0;
    REAL e = exp(-fabs(x));
    if (x > 0)
        return x * (1 + 2 * e) / (1 + 2 * e * (1 + e));
    return x * e * (e + 2) / (e * (e + 2) + 2);
}

/*
 * The derivative of x n / (n + 2) is e w / (n + 2)^2, w = e^3 + 4 e^2 + 6 e + 4 + 4 x e + 4 x with
 * e = e^x; above 0 numerator and denominator are multiplied by e^(-4 x). At x0, w is 0 and with
 * m = e^d - 1 and e0 = e^x0 it differs from that by the sum below, whose terms all have the sign of
 * d as long as 6 + 4 x is positive.
 */
REAL REFERENCE(mish, from_input)(REAL grad, REAL x, const clact_params *p)
{
    const REAL x0 = -0x1.31432c0d12d84p+0;
    const REAL x0_low = (REAL)-0x1.bf319154da2104eep-55L;
    if (x > SATURATED)
        return grad;
    if (x < -VANISHED)
        return OF_TYPE(times)(grad, x, -(REAL)0);
    REAL e = exp(-fabs(x));
    REAL d = (x - x0) - x0_low;
    REAL denominator = x > 0 ? 1 + 2 * e * (1 + e) : e * (e + 2) + 2;
    REAL slope;
    if (x > 0) {
        slope = 1 + e * (4 + e * (6 + 4 * e + 4 * x * (1 + e)));
    } else if (fabs(d) < 0.25) {
        REAL e0 = exp(x0 + x0_low);
        REAL m = expm1(d);
        slope = 4 * d + e0 * ((6 + 4 * x) * m + 4 * d +
                              e0 * (4 * m * (m + 2) + e0 * m * (3 + m * (3 + m))));
        slope *= e;
    } else {
        slope = e * (4 + 4 * x + e * (6 + 4 * x + e * (4 + e)));
    }
    return OF_TYPE(times)(grad, x, slope / (denominator * denominator));
}

REAL REFERENCE(straight_through_sigmoid, forward)(REAL x, const clact_params *p)
{
    return isnan(x) ? x : x >= 0;
}

REAL REFERENCE(straight_through_sigmoid, from_input)(REAL grad, REAL x, const clact_params *p)
{
    return REFERENCE(sigmoid, from_input)(grad, x, p);
}

REAL REFERENCE(softsign, forward)(REAL x, const clact_params *p)
{
    return isinf(x) ? copysign((REAL)1, x) : x / (1 + fabs(x));
}

REAL REFERENCE(softsign, from_input)(REAL grad, REAL x, const clact_params *p)
{
    REAL root = 1 / (1 + fabs(x));
    return OF_TYPE(times)(grad, x, root * root);
}

#endif
