/* SPDX-License-Identifier: MIT */
/* The references of reference.h against MPFR, and at the values where they have a limit. */
#include "dtype.h"
#include "reference.h"
#include "reference_mpfr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

enum { SAMPLES = 200000 };

enum direction { FORWARD, FROM_OUTPUT, FROM_INPUT };

struct test_case {
    clact_operator op;
    enum direction direction;
    clact_dtype dtype;
};

/* SplitMix64 (Steele, Lea and Flood, 2014): the same samples in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

/* Random bits: every binade of either sign as often as any other, subnormal numbers among them. */
static double random_bits(clact_dtype dtype, uint64_t *state)
{
    for (;;) {
        double value = dtype_from_bits(dtype, next_random(state));
        if (isfinite(value))
            return value;
    }
}

/* An element at or just below a value where a function or the format changes its behaviour. */
static double near_edge(clact_dtype dtype, uint64_t *state)
{
    static const double edges[] = {0, 0.5, 1, 2, 17, 37, 88, 104, 709, 745, 1000, 11355};
    const size_t count = sizeof edges / sizeof edges[0];
    size_t choice = next_random(state) % (count + 1);
    double smallest = ldexp(1, dtype_format(dtype)->min_exponent);
    double value = dtype_round(dtype, choice < count ? edges[choice] : smallest);
    for (uint64_t steps = next_random(state) % 4; steps > 0; steps--)
        value = dtype_next_down(dtype, value);
    return next_random(state) % 2 == 0 ? value : -value;
}

static double sample(clact_dtype dtype, uint64_t *state)
{
    /* A little more than the x at which e^-x is less than half the smallest number. */
    double tail = dtype == CLACT_F64 ? 760 : 110;
    double value;
    switch (next_random(state) % 4) {
    case 0:
        return random_bits(dtype, state);
    case 1:
        return near_edge(dtype, state);
    case 2:
        value = uniform(state); /* as outputs are */
        break;
    default:
        value = tail * (2 * uniform(state) - 1);
        break;
    }
    return dtype_round(dtype, value);
}

static double sample_grad(clact_dtype dtype, uint64_t *state)
{
    switch (next_random(state) % 3) {
    case 0:
        return 1;
    case 1:
        return dtype_round(dtype, 2 * uniform(state) - 1);
    default:
        return random_bits(dtype, state);
    }
}

/* The reference's result, in the type that results in this dtype are judged in. */
static long double reference_at(const struct test_case *test, double grad, double x)
{
    const struct reference *reference = reference_of(test->op);
    bool wide = test->dtype == CLACT_F64;
    switch (test->direction) {
    case FORWARD:
        return wide ? reference->forward_long(x) : reference->forward(x);
    case FROM_OUTPUT:
        return wide ? reference->from_output_long(grad, x) : reference->from_output(grad, x);
    default:
        return wide ? reference->from_input_long(grad, x) : reference->from_input(grad, x);
    }
}

static void exact_at(const struct test_case *test, mpfr_ptr exact, double grad, double x)
{
    const struct reference_mpfr *reference = reference_mpfr_of(test->op);
    mpfr_t operands[2];
    mpfr_init2(operands[0], REFERENCE_MPFR_BITS);
    mpfr_init2(operands[1], REFERENCE_MPFR_BITS);
    mpfr_set_d(operands[0], grad, MPFR_RNDN);
    mpfr_set_d(operands[1], x, MPFR_RNDN);
    if (test->direction == FORWARD)
        reference->forward(exact, operands[1]);
    else if (test->direction == FROM_OUTPUT)
        reference->from_output(exact, operands[0], operands[1]);
    else
        reference->from_input(exact, operands[0], operands[1]);
    mpfr_clear(operands[0]);
    mpfr_clear(operands[1]);
}

/* The error in ULP of the dtype, calculated here and not by ulp.h because the exact value has so
 * many digits. Past the largest number any value is as good: each is stored as infinity. */
static double error_of(clact_dtype dtype, long double got, mpfr_srcptr exact)
{
    const struct dtype_format *format = dtype_format(dtype);
    mpfr_exp_t exponent = format->min_exponent;
    if (mpfr_regular_p(exact) && mpfr_get_exp(exact) - 1 > exponent)
        exponent = mpfr_get_exp(exact) - 1;
    if (exponent > format->max_exponent) {
        bool beyond = fabsl(got) >= ldexpl(1, format->max_exponent + 1);
        return beyond && (got < 0) == (mpfr_sgn(exact) < 0) ? 0 : INFINITY;
    }
    if (!isfinite(got) || !mpfr_number_p(exact))
        return INFINITY;
    mpfr_t difference;
    mpfr_init2(difference, REFERENCE_MPFR_BITS);
    mpfr_set_ld(difference, got, MPFR_RNDN);
    mpfr_sub(difference, difference, exact, MPFR_RNDN);
    mpfr_mul_2si(difference, difference, format->precision - 1 - exponent, MPFR_RNDN);
    double error = fabs(mpfr_get_d(difference, MPFR_RNDN));
    mpfr_clear(difference);
    return error;
}

/*
 * What the references may be off by. The longest formula, the gradient from the input, rounds eight
 * times, each time by at most 2^-53 of the value in double and 2^-64 in an x86 long double (the
 * exponential is as good as correctly rounded). A result has at most 2^24 ULP of f32 and 2^53 of
 * f64.
 */
static double bound_of(clact_dtype dtype)
{
    return dtype == CLACT_F64 ? 0x1p-8 : 0x1p-26;
}

static bool offers(const struct test_case *test)
{
    const struct reference *reference = reference_of(test->op);
    return test->direction == FORWARD ||
           (test->direction == FROM_OUTPUT ? reference->from_output : reference->from_input);
}

static void matches_mpfr(void **state)
{
    const struct test_case *test = *state;
    if (!offers(test)) {
        print_message("the operator has no such gradient\n");
        skip();
    }
    if (test->dtype == CLACT_F64 && !REFERENCE_JUDGES_F64) {
        print_message("long double is no wider than double: nothing to judge f64 against\n");
        skip();
    }
    double worst = -1;
    double worst_x = 0;
    double worst_grad = 0;
    uint64_t random = 1;
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_MPFR_BITS);
    for (int i = 0; i < SAMPLES; i++) {
        double x = sample(test->dtype, &random);
        double grad = sample_grad(test->dtype, &random);
        exact_at(test, exact, grad, x);
        double error = error_of(test->dtype, reference_at(test, grad, x), exact);
        if (!(error <= worst)) {
            worst = error;
            worst_x = x;
            worst_grad = grad;
        }
    }
    mpfr_clear(exact);
    print_message("max 2^%.2f ULP at x = %a, grad = %a\n", log2(worst), worst_x, worst_grad);
    assert_true(worst <= bound_of(test->dtype));
}

static void nan_comes_out_where_it_goes_in(void **state)
{
    (void)state;
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    for (int direction = FORWARD; direction <= FROM_INPUT; direction++) {                          \
        const struct test_case narrow = {CLACT_##NAME, (enum direction)direction, CLACT_F32};      \
        const struct test_case wide = {CLACT_##NAME, (enum direction)direction, CLACT_F64};        \
        if (!offers(&narrow))                                                                      \
            continue;                                                                              \
        assert_true(isnan(reference_at(&narrow, 1, NAN)));                                         \
        assert_true(isnan(reference_at(&wide, 1, NAN)));                                           \
        if (direction == FORWARD)                                                                  \
            continue;                                                                              \
        assert_true(isnan(reference_at(&narrow, NAN, 1)));                                         \
        assert_true(isnan(reference_at(&wide, NAN, 1)));                                           \
    }
#include <clact/ops.def>
#undef CLACT_OPERATOR
}

static void values_that_are_no_operator_have_no_reference(void **state)
{
    (void)state;
    assert_null(reference_of((clact_operator)0));
    assert_null(reference_of((clact_operator)10000));
    assert_null(reference_mpfr_of((clact_operator)0));
}

static void sigmoid_reaches_its_limits(void **state)
{
    (void)state;
    const struct reference *sigmoid = reference_of(CLACT_SIGMOID);
    assert_true(sigmoid->forward(INFINITY) == 1);
    assert_true(sigmoid->forward(-INFINITY) == 0 && !signbit(sigmoid->forward(-INFINITY)));
    assert_true(sigmoid->forward(0) == 0.5);
    assert_true(sigmoid->forward(1000) == 1);
    assert_true(sigmoid->forward_long(INFINITY) == 1);
    assert_true(sigmoid->forward_long(-INFINITY) == 0);
    assert_true(sigmoid->from_output(3, 0) == 0);
    assert_true(sigmoid->from_output(3, 1) == 0);
    assert_true(isnan(sigmoid->from_output(INFINITY, 1)));
    assert_true(sigmoid->from_output_long(-INFINITY, 0.5) == -INFINITY);
}

/* The type-generic limits of grad * s(x) * s(-x), for both types. */
#define ASSERT_GRADIENT_LIMITS(from_input)                                                         \
    assert_true(from_input(2, INFINITY) == 0);                                                     \
    assert_true(from_input(2, -INFINITY) == 0);                                                    \
    assert_true(isnan(from_input(INFINITY, INFINITY)));                                            \
    assert_true(isnan(from_input(-INFINITY, -INFINITY)));                                          \
    assert_true(from_input(INFINITY, 0) == INFINITY);                                              \
    assert_true(from_input(-INFINITY, -1e30) == -INFINITY);                                        \
    assert_true(from_input(INFINITY, 1e30) == INFINITY);                                           \
    assert_true(from_input(0, -1e30) == 0);                                                        \
    assert_true(from_input(1, 0) == 0.25);

static void sigmoid_gradient_reaches_its_limits(void **state)
{
    (void)state;
    const struct reference *sigmoid = reference_of(CLACT_SIGMOID);
    ASSERT_GRADIENT_LIMITS(sigmoid->from_input)
    ASSERT_GRADIENT_LIMITS(sigmoid->from_input_long)
}

/* Where s(x) is too small for the dtype but the product with grad is not. */
static void sigmoid_gradient_does_not_underflow_early(void **state)
{
    (void)state;
    const struct reference *sigmoid = reference_of(CLACT_SIGMOID);
    /* 3e38 * e^-150, to the digits of the decimal number. */
    double narrow = sigmoid->from_input(3e38, -150) / 2.152e-27;
    assert_true(fabs(narrow - 1) < 1e-3);
    if (REFERENCE_JUDGES_F64) {
        long double wide = sigmoid->from_input_long(1e308L, -1000) / 5.076e-127L;
        assert_true(fabsl(wide - 1) < 1e-3L);
    }
}

#define AGAINST_MPFR(name, NAME, DIRECTION, direction, DTYPE, dtype)                               \
    {                                                                                              \
#name " " direction " " dtype " reference vs MPFR", matches_mpfr, NULL, NULL,              \
            &(struct test_case)                                                                    \
        {                                                                                          \
            CLACT_##NAME, DIRECTION, CLACT_##DTYPE                                                 \
        }                                                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...)                                              \
    AGAINST_MPFR(name, NAME, FORWARD, "forward", F32, "f32"),                                      \
        AGAINST_MPFR(name, NAME, FORWARD, "forward", F64, "f64"),                                  \
        AGAINST_MPFR(name, NAME, FROM_OUTPUT, "gradient from output", F32, "f32"),                 \
        AGAINST_MPFR(name, NAME, FROM_OUTPUT, "gradient from output", F64, "f64"),                 \
        AGAINST_MPFR(name, NAME, FROM_INPUT, "gradient from input", F32, "f32"),                   \
        AGAINST_MPFR(name, NAME, FROM_INPUT, "gradient from input", F64, "f64"),
#include <clact/ops.def>
#undef CLACT_OPERATOR
        cmocka_unit_test(nan_comes_out_where_it_goes_in),
        cmocka_unit_test(values_that_are_no_operator_have_no_reference),
        cmocka_unit_test(sigmoid_reaches_its_limits),
        cmocka_unit_test(sigmoid_gradient_reaches_its_limits),
        cmocka_unit_test(sigmoid_gradient_does_not_underflow_early),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpfr_free_cache();
    return failed;
}
