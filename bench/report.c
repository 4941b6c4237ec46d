/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "check.h"
#include "peer.h"

#include <math.h>
#include <string.h>
#include <time.h>

void report_fill_origin(struct report_origin *origin, const clact_context *ctx,
                        const struct contest_plan *plan)
{
    const time_t seconds = time(NULL);
    const struct tm *utc = gmtime(&seconds);
    *origin = (struct report_origin){.peers = plan->peers, .peer_count = plan->peer_count};
    check_clact(ctx, clact_context_info(ctx, &origin->device));
    check_cl(clGetDeviceInfo(origin->device.device, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE,
                             sizeof origin->cache, &origin->cache, NULL),
             "clGetDeviceInfo");
    origin->threads = (unsigned)origin->device.compute_units;
    if (utc != NULL)
        strftime(origin->date, sizeof origin->date, "%Y-%m-%d", utc);
}

void report_origin_line(const struct report_origin *origin, FILE *file)
{
    fprintf(file, "clact %s, %s, %s, driver %s, %u %s, %.1f MiB of cache, %s",
            clact_version_string(), origin->device.name, origin->device.version,
            origin->device.driver, origin->threads,
            origin->device.type & CL_DEVICE_TYPE_CPU ? "threads" : "compute units",
            (double)origin->cache / 1048576, origin->date);
    for (size_t i = 0; i < origin->peer_count; i++)
        fprintf(file, "%s%s", i == 0 ? ", beside " : ", ", origin->peers[i].version);
    fputc('\n', file);
}

double report_gigabytes(const struct contest *contest, double seconds)
{
    const unsigned arrays = job_inputs(contest->job) + 1;
    const size_t size = clact_dtype_size(contest->job->dtype);
    return 1e-9 * (double)contest->n * (double)size * arrays / seconds;
}

double report_gelements(const struct contest *contest, double seconds)
{
    return 1e-9 * (double)contest->n / seconds;
}

size_t report_names(const struct contest *contest, const char *names[MOST_CONTESTANTS])
{
    size_t count = 0;
    for (size_t i = 0; i < contest->count; i++)
        if (i == 0 || strcmp(contest->contestants[i].name, contest->contestants[i - 1].name) != 0)
            names[count++] = contest->contestants[i].name;
    return count;
}

/* A median and its spread, in the unit that a factor makes of them. */
static void print_summary(struct summary summary, double factor, int digits)
{
    if (isnan(summary.median))
        printf("%10s %-8s", "-", "");
    else
        printf("%10.*f %-8.*f", digits, summary.median * factor, digits, summary.spread * factor);
}

static void print_row(const struct contest *contest, const struct contestant *c)
{
    const struct summary wall = contest_times(contest, c, WALL);
    printf("  %-16s", c->name);
    print_summary(wall, 1e3, 4);
    print_summary(contest_times(contest, c, DEVICE), 1e3, 4);
    printf("%9.3f%9.2f", report_gelements(contest, wall.median),
           report_gigabytes(contest, wall.median));
    if (c != &contest->contestants[0]) {
        print_summary(contest_speedup(contest, c, WALL), 1, 2);
        print_summary(contest_speedup(contest, c, DEVICE), 1, 2);
        printf("  %s", c->way);
    }
    putchar('\n');
}

void report_table(const struct contest *contest)
{
    const struct job *job = contest->job;
    const char *names[MOST_CONTESTANTS];
    const size_t count = report_names(contest, names);
    printf("\n%s %s %s: %zu elements, %s, %zu rounds", clact_operator_name(job->op),
           job_direction_name(job), clact_dtype_name(job->dtype), contest->n,
           contest->in_cache ? "in the cache" : "in memory", contest->rounds);
    if (contest->others >= 0.05)
        printf("; others used %.0f %% of the CPUs", 100 * contest->others);
    putchar('\n');
    printf("  %-16s%10s %-8s%10s %-8s%9s%9s%19s%19s  %s\n", "", "wall ms", "+-", "device ms", "+-",
           "Gelem/s", "GB/s", "clact is, wall +-", "device +-", "  way");
    for (size_t i = 0; i < count; i++)
        print_row(contest, contest_fastest(contest, names[i]));
    fflush(stdout);
}
