/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include "dtype.h"

#include <float.h>
#include <math.h>

enum { BLOCK = 1024 };

clact_status judge_init(struct judge *judge, const struct op_case *c, const clact_context *ctx)
{
    clact_device_info info;
    const clact_status status = clact_context_info(ctx, &info);
    if (status != CLACT_SUCCESS)
        return status;
    *judge = (struct judge){.c = c,
                            .reference = reference_of(c->op),
                            .flushes = c->dtype != CLACT_F64 && !info.has_subnormals};
    return CLACT_SUCCESS;
}

static double exact_of(const struct judge *judge, double grad, double x)
{
    switch (judge->c->direction) {
    case FROM_OUTPUT:
        return judge->reference->from_output(grad, x, &judge->c->params);
    case FROM_INPUT:
        return judge->reference->from_input(grad, x, &judge->c->params);
    default:
        return judge->reference->forward(x, &judge->c->params);
    }
}

long double judge_exact_long(const struct judge *judge, double grad, double x)
{
    switch (judge->c->direction) {
    case FROM_OUTPUT:
        return judge->reference->from_output_long(grad, x, &judge->c->params);
    case FROM_INPUT:
        return judge->reference->from_input_long(grad, x, &judge->c->params);
    default:
        return judge->reference->forward_long(x, &judge->c->params);
    }
}

static bool is_flushed(double value)
{
    return fabs(value) < (double)FLT_MIN;
}

double judge_nearest(const struct judge *judge, double grad, double x, double got)
{
    const clact_dtype dtype = judge->c->dtype;
    double nearest = exact_of(judge, grad, x);
    for (unsigned flush = 0; flush < 4 && judge->flushes; flush++) {
        const double exact =
            exact_of(judge, (flush & 1) != 0 && is_flushed(grad) ? copysign(0, grad) : grad,
                     (flush & 2) != 0 && is_flushed(x) ? copysign(0, x) : x);
        if (is_flushed(exact) && got == 0)
            return got;
        if (ulp_error(dtype, got, exact) < ulp_error(dtype, got, nearest))
            nearest = exact;
    }
    return nearest;
}

/* Any dtype, one result after the other. */
static void add_each(const struct judge *judge, struct ulp_stats *stats, size_t n,
                     const void *grads, const void *xs, const void *gots)
{
    const clact_dtype dtype = judge->c->dtype;
    for (size_t i = 0; i < n; i++) {
        const double grad =
            judge->c->direction == FORWARD ? ULP_NO_GRAD : dtype_load(dtype, grads, i);
        const double x = dtype_load(dtype, xs, i);
        const double got = dtype_load(dtype, gots, i);
        if (dtype == CLACT_F64)
            ulp_stats_add_f64(stats, grad, x, got, judge_exact_long(judge, grad, x));
        else
            ulp_stats_add(stats, grad, x, got, judge_nearest(judge, grad, x, got));
    }
}

/* The exact results of f32 operands. */
static void exact_of_all(const struct judge *judge, size_t n, const float *grad, const float *x,
                         double *exact)
{
    const struct reference *reference = judge->reference;
    const clact_params *p = &judge->c->params;
    switch (judge->c->direction) {
    case FROM_OUTPUT:
        for (size_t i = 0; i < n; i++)
            exact[i] = reference->from_output(grad[i], x[i], p);
        break;
    case FROM_INPUT:
        for (size_t i = 0; i < n; i++)
            exact[i] = reference->from_input(grad[i], x[i], p);
        break;
    default:
        for (size_t i = 0; i < n; i++)
            exact[i] = reference->forward(x[i], p);
        break;
    }
}

static void add_f32(const struct judge *judge, struct ulp_stats *stats, size_t n, const float *grad,
                    const float *x, const float *got)
{
    double exact[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t part = n - i < BLOCK ? n - i : BLOCK;
        const float *part_grad = judge->c->direction == FORWARD ? NULL : grad + i;
        exact_of_all(judge, part, part_grad, x + i, exact);
        ulp_stats_add_f32(stats, part, part_grad, x + i, got + i, exact);
    }
}

void judge_add(const struct judge *judge, struct ulp_stats *stats, size_t n, const void *grad,
               const void *x, const void *got)
{
    if (judge->c->dtype == CLACT_F32 && !judge->flushes)
        add_f32(judge, stats, n, grad, x, got);
    else
        add_each(judge, stats, n, grad, x, got);
}
