/* SPDX-License-Identifier: MIT */
#include "softmax_reference.h"

#include "dtype.h"
#include "ulp.h"

#include <math.h>

struct row {
    const char *name;
    double normal, subnormal, half, f64;
};

static const struct row rows_of_kinds[KINDS] = {
#define CLACT_X(name, normal, subnormal, half, f64) {#name, normal, subnormal, half, f64},
    CLACT_SOFTMAX_BUDGETS(CLACT_X)
#undef CLACT_X
};

const char *softmax_name(enum softmax_kind kind)
{
    return rows_of_kinds[kind].name;
}

bool softmax_is_backward(enum softmax_kind kind)
{
    return kind == KIND_softmax_backward || kind == KIND_log_softmax_backward;
}

clact_status softmax_call(clact_context *ctx, enum softmax_kind kind, clact_dtype dtype,
                          size_t rows, size_t cols, const void *a, const void *b, void *out)
{
    switch (kind) {
    case KIND_softmax:
        return clact_softmax(ctx, dtype, rows, cols, a, out);
    case KIND_log_softmax:
        return clact_log_softmax(ctx, dtype, rows, cols, a, out);
    case KIND_softmax_backward:
        return clact_softmax_backward(ctx, dtype, rows, cols, a, b, out);
    default:
        return clact_log_softmax_backward(ctx, dtype, rows, cols, a, b, out);
    }
}

clact_status softmax_enqueue(clact_context *ctx, cl_command_queue queue, enum softmax_kind kind,
                             clact_view a, clact_view b, clact_view out, cl_uint n_wait,
                             const cl_event *wait, cl_event *event)
{
    switch (kind) {
    case KIND_softmax:
        return clact_enqueue_softmax(ctx, queue, a, out, n_wait, wait, event);
    case KIND_log_softmax:
        return clact_enqueue_log_softmax(ctx, queue, a, out, n_wait, wait, event);
    case KIND_softmax_backward:
        return clact_enqueue_softmax_backward(ctx, queue, a, b, out, n_wait, wait, event);
    default:
        return clact_enqueue_log_softmax_backward(ctx, queue, a, b, out, n_wait, wait, event);
    }
}

/* Neumaier's sum, whose error does not grow with the number of terms. */
struct sum {
    long double high, low;
};

static void add(struct sum *s, long double term)
{
    long double sum = s->high + term;
    if (fabsl(s->high) >= fabsl(term))
        s->low += (s->high - sum) + term;
    else
        s->low += (term - sum) + s->high;
    s->high = sum;
}

/* An infinity has no low part. */
static long double value(const struct sum *s)
{
    return isfinite(s->high) ? s->high + s->low : s->high;
}

/* e^(x - max), of the exact difference. */
static long double exp_of_difference(double x, double max)
{
    long double high = (long double)x - max;
    if (!isfinite(high))
        return expl(high);
    long double of_max = high - x;
    long double low = (x - (high - of_max)) + (-max - of_max);
    return expl(high) * (1 + low);
}

static void forward(enum softmax_kind kind, size_t cols, const double *x, long double *exact)
{
    size_t first = 0;
    for (size_t c = 1; c < cols; c++)
        if (x[c] > x[first] || isnan(x[first]))
            first = c;
    struct sum rest = {0, 0};
    for (size_t c = 0; c < cols; c++)
        add(&rest, c == first && isfinite(x[c]) ? 0 : exp_of_difference(x[c], x[first]));
    for (size_t c = 0; c < cols; c++) {
        if (kind == KIND_softmax)
            exact[c] = exp_of_difference(x[c], x[first]) / (1 + value(&rest));
        else
            exact[c] = ((long double)x[c] - x[first]) - log1pl(value(&rest));
        if (isnan(value(&rest)))
            exact[c] = NAN;
    }
}

static void backward(enum softmax_kind kind, size_t cols, const double *grad, const double *y,
                     long double *exact, long double *terms)
{
    struct sum sum = {0, 0};
    long double size = 0;
    for (size_t c = 0; c < cols; c++) {
        long double term =
            kind == KIND_softmax_backward ? (long double)grad[c] * y[c] : (long double)grad[c];
        long double lost = 0;
        if (kind == KIND_softmax_backward && isfinite(term))
            lost = fmal(grad[c], y[c], -term);
        add(&sum, term);
        add(&sum, lost);
        size += fabsl(term);
    }
    for (size_t c = 0; c < cols; c++) {
        if (kind == KIND_softmax_backward) {
            exact[c] = y[c] * (grad[c] - value(&sum));
            terms[c] = y[c] * fmaxl(fabsl((long double)grad[c]), size);
        } else {
            exact[c] = grad[c] - expl(y[c]) * value(&sum);
            terms[c] = fmaxl(fabsl((long double)grad[c]), expl(y[c]) * size);
        }
    }
}

void softmax_reference(enum softmax_kind kind, size_t cols, const double *a, const double *b,
                       long double *exact, long double *terms)
{
    for (size_t c = 0; c < cols; c++)
        terms[c] = 0;
    if (softmax_is_backward(kind))
        backward(kind, cols, a, b, exact, terms);
    else
        forward(kind, cols, a, exact);
    if (softmax_is_backward(kind))
        for (size_t c = 0; c < cols; c++)
            terms[c] += (long double)cols * 0x1p-100L;
}

static double budget_of(const struct row *row, clact_dtype dtype, long double exact)
{
    if (dtype == CLACT_F64)
        return row->f64;
    if (dtype != CLACT_F32)
        return row->half;
    return fabsl(exact) < 0x1p-126L ? row->subnormal : row->normal;
}

static double cancellation_of(clact_dtype dtype)
{
#define CLACT_X(f32, half, f64) dtype == CLACT_F32 ? (f32) : dtype == CLACT_F64 ? (f64) : (half)
    return CLACT_SOFTMAX_CANCELLATION(CLACT_X);
#undef CLACT_X
}

double softmax_judge(enum softmax_kind kind, clact_dtype dtype, double got, long double exact,
                     long double terms, double *ulp)
{
    const double error =
        dtype == CLACT_F64 ? ulp_error_f64(got, exact) : ulp_error(dtype, got, (double)exact);
    const double budget = budget_of(&rows_of_kinds[kind], dtype, exact);
    const bool cancels = terms > 2 * fabsl(exact);
    *ulp = cancels ? 0 : error;
    const long double difference = fabsl((long double)got - exact);
    if (terms == 0 || error == 0 || !isfinite(difference))
        return error / budget;
    if (!isfinite(error)) /* there are so many ULP in it that a double does not hold their number */
        return (double)(difference / (cancellation_of(dtype) * terms));
    return error / (budget + cancellation_of(dtype) * (double)(terms / (difference / error)));
}
