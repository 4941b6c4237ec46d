/* SPDX-License-Identifier: MIT */
#include "special_values.h"

#include "dtype.h"
#include "judge.h"
#include "ulp.h"

#include <math.h>

static const char *const names[SPECIAL_VALUES] = {"-inf", "-max", "-min", "-tiny", "-0", "0",
                                                  "tiny", "min",  "max",  "inf",   "nan"};

const char *special_value_name(size_t i)
{
    return names[i];
}

static void list_operands(clact_dtype dtype, double x[SPECIAL_VALUES])
{
    const struct dtype_format *format = dtype_format(dtype);
    /* From zero up; the others are their negatives. */
    const double positive[] = {0, dtype_next_up(dtype, 0), ldexp(1, format->min_exponent),
                               dtype_next_down(dtype, INFINITY), INFINITY};
    for (size_t i = 0; i < 5; i++) {
        x[4 - i] = -positive[i];
        x[5 + i] = positive[i];
    }
    x[SPECIAL_VALUES - 1] = NAN;
}

/* What ops.def says about x, or NULL. */
static const double *stated_at(const struct op_case *c, double x)
{
    if (c->limits == NULL)
        return NULL;
    if (isinf(x))
        return &c->limits[x < 0 ? AT_MINUS_INFINITY : AT_INFINITY];
    if (x == 0)
        return &c->limits[signbit(x) ? AT_MINUS_ZERO : AT_ZERO];
    return NULL;
}

static bool have_one_sign(long double a, long double b)
{
    return (signbit(a) != 0) == (signbit(b) != 0);
}

static bool is_within_budget(const struct judge *judge, double got, long double wanted)
{
    const clact_dtype dtype = judge->c->dtype;
    const double smallest_normal = ldexp(1, dtype_format(dtype)->min_exponent);
    const double error =
        dtype == CLACT_F64 ? ulp_error_f64(got, wanted) : ulp_error(dtype, got, (double)wanted);
    if (got == 0 && !judge->flushes && !have_one_sign(got, wanted))
        return false;
    /* The smallest number is only one ULP away, but it is not 0. */
    if (wanted == 0 && got != 0)
        return false;
    return error <= case_budget(judge->c, fabsl(wanted) < smallest_normal);
}

static void judge_value(const struct judge *judge, struct special_value *value)
{
    const struct op_case *c = judge->c;
    const double *stated = stated_at(c, value->x);
    if (stated != NULL) {
        value->wanted = *stated;
        value->right = (double)(float)*stated == *stated
                           ? value->got == *stated && have_one_sign(value->got, *stated)
                           : is_within_budget(judge, value->got, *stated);
        return;
    }
    const long double exact = c->dtype == CLACT_F64 ? judge_exact_long(judge, 1, value->x)
                                                    : judge_nearest(judge, 1, value->x, value->got);
    value->wanted = (double)exact;
    value->right = is_within_budget(judge, value->got, exact);
}

clact_status special_values_measure(const struct op_case *c, clact_context *ctx,
                                    struct special_values *values)
{
    double x[SPECIAL_VALUES];
    double elements[3][SPECIAL_VALUES]; /* room for grad, x and the results in any dtype */
    struct judge judge;
    clact_status status = judge_init(&judge, c, ctx);
    list_operands(c->dtype, x);
    for (size_t i = 0; i < SPECIAL_VALUES; i++) {
        dtype_store(c->dtype, elements[0], i, 1);
        dtype_store(c->dtype, elements[1], i, x[i]);
    }
    if (status == CLACT_SUCCESS)
        status = case_call(ctx, c, SPECIAL_VALUES, elements[0], elements[1], elements[2]);
    if (status != CLACT_SUCCESS)
        return status;
    values->wrong = 0;
    for (size_t i = 0; i < SPECIAL_VALUES; i++) {
        values->at[i] =
            (struct special_value){.x = x[i], .got = dtype_load(c->dtype, elements[2], i)};
        judge_value(&judge, &values->at[i]);
        values->wrong += !values->at[i].right;
    }
    return CLACT_SUCCESS;
}
