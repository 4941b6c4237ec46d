/* SPDX-License-Identifier: MIT */
/*
 * A measurement that went wrong anywhere is worth nothing: all of these end the program with one
 * line on stderr and exit status 1. Nothing has been written to a file by then.
 */
#ifndef CLACT_BENCH_CHECK_H
#define CLACT_BENCH_CHECK_H

#include <clact/clact.h>

#include <getopt.h>
#include <stddef.h>

/* The program's name, which the line starts with. Set it first. */
extern const char *check_program;

/* What ends the program, given the line without the program's name; it must not return. A program
 * that has more to do at its end puts a function of its own here. */
extern void (*check_end)(const char *text);

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void die(const char *format, ...);

/* Unless code is CL_SUCCESS. */
void check_cl(cl_int code, const char *call);

/* Unless status is CLACT_SUCCESS. ctx may be NULL, as for clact_last_error. */
void check_clact(const clact_context *ctx, clact_status status);

/* malloc of count elements of `size` bytes. */
void *check_allocate(size_t count, size_t size);

enum { CHECK_HELP = 'h' }; /* the value of --help */

/* The value of the next long option, or -1 at the end. Prints `usage` and exits on --help; ends the
 * program where something else than these options is there. */
int check_option(int argc, char **argv, const struct option *options, const char *usage);

/* The number that an option's text says, from `low` to `high`. */
size_t check_size(const char *option, const char *text, size_t low, size_t high);
double check_number(const char *option, const char *text, double low, double high);

#endif
