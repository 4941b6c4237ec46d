/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "check.h"
#include "statistics.h"

#include <string.h>

void report_device(const clact_context *ctx)
{
    clact_device_info info;
    cl_ulong cache = 0;
    check_clact(ctx, clact_context_info(ctx, &info));
    check_cl(
        clGetDeviceInfo(info.device, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache, &cache, NULL),
        "clGetDeviceInfo");
    printf("%s (%s), %u compute units, %.1f MiB of cache\n"
           "Times: the median over the rounds, and the distance between the quartiles. Gelem/s,\n"
           "GB/s and clact's speed as a multiple of each rival's are by the device's clock.\n",
           info.name, info.version, (unsigned)info.compute_units, (double)cache / 1048576);
}

static double median_of(const struct contest *contest, const struct contestant *c)
{
    return summarize(c->device, contest->rounds).median;
}

/* Of the contestants with the name of the one at i, which follow each other, the fastest; *next is
 * the first behind them. */
static const struct contestant *fastest(const struct contest *contest, size_t i, size_t *next)
{
    const struct contestant *best = &contest->contestants[i];
    for (*next = i + 1; *next < contest->count; ++*next) {
        const struct contestant *c = &contest->contestants[*next];
        if (strcmp(c->name, best->name) != 0)
            break;
        if (median_of(contest, c) < median_of(contest, best))
            best = c;
    }
    return best;
}

static double gigabytes(const struct contest *contest)
{
    const unsigned arrays = job_inputs(contest->job) + 1;
    return 1e-9 * (double)contest->n * (double)clact_dtype_size(contest->job->dtype) * arrays;
}

static double speedup(const struct contest *contest, const struct contestant *rival)
{
    return median_ratio(rival->device, contest->contestants[0].device, contest->rounds);
}

static void print_row(const struct contest *contest, const struct contestant *c)
{
    const struct summary wall = summarize(c->wall, contest->rounds);
    const struct summary device = summarize(c->device, contest->rounds);
    printf("  %-16s%10.3f %-9.3f%10.3f %-9.3f%9.3f%9.2f", c->name, wall.median * 1e3,
           wall.spread * 1e3, device.median * 1e3, device.spread * 1e3,
           1e-9 * (double)contest->n / device.median, gigabytes(contest) / device.median);
    if (c->rival != NULL)
        printf("%8.2f x   %s", speedup(contest, c), c->way);
    putchar('\n');
}

void report_table(const struct contest *contest)
{
    const struct job *job = contest->job;
    printf("\n%s %s %s: %zu elements, %zu rounds over %zu sets of arrays\n",
           clact_operator_name(job->op), job_direction_name(job), clact_dtype_name(job->dtype),
           contest->n, contest->rounds, contest->slices);
    printf("  %-16s%10s %-9s%10s %-9s%9s%9s%10s   %s\n", "", "wall ms", "+-", "device ms", "+-",
           "Gelem/s", "GB/s", "clact is", "way");
    for (size_t i = 0, next; i < contest->count; i = next)
        print_row(contest, fastest(contest, i, &next));
    fflush(stdout);
}

void report_csv_header(FILE *file)
{
    fputs(
        "operator,direction,dtype,n,rounds,sets,contestant,way,wall_median_s,wall_spread_s,"
        "device_median_s,device_spread_s,device_least_s,gelem_per_s,gbyte_per_s,clact_speedup_wall,"
        "clact_speedup_device\n",
        file);
}

void report_csv(const struct contest *contest, FILE *file)
{
    const struct job *job = contest->job;
    for (size_t i = 0; i < contest->count; i++) {
        const struct contestant *c = &contest->contestants[i];
        const struct summary wall = summarize(c->wall, contest->rounds);
        const struct summary device = summarize(c->device, contest->rounds);
        fprintf(file, "%s,%s,%s,%zu,%zu,%zu,%s,%s,%.9f,%.9f,%.9f,%.9f,%.9f,%.4f,%.4f,%.4f,%.4f\n",
                clact_operator_name(job->op), job_direction_name(job), clact_dtype_name(job->dtype),
                contest->n, contest->rounds, contest->slices, c->name, c->way, wall.median,
                wall.spread, device.median, device.spread, device.least,
                1e-9 * (double)contest->n / device.median, gigabytes(contest) / device.median,
                median_ratio(c->wall, contest->contestants[0].wall, contest->rounds),
                speedup(contest, c));
    }
}

double report_speedup(const struct contest *contest, const char *rival)
{
    for (size_t i = 1, next; i < contest->count; i = next) {
        const struct contestant *best = fastest(contest, i, &next);
        if (strcmp(best->name, rival) == 0)
            return speedup(contest, best);
    }
    return 0;
}
