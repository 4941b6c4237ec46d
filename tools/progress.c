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
    uint64_t total;
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

static void draw(uint64_t done, double elapsed)
{
    enum { WIDEST = 40, FIGURES = 48 };
    char filled[WIDEST + 1];
    char line[WIDEST + 128];
    double part = (double)done / (double)bar.total;
    double left = done == 0 ? 0.0 : elapsed * (1.0 - part) / part;
    int room = terminal_columns() - FIGURES;
    int width = room < 0 ? 0 : room > WIDEST ? WIDEST : room;
    int full = (int)(part * width);
    memset(filled, '#', sizeof filled);
    int length = snprintf(line, sizeof line,
                          "\r\x1b[K[%.*s%*s] %3.0f%%  %.2f of %.2f GB  %.0f MB/s  %.0f s left",
                          full, filled, width - full, "", 100.0 * part, 1e-9 * (double)done,
                          1e-9 * (double)bar.total, 1e-6 * (double)done / elapsed, left);
    if (length <= 0)
        return;
    visible = 1;
    put(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void progress_start(uint64_t total)
{
    bar.wanted = total > 0 && isatty(STDERR_FILENO);
    bar.total = total;
    bar.start = now();
    bar.drawn = 0.0;
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
