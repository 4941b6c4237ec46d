/* SPDX-License-Identifier: MIT */
#include "peer_worker.h"

#include "samples.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *worker_slice(const struct worker_job *job, unsigned array, size_t slice)
{
    return job->arrays[array] + slice * job->n * job->size;
}

static void free_arrays(struct worker_job *job)
{
    for (unsigned i = 0; i < 3; i++)
        free(job->arrays[i]);
    memset(job->arrays, 0, sizeof job->arrays);
}

static void poison(const struct worker_job *job, size_t slice, size_t count)
{
    memset(worker_slice(job, (unsigned)job->inputs, slice), 0xff, count * job->n * job->size);
}

/* Repeats a pattern of `bytes` bytes over an array of the job. */
static void fill(const struct worker_job *job, unsigned array, const unsigned char *pattern,
                 size_t bytes)
{
    const size_t total = job->slices * job->n * job->size;
    for (size_t done = 0; done < total; done += bytes)
        memcpy(job->arrays[array] + done, pattern, total - done < bytes ? total - done : bytes);
}

static bool parse_job(struct worker_job *job, size_t *bytes, const char *request)
{
    if (sscanf(request, "job %63s %63s %63s %zu %zu %lf %lf %lf %zu", job->op, job->direction,
               job->dtype, &job->n, &job->slices, &job->alpha, &job->beta, &job->gamma, bytes) != 9)
        return false;
    job->inputs = strcmp(job->direction, "forward") == 0 ? 1 : 2;
    *bytes /= job->inputs;
    job->size = *bytes / SAMPLES_PATTERN;
    return true;
}

/* Reads the inputs' patterns, and makes arrays of them if they are wanted. */
static bool receive_arrays(struct worker_job *job, size_t bytes, bool are_wanted)
{
    unsigned char *pattern = malloc(bytes);
    bool good = pattern != NULL;
    for (unsigned i = 0; i <= job->inputs && good && are_wanted; i++) {
        void *memory = NULL;
        good = posix_memalign(&memory, 4096, job->slices * job->n * job->size) == 0;
        job->arrays[i] = memory;
    }
    for (unsigned i = 0; i < job->inputs && good; i++) {
        good = fread(pattern, 1, bytes, stdin) == bytes;
        if (good && are_wanted)
            fill(job, i, pattern, bytes);
    }
    free(pattern);
    if (good && are_wanted)
        poison(job, 0, job->slices);
    return good;
}

static bool enter(const struct worker_library *library, struct worker_job *job, const char *request)
{
    size_t bytes = 0;
    if (!parse_job(job, &bytes, request))
        return false;
    const char *way = library->enter(job);
    if (!receive_arrays(job, bytes, way != NULL))
        return false;
    if (way == NULL)
        puts("no");
    else
        printf("yes %.17g %.17g %.17g %s\n", job->alpha, job->beta, job->gamma, way);
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The answer comes when all runs are done, so that writing it disturbs none. */
static bool run(const struct worker_library *library, const struct worker_job *job,
                const char *request)
{
    enum { MOST = 64 };
    double seconds[MOST];
    size_t slice = 0, count = 0;
    if (sscanf(request, "run %zu %zu", &slice, &count) != 2 || count > MOST)
        return false;
    for (size_t i = 0; i < count; i++) {
        const double start = now();
        if (library->run(job, (slice + i) % job->slices) != 0)
            return false;
        seconds[i] = now() - start;
    }
    for (size_t i = 0; i < count; i++)
        printf("%.9f ", seconds[i]);
    putchar('\n');
    return true;
}

static void sample(const struct worker_job *job, size_t slice)
{
    const unsigned char *output = worker_slice(job, (unsigned)job->inputs, slice);
    for (size_t k = 0; k < SAMPLES; k++) {
        const unsigned char *element = output + sample_place(job->n, k) * job->size;
        uint32_t wide = 0;
        uint16_t narrow = 0;
        if (job->size == sizeof wide)
            memcpy(&wide, element, sizeof wide);
        else
            memcpy(&narrow, element, sizeof narrow);
        printf("%" PRIx32 " ", job->size == sizeof wide ? wide : narrow);
    }
    putchar('\n');
}

/* False if the request or what it asks for is beyond this process: then it ends. */
static bool serve(const struct worker_library *library, struct worker_job *job, const char *request)
{
    size_t slice = 0;
    if (strncmp(request, "job ", 4) == 0)
        return enter(library, job, request);
    if (strncmp(request, "run ", 4) == 0)
        return run(library, job, request);
    if (sscanf(request, "sample %zu", &slice) == 1) {
        sample(job, slice);
        return true;
    }
    if (sscanf(request, "poison %zu", &slice) == 1) {
        poison(job, slice, 1);
    } else if (strcmp(request, "leave\n") == 0) {
        library->leave();
        free_arrays(job);
    } else {
        return false;
    }
    puts("done");
    return true;
}

int worker_serve(const struct worker_library *library)
{
    char request[512];
    struct worker_job job = {.n = 0};
    bool good = true;
    printf("peer %s\n", library->version);
    fflush(stdout);
    while (good && fgets(request, sizeof request, stdin) != NULL) {
        good = serve(library, &job, request);
        fflush(stdout);
    }
    free_arrays(&job);
    return good ? 0 : 1;
}
