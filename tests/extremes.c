/* SPDX-License-Identifier: MIT */
#include "extremes.h"

#include "dtype.h"
#include "op_rows.h"
#include "reference.h"

#include <assert.h>
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct op_row *row_of(clact_operator op)
{
    const struct op_row *row = op_rows;
    while (row->op != op)
        row++;
    return row;
}

/* f16 and bf16 are computed in f32. */
static clact_dtype computed_in(clact_dtype dtype)
{
    return dtype == CLACT_F64 ? CLACT_F64 : CLACT_F32;
}

static double smallest(clact_dtype dtype)
{
    return dtype_next_up(dtype, 0);
}

static double smallest_normal(clact_dtype dtype)
{
    return ldexp(1, dtype_format(dtype)->min_exponent);
}

static double largest(clact_dtype dtype)
{
    return dtype_next_down(dtype, INFINITY);
}

/* Parameters. */

enum { MOST_VALUES = 32 };

/* Where beta is a factor of x, the slope may be 0 at beta x = SLOPE_ROOT. */
#define SLOPE_ROOT -1.278464542761073795

/* Factors with which the product of some element of the dtype is nearer to that than to any other
 * number of its precision: found by factoring those numbers. */
static void hard_factors(clact_dtype dtype, double factors[2])
{
    static const struct {
        clact_dtype dtype;
        double factors[2];
    } hard[] = {
        {CLACT_F32, {0x1.d18d9ep+0, 0x1.f854aep+0}},
        {CLACT_F16, {0x1.cf8b16p+0, 0x1.ebc554p+0}},
        {CLACT_BF16, {0x1.f2b912p+0, 0x1.fbca66p+0}},
        {CLACT_F64, {0x1.f810f53b14059p+0, 0x1.ba6808d51cc81p+0}},
    };
    size_t i = 0;
    while (hard[i].dtype != dtype)
        i++;
    factors[0] = hard[i].factors[0];
    factors[1] = hard[i].factors[1];
}

/* The values of one parameter, which may be none of the operator's: then it is 0. */
static size_t list_values(const struct op_row *row, clact_dtype dtype, clact_parameter parameter,
                          double usual, double values[MOST_VALUES])
{
    const clact_dtype computed = computed_in(dtype);
    const double single[] = {1e-40, 1e-30, 1e-8, 1, 1e8, 1e30};
    const double more[] = {1e-310, 1e-200, 1e200};
    size_t count = 0;
    values[count++] = usual;
    if ((row->used & (unsigned)parameter) == 0)
        return count;
    values[count++] = smallest(computed);
    values[count++] = largest(computed);
    for (size_t i = 0; i < COUNT(single); i++)
        values[count++] = single[i];
    for (size_t i = 0; i < COUNT(more) && dtype == CLACT_F64; i++)
        values[count++] = more[i];
    if ((row->positive & (unsigned)parameter) != 0) {
        hard_factors(dtype, values + count);
        return count + 2;
    }
    for (size_t i = count; i > 0; i--)
        values[count++] = -values[i - 1];
    values[count++] = 0;
    return count;
}

static size_t choose(const struct op_row *row, clact_dtype dtype, clact_parameter parameter,
                     size_t *i, double *value)
{
    double values[MOST_VALUES];
    const size_t count = list_values(row, dtype, parameter, *value, values);
    *value = values[*i % count];
    *i /= count;
    return count;
}

/* Set i modulo their number, which is returned. */
static size_t choose_all(clact_operator op, clact_dtype dtype, size_t i, clact_params *params)
{
    const struct op_row *row = row_of(op);
    size_t count = 1;
    *params = reference_defaults(op, CLACT_F64);
    count *= choose(row, dtype, CLACT_ALPHA, &i, &params->alpha);
    count *= choose(row, dtype, CLACT_BETA, &i, &params->beta);
    count *= choose(row, dtype, CLACT_GAMMA, &i, &params->gamma);
    *params = reference_params(dtype, params);
    return count;
}

size_t extreme_params_count(clact_operator op, clact_dtype dtype)
{
    clact_params params;
    return choose_all(op, dtype, 0, &params);
}

clact_params extreme_params(clact_operator op, clact_dtype dtype, size_t i)
{
    clact_params params;
    choose_all(op, dtype, i, &params);
    return params;
}

/* Operands. */

/* Unless it is there. */
static void add(struct extreme_operands *operands, clact_dtype dtype, double value)
{
    const double element = dtype_round(dtype, value);
    for (size_t i = 0; i < operands->count; i++)
        if (operands->at[i] == element && !signbit(operands->at[i]) == !signbit(element))
            return;
    assert(operands->count < EXTREME_MOST_OPERANDS);
    operands->at[operands->count++] = element;
}

static void add_both(struct extreme_operands *operands, clact_dtype dtype, double value)
{
    add(operands, dtype, value);
    add(operands, dtype, -value);
}

/* With its two neighbours. */
static void add_near(struct extreme_operands *operands, clact_dtype dtype, double value)
{
    const double element = dtype_round(dtype, value);
    add(operands, dtype, dtype_next_down(dtype, element));
    add(operands, dtype, element);
    add(operands, dtype, dtype_next_up(dtype, element));
}

/* Where e^x leaves what the dtype is computed in, alone or times the largest numbers; and nearer to 0. */
static void add_exponents(struct extreme_operands *operands, clact_dtype dtype, double scale)
{
    const double near[] = {1e-3, 0.5, 0.7, 1, 1.2, 1.5, 2, 3, 7, 12, 17, 25, 40, 1e3, 1e4, 1e5};
    const double far[] = {0.6, 0.8, 0.85, 0.9, 0.95, 0.99, 1, 1.02, 1.05,
                          1.1, 1.2, 1.4,  1.7, 2,    2.5,  3, 3.5,  4.5};
    const double vanishes = -log(smallest(computed_in(dtype)));
    for (size_t i = 0; i < COUNT(near); i++)
        add_both(operands, dtype, scale * near[i]);
    for (size_t i = 0; i < COUNT(far); i++)
        add_both(operands, dtype, scale * vanishes * far[i]);
}

void extreme_inputs(clact_operator op, clact_dtype dtype, const clact_params *params,
                    struct extreme_operands *inputs)
{
    const double special[] = {0,     smallest(dtype), smallest_normal(dtype) / 4,
                              1e-30, 1e-10,           1e10,
                              1e30,  largest(dtype),  INFINITY};
    const unsigned used = row_of(op)->used;
    inputs->count = 0;
    add(inputs, dtype, NAN);
    for (size_t i = 0; i < COUNT(special); i++)
        add_both(inputs, dtype, special[i]);
    add_exponents(inputs, dtype, 1);
    if ((used & CLACT_BETA) == 0)
        return;
    /* beta is a factor of x, or alpha x + beta bends where it is 0 and where it is 1. */
    if ((used & CLACT_ALPHA) == 0) {
        add_exponents(inputs, dtype, 1 / params->beta);
        add_near(inputs, dtype, SLOPE_ROOT / params->beta);
    } else if (params->alpha != 0) {
        for (int bend = 0; bend <= 2; bend++)
            add_near(inputs, dtype, (bend / 2.0 - params->beta) / params->alpha);
    }
}

void extreme_grads(clact_dtype dtype, struct extreme_operands *grads)
{
    const double values[] = {1, 1e-30, 1e30, 0.3, largest(dtype), smallest(dtype), INFINITY, 0};
    grads->count = 0;
    add(grads, dtype, NAN);
    for (size_t i = 0; i < COUNT(values); i++)
        add_both(grads, dtype, values[i]);
}
