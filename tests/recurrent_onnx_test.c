/* SPDX-License-Identifier: MIT */
/*
 * ONNX's LSTM and GRU, as an engine would run them: the matrix products here, in double, and all else
 * by clact. What is published was computed in f32 by NumPy, over some steps, so that the last bits
 * are no judge: recurrent_test is. Here it is the conventions: the formulas, the biases, the peepholes,
 * the layouts, the lengths, which reset gate is the default, and of the GRU the order of the gates. Of
 * the LSTM it is not, as ONNX's weights are the same for all of its gates: recurrent_reference.c has
 * it from the specification.
 */
#include "device.h"
#include "dtype.h"
#include "onnx_cases.h"
#include "onnx_cells.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1 << 12 };

static clact_context *ctx;

/* A sequence being run. */
struct run {
    const struct onnx_cell *cell;
    size_t gates, batch, steps, inputs, hidden;
    float h[MOST], c[MOST];
};

static double element(const struct onnx_operand *operand, size_t i)
{
    assert_true(i < operand->tensor.count);
    return dtype_load(operand->tensor.dtype, operand->tensor.data, i);
}

static bool is_there(const struct onnx_operand *operand)
{
    return operand->tensor.data != NULL;
}

/* The place of a step's or a state's element: batch by batch or step by step. */
static size_t input_place(const struct run *r, size_t step, size_t b, size_t k)
{
    return (r->cell->batch_first ? b * r->steps + step : step * r->batch + b) * r->inputs + k;
}

/* x, the product of a step's input with the weights, and u, that of `state` with those of some of the
 * gates; each with its bias. */
static void multiply_input(const struct run *r, size_t step, float *x)
{
    const struct onnx_operand *in = r->cell->inputs;
    const size_t width = r->gates * r->hidden;
    for (size_t b = 0; b < r->batch; b++)
        for (size_t j = 0; j < width; j++) {
            double sum = is_there(&in[CELL_B]) ? element(&in[CELL_B], j) : 0;
            for (size_t k = 0; k < r->inputs; k++)
                sum += element(&in[CELL_X], input_place(r, step, b, k)) *
                       element(&in[CELL_W], j * r->inputs + k);
            x[b * width + j] = (float)sum;
        }
}

static void multiply_state(const struct run *r, const float *state, size_t first, size_t count,
                           float *u)
{
    const struct onnx_operand *in = r->cell->inputs;
    const size_t width = count * r->hidden;
    for (size_t b = 0; b < r->batch; b++)
        for (size_t j = 0; j < width; j++) {
            const size_t row = first * r->hidden + j;
            double sum =
                is_there(&in[CELL_B]) ? element(&in[CELL_B], r->gates * r->hidden + row) : 0;
            for (size_t k = 0; k < r->hidden; k++)
                sum += (double)state[b * r->hidden + k] * element(&in[CELL_R], row * r->hidden + k);
            u[b * width + j] = (float)sum;
        }
}

static void ok(clact_status status)
{
    if (status != CLACT_SUCCESS)
        fail_msg("%s", clact_last_error(ctx)->message);
}

/* The second product goes in as the bias would, were there a row for each sequence: one by one. */
static void lstm_step(struct run *r, const float *x, const float *u, float *h)
{
    const struct onnx_operand *p = &r->cell->inputs[CELL_P];
    const size_t width = r->gates * r->hidden;
    for (size_t b = 0; b < r->batch; b++) {
        float *c = r->c + b * r->hidden;
        ok(clact_lstm_forward(ctx, CLACT_LSTM_IOFG, CLACT_F32, 1, r->hidden,
                              &(clact_lstm_arrays){.z = x + b * width,
                                                   .bias = u + b * width,
                                                   .peepholes = p->tensor.data,
                                                   .c_prev = c,
                                                   .c = c,
                                                   .h = h + b * r->hidden}));
    }
}

static void gru_step(const struct run *r, const float *x, const float *u, float *h)
{
    float reset[MOST], v[MOST];
    if (r->cell->linear_before_reset) {
        ok(clact_gru_forward(ctx, CLACT_GRU_ZRN, CLACT_F32, r->batch, r->hidden,
                             &(clact_gru_arrays){.x = x, .u = u, .h_prev = r->h, .h = h}));
        return;
    }
    ok(clact_gru_reset_forward(
        ctx, CLACT_GRU_ZRN, CLACT_F32, r->batch, r->hidden,
        &(clact_gru_reset_arrays){.x = x, .u = u, .h_prev = r->h, .reset = reset}));
    multiply_state(r, reset, 2, 1, v);
    ok(clact_gru_update_forward(
        ctx, CLACT_GRU_ZRN, CLACT_F32, r->batch, r->hidden,
        &(clact_gru_update_arrays){.x = x, .u = u, .v = v, .h_prev = r->h, .h = h}));
}

/* A sequence that has ended keeps its state. */
static bool goes_on(const struct run *r, size_t step, size_t b)
{
    const int *lengths = r->cell->inputs[SEQUENCE_LENS].integers;
    return lengths == NULL || (int)step < lengths[b];
}

static void judge(const char *name, const struct onnx_operand *operand, size_t i, float got)
{
    const double published = element(operand, i);
    if (!(fabs((double)got - published) <= 1e-7 + 1e-5 * fabs(published)))
        fail_msg("%s, element %zu: %.9g, but ONNX has %.9g", name, i, (double)got, published);
}

/* Of Y: [steps][1][batch][hidden], or [batch][steps][1][hidden]. */
static void judge_step(const struct run *r, size_t step)
{
    const struct onnx_operand *y = &r->cell->outputs[CELL_Y];
    for (size_t b = 0; b < r->batch && is_there(y); b++)
        for (size_t j = 0; j < r->hidden; j++) {
            const size_t row = r->cell->batch_first ? b * r->steps + step : step * r->batch + b;
            judge("Y", y, row * r->hidden + j, goes_on(r, step, b) ? r->h[b * r->hidden + j] : 0);
        }
}

static void take_step(struct run *r, size_t step)
{
    float x[MOST], u[MOST], h[MOST], c[MOST];
    multiply_input(r, step, x);
    memcpy(c, r->c, sizeof c);
    if (r->cell->is_lstm) {
        multiply_state(r, r->h, 0, 4, u);
        lstm_step(r, x, u, h);
    } else {
        multiply_state(r, r->h, 0, r->cell->linear_before_reset ? 3 : 2, u);
        gru_step(r, x, u, h);
    }
    for (size_t b = 0; b < r->batch; b++)
        for (size_t j = b * r->hidden; j < (b + 1) * r->hidden; j++) {
            if (goes_on(r, step, b))
                r->h[j] = h[j];
            else
                r->c[j] = c[j];
        }
    judge_step(r, step);
}

/* [1][batch][hidden] or [batch][1][hidden], which is the same. */
static void load_state(const struct run *r, const struct onnx_operand *operand, float *state)
{
    memset(state, 0, MOST * sizeof *state);
    for (size_t i = 0; i < r->batch * r->hidden && is_there(operand); i++)
        state[i] = (float)element(operand, i);
}

static void matches(void **state)
{
    struct onnx_cell cell;
    static struct run r;
    const char *wrong = onnx_cell_read(*state, &cell);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    const size_t *dims = cell.inputs[CELL_X].dims;
    r = (struct run){.cell = &cell,
                     .gates = cell.is_lstm ? 4 : 3,
                     .batch = dims[cell.batch_first ? 0 : 1],
                     .steps = dims[cell.batch_first ? 1 : 0],
                     .inputs = dims[2],
                     .hidden = cell.hidden_size};
    assert_true(r.batch * r.gates * r.hidden <= MOST);
    assert_int_equal(cell.inputs[CELL_W].dims[0], 1);
    assert_int_equal(cell.inputs[CELL_W].dims[1], r.gates * r.hidden);
    load_state(&r, &cell.inputs[INITIAL_H], r.h);
    load_state(&r, &cell.inputs[INITIAL_C], r.c);
    for (size_t step = 0; step < r.steps; step++)
        take_step(&r, step);
    assert_true(is_there(&cell.outputs[CELL_Y_H]));
    assert_int_equal(cell.outputs[CELL_Y_H].tensor.count, r.batch * r.hidden);
    for (size_t i = 0; i < r.batch * r.hidden; i++)
        judge("Y_h", &cell.outputs[CELL_Y_H], i, r.h[i]);
    onnx_cell_free(&cell);
}

static char folders[ONNX_MOST_CELLS][ONNX_CELL_NAME];
static size_t found;

/* Those of version 1.12; later ones have them too. */
static void the_known_cases_are_found(void **state)
{
    static const char *const known[] = {
        "node/test_gru_batchwise",          "node/test_gru_defaults",
        "node/test_gru_seq_length",         "node/test_gru_with_initial_bias",
        "node/test_lstm_batchwise",         "node/test_lstm_defaults",
        "node/test_lstm_with_initial_bias", "node/test_lstm_with_peepholes"};
    (void)state;
    if (!onnx_data_is_there()) {
        print_message("skipped: there is no %s (package libonnx-testdata)\n", onnx_data());
        skip();
    }
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        size_t i = 0;
        while (i < found && strcmp(folders[i], known[k]) != 0)
            i++;
        if (i == found)
            fail_msg("%s is not found", known[k]);
    }
}

int main(void)
{
    static struct CMUnitTest tests[1 + ONNX_MOST_CELLS];
    found = onnx_find_cells(folders);
    tests[0] = (struct CMUnitTest){.name = "the known cases are found",
                                   .test_func = the_known_cases_are_found};
    for (size_t i = 0; i < found; i++)
        tests[1 + i] = (struct CMUnitTest){
            .name = folders[i], .test_func = matches, .initial_state = folders[i]};
    ctx = device_open(&(clact_options){.work_group_size = 0});
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clact_context_destroy(ctx);
    device_close();
    return failed;
}
