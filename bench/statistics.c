/* SPDX-License-Identifier: MIT */
#include "statistics.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two nearest of the sorted values. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

struct summary summarize(const double *values, size_t count)
{
    double *sorted = check_allocate(count, sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    const struct summary summary = {sorted[0], quantile(sorted, count, 0.5),
                                    quantile(sorted, count, 0.75) - quantile(sorted, count, 0.25)};
    free(sorted);
    return summary;
}

struct summary summarize_ratios(const double *over, const double *under, size_t count)
{
    double *ratios = check_allocate(count, sizeof *ratios);
    for (size_t i = 0; i < count; i++)
        ratios[i] = over[i] / under[i];
    const struct summary summary = summarize(ratios, count);
    free(ratios);
    return summary;
}
