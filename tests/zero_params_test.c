/* SPDX-License-Identifier: MIT */
/*
 * Parameters that are 0, where products with an infinity would be NaN: each operator that takes them
 * gives what its reference does, at ordinary operands and at the ends of the range.
 */
#include "host_fixture.h"

#include "reference.h"

#include <math.h>

static struct fixture shared;

static const float inputs[] = {-INFINITY, -3e38F, -100, -1, -1e-40F, -0.0F,    0,
                               1e-40F,    0.3F,   1,    10, 1e30F,   INFINITY, NAN};
static const float grads[] = {0, -0.0F, 0.5F, 1, -2, 3e38F, INFINITY, -INFINITY, NAN};

enum { INPUTS = sizeof inputs / sizeof inputs[0], GRADS = sizeof grads / sizeof grads[0] };

static const struct row {
    clact_operator op;
    const char *name;
    unsigned used;
    unsigned positive;
} rows[] = {
#define CLACT_NO_PARAMETERS CLACT_PARAMETERS(0, 0, 0, 0, 0)
#define CLACT_PARAMETERS(used, positive, alpha, beta, gamma) used, positive
#define CLACT_OPERATOR(value, NAME, name, saved, parameters, ...) {CLACT_##NAME, #name, parameters},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

static void assert_close(const char *name, float got, double exact, float x, float grad)
{
    if ((isnan(got) && isnan(exact)) || got == (float)exact ||
        fabs(got - exact) <= 1e-6 * fabs(exact))
        return;
    fail_msg("%s of %g, grad %g: %g and not %g", name, (double)x, (double)grad, (double)got, exact);
}

static void check(const struct row *row, const clact_params *params)
{
    const struct reference *reference = reference_of(row->op);
    const clact_params rounded = reference_params(CLACT_F32, params);
    float y[INPUTS], dx[INPUTS], grad[INPUTS];
    assert_ok(clact_forward(shared.ctx, row->op, params, CLACT_F32, INPUTS, inputs, y));
    for (size_t i = 0; i < INPUTS; i++)
        assert_close(row->name, y[i], reference->forward(inputs[i], &rounded), inputs[i], 0);
    for (size_t k = 0; k < GRADS; k++) {
        for (size_t i = 0; i < INPUTS; i++)
            grad[i] = grads[k];
        assert_ok(clact_backward(shared.ctx, row->op, params, CLACT_F32, CLACT_SAVED_INPUT, INPUTS,
                                 grad, inputs, dx));
        for (size_t i = 0; i < INPUTS; i++)
            assert_close(row->name, dx[i], reference->from_input(grads[k], inputs[i], &rounded),
                         inputs[i], grads[k]);
    }
}

/* Each set of the parameters that may be 0. */
static void test_zeros(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned zero = 1; zero <= (CLACT_ALPHA | CLACT_BETA | CLACT_GAMMA); zero++) {
            if ((zero & ~(rows[i].used & ~rows[i].positive)) != 0)
                continue;
            clact_params params;
            assert_ok(clact_params_default(rows[i].op, &params));
            params.alpha = zero & CLACT_ALPHA ? 0 : params.alpha;
            params.beta = zero & CLACT_BETA ? 0 : params.beta;
            params.gamma = zero & CLACT_GAMMA ? 0 : params.gamma;
            check(&rows[i], &params);
            checked++;
        }
    }
    assert_true(checked > 0);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    return 0;
}

static int close_shared(void **state)
{
    (void)state;
    fixture_close(&shared);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_zeros)};
    return cmocka_run_group_tests_name("zero_params", tests, open_shared, close_shared);
}
