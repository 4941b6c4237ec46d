/* SPDX-License-Identifier: MIT */
#include "contest.h"

#include "check.h"
#include "device_sorts.h"
#include "load.h"
#include "peer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct contest *contest, struct contestant contestant)
{
    contestant.rounds = check_allocate(contest->rounds, sizeof *contestant.rounds);
    contest->contestants[contest->count++] = contestant;
}

static void add_rivals(struct contest *contest, const struct contest_plan *plan,
                       const struct field *field)
{
    cl_program program = rival_build(field->ctx, job_inputs(field->job), field->job->op);
    for (size_t i = 0; i < RIVALS; i++) {
        if (!rivals[i].is_copy && !plan->builtin)
            continue;
        cl_kernel kernel = rival_kernel(&rivals[i], field->ctx, program, field->job, field->n);
        if (kernel == NULL)
            continue;
        struct contestant c = {.sort = rivals[i].is_copy ? &copy_sort : &builtin_sort,
                               .params = job_params(field->job),
                               .rival = &rivals[i],
                               .kernel = kernel};
        snprintf(c.name, sizeof c.name, "%s", rivals[i].name);
        snprintf(c.way, sizeof c.way, "%s", rivals[i].way);
        rival_set_arrays(kernel, field->job, field->arrays);
        add(contest, c);
    }
    clReleaseProgram(program);
}

static void add_all(struct contest *contest, const struct contest_plan *plan,
                    const struct field *field)
{
    add(contest, (struct contestant){
                     .name = "clact", .sort = &clact_sort, .params = job_params(field->job)});
    add_rivals(contest, plan, field);
    for (size_t i = 0; i < plan->peer_count; i++) {
        struct contestant c = {.peer = &plan->peers[i]};
        if (peer_enter(c.peer, field, &c))
            add(contest, c);
    }
}

/* Once on poisoned memory. The first such run also compiles what OpenCL leaves to the first launch. */
static void check_output(struct contestant *c, struct field *field, size_t slice)
{
    uint64_t samples[SAMPLES];
    struct times times;
    c->sort->poison(c, field, slice);
    c->sort->run(c, field, slice, &times, 1);
    c->sort->sample(c, field, slice, samples);
    for (size_t k = 0; k < SAMPLES; k++) {
        const size_t i = sample_place(field->n, k);
        if (!c->sort->is_right(c, field, slice * field->n + i, samples[k]))
            die("%s (%s %s %s) computed a wrong element %zu of %zu", c->name,
                clact_operator_name(field->job->op), job_direction_name(field->job),
                clact_dtype_name(field->job->dtype), i, field->n);
    }
}

/* So many runs that a turn moves 32 MiB, the least time that is measured with any precision. */
enum { MOST_RUNS = 32 };

static size_t runs_of(const struct field *field)
{
    const size_t wanted = ((size_t)32 << 20) / field_bytes(field);
    return wanted < 1 ? 1 : wanted > MOST_RUNS ? MOST_RUNS : wanted;
}

static struct times run_turn(struct contestant *c, struct field *field, size_t slice, size_t runs)
{
    struct times times[1 + MOST_RUNS];
    double wall[MOST_RUNS], device[MOST_RUNS];
    c->sort->run(c, field, slice, times, 1 + runs);
    for (size_t i = 0; i < runs; i++) {
        wall[i] = times[1 + i].wall;
        device[i] = times[1 + i].device;
        if (!(wall[i] > 0) || device[i] <= 0)
            die("%s took no time: the clock is too coarse for %zu elements", c->name, field->n);
    }
    return (struct times){summarize(wall, runs).median,
                          isnan(device[0]) ? (double)NAN : summarize(device, runs).median};
}

/* Each round starts with another contestant, so that none always runs after the same one. */
static void run_rounds(struct contest *contest, struct field *field)
{
    size_t slice = 0;
    for (size_t round = 0; round < contest->rounds; round++) {
        for (size_t i = 0; i < contest->count; i++) {
            struct contestant *c = &contest->contestants[(round + i) % contest->count];
            c->rounds[round] = run_turn(c, field, slice, contest->runs);
            slice = (slice + 1 + contest->runs) % field->slices;
        }
    }
}

static struct load load_of(const struct contest *contest)
{
    pid_t processes[MOST_CONTESTANTS];
    size_t count = 0;
    for (size_t i = 0; i < contest->count; i++)
        if (contest->contestants[i].peer != NULL)
            processes[count++] = contest->contestants[i].peer->process;
    return load_now(processes, count);
}

static void hold(struct contest *contest, struct field *field)
{
    for (size_t i = 0; i < contest->count; i++)
        check_output(&contest->contestants[i], field, 0);
    const struct load before = load_of(contest);
    run_rounds(contest, field);
    const struct load after = load_of(contest);
    contest->others = load_of_others(&before, &after);
    for (size_t i = 0; i < contest->count; i++)
        check_output(&contest->contestants[i], field, field->slices - 1);
}

const char *contest_run(struct contest *contest, const struct contest_plan *plan,
                        const struct job *job, clact_context *ctx, size_t n)
{
    struct field field;
    const clact_status status = clact_prepare(ctx, job->op, job->dtype);
    if (status == CLACT_UNSUPPORTED)
        return "the device cannot do this";
    check_clact(ctx, status);
    if (!field_create(&field, job, ctx, n))
        return "the device has too little memory";
    *contest = (struct contest){.job = job,
                                .n = n,
                                .rounds = plan->rounds,
                                .runs = runs_of(&field),
                                .slices = field.slices,
                                .in_cache = field.in_cache};
    add_all(contest, plan, &field);
    hold(contest, &field);
    for (size_t i = 0; i < contest->count; i++)
        if (contest->contestants[i].peer != NULL)
            peer_leave(contest->contestants[i].peer);
    field_destroy(&field);
    return NULL;
}

void contest_destroy(struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        free(contest->contestants[i].rounds);
        if (contest->contestants[i].kernel != NULL)
            clReleaseKernel(contest->contestants[i].kernel);
    }
}

static double *gather(const struct contest *contest, const struct contestant *c,
                      enum contest_clock clock)
{
    double *values = check_allocate(contest->rounds, sizeof *values);
    for (size_t i = 0; i < contest->rounds; i++)
        values[i] = clock == WALL ? c->rounds[i].wall : c->rounds[i].device;
    return values;
}

static bool has_clock(const struct contestant *c, enum contest_clock clock)
{
    return clock == WALL || !isnan(c->rounds[0].device);
}

static const struct summary none = {NAN, NAN, NAN};

struct summary contest_times(const struct contest *contest, const struct contestant *c,
                             enum contest_clock clock)
{
    if (!has_clock(c, clock))
        return none;
    double *values = gather(contest, c, clock);
    const struct summary summary = summarize(values, contest->rounds);
    free(values);
    return summary;
}

struct summary contest_speedup(const struct contest *contest, const struct contestant *c,
                               enum contest_clock clock)
{
    if (!has_clock(c, clock))
        return none;
    double *theirs = gather(contest, c, clock);
    double *ours = gather(contest, &contest->contestants[0], clock);
    const struct summary summary = summarize_ratios(theirs, ours, contest->rounds);
    free(theirs);
    free(ours);
    return summary;
}

enum contest_clock contest_clock_of(const struct contestant *c)
{
    return has_clock(c, DEVICE) ? DEVICE : WALL;
}

const struct contestant *contest_fastest(const struct contest *contest, const char *name)
{
    const struct contestant *best = NULL;
    double least = 0;
    for (size_t i = 0; i < contest->count; i++) {
        const struct contestant *c = &contest->contestants[i];
        if (strcmp(c->name, name) != 0)
            continue;
        const double median = contest_times(contest, c, contest_clock_of(c)).median;
        if (best == NULL || median < least) {
            best = c;
            least = median;
        }
    }
    return best;
}
