/* SPDX-License-Identifier: MIT */
#include "ulp.h"

#include "dtype.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

/* The exponent of one ULP at an exact result with the given exponent; ilogb's extreme values for 0
 * and infinity come out right. */
static int unit_exponent(const struct dtype_format *format, int exponent)
{
    if (exponent < format->min_exponent)
        exponent = format->min_exponent;
    if (exponent > format->max_exponent)
        exponent = format->max_exponent;
    return exponent - format->precision + 1;
}

static double error_of(clact_dtype dtype, double got, long double exact)
{
    const struct dtype_format *format = dtype_format(dtype);
    if (isnan(got) || isnan(exact))
        return isnan(got) && isnan(exact) ? 0 : INFINITY;
    if (isinf(exact))
        return got == exact ? 0 : INFINITY;
    long double value = got;
    if (isinf(got)) {
        value = copysignl(ldexpl(1, format->max_exponent + 1), got);
        /* A result that far out can only be stored as infinity. */
        if (fabsl(exact) >= fabsl(value) && signbit(exact) == signbit(value))
            return 0;
    }
    int unit = unit_exponent(format, ilogbl(exact));
    return (double)fabsl(ldexpl(value - exact, -unit));
}

double ulp_error(clact_dtype dtype, double got, double exact)
{
    /* Nearly all results take the short way, in double: the difference of two neighbours is exact,
     * and that of others right to 53 bits. */
    if (isfinite(got) && isfinite(exact)) {
        int unit = unit_exponent(dtype_format(dtype), ilogb(exact));
        return fabs(ldexp(got - exact, -unit));
    }
    return error_of(dtype, got, exact);
}

double ulp_error_f64(double got, long double exact)
{
    return error_of(CLACT_F64, got, exact);
}

void ulp_stats_init(struct ulp_stats *stats, clact_dtype dtype)
{
    static const struct ulp_class none = {.worst = {.error = -1}};
    stats->dtype = dtype;
    stats->smallest_normal = ldexp(1, dtype_format(dtype)->min_exponent);
    stats->normal = none;
    stats->subnormal = none;
}

static void count(struct ulp_class *class, double got, double nearest)
{
    class->count++;
    class->rounded += got == nearest || (isnan(got) && isnan(nearest));
}

void ulp_stats_add(struct ulp_stats *stats, double grad, double x, double got, double exact)
{
    double error = ulp_error(stats->dtype, got, exact);
    bool subnormal = fabs(exact) < stats->smallest_normal;
    struct ulp_class *class = subnormal ? &stats->subnormal : &stats->normal;
    count(class, got, dtype_round(stats->dtype, exact));
    if (error > class->worst.error)
        class->worst = (struct ulp_result){error, grad, x, got, exact};
}

void ulp_stats_add_f64(struct ulp_stats *stats, double grad, double x, double got,
                       long double exact)
{
    assert(stats->dtype == CLACT_F64);
    double error = ulp_error_f64(got, exact);
    bool subnormal = fabsl(exact) < stats->smallest_normal;
    struct ulp_class *class = subnormal ? &stats->subnormal : &stats->normal;
    count(class, got, (double)exact);
    if (error > class->worst.error)
        class->worst = (struct ulp_result){error, grad, x, got, exact};
}

static void merge(struct ulp_class *class, const struct ulp_class *from)
{
    class->count += from->count;
    class->rounded += from->rounded;
    if (from->worst.error > class->worst.error)
        class->worst = from->worst;
}

void ulp_stats_merge(struct ulp_stats *stats, const struct ulp_stats *from)
{
    assert(stats->dtype == from->dtype);
    merge(&stats->normal, &from->normal);
    merge(&stats->subnormal, &from->subnormal);
}

static int print_operands(const struct ulp_result *result, clact_dtype dtype, FILE *file)
{
    if (fprintf(file, " at x = %a", result->x) < 0)
        return -1;
    if (!isnan(result->grad) && fprintf(file, ", grad = %a", result->grad) < 0)
        return -1;
    if (dtype == CLACT_F64)
        return fprintf(file, " (got %a, exact %La)", result->got, result->exact);
    return fprintf(file, " (got %a, exact %a)", result->got, (double)result->exact);
}

static int print(const struct ulp_stats *stats, const struct ulp_class *class, const char *title,
                 FILE *file)
{
    const char *name = class == &stats->normal ? "normal" : "subnormal";
    if (class->count == 0)
        return fprintf(file, "%s, %s results: none\n", title, name);
    if (fprintf(file, "%s, %s results: max %.4f ULP", title, name, class->worst.error) < 0 ||
        print_operands(&class->worst, stats->dtype, file) < 0)
        return -1;
    return fprintf(file, "; %.4f%% of %" PRIu64 " correctly rounded\n",
                   100 * (double)class->rounded / (double)class->count, class->count);
}

int ulp_stats_print(const struct ulp_stats *stats, const char *title, FILE *file)
{
    if (print(stats, &stats->normal, title, file) < 0 ||
        print(stats, &stats->subnormal, title, file) < 0)
        return -1;
    return 0;
}
