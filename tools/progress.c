/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double first_after = 1.0; /* seconds */
static const double again_after = 0.1;

static struct {
    bool wanted;
    bool bytes;
    uint64_t total;
    const char *label; /* NULL if there is none */
    double start;
    double drawn;
} bar;
static volatile sig_atomic_t visible;

static double now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        return 0.0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

/* A bar that cannot be drawn is not worth ending the work for. */
static void put(const char *text, size_t length)
{
    ssize_t ignored = write(STDERR_FILENO, text, length);
    (void)ignored;
}

static void format_time(char *text, size_t size, double seconds)
{
    if (seconds < 600)
        snprintf(text, size, "%.0f s", seconds);
    else
        snprintf(text, size, "%.0f min", seconds / 60);
}

/* What stands between the percentage and the time that is left. */
static void format_detail(char *text, size_t size, uint64_t done, double elapsed)
{
    if (bar.bytes)
        snprintf(text, size, "%.2f of %.2f GB  %.0f MB/s  ", 1e-9 * (double)done,
                 1e-9 * (double)bar.total, 1e-6 * (double)done / elapsed);
    else
        snprintf(text, size, "%s%s", bar.label != NULL ? bar.label : "",
                 bar.label != NULL ? "  " : "");
}

static void draw(uint64_t done, double elapsed)
{
    enum { WIDEST = 40, FIGURES = 48 };
    char filled[WIDEST + 1];
    char detail[80];
    char left[32];
    char line[WIDEST + 160];
    double part = (double)done / (double)bar.total;
    int room = terminal_columns() - FIGURES;
    int width = room < 0 ? 0 : room > WIDEST ? WIDEST : room;
    int full = (int)(part * width);
    memset(filled, '#', sizeof filled);
    format_detail(detail, sizeof detail, done, elapsed);
    format_time(left, sizeof left, done == 0 ? 0.0 : elapsed * (1.0 - part) / part);
    int length = snprintf(line, sizeof line, "\r\x1b[K[%.*s%*s] %3.0f%%  %s%s left", full, filled,
                          width - full, "", 100.0 * part, detail, left);
    if (length <= 0)
        return;
    visible = 1;
    put(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static void start(uint64_t total, bool bytes)
{
    bar.wanted = total > 0 && isatty(STDERR_FILENO);
    bar.bytes = bytes;
    bar.total = total;
    bar.label = NULL;
    bar.start = now();
    bar.drawn = 0.0;
}

void progress_start(uint64_t total)
{
    start(total, true);
}

void progress_start_work(uint64_t total)
{
    start(total, false);
}

void progress_label(const char *label)
{
    bar.label = label;
}

void progress_update(uint64_t done)
{
    if (!bar.wanted)
        return;
    double elapsed = now() - bar.start;
    if (elapsed < first_after || elapsed < bar.drawn + again_after)
        return;
    bar.drawn = elapsed;
    draw(done, elapsed);
}

void progress_erase(void)
{
    if (!visible)
        return;
    visible = 0;
    put("\r\x1b[K", 4);
}
