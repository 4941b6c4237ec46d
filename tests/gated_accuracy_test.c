/* SPDX-License-Identifier: MIT */
/*
 * Gated units against what gated.h promises: the error of every result for gates and factors of all
 * sizes, the results at infinities, zeros and NaN, and gradients against differences of the forward
 * pass. Every operator is a gate here, as a case of op_case.h: its forward direction stands for y and
 * db, its gradient from the input for da.
 */
#include "cases.h"
#include "device.h"
#include "dtype.h"
#include "operands.h"
#include "reference.h"
#include "ulp.h"

#include <getopt.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum coverage coverage = COVERAGE_COARSE;
static clact_options options;

/* All operators in all dtypes and arithmetics; else those that are no unit only in the first. */
static bool all;

/* Budgets. */

static const struct unit {
    clact_operator op;
    struct budget budget;
} units[] = {
#define XX(NAME, name, unit, normal, subnormal, half, f64)                                         \
    {CLACT_##NAME, {normal, subnormal, half, f64}},
    CLACT_GATED_MAP(XX)
#undef XX
};

static const struct unit *unit_of(clact_operator op)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].op == op)
            return &units[i];
    return NULL;
}

static bool is_gradient(const struct op_case *c)
{
    return c->direction == FROM_INPUT;
}

static bool applies(const struct op_case *c)
{
    return c->direction != FROM_OUTPUT &&
           (all || (unit_of(c->op) && !c->own_params) ||
            (c->dtype == CLACT_F32 && c->arithmetic == CLACT_ARITHMETIC_PAIRS));
}

/* One element of the dtype, in units of which a budget counts. */
static long double unit_at(clact_dtype dtype, long double exact)
{
    const struct dtype_format *format = dtype_format(dtype);
    const int exponent =
        exact == 0 || ilogbl(exact) < format->min_exponent ? format->min_exponent : ilogbl(exact);
    return ldexpl(1, exponent - format->precision + 1);
}

/* How far y may be from act(a) * b, or da from grad * b * act'(a), in ULP. */
static double allowed(const struct op_case *c, long double act, long double b, long double exact)
{
    const bool subnormal = fabsl(exact) < ldexpl(1, dtype_format(c->dtype)->min_exponent);
    const bool rounds_product = c->dtype == CLACT_F32 || c->dtype == CLACT_F64;
    if (is_gradient(c))
        return !rounds_product ? 0.501
               : subnormal ? case_budget(c, subnormal) + CLACT_GATED_GRADIENT_ALLOWANCE_SUBNORMAL
                           : case_budget(c, subnormal) + CLACT_GATED_GRADIENT_ALLOWANCE;
    const struct unit *unit = unit_of(c->op);
    if (unit) {
        struct op_case of_unit = *c;
        of_unit.budget = unit->budget;
        return case_budget(&of_unit, subnormal);
    }
    const bool act_is_subnormal = fabsl(act) < ldexpl(1, dtype_format(c->dtype)->min_exponent);
    const long double moved =
        fabsl(b) * unit_at(c->dtype, act) * (long double)case_budget(c, act_is_subnormal);
    return 0.501 + (double)(moved / unit_at(c->dtype, exact));
}

/* Exact results, in double for all but f64. */

static long double forward(const struct op_case *c, double a)
{
    const struct reference *reference = reference_of(c->op);
    return c->dtype == CLACT_F64 ? reference->forward_long(a, &c->params)
                                 : (long double)reference->forward(a, &c->params);
}

static long double gradient(const struct op_case *c, long double grad, double a)
{
    const struct reference *reference = reference_of(c->op);
    return c->dtype == CLACT_F64 ? reference->from_input_long(grad, a, &c->params)
                                 : (long double)reference->from_input((double)grad, a, &c->params);
}

/* Operands and results. */

struct arrays {
    size_t n;
    void *grad, *a, *b, *y, *other;
};

static struct arrays arrays_of(clact_dtype dtype, size_t n)
{
    const size_t bytes = n * dtype_format(dtype)->size;
    struct arrays s = {n,
                       device_allocate(bytes),
                       device_allocate(bytes),
                       device_allocate(bytes),
                       device_allocate(bytes),
                       device_allocate(bytes)};
    return s;
}

static void free_arrays(struct arrays *s)
{
    free(s->grad);
    free(s->a);
    free(s->b);
    free(s->y);
    free(s->other);
}

/* Any bit pattern that is finite, or a number of the usual size. */
static void fill_factor(clact_dtype dtype, void *array, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t hash = operands_hash(seed * n + i);
        dtype_store_bits(dtype, array, i, hash);
        if (hash >> 63 || !isfinite(dtype_load(dtype, array, i)))
            dtype_store(dtype, array, i, ldexp((double)(int64_t)operands_hash(hash), -61));
    }
}

static clact_context *open_context(const struct op_case *c)
{
    if (c->dtype == CLACT_F64 && !REFERENCE_JUDGES_F64) {
        print_message("skipped: long double is no wider than double here\n");
        skip();
    }
    return device_context(c, &options);
}

/* y = act(a) * b, or da and db. */
static void compute(clact_context *ctx, const struct op_case *c, const struct arrays *s)
{
    const clact_status status =
        is_gradient(c) ? clact_gated_backward(ctx, c->op, case_params(c), c->dtype, s->n, s->grad,
                                              s->a, s->b, s->y, s->other)
                       : clact_gated(ctx, c->op, case_params(c), c->dtype, s->n, s->a, s->b, s->y);
    if (status != CLACT_SUCCESS)
        fail_msg("%s: %s", clact_status_string(status), clact_last_error(ctx)->message);
}

/* Accuracy. */

/* Where gated.h says that da is 0 although it should not be. */
static bool is_lost(const struct op_case *c, long double product, long double slope)
{
    const bool f64 = c->dtype == CLACT_F64;
    return fabsl(product) >= ldexpl(1, f64 ? 1022 : 126) &&
           fabsl(slope) < ldexpl(1, f64 ? -2038 : -246);
}

struct worst {
    double share; /* of what is allowed */
    double error, grad, a, b, got;
    long double exact;
};

static void judge_element(const struct op_case *c, const struct arrays *s, size_t i, bool flushes,
                          struct worst *worst, struct ulp_stats *stats)
{
    const double a = dtype_load(c->dtype, s->a, i);
    const double b = dtype_load(c->dtype, s->b, i);
    const double grad = is_gradient(c) ? dtype_load(c->dtype, s->grad, i) : 1;
    const double got = dtype_load(c->dtype, s->y, i);
    const long double product = (long double)grad * b;
    const long double act = is_gradient(c) ? 0 : forward(c, a);
    const long double exact = is_gradient(c) ? gradient(c, product, a) : act * b;
    const long double smallest = (long double)FLT_MIN;
    const bool overflows = fabsl(act) >= ldexpl(1, dtype_format(c->dtype)->max_exponent + 1);
    if (isinf(a) || isnan(a) || (overflows && !unit_of(c->op)) ||
        (is_gradient(c) && is_lost(c, product, gradient(c, 1, a))) ||
        (flushes && (fabs(a) < FLT_MIN || fabs(b) < FLT_MIN || fabsl(product) < smallest ||
                     fabsl(act) < smallest || fabsl(exact) < smallest)))
        return;
    const double error =
        c->dtype == CLACT_F64 ? ulp_error_f64(got, exact) : ulp_error(c->dtype, got, (double)exact);
    const double share = error == 0 ? 0 : error / allowed(c, act, b, exact);
    if (c->dtype == CLACT_F64)
        ulp_stats_add_f64(stats, b, a, got, exact);
    else
        ulp_stats_add(stats, b, a, got, (double)exact);
    if (share > worst->share)
        *worst = (struct worst){share, error, grad, a, b, got, exact};
}

static void errors_are_within_the_budget(void **state)
{
    const struct op_case *c = *state;
    clact_context *ctx = open_context(c);
    struct operands operands;
    operands_init(&operands, c, coverage);
    struct arrays s = arrays_of(c->dtype, operands.total);
    operands_store(&operands, 0, s.n, s.a);
    fill_factor(c->dtype, s.b, s.n, 1);
    fill_factor(c->dtype, s.grad, s.n, 2);
    compute(ctx, c, &s);
    const bool flushes = c->dtype != CLACT_F64 && !device_has_subnormals(ctx);
    struct worst worst = {0};
    struct ulp_stats stats;
    ulp_stats_init(&stats, c->dtype);
    for (size_t i = 0; i < s.n; i++)
        judge_element(c, &s, i, flushes, &worst, &stats);
    free_arrays(&s);
    assert_int_equal(ulp_stats_print(&stats, c->name, stdout), 0);
    if (!(worst.share <= 1))
        fail_msg("%g ULP, %g of what is allowed: a = %a, b = %a, grad = %a: got %a, exact %La",
                 worst.error, worst.share, worst.a, worst.b, worst.grad, worst.got, worst.exact);
}

/* Special values. */

static const double gates[] = {-INFINITY, -0.0, 0, INFINITY, (double)NAN, -1.5, 1, 4};
static const double factors[] = {0, -0.0, 3, -2, INFINITY, -INFINITY, (double)NAN};
enum {
    GATES = sizeof gates / sizeof gates[0],
    FACTORS = sizeof factors / sizeof factors[0],
    SPECIALS = GATES * FACTORS
};

/* The product of b and the gate, or with grad = 1 of b and its slope. What y has of zeros has their sign. */
static void special_values_are_right(void **state)
{
    const struct op_case *c = *state;
    clact_context *ctx = open_context(c);
    struct arrays s = arrays_of(c->dtype, SPECIALS);
    for (size_t i = 0; i < SPECIALS; i++) {
        dtype_store(c->dtype, s.a, i, gates[i % GATES]);
        dtype_store(c->dtype, s.b, i, factors[i / GATES]);
        dtype_store(c->dtype, s.grad, i, 1);
    }
    compute(ctx, c, &s);
    for (size_t i = 0; i < SPECIALS; i++) {
        const double a = gates[i % GATES], b = factors[i / GATES];
        const double got = dtype_load(c->dtype, s.y, i);
        const long double act = is_gradient(c) ? 0 : forward(c, a);
        const long double exact = is_gradient(c) ? gradient(c, b, a) : act * b;
        const double error = c->dtype == CLACT_F64 ? ulp_error_f64(got, exact)
                                                   : ulp_error(c->dtype, got, (double)exact);
        if (!(error <= (isfinite(exact) ? allowed(c, act, b, exact) : 0)) ||
            (exact == 0 && !is_gradient(c) && !signbit(got) != !signbit(exact)))
            fail_msg("a = %g, b = %g: got %g, right is %Lg", a, b, got, exact);
    }
    free_arrays(&s);
}

/* Where the exponential of the gate is far below what the type holds, and the factor infinite. */
static void infinite_factors_of_tails_are_infinite(void **state)
{
    const struct op_case *c = *state;
    clact_context *ctx = open_context(c);
    const double a[] = {-1000, -200, -30, 30};
    struct arrays s = arrays_of(c->dtype, sizeof a / sizeof a[0]);
    for (size_t i = 0; i < s.n; i++) {
        dtype_store(c->dtype, s.a, i, a[i]);
        dtype_store(c->dtype, s.b, i, INFINITY);
    }
    compute(ctx, c, &s);
    for (size_t i = 0; i < s.n; i++) {
        const double got = dtype_load(c->dtype, s.y, i);
        const double exact =
            copysign(INFINITY, (double)reference_of(c->op)->forward(a[i], &c->params));
        if (got != exact)
            fail_msg("a = %g: got %g, right is %g", a[i], got, exact);
    }
    free_arrays(&s);
}

/* Gradients against differences of the forward pass. */

/* Away from where any operator bends. */
static const double smooth[] = {-4.1, -1.9, -0.6, 0.35, 0.9, 2.2, 5.3};
enum { SMOOTH = sizeof smooth / sizeof smooth[0] };

/* The straight-through sigmoid is flat; by its definition it has the gradient of the sigmoid. */
static clact_operator operator_to_differentiate(clact_operator op)
{
    return op == CLACT_STRAIGHT_THROUGH_SIGMOID ? CLACT_SIGMOID : op;
}

/* grad * act(a) * b of the reference. */
static long double loss(const struct op_case *c, clact_operator op, long double a, long double b)
{
    return 0.75L * reference_of(op)->forward_long(a, &c->params) * b;
}

static void gradients_are_differences(void **state)
{
    const struct op_case *c = *state;
    clact_context *ctx = open_context(c);
    struct arrays s = arrays_of(c->dtype, SMOOTH);
    for (size_t i = 0; i < SMOOTH; i++) {
        dtype_store(c->dtype, s.a, i, smooth[i]);
        dtype_store(c->dtype, s.b, i, 1.25 - (double)i);
        dtype_store(c->dtype, s.grad, i, 0.75);
    }
    compute(ctx, c, &s);
    const clact_operator op = operator_to_differentiate(c->op);
    const long double h = 0x1p-16L;
    for (size_t i = 0; i < SMOOTH; i++) {
        const long double a = smooth[i], b = 1.25L - (long double)i;
        const long double da = (loss(c, op, a + h, b) - loss(c, op, a - h, b)) / (2 * h);
        const long double db = (loss(c, c->op, a, b + h) - loss(c, c->op, a, b - h)) / (2 * h);
        if (fabsl(dtype_load(c->dtype, s.y, i) - da) > 1e-8L ||
            fabsl(dtype_load(c->dtype, s.other, i) - db) > 1e-8L)
            fail_msg("a = %Lg, b = %Lg: da is %g and db %g, not %Lg and %Lg", a, b,
                     dtype_load(c->dtype, s.y, i), dtype_load(c->dtype, s.other, i), da, db);
    }
    free_arrays(&s);
}

static bool is_unit_forward(const struct op_case *c)
{
    const struct unit *unit = unit_of(c->op);
    /* What is exactly 0 in the tail makes NaN of infinity. */
    return applies(c) && !is_gradient(c) && unit &&
           reference_of(c->op)->forward(-30, &c->params) != 0;
}

static bool is_f64_gradient(const struct op_case *c)
{
    return is_gradient(c) && c->dtype == CLACT_F64 && !c->own_params;
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"width", required_argument, NULL, 'w'},
                                          {0}};
    if (device_quick_environment())
        coverage = COVERAGE_QUICK;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'q':
            coverage = COVERAGE_QUICK;
            break;
        case 'a':
            all = true;
            coverage = COVERAGE_NORMAL;
            break;
        case 'w':
            options.vector_width = strtoul(optarg, NULL, 10);
            break;
        default:
            fprintf(stderr, "usage: %s [--quick] [--all] [--width ELEMENTS]\n", argv[0]);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct property properties[] = {
        {"special values", applies, special_values_are_right},
        {"errors are within the budget", applies, errors_are_within_the_budget},
        {"infinite factors of tails", is_unit_forward, infinite_factors_of_tails_are_infinite},
        {"gradients are differences", is_f64_gradient, gradients_are_differences},
    };
    parse(argc, argv);
    const int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    device_close();
    return failed;
}
