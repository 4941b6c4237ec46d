/* SPDX-License-Identifier: MIT */
#include "recurrent_operands.h"

#include "dtype.h"
#include "operands.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

size_t cell_count(const struct cell_data *data, size_t operand)
{
    const struct cell_operand *o = &cell_calls[data->kind].operand[operand];
    return (o->shared ? 1 : data->batch) * o->cols * data->hidden;
}

size_t cell_index(const struct cell_data *data, size_t operand, size_t row, size_t col,
                  size_t column)
{
    const struct cell_operand *o = &cell_calls[data->kind].operand[operand];
    return ((o->shared ? 0 : row) * o->cols + column) * data->hidden + col;
}

/* From -1 to 1. */
static double random_number(uint64_t *state)
{
    return (double)(int64_t)(operands_hash(++*state) >> 11) * 0x1p-52 - 1;
}

static double preactivation(uint64_t *state)
{
    const double x = random_number(state);
    switch (operands_hash(++*state) % 10) {
    case 0:
        return 0;
    case 1:
        return 120 * x;
    case 2:
        return ldexp(x, -(int)(operands_hash(*state) % 40));
    case 3:
    case 4:
        return 20 * x;
    default:
        return 6 * x;
    }
}

static double state_value(uint64_t *state)
{
    const double x = random_number(state);
    switch (operands_hash(++*state) % 8) {
    case 0:
        return 0;
    case 1:
        return 25 * x;
    case 2:
        return ldexp(x, -(int)(operands_hash(*state) % 40));
    case 3:
        return 4 * x;
    default:
        return x;
    }
}

/* Also near 0 and 1, and for a candidate near -1. */
static double gate_value(uint64_t *state, bool candidate)
{
    const double x = random_number(state);
    double gate = fabs(x);
    const uint64_t choice = operands_hash(++*state);
    if (choice % 4 == 0)
        gate = ldexp(gate, -(int)(choice / 4 % 20));
    if (choice % 4 == 1)
        gate = 1 - ldexp(gate, -(int)(choice / 4 % 20));
    return candidate && x < 0 ? -gate : gate;
}

static double number(const struct cell_data *data, size_t operand, size_t column, uint64_t *state)
{
    const bool lstm = data->kind == LSTM_BACKWARD;
    const size_t candidate = cell_place(data->kind, data->order, 2);
    switch (cell_calls[data->kind].operand[operand].range) {
    case STATE:
        return state_value(state);
    case SAVED_GATES:
        /* Behind the GRU's candidate there may be u_n. */
        return !lstm && column == 3 ? state_value(state) : gate_value(state, column == candidate);
    case RESULT:
        return 1;
    default:
        return preactivation(state);
    }
}

void cell_make(struct cell_data *data, unsigned left_out, uint64_t seed)
{
    const struct cell_call *call = &cell_calls[data->kind];
    uint64_t state = seed << 32;
    for (size_t i = 0; i < CELL_OPERANDS; i++) {
        data->arrays[i] = NULL;
        if (i >= call->operands || (left_out >> i & 1))
            continue;
        const size_t count = cell_count(data, i);
        data->arrays[i] = malloc((count + 1) * dtype_format(data->dtype)->size);
        assert_non_null(data->arrays[i]);
        for (size_t k = 0; k < count; k++)
            dtype_store(data->dtype, data->arrays[i], k,
                        number(data, i, k / data->hidden % call->operand[i].cols, &state));
    }
}

void cell_free(struct cell_data *data)
{
    for (size_t i = 0; i < CELL_OPERANDS; i++)
        free(data->arrays[i]);
}

struct cell_unit cell_unit_of(const struct cell_data *data, size_t row, size_t col)
{
    const struct cell_call *call = &cell_calls[data->kind];
    struct cell_unit unit = {{{0}}};
    for (size_t i = 0; i < call->inputs; i++)
        for (size_t k = 0; k < call->operand[i].cols && data->arrays[i]; k++)
            unit.value[i][k] = (long double)dtype_load(data->dtype, data->arrays[i],
                                                       cell_index(data, i, row, col, k));
    return unit;
}

double cell_error(clact_dtype dtype, double got, long double exact, long double scale)
{
    const struct dtype_format *format = dtype_format(dtype);
    const long double end = ldexpl(1, format->max_exponent + 1);
    if (isnan(exact))
        return isnan(got) ? 0 : (double)INFINITY;
    if (isnan(got))
        return (double)INFINITY;
    if (isinf(exact))
        return isinf(got) && (got > 0) == (exact > 0) ? 0 : (double)INFINITY;
    if (isinf(got) && (got > 0) == (exact > 0) && fabsl(exact) >= end)
        return 0;
    const long double value = isinf(got) ? copysignl(end, (long double)got) : (long double)got;
    /* A term that is infinite says nothing of a result that is not. */
    const long double size = isfinite(scale) ? scale : fabsl(exact);
    int exponent = size > 0 ? ilogbl(size) : format->min_exponent;
    exponent = exponent < format->min_exponent ? format->min_exponent : exponent;
    exponent = exponent > format->max_exponent ? format->max_exponent : exponent;
    return (double)(fabsl(value - exact) * ldexpl(1, format->precision - 1 - exponent));
}

static void complain(const struct cell_data *data, const struct cell_unit *unit, size_t operand,
                     size_t column, double got, long double exact, double error)
{
    const struct cell_call *call = &cell_calls[data->kind];
    for (size_t i = 0; i < call->inputs; i++)
        for (size_t k = 0; k < call->operand[i].cols; k++)
            print_error("%s %zu: %La = %Lg\n", call->operand[i].name, k, unit->value[i][k],
                        unit->value[i][k]);
    fail_msg("%s, order %d, %s: %s %zu is %a = %g, not %La = %Lg: %.3f ULP", call->name,
             data->order, clact_dtype_name(data->dtype), call->operand[operand].name, column, got,
             got, exact, exact, error);
}

double cell_judge(const struct cell_data *data, double allowed)
{
    const struct cell_call *call = &cell_calls[data->kind];
    double worst = 0;
    for (size_t row = 0; row < data->batch; row++)
        for (size_t col = 0; col < data->hidden; col++) {
            const struct cell_unit unit = cell_unit_of(data, row, col);
            struct cell_exact exact;
            cell_reference(data->kind, data->order, &unit, &exact);
            for (size_t i = call->inputs; i < call->operands; i++)
                for (size_t k = 0; k < call->operand[i].cols && data->arrays[i]; k++) {
                    const double got =
                        dtype_load(data->dtype, data->arrays[i], cell_index(data, i, row, col, k));
                    const double error =
                        exact.written[i][k]
                            ? cell_error(data->dtype, got, exact.value[i][k], exact.scale[i][k])
                            : fabs(got - 1);
                    if (!(error <= allowed))
                        complain(data, &unit, i, k, got, exact.value[i][k], error);
                    worst = error > worst ? error : worst;
                }
        }
    return worst;
}
