/* SPDX-License-Identifier: MIT */
/*
 * Why a command failed. Nothing below main() prints an error: it fills one of these in, gives back
 * what it holds and returns false, so that there is exactly one line on stderr, printed last.
 */
#ifndef CLACT_TOOLS_FAILURE_H
#define CLACT_TOOLS_FAILURE_H

#include <stdbool.h>

enum { EXIT_USAGE = 2 };

struct failure {
    int exit_status;
    char text[8192];
};

#if defined(__GNUC__)
#define FAILURE_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define FAILURE_FORMAT
#endif

/* Both return false, so that a caller can return their value. */
FAILURE_FORMAT bool fail(struct failure *why, const char *format, ...);
FAILURE_FORMAT bool fail_usage(struct failure *why, const char *format, ...);

/* "PATH: what errno says". */
bool fail_errno(struct failure *why, const char *path);

/* Puts "PATH: " before what is there. */
bool fail_in(struct failure *why, const char *path);

/* Prints "clact: TEXT" as one line, whatever bytes the text holds, and returns the exit status. */
int failure_print(const struct failure *why);

#endif
