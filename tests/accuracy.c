/* SPDX-License-Identifier: MIT */
#include "accuracy.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* What a gradient's bound grows by when grad is not 1 but any number: the low part's product with it
 * rounds too. f16 and bf16 are computed in f32, where one rounding more does not show. */
static double grad_allowance(clact_dtype dtype)
{
    return dtype == CLACT_F32 || dtype == CLACT_F64 ? 0.05 : 0;
}

double accuracy_allowed(const struct op_case *c, bool subnormal, bool any_grad)
{
    return case_budget(c, subnormal) + (any_grad ? grad_allowance(c->dtype) : 0);
}

void accuracy_operands(const struct op_case *c, enum coverage coverage, bool random_grads,
                       struct operands *operands)
{
    const bool some = random_grads || c->own_params;
    operands_init(operands, c, some && coverage == COVERAGE_EXHAUSTIVE ? COVERAGE_DENSE : coverage);
}

static bool is_gradient(const struct op_case *c)
{
    return c->direction != FORWARD;
}

uint64_t accuracy_work(const struct op_case *c, enum coverage coverage)
{
    struct operands operands;
    accuracy_operands(c, coverage, false, &operands);
    const uint64_t work = operands.total;
    if (!is_gradient(c))
        return work;
    accuracy_operands(c, coverage, true, &operands);
    return work + operands.total;
}

/* Passes the progress of the second of two measurements on. */
struct second {
    void (*progress)(void *user, uint64_t done);
    void *user;
    uint64_t first;
};

static void progress_of_second(void *user, uint64_t done)
{
    const struct second *second = user;
    second->progress(second->user, second->first + done);
}

clact_status accuracy_measure(const struct op_case *c, clact_context *ctx, enum coverage coverage,
                              void (*progress)(void *user, uint64_t done), void *progress_user,
                              struct accuracy *accuracy)
{
    struct operands operands;
    struct measurement m = {.c = c,
                            .ctx = ctx,
                            .operands = &operands,
                            .progress = progress,
                            .progress_user = progress_user};
    accuracy->c = c;
    ulp_stats_init(&accuracy->any_grad, c->dtype);
    clact_status status = special_values_measure(c, ctx, &accuracy->special);
    if (status != CLACT_SUCCESS)
        return status;
    accuracy_operands(c, coverage, false, &operands);
    accuracy->all = operands_are_all(&operands);
    status = measure(&m, &accuracy->stats);
    if (status != CLACT_SUCCESS || !is_gradient(c))
        return status;
    struct second second = {progress, progress_user, operands.total};
    accuracy_operands(c, coverage, true, &operands);
    m.random_grads = true;
    m.progress = progress != NULL ? progress_of_second : NULL;
    m.progress_user = &second;
    return measure(&m, &accuracy->any_grad);
}

/* Text that grows line by line. */
struct lines {
    char *text;
    size_t size;
    size_t used;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add_line(struct lines *lines, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(lines->text + lines->used, lines->size - lines->used, format, arguments);
    va_end(arguments);
    const size_t room = lines->size - lines->used - 1;
    lines->used += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;
}

/* Of a class without results the error is negative. */
static bool class_holds(const struct op_case *c, const struct ulp_stats *stats, bool subnormal,
                        bool any_grad)
{
    const struct ulp_class *class = subnormal ? &stats->subnormal : &stats->normal;
    return class->worst.error <= accuracy_allowed(c, subnormal, any_grad);
}

/* printf would show the sign of a NaN. */
static double shown(double value)
{
    return isnan(value) ? (double)NAN : value;
}

static void explain_class(struct lines *lines, const struct op_case *c,
                          const struct ulp_stats *stats, bool subnormal, bool any_grad)
{
    if (class_holds(c, stats, subnormal, any_grad))
        return;
    const struct ulp_class *class = subnormal ? &stats->subnormal : &stats->normal;
    const struct ulp_result *worst = &class->worst;
    char grad[64] = "";
    if (any_grad)
        snprintf(grad, sizeof grad, ", grad = %a", worst->grad);
    add_line(lines, "%s results%s: %.4f ULP where %g are allowed, at x = %a%s: got %a, exact %a\n",
             subnormal ? "subnormal" : "normal", any_grad ? " with any grad" : "", worst->error,
             accuracy_allowed(c, subnormal, any_grad), worst->x, grad, shown(worst->got),
             shown((double)worst->exact));
}

bool accuracy_holds(const struct accuracy *accuracy)
{
    const struct op_case *c = accuracy->c;
    bool holds = accuracy->special.wrong == 0;
    for (int subnormal = 0; subnormal <= 1; subnormal++)
        holds = holds && class_holds(c, &accuracy->stats, subnormal, false) &&
                class_holds(c, &accuracy->any_grad, subnormal, true);
    return holds;
}

void accuracy_explain(const struct accuracy *accuracy, char *text, size_t size)
{
    struct lines lines = {text, size, 0};
    text[0] = '\0';
    for (int any_grad = 0; any_grad <= 1; any_grad++)
        for (int subnormal = 0; subnormal <= 1; subnormal++)
            explain_class(&lines, accuracy->c, any_grad ? &accuracy->any_grad : &accuracy->stats,
                          subnormal, any_grad);
    for (size_t i = 0; i < SPECIAL_VALUES; i++) {
        const struct special_value *value = &accuracy->special.at[i];
        if (!value->right)
            add_line(&lines, "at x = %s: got %.9g, right is %.9g\n", special_value_name(i),
                     shown(value->got), shown(value->wanted));
    }
}
