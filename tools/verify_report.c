/* SPDX-License-Identifier: MIT */
#include "verify_report.h"

#include "verify_cells.h"

#include <inttypes.h>
#include <string.h>

static const int widths[CELLS] = {24, 11, 5, 14, 15, 14, 17, 14, 8, 15, 7, 7};
enum { SPECIAL_WIDTH = 11 };

static void print_cells(const char *const cells[CELLS])
{
    for (size_t i = 0; i + 1 < CELLS; i++)
        printf("%-*s  ", widths[i], cells[i]);
    puts(cells[CELLS - 1]);
}

void verify_print_head(const struct verify_report *report)
{
    printf("%s\n%s, %s, driver %s\n", report->device.name, report->device.platform_name,
           report->device.version, report->device.driver);
    if (!report->device.has_subnormals)
        puts("It flushes subnormal numbers: results that would be subnormal may be 0.");
    if (report->lacks_f64)
        puts("f64 is left out: the device has none, or this machine nothing to judge it by.");
    putchar('\n');
    print_cells(verify_titles);
    fflush(stdout);
}

/* A row that is not as promised is followed by what is not. */
void verify_print_row(const struct accuracy *row)
{
    verify_cells cells;
    const char *pointers[CELLS];
    char broken[4096];
    verify_fill_cells(row, cells);
    for (size_t i = 0; i < CELLS; i++)
        pointers[i] = cells[i];
    print_cells(pointers);
    accuracy_explain(row, broken, sizeof broken);
    for (char *line = strtok(broken, "\n"); line != NULL; line = strtok(NULL, "\n"))
        printf("    %s\n", line);
}

static void print_special_row(const struct accuracy *row)
{
    char cell[48];
    printf("%-*s  %-*s", widths[CELL_OPERATOR], clact_operator_name(row->c->op),
           widths[CELL_DIRECTION], direction_name(row->c->direction));
    for (size_t i = 0; i < SPECIAL_VALUES; i++) {
        verify_fill_special(&row->special.at[i], cell);
        printf("  %-*s", i + 1 < SPECIAL_VALUES ? SPECIAL_WIDTH : 0, cell);
    }
    putchar('\n');
}

static void print_special(const struct verify_report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->row_count; i++)
        any = any || verify_shows_special(&report->rows[i]);
    if (!any)
        return;
    puts("\nf32 results at special values: the largest numbers, the smallest normal ones (min) and"
         " the smallest (tiny)");
    printf("%-*s  %-*s", widths[CELL_OPERATOR], "operator", widths[CELL_DIRECTION], "direction");
    for (size_t i = 0; i < SPECIAL_VALUES; i++)
        printf("  %-*s", i + 1 < SPECIAL_VALUES ? SPECIAL_WIDTH : 0, special_value_name(i));
    putchar('\n');
    for (size_t i = 0; i < report->row_count; i++)
        if (verify_shows_special(&report->rows[i]))
            print_special_row(&report->rows[i]);
}

size_t verify_broken(const struct verify_report *report)
{
    size_t broken = 0;
    for (size_t i = 0; i < report->row_count; i++)
        broken += !accuracy_holds(&report->rows[i]);
    return broken;
}

static uint64_t operands_of(const struct ulp_stats *stats)
{
    return stats->normal.count + stats->subnormal.count;
}

void verify_print_tail(const struct verify_report *report)
{
    uint64_t operands = 0;
    const size_t broken = verify_broken(report);
    for (size_t i = 0; i < report->row_count; i++)
        operands += operands_of(&report->rows[i].stats) + operands_of(&report->rows[i].any_grad);
    print_special(report);
    printf("\n%zu rows, %" PRIu64 " results judged in %.0f s (%.1f million per second): ",
           report->row_count, operands, report->seconds, 1e-6 * (double)operands / report->seconds);
    if (broken == 0)
        puts("every promise holds");
    else
        printf("%zu FAIL\n", broken);
    fflush(stdout); /* before anything that goes to standard error */
}
