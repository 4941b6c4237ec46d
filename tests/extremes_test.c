/* SPDX-License-Identifier: MIT */
/*
 * Each operator keeps to its bounds at operands of all sizes, with parameters of all sizes: whatever a
 * formula makes of them on its way to the result may overflow, underflow, or be infinity times 0. A result
 * is NaN where an operand is, and where reference.h says that the limit has no value; nowhere else.
 */
#include "accuracy.h"
#include "cases.h"
#include "device.h"
#include "dtype.h"
#include "extremes.h"
#include "judge.h"
#include "ulp.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_PAIRS = 20 * EXTREME_MOST_OPERANDS, SHOWN = 8 };

/* The arguments of the program: the operators to test, or none for all of them. */
static char **names;
static int name_count;

/* The parameters are chosen here. */
static bool is_wanted(const struct op_case *c)
{
    bool named = name_count == 0;
    for (int i = 0; i < name_count; i++)
        named = named || strcmp(names[i], clact_operator_name(c->op)) == 0;
    return named && !c->own_params;
}

struct pair {
    double grad;
    double saved;
};

/* Each input, or the output there, with each grad; returns how many. */
static size_t list_pairs(const struct judge *judge, struct pair pairs[MOST_PAIRS])
{
    const struct op_case *c = judge->c;
    struct extreme_operands inputs, grads = {1, {1}};
    size_t count = 0;
    extreme_inputs(c->op, c->dtype, &c->params, &inputs);
    if (c->direction != FORWARD)
        extreme_grads(c->dtype, &grads);
    assert_true(inputs.count * grads.count <= MOST_PAIRS);
    for (size_t i = 0; i < inputs.count; i++) {
        double saved = inputs.at[i];
        if (c->direction == FROM_OUTPUT)
            saved = dtype_round(c->dtype, judge->reference->forward(saved, &c->params));
        for (size_t k = 0; k < grads.count; k++)
            pairs[count++] = (struct pair){grads.at[k], saved};
    }
    return count;
}

static double error_of(const struct op_case *c, double got, long double exact)
{
    return c->dtype == CLACT_F64 ? ulp_error_f64(got, exact)
                                 : ulp_error(c->dtype, got, (double)exact);
}

/* Like any other result, but that what is exactly 0 has to be 0: the smallest number is within an ULP. */
static bool is_right(const struct op_case *c, double got, long double exact)
{
    const bool subnormal = fabsl(exact) < ldexp(1, dtype_format(c->dtype)->min_exponent);
    if (exact == 0)
        return got == 0;
    return error_of(c, got, exact) <= accuracy_allowed(c, subnormal, c->direction != FORWARD);
}

/* printf would show the sign of a NaN. */
static long double shown(long double value)
{
    return isnan(value) ? (long double)NAN : value;
}

static void explain(const struct op_case *c, const struct pair *pair, double got, long double exact)
{
    const unsigned has = clact_operator_parameters(c->op);
    if ((has & CLACT_ALPHA) != 0)
        print_error("alpha = %.9g, ", c->params.alpha);
    if ((has & CLACT_BETA) != 0)
        print_error("beta = %.9g, ", c->params.beta);
    if ((has & CLACT_GAMMA) != 0)
        print_error("gamma = %.9g, ", c->params.gamma);
    if (c->direction != FORWARD)
        print_error("grad = %.9g, ", pair->grad);
    print_error("%s = %.9g: got %.9Lg, exact %.9Lg, %.4g ULP\n",
                c->direction == FROM_OUTPUT ? "y" : "x", pair->saved, shown(got), shown(exact),
                error_of(c, got, exact));
}

/* Returns how many results are wrong, and explains the first of them. */
static size_t check(clact_context *ctx, const struct op_case *c, bool explains)
{
    static struct pair pairs[MOST_PAIRS];
    static double elements[OPERANDS][MOST_PAIRS]; /* room for any dtype */
    struct judge judge;
    size_t wrong = 0;
    assert_int_equal(judge_init(&judge, c, ctx), CLACT_SUCCESS);
    const size_t count = list_pairs(&judge, pairs);
    for (size_t i = 0; i < count; i++) {
        dtype_store(c->dtype, elements[GRAD], i, pairs[i].grad);
        dtype_store(c->dtype, elements[SAVED], i, pairs[i].saved);
    }
    device_compute(ctx, c, count, elements[GRAD], elements[SAVED], elements[OUTPUT]);
    for (size_t i = 0; i < count; i++) {
        const double got = dtype_load(c->dtype, elements[OUTPUT], i);
        const long double exact = c->dtype == CLACT_F64
                                      ? judge_exact_long(&judge, pairs[i].grad, pairs[i].saved)
                                      : judge_nearest(&judge, pairs[i].grad, pairs[i].saved, got);
        if (is_right(c, got, exact))
            continue;
        if (wrong++ == 0 && explains)
            explain(c, &pairs[i], got, exact);
    }
    return wrong;
}

static bool is_subnormal(double value)
{
    return value != 0 && fabs(value) < (double)FLT_MIN;
}

/* Whether the device computes with the parameters and not with 0 in their place. */
static bool are_kept(const clact_context *ctx, const struct op_case *c)
{
    return c->dtype == CLACT_F64 || device_has_subnormals(ctx) ||
           !(is_subnormal(c->params.alpha) || is_subnormal(c->params.beta) ||
             is_subnormal(c->params.gamma));
}

static void bounds_hold(void **state)
{
    struct op_case c = *(const struct op_case *)*state;
    if (!measure_judges(c.dtype)) {
        print_message("skipped: long double is no wider than double here\n");
        skip();
    }
    clact_context *ctx = device_context(&c, NULL);
    const size_t sets = extreme_params_count(c.op, c.dtype);
    const size_t step = device_quick_environment() ? 37 : 1;
    size_t wrong = 0, wrong_sets = 0;
    c.own_params = true;
    for (size_t i = 0; i < sets; i += step) {
        c.params = extreme_params(c.op, c.dtype, i);
        const size_t more = are_kept(ctx, &c) ? check(ctx, &c, wrong_sets < SHOWN) : 0;
        wrong += more;
        wrong_sets += more != 0;
    }
    if (wrong > 0)
        fail_msg("%zu results are wrong, with %zu of %zu sets of parameters", wrong, wrong_sets,
                 (sets + step - 1) / step);
}

int main(int argc, char **argv)
{
    const struct property property = {"operands and parameters of all sizes", is_wanted,
                                      bounds_hold};
    names = argv + 1;
    name_count = argc - 1;
    const int failed = cases_run(&property, 1);
    device_close();
    return failed;
}
