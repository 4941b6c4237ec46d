/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

const char *check_program = "";

static void print_and_exit(const char *text)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", check_program, text);
    exit(1);
}

void (*check_end)(const char *text) = print_and_exit;

void die(const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check_end(text);
    abort(); /* check_end does not return */
}

void check_cl(cl_int code, const char *call)
{
    if (code != CL_SUCCESS)
        die("%s failed with %d", call, (int)code);
}

void check_clact(const clact_context *ctx, clact_status status)
{
    if (status != CLACT_SUCCESS)
        die("%s: %s", clact_status_string(status), clact_last_error(ctx)->message);
}

void *check_allocate(size_t count, size_t size)
{
    void *memory = count <= SIZE_MAX / size ? malloc(count * size + 1) : NULL;
    if (memory == NULL)
        die("out of memory");
    return memory;
}

int check_option(int argc, char **argv, const struct option *options, const char *usage)
{
    opterr = 0;
    int option = getopt_long(argc, argv, "", options, NULL);
    if (option == '?')
        die("'%s' is not understood; see --help", argv[optind - 1]);
    if (option == -1 && optind != argc)
        die("'%s' is not understood; see --help", argv[optind]);
    if (option == CHECK_HELP) {
        fputs(usage, stdout);
        exit(fflush(stdout) == 0 ? 0 : 1);
    }
    return option;
}

size_t check_size(const char *option, const char *text, size_t low, size_t high)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
        die("--%s must be a number from %zu to %zu, not '%s'", option, low, high, text);
    return (size_t)value;
}

double check_number(const char *option, const char *text, double low, double high)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high))
        die("--%s must be a number from %g to %g, not '%s'", option, low, high, text);
    return value;
}
