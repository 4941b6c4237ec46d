/* SPDX-License-Identifier: MIT */
/* Many f32 results at once, each step over all of them in a loop without branches, of which a
 * compiler makes vector instructions. What such a loop cannot judge, ulp_error does. */
#include "ulp.h"

#include <assert.h>
#include <float.h>
#include <string.h>

enum { BLOCK = 1024 }; /* so that the arrays between the steps stay in the nearest cache */

static double clamp(double value)
{
    value = value > 0x1p128 ? 0x1p128 : value; /* NaN stays NaN */
    return value < -0x1p128 ? -0x1p128 : value;
}

/* 2^23 / 2^e, e the exponent of the exact result or the least or the largest one that f32 has: one in
 * units in the last place. */
static double scale_of(double exact)
{
    uint64_t bits;
    double power;
    memcpy(&bits, &exact, sizeof bits);
    bits &= UINT64_C(0x7ff) << 52;
    memcpy(&power, &bits, sizeof power);
    power = power > (double)FLT_MIN ? power : (double)FLT_MIN;
    power = power < 0x1p127 ? power : 0x1p127;
    /* To negate an exponent, subtract it from twice the bias. */
    memcpy(&bits, &power, sizeof bits);
    bits = ((uint64_t)(2 * 1023 + 23) << 52) - bits;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* As ulp_error, but NaN or a large number where that is infinite, and NaN where both are NaN. */
static void errors_of(size_t n, const float *restrict got, const double *restrict exact,
                      double *restrict errors)
{
    for (size_t i = 0; i < n; i++) {
        /* An infinity stands for 2^128, and is right for all that is further out. */
        const double value = clamp(got[i]);
        const double right = fabs(value) == 0x1p128 ? clamp(exact[i]) : exact[i];
        errors[i] = fabs(value - right) * scale_of(exact[i]);
    }
}

static uint64_t count_subnormal(size_t n, const double *exact)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += fabs(exact[i]) < (double)FLT_MIN;
    return count;
}

static uint64_t count_rounded(size_t n, const float *got, const double *exact)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += got[i] == (float)exact[i];
    return count;
}

static uint64_t count_rounded_subnormal(size_t n, const float *got, const double *exact)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (got[i] == (float)exact[i]) & (fabs(exact[i]) < (double)FLT_MIN);
    return count;
}

/* The errors above the bound, and those that are NaN. */
static uint64_t count_above(size_t n, const double *errors, double bound)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += errors[i] <= bound ? 0 : 1;
    return count;
}

/* What errors of the block may be without being the worst. */
static double bound_of(const struct ulp_stats *stats, size_t n, uint64_t subnormal)
{
    const double of_normal = stats->normal.worst.error;
    const double of_subnormal = stats->subnormal.worst.error;
    if (subnormal == 0)
        return of_normal;
    return subnormal == n || of_subnormal < of_normal ? of_subnormal : of_normal;
}

/* Results of a block, some of which are the worst so far, or NaN. */
struct block {
    size_t n;
    const float *grad;
    const float *x;
    const float *got;
    const double *exact;
};

static void look_closer(struct ulp_stats *stats, const struct block *b, const double *errors)
{
    for (size_t i = 0; i < b->n; i++) {
        struct ulp_class *class =
            fabs(b->exact[i]) < (double)FLT_MIN ? &stats->subnormal : &stats->normal;
        if (errors[i] <= class->worst.error)
            continue;
        const double error = ulp_error(CLACT_F32, b->got[i], b->exact[i]);
        class->rounded += isnan(b->got[i]) && isnan(b->exact[i]);
        if (error > class->worst.error)
            class->worst = (struct ulp_result){error, b->grad != NULL ? b->grad[i] : ULP_NO_GRAD,
                                               b->x[i], b->got[i], b->exact[i]};
    }
}

static void add_block(struct ulp_stats *stats, const struct block *b)
{
    double errors[BLOCK];
    errors_of(b->n, b->got, b->exact, errors);
    const uint64_t subnormal = count_subnormal(b->n, b->exact);
    const uint64_t rounded = count_rounded(b->n, b->got, b->exact);
    const uint64_t rounded_subnormal =
        subnormal == 0 ? 0 : count_rounded_subnormal(b->n, b->got, b->exact);
    stats->subnormal.count += subnormal;
    stats->normal.count += b->n - subnormal;
    stats->subnormal.rounded += rounded_subnormal;
    stats->normal.rounded += rounded - rounded_subnormal;
    if (count_above(b->n, errors, bound_of(stats, b->n, subnormal)) != 0)
        look_closer(stats, b, errors);
}

void ulp_stats_add_f32(struct ulp_stats *stats, size_t n, const float *grad, const float *x,
                       const float *got, const double *exact)
{
    assert(stats->dtype == CLACT_F32);
    for (size_t i = 0; i < n; i += BLOCK) {
        const struct block block = {.n = n - i < BLOCK ? n - i : BLOCK,
                                    .grad = grad != NULL ? grad + i : NULL,
                                    .x = x + i,
                                    .got = got + i,
                                    .exact = exact + i};
        add_block(stats, &block);
    }
}
