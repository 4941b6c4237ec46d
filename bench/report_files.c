/* SPDX-License-Identifier: MIT */
/* The report as comma-separated values and as JSON. */
#include "peer.h"
#include "report.h"

#include <math.h>
#include <stdbool.h>

/* Figures that do not exist are empty in the one and null in the other. */
static void write_number(FILE *file, const char *missing, double value)
{
    if (isnan(value))
        fputs(missing, file);
    else
        fprintf(file, "%.6g", value);
}

/* Of a contestant. */
static bool is_best(const struct contest *contest, const struct contestant *c)
{
    return contest_fastest(contest, c->name) == c;
}

/* Comma-separated values. */

void report_csv_start(const struct report_origin *origin, FILE *file)
{
    fputs("# ", file);
    report_origin_line(origin, file);
    fputs(
        "operator,direction,dtype,n,place,rounds,runs,others_cpu,contestant,way,best,wall_median_s,"
        "wall_spread_s,wall_least_s,device_median_s,device_spread_s,device_least_s,gelem_per_s,"
        "gbyte_per_s,clact_speedup_wall,clact_speedup_wall_spread,clact_speedup_device,"
        "clact_speedup_device_spread\n",
        file);
}

static void write_fields(FILE *file, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputc(',', file);
        write_number(file, "", values[i]);
    }
}

static void write_times_fields(FILE *file, struct summary times)
{
    write_fields(file, (const double[]){times.median, times.spread, times.least}, 3);
}

void report_csv_add(const struct contest *contest, FILE *file)
{
    const struct job *job = contest->job;
    for (size_t i = 0; i < contest->count; i++) {
        const struct contestant *c = &contest->contestants[i];
        const struct summary wall = contest_times(contest, c, WALL);
        const struct summary by_wall = contest_speedup(contest, c, WALL);
        const struct summary by_device = contest_speedup(contest, c, DEVICE);
        fprintf(file, "%s,%s,%s,%zu,%s,%zu,%zu,", clact_operator_name(job->op),
                job_direction_name(job), clact_dtype_name(job->dtype), contest->n,
                contest->in_cache ? "cache" : "memory", contest->rounds, contest->runs);
        write_number(file, "", contest->others);
        fprintf(file, ",%s,%s,%d", c->name, c->way, is_best(contest, c));
        write_times_fields(file, wall);
        write_times_fields(file, contest_times(contest, c, DEVICE));
        write_fields(file,
                     (const double[]){report_gelements(contest, wall.median),
                                      report_gigabytes(contest, wall.median), by_wall.median,
                                      by_wall.spread, by_device.median, by_device.spread},
                     6);
        fputc('\n', file);
    }
}

/* JSON. */

static void write_string(FILE *file, const char *name, const char *text)
{
    fprintf(file, "\"%s\": \"", name);
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fputc('\\', file);
        if (byte < ' ')
            fprintf(file, "\\u%04x", byte);
        else
            fputc(byte, file);
    }
    fputc('"', file);
}

void report_json_start(const struct report_origin *origin, FILE *file)
{
    const clact_device_info *device = &origin->device;
    fputs("{\"origin\": {", file);
    write_string(file, "clact", clact_version_string());
    fputs(", ", file);
    write_string(file, "platform", device->platform_name);
    fputs(", ", file);
    write_string(file, "device", device->name);
    fputs(", ", file);
    write_string(file, "version", device->version);
    fputs(", ", file);
    write_string(file, "driver", device->driver);
    fprintf(file, ", \"threads\": %u, \"cache_bytes\": %llu, ", origin->threads,
            (unsigned long long)origin->cache);
    write_string(file, "date", origin->date);
    fputs(", \"peers\": {", file);
    for (size_t i = 0; i < origin->peer_count; i++) {
        fputs(i == 0 ? "" : ", ", file);
        write_string(file, origin->peers[i].name, origin->peers[i].version);
    }
    fputs("}},\n\"contests\": [", file);
}

static void write_summary(FILE *file, const char *name, struct summary summary, bool with_least)
{
    fprintf(file, ", \"%s\": ", name);
    if (isnan(summary.median)) {
        fputs("null", file);
        return;
    }
    fputs("{\"median\": ", file);
    write_number(file, "null", summary.median);
    fputs(", \"spread\": ", file);
    write_number(file, "null", summary.spread);
    if (with_least) {
        fputs(", \"least\": ", file);
        write_number(file, "null", summary.least);
    }
    fputc('}', file);
}

static void write_contestant(const struct contest *contest, const struct contestant *c, FILE *file)
{
    const struct summary wall = contest_times(contest, c, WALL);
    fputs("\n   {", file);
    write_string(file, "name", c->name);
    fputs(", ", file);
    write_string(file, "way", c->way);
    fprintf(file, ", \"best\": %s", is_best(contest, c) ? "true" : "false");
    write_summary(file, "wall_s", wall, true);
    write_summary(file, "device_s", contest_times(contest, c, DEVICE), true);
    fprintf(file, ", \"gelem_per_s\": %.6g, \"gbyte_per_s\": %.6g",
            report_gelements(contest, wall.median), report_gigabytes(contest, wall.median));
    write_summary(file, "clact_speedup_wall", contest_speedup(contest, c, WALL), false);
    write_summary(file, "clact_speedup_device", contest_speedup(contest, c, DEVICE), false);
    fputc('}', file);
}

void report_json_add(const struct contest *contest, bool is_first, FILE *file)
{
    const struct job *job = contest->job;
    fputs(is_first ? "\n  " : ",\n  ", file);
    fprintf(file,
            "{\"operator\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", \"n\": %zu, "
            "\"in_cache\": %s, \"rounds\": %zu, \"runs\": %zu, \"others_cpu\": ",
            clact_operator_name(job->op), job_direction_name(job), clact_dtype_name(job->dtype),
            contest->n, contest->in_cache ? "true" : "false", contest->rounds, contest->runs);
    write_number(file, "null", contest->others);
    fputs(", \"contestants\": [", file);
    for (size_t i = 0; i < contest->count; i++) {
        fputs(i == 0 ? "" : ",", file);
        write_contestant(contest, &contest->contestants[i], file);
    }
    fputs("]}", file);
}

void report_json_contests_end(FILE *file)
{
    fputs("\n]", file);
}

void report_json_end(FILE *file)
{
    fputs("}\n", file);
}
