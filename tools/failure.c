/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fill(struct failure *why, int exit_status, const char *format, va_list arguments)
{
    why->exit_status = exit_status;
    if (vsnprintf(why->text, sizeof why->text, format, arguments) < 0)
        why->text[0] = '\0';
    return false;
}

bool fail(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(why, EXIT_FAILURE, format, arguments);
    va_end(arguments);
    return false;
}

bool fail_usage(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(why, EXIT_USAGE, format, arguments);
    va_end(arguments);
    return false;
}

bool fail_errno(struct failure *why, const char *path)
{
    return fail(why, "%s: %s", path, strerror(errno));
}

bool fail_in(struct failure *why, const char *path)
{
    struct failure inner = *why;
    fail(why, "%s: %s", path, inner.text);
    why->exit_status = inner.exit_status;
    return false;
}

int failure_print(const struct failure *why)
{
    char line[sizeof why->text];
    size_t length = strlen(why->text);
    while (length > 0 && (why->text[length - 1] == '\n' || why->text[length - 1] == ' '))
        length--;
    for (size_t i = 0; i < length; i++) {
        /* A file name, a header or a compiler's log may hold line ends and escape sequences. */
        unsigned char byte = (unsigned char)why->text[i];
        line[i] = byte == '\n' || byte == '\t' ? ' ' : byte < ' ' || byte == 127 ? '?' : (char)byte;
    }
    fprintf(stderr, "clact: %.*s\n", (int)length, line);
    return why->exit_status;
}
