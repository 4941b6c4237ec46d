/* SPDX-License-Identifier: MIT */
#include "loss_reference.h"

#include "dtype.h"
#include "operands.h"
#include "ulp.h"

#include <math.h>

/* log(1 + e^x) */
static long double softplus(long double x)
{
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

/* 1 / (1 + e^-x) */
static long double logistic(long double x)
{
    return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

/* What is multiplied by 0 is 0, unless it is NaN. */
static long double times(long double factor, long double value)
{
    return factor == 0 && !isnan(value) ? 0 : factor * value;
}

long double bce_loss(const struct bce *b)
{
    const long double x = b->x, y = b->y;
    const long double one = times(b->pos_weight * y, softplus(-x));
    const long double zero = times(1 - y, softplus(x));
    return times(b->weight, one + zero);
}

long double bce_gradient(const struct bce *b, long double *larger)
{
    const long double x = b->x, y = b->y;
    const long double factor = (long double)b->grad * b->weight;
    const long double zero = factor * ((1 - y) * logistic(x));
    const long double one = factor * (b->pos_weight * y * logistic(-x));
    *larger = fmaxl(fabsl(zero), fabsl(one));
    return zero - one;
}

struct bce_budget bce_budget(clact_dtype dtype)
{
    switch (dtype) {
#define XX(NAME, loss, dx, reduced, rest)                                                          \
    case CLACT_##NAME:                                                                             \
        return (struct bce_budget){loss, dx, reduced, ldexpl(1, rest)};
        CLACT_BCE_BUDGET_MAP(XX)
#undef XX
    default:
        return (struct bce_budget){0, 0, 0, 0};
    }
}

static double error_of(clact_dtype dtype, double got, long double exact)
{
    return dtype == CLACT_F64 ? ulp_error_f64(got, exact) : ulp_error(dtype, got, (double)exact);
}

int bce_loss_is_right(clact_dtype dtype, double budget, double got, long double exact,
                      long double smallest, double *error)
{
    *error = error_of(dtype, got, exact);
    return *error <= budget || fabsl(got - exact) <= smallest;
}

int bce_gradient_is_right(clact_dtype dtype, double got, const struct bce *b, double *error)
{
    const struct bce_budget budget = bce_budget(dtype);
    long double larger;
    const long double exact = bce_gradient(b, &larger);
    *error = error_of(dtype, got, exact);
    const long double apart = fabsl(got - exact);
    if (isfinite(*error) && *error > 0 && apart > 0)
        *error = (double)fmaxl(0, *error * (1 - budget.rest * larger / apart));
    return *error <= budget.dx;
}

/* From 0 to 1. */
static double uniform(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1p-53;
}

static double any_size(uint64_t hash, int least, int most)
{
    const double exponent = least + uniform(hash) * (most - least);
    return ldexp(1 + uniform(hash * UINT64_C(0x9e3779b97f4a7c15)), (int)exponent);
}

static double sample_target(uint64_t hash)
{
    const double u = uniform(hash * 5 + 1);
    switch (hash % 8) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return any_size(hash, -150, -2);
    case 3:
        return 1 - any_size(hash, -60, -2);
    case 4:
        return 0.5;
    default:
        return u;
    }
}

static double sample_weight(clact_dtype dtype, uint64_t hash)
{
    const struct dtype_format *f = dtype_format(dtype);
    switch (hash % 16) {
    case 0:
        return 0;
    case 1:
    case 2:
        return any_size(hash, f->min_exponent - f->precision, f->max_exponent - 1);
    default:
        return 0.25 + 4 * uniform(hash);
    }
}

static double sample_logit(clact_dtype dtype, uint64_t hash, double y, double pos_weight)
{
    const struct dtype_format *f = dtype_format(dtype);
    const double end = dtype == CLACT_F64 ? 760 : 110;
    const double u = 2 * uniform(hash * 3 + 1) - 1;
    const double zero = log(y * pos_weight / (1 - y));
    switch (hash % 8) {
    case 0:
        return copysign(any_size(hash, f->min_exponent - f->precision, f->max_exponent - 1), u);
    case 1:
    case 2:
        return u * end;
    case 3:
    case 4: /* next to where the gradient is 0 */
        if (isfinite(zero))
            return zero * (1 + u * any_size(hash, -40, -4));
        return u;
    case 5:
        return copysign(any_size(hash, -30, 0), u);
    default:
        return u * 20;
    }
}

struct bce bce_sample(clact_dtype dtype, uint64_t i)
{
    struct bce b = {.grad = 1};
    b.y = dtype_round(dtype, sample_target(operands_hash(5 * i)));
    b.weight = dtype_round(dtype, sample_weight(dtype, operands_hash(5 * i + 1)));
    b.pos_weight = dtype_round(dtype, sample_weight(dtype, operands_hash(5 * i + 2)));
    b.grad = dtype_round(dtype, sample_weight(dtype, operands_hash(5 * i + 3)));
    b.x = dtype_round(dtype,
                      sample_logit(dtype, operands_hash(5 * i + 4), b.y, i % 2 ? b.pos_weight : 1));
    return b;
}
