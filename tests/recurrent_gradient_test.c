/* SPDX-License-Identifier: MIT */
/*
 * The gradients that the recurrent cells are judged by, against central differences of what the cells
 * are judged by: both are the reference's, in long double, and no device has a part in it.
 */
#include "operands.h"
#include "recurrent_cells.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 500 };
static const long double step = 1e-6L;

/* From -2 to 2. */
static long double number(uint64_t *state)
{
    return (long double)(int64_t)operands_hash(++*state) * 0x1p-62L;
}

static struct cell_unit random_unit(enum cell_kind kind, uint64_t *state)
{
    struct cell_unit unit = {{{0}}};
    for (size_t i = 0; i < cell_calls[kind].inputs; i++)
        for (size_t k = 0; k < cell_calls[kind].operand[i].cols; k++)
            unit.value[i][k] = number(state);
    return unit;
}

static struct cell_exact results_of(enum cell_kind kind, int order, const struct cell_unit *in)
{
    struct cell_exact out;
    cell_reference(kind, order, in, &out);
    return out;
}

static void near(const char *what, long double gradient, long double difference)
{
    if (!(fabsl(gradient - difference) <= 1e-9L * (1 + fabsl(gradient))))
        fail_msg("%s is %Lg, but the difference is %Lg", what, gradient, difference);
}

/* A loss of what a cell gives, and the derivative of it by one of the cell's operands. */
typedef long double loss(int order, const struct cell_unit *in, const long double weights[2]);

static long double difference(loss *f, int order, const struct cell_unit *in, size_t operand,
                              size_t column, const long double weights[2])
{
    struct cell_unit above = *in, below = *in;
    above.value[operand][column] += step;
    below.value[operand][column] -= step;
    return (f(order, &above, weights) - f(order, &below, weights)) / (2 * step);
}

static long double lstm_loss(int order, const struct cell_unit *in, const long double weights[2])
{
    const struct cell_exact out = results_of(LSTM_FORWARD, order, in);
    return weights[0] * out.value[5][0] + weights[1] * out.value[4][0];
}

static void check_lstm(int order, uint64_t *state)
{
    const struct cell_unit in = random_unit(LSTM_FORWARD, state);
    const struct cell_exact out = results_of(LSTM_FORWARD, order, &in);
    const long double weights[2] = {number(state), number(state)};
    struct cell_unit back = {{{0}}};
    memcpy(back.value[0], out.value[6], sizeof back.value[0]);
    back.value[1][0] = out.value[4][0];
    back.value[2][0] = in.value[3][0];
    memcpy(back.value[3], in.value[2], sizeof back.value[3]);
    back.value[4][0] = weights[0];
    back.value[5][0] = weights[1];
    const struct cell_exact gradient = results_of(LSTM_BACKWARD, order, &back);
    for (size_t k = 0; k < 4; k++)
        near("dz", gradient.value[6][k], difference(lstm_loss, order, &in, 0, k, weights));
    near("dc_prev", gradient.value[7][0], difference(lstm_loss, order, &in, 3, 0, weights));
}

static long double gru_loss(int order, const struct cell_unit *in, const long double weights[2])
{
    return weights[0] * results_of(GRU_FORWARD, order, in).value[3][0];
}

static void check_gru(int order, uint64_t *state)
{
    const struct cell_unit in = random_unit(GRU_FORWARD, state);
    const struct cell_exact out = results_of(GRU_FORWARD, order, &in);
    const long double weights[2] = {number(state), 0};
    struct cell_unit back = {{{0}}};
    back.value[0][0] = weights[0];
    memcpy(back.value[1], out.value[4], sizeof back.value[1]);
    back.value[2][0] = in.value[2][0];
    const struct cell_exact gradient = results_of(GRU_BACKWARD, order, &back);
    for (size_t k = 0; k < 3; k++) {
        near("dx", gradient.value[3][k], difference(gru_loss, order, &in, 0, k, weights));
        near("du", gradient.value[4][k], difference(gru_loss, order, &in, 1, k, weights));
    }
    near("dh_prev", gradient.value[5][0], difference(gru_loss, order, &in, 2, 0, weights));
}

/* The product of one unit: v = weights[1] * (r h). The operands are those of the reset call. */
static struct cell_unit update_operands(int order, const struct cell_unit *in, long double weight)
{
    struct cell_unit update = *in;
    update.value[2][0] = weight * results_of(GRU_RESET_FORWARD, order, in).value[3][0];
    update.value[3][0] = in->value[2][0];
    return update;
}

static long double split_loss(int order, const struct cell_unit *in, const long double weights[2])
{
    const struct cell_unit update = update_operands(order, in, weights[1]);
    return weights[0] * results_of(GRU_UPDATE_FORWARD, order, &update).value[4][0];
}

static void check_split_gru(int order, uint64_t *state)
{
    const struct cell_unit in = random_unit(GRU_RESET_FORWARD, state);
    const long double weights[2] = {number(state), number(state)};
    const struct cell_unit update = update_operands(order, &in, weights[1]);
    const struct cell_exact first = results_of(GRU_RESET_FORWARD, order, &in);
    const struct cell_exact second = results_of(GRU_UPDATE_FORWARD, order, &update);
    struct cell_unit back = {{{0}}};
    back.value[0][0] = weights[0];
    for (size_t k = 0; k < 3; k++)
        back.value[1][k] = first.written[4][k] ? first.value[4][k] : second.value[5][k];
    back.value[2][0] = in.value[2][0];
    const struct cell_exact of_update = results_of(GRU_UPDATE_BACKWARD, order, &back);
    back.value[0][0] = of_update.value[3][cell_place(GRU_FORWARD, order, 2)] * weights[1];
    back.value[3][0] = of_update.value[4][0];
    const struct cell_exact of_reset = results_of(GRU_RESET_BACKWARD, order, &back);
    for (size_t k = 0; k < 3; k++)
        near("dx", of_reset.written[4][k] ? of_reset.value[4][k] : of_update.value[3][k],
             difference(split_loss, order, &in, 0, k, weights));
    near("dh_prev", of_reset.value[5][0], difference(split_loss, order, &in, 2, 0, weights));
}

static void check_all(void (*check)(int order, uint64_t *state))
{
    uint64_t state = 1;
    for (int i = 0; i < TRIALS; i++)
        check(i & 1, &state);
}

static void test_lstm(void **state)
{
    (void)state;
    check_all(check_lstm);
}

static void test_gru(void **state)
{
    (void)state;
    check_all(check_gru);
}

static void test_split_gru(void **state)
{
    (void)state;
    check_all(check_split_gru);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lstm),
        cmocka_unit_test(test_gru),
        cmocka_unit_test(test_split_gru),
    };
    return cmocka_run_group_tests_name("recurrent gradients", tests, NULL, NULL);
}
