/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first line of Linux's /proc/stat: user, nice, system, idle, waiting, interrupts, soft interrupts,
 * and what a hypervisor gave to other machines. */
static void read_cpus(struct load *load)
{
    enum { IDLE = 3, WAITING = 4, FIGURES = 8 };
    double figures[FIGURES] = {0};
    load->total = NAN;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL)
        return;
    if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &figures[0], &figures[1], &figures[2],
               &figures[3], &figures[4], &figures[5], &figures[6], &figures[7]) == FIGURES) {
        load->total = 0;
        for (size_t i = 0; i < FIGURES; i++)
            load->total += figures[i];
        load->busy = load->total - figures[IDLE] - figures[WAITING];
    }
    fclose(file);
}

/* A process's time in its own code and in the system's, the fields 14 and 15 of its stat. */
static double read_process(pid_t process)
{
    char path[64], text[1024];
    double user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    /* The second field is a name in parentheses, which may hold anything. */
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL ||
        sscanf(name_end + 1, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lf %lf", &user,
               &system) != 2)
        return 0;
    return user + system;
}

struct load load_now(const pid_t *peers, size_t peer_count)
{
    struct load load = {0};
    read_cpus(&load);
    load.own = read_process(getpid());
    for (size_t i = 0; i < peer_count; i++)
        load.own += read_process(peers[i]);
    return load;
}

double load_of_others(const struct load *before, const struct load *after)
{
    const double total = after->total - before->total;
    const double others = after->busy - before->busy - (after->own - before->own);
    if (!(total > 0))
        return NAN;
    return others > 0 ? others / total : 0;
}
