/* SPDX-License-Identifier: MIT */
/* clact devices. */
#include "commands.h"
#include "fail_status.h"

#include <clact/clact.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 11, CELL = 128 };

/* The figures of one device. Its other names, which are long, get a line of their own. */
typedef char row_of_cells[COLUMNS][CELL];

static const char *const titles[COLUMNS] = {
    "", "#", "type", "memory", "largest", "units", "f64", "subnormals", "shared", "usable", "name"};

static const char *type_name(cl_device_type type)
{
    return type & CL_DEVICE_TYPE_GPU           ? "GPU"
           : type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
           : type & CL_DEVICE_TYPE_CPU         ? "CPU"
                                               : "other";
}

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

static void put_text(char *cell, const char *text)
{
    snprintf(cell, CELL, "%s", text);
}

static void put_size(char *cell, cl_ulong bytes)
{
    const double gib = 1073741824.0, mib = 1048576.0;
    double value = (double)bytes;
    if (value >= gib)
        snprintf(cell, CELL, "%.1f GiB", value / gib);
    else
        snprintf(cell, CELL, "%.1f MiB", value / mib);
}

static void fill_row(row_of_cells row, const clact_device_info *info, size_t index, bool chosen)
{
    put_text(row[0], chosen ? "*" : "");
    snprintf(row[1], CELL, "%zu", index);
    put_text(row[2], type_name(info->type));
    put_size(row[3], info->global_memory);
    put_size(row[4], info->largest_allocation);
    snprintf(row[5], CELL, "%u", (unsigned)info->compute_units);
    put_text(row[6], yes_no(info->has_f64));
    put_text(row[7], yes_no(info->has_subnormals));
    put_text(row[8], yes_no(info->shares_host_memory));
    put_text(row[9], yes_no(info->usable));
    put_text(row[10], info->name);
}

static void measure(row_of_cells *rows, size_t count, int widths[COLUMNS])
{
    for (size_t r = 0; r < count; r++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            int length = (int)strlen(rows[r][c]);
            widths[c] = length > widths[c] ? length : widths[c];
        }
    }
}

static void print_row(row_of_cells row, const int widths[COLUMNS])
{
    for (size_t c = 0; c + 1 < COLUMNS; c++)
        printf("%-*s  ", widths[c], row[c]);
    puts(row[COLUMNS - 1]);
}

static bool print_table(const clact_device_info *infos, size_t count, cl_device_id chosen,
                        struct failure *why)
{
    int widths[COLUMNS] = {0};
    row_of_cells *rows = calloc(count + 1, sizeof *rows);
    if (rows == NULL)
        return fail(why, "out of memory");
    for (size_t c = 0; c < COLUMNS; c++)
        put_text(rows[0][c], titles[c]);
    for (size_t i = 0; i < count; i++)
        fill_row(rows[i + 1], &infos[i], i, infos[i].device == chosen);
    measure(rows, count + 1, widths);
    print_row(rows[0], widths);
    for (size_t i = 0; i < count; i++) {
        print_row(rows[i + 1], widths);
        printf("%*s%s, %s, driver %s\n", widths[0] + 2 + widths[1] + 2, "", infos[i].platform_name,
               infos[i].version, infos[i].driver);
    }
    free(rows);
    if (chosen != NULL)
        puts("\n* is the device that clact uses. Choose with --device NAME or CLACT_DEVICE=NAME:\n"
             "any part of a name or platform will do.");
    return true;
}

/* Which device would be used is best known to the call that chooses. */
static bool find_chosen(const char *name, cl_device_id *chosen, struct failure *why)
{
    clact_context *context = NULL;
    clact_options options = {.device = name};
    clact_status status = clact_context_create(&options, &context);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    *chosen = clact_context_device(context);
    clact_context_destroy(context);
    return true;
}

static bool list(const char *name, struct failure *why)
{
    size_t count = 0;
    cl_device_id chosen = NULL;
    clact_status status = clact_devices(0, NULL, &count);
    if (status != CLACT_SUCCESS)
        return fail_status(why, NULL, status);
    if (count == 0)
        return fail(why, "no OpenCL device was found; on a machine without a GPU, PoCL makes one"
                         " of the CPU (Debian: pocl-opencl-icd)");
    clact_device_info *infos = calloc(count, sizeof *infos);
    if (infos == NULL)
        return fail(why, "out of memory");
    size_t capacity = count;
    status = clact_devices(capacity, infos, &count);
    bool good = status == CLACT_SUCCESS || fail_status(why, NULL, status);
    bool found = good && find_chosen(name, &chosen, why);
    if (good)
        good = print_table(infos, count < capacity ? count : capacity, chosen, why);
    free(infos);
    return good && found;
}

bool devices_command(int argc, char **argv, struct failure *why)
{
    static const struct option options[] = {
        {"device", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *name = NULL;
    int character;
    while ((character = getopt_long(argc, argv, ":d:h", options, NULL)) != -1) {
        if (character == 'h') {
            puts(
                "Usage: clact devices [OPTIONS]\n"
                "\n"
                "Lists the OpenCL devices of this machine, those that clact prefers first, and\n"
                "marks the one that it would use. \"largest\" is the largest single allocation;\n"
                "larger arrays go through in pieces. \"subnormals\" says whether results below\n"
                "1.2e-38 are kept, \"shared\" whether the device works in the host's memory,\n"
                "\"usable\" whether clact can run on it.\n"
                "\n"
                "Options:\n"
                "  -d, --device NAME   mark the device that has NAME in its own or its platform's\n"
                "                      name\n"
                "  -h, --help          print this text");
            return true;
        }
        if (character != 'd')
            return fail_option(why, character, argv);
        name = optarg;
    }
    if (optind != argc)
        return fail_usage(why, "devices needs no '%s'; see clact devices --help", argv[optind]);
    return list(name, why);
}
