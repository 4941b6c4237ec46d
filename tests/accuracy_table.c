/* SPDX-License-Identifier: MIT */
#include "accuracy_table.h"

#include <inttypes.h>
#include <stdio.h>

struct row {
    const struct op_case *c;
    struct ulp_stats stats;
    bool all;
};

static struct row rows[1000];
static size_t row_count;

int accuracy_table_add(const struct op_case *c, const struct ulp_stats *stats, bool all)
{
    if (row_count == sizeof rows / sizeof rows[0])
        return -1;
    rows[row_count++] = (struct row){c, *stats, all};
    return 0;
}

static int write_class(const struct ulp_class *class, double budget, FILE *file)
{
    if (class->count == 0)
        return fprintf(file, " | - | -");
    return fprintf(file, " | %.4f (%g) | `%a`", class->worst.error, budget, class->worst.x);
}

static int write_row(const struct row *row, FILE *file)
{
    const struct ulp_stats *stats = &row->stats;
    uint64_t count = stats->normal.count + stats->subnormal.count;
    uint64_t rounded = stats->normal.rounded + stats->subnormal.rounded;
    if (fprintf(file, "| %s | %s%" PRIu64, row->c->name, row->all ? "all " : "", count) < 0 ||
        write_class(&stats->normal, case_budget(row->c, false), file) < 0 ||
        write_class(&stats->subnormal, case_budget(row->c, true), file) < 0)
        return -1;
    return fprintf(file, " | %.3f%% |\n", 100 * (double)rounded / (double)count);
}

static int write_table(const clact_device_info *device, FILE *file)
{
    if (fprintf(file,
                "Largest errors in ULP, and the bounds that are promised in parentheses, as "
                "measured on %s (%s, driver %s).\n\n"
                "| case | operands | normal results | at | subnormal results | at | correctly "
                "rounded |\n|---|---|---|---|---|---|---|\n",
                device->name, device->version, device->driver) < 0)
        return -1;
    for (size_t i = 0; i < row_count; i++)
        if (write_row(&rows[i], file) < 0)
            return -1;
    return 0;
}

int accuracy_table_write(const char *path, const clact_device_info *device)
{
    char part[4096];
    int length = snprintf(part, sizeof part, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof part)
        return -1;
    FILE *file = fopen(part, "w");
    if (file == NULL)
        return -1;
    int written = write_table(device, file);
    if (fclose(file) != 0 || written != 0 || rename(part, path) != 0) {
        remove(part);
        return -1;
    }
    return 0;
}
