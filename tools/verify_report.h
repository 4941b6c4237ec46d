/* SPDX-License-Identifier: MIT */
/* What clact verify has found, as text for people and for programs. */
#ifndef CLACT_TOOLS_VERIFY_REPORT_H
#define CLACT_TOOLS_VERIFY_REPORT_H

#include "accuracy.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct verify_report {
    clact_device_info device;
    bool doubles;    /* how f32 results were computed */
    bool exhaustive; /* what was asked for */
    bool lacks_f64;  /* it was not asked for, and there is none or nothing to judge it by */
    struct accuracy *rows;
    size_t row_count;
    double seconds;
};

/* The report on standard output: what stands above the table, then row after row as they come, then
 * the rest. */
void verify_print_head(const struct verify_report *report);
void verify_print_row(const struct accuracy *row);
void verify_print_tail(const struct verify_report *report);

/* How many rows break a promise. */
size_t verify_broken(const struct verify_report *report);

/* All figures with all their digits; and the tables of the documentation. Whether that worked is to be
 * seen from ferror(). */
void verify_write_csv(const struct verify_report *report, FILE *file);
void verify_write_markdown(const struct verify_report *report, FILE *file);

#endif
