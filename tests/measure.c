/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "dtype.h"
#include "judge.h"
#include "reference.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 18, MOST_THREADS = 64 };

struct sweep {
    const struct measurement *m;
    const struct judge *judge;
    size_t pieces;
    struct ulp_stats *stats; /* one for each piece, so that the order of threads changes nothing */
    atomic_size_t next;
    atomic_uint_least64_t done;
    atomic_int status; /* the first clact_status that is not success */
};

/* What one thread works in. */
struct arrays {
    void *grad;
    void *saved;
    void *output;
};

static void fill_grad(const struct sweep *s, uint64_t first, size_t n, const struct arrays *a)
{
    const struct op_case *c = s->m->c;
    for (size_t i = 0; i < n; i++)
        dtype_store_bits(c->dtype, a->grad, i, operands_hash(first + i));
    if (c->direction != FROM_OUTPUT)
        return;
    for (size_t i = 0; i < n; i++)
        dtype_store(c->dtype, a->saved, i,
                    s->judge->reference->forward(dtype_load(c->dtype, a->saved, i), &c->params));
}

static clact_status run_piece(struct sweep *s, size_t piece, const struct arrays *a)
{
    const struct measurement *m = s->m;
    const uint64_t first = (uint64_t)piece * PIECE;
    const uint64_t left = m->operands->total - first;
    const size_t n = left < PIECE ? (size_t)left : PIECE;
    operands_store(m->operands, first, n, a->saved);
    if (m->random_grads)
        fill_grad(s, first, n, a);
    const clact_status status = case_call(m->ctx, m->c, n, a->grad, a->saved, a->output);
    if (status != CLACT_SUCCESS)
        return status;
    struct ulp_stats *stats = &s->stats[piece];
    ulp_stats_init(stats, m->c->dtype);
    judge_add(s->judge, stats, n, a->grad, a->saved, a->output);
    atomic_fetch_add(&s->done, n);
    return CLACT_SUCCESS;
}

/* Pieces until there are no more; the thread that reports, reports. */
static void take_pieces(struct sweep *s, bool reports)
{
    const struct op_case *c = s->m->c;
    const size_t bytes = PIECE * dtype_format(c->dtype)->size;
    struct arrays a = {malloc(bytes), malloc(bytes), malloc(bytes)};
    const bool ready = a.grad != NULL && a.saved != NULL && a.output != NULL;
    clact_status status = ready ? CLACT_SUCCESS : CLACT_OUT_OF_MEMORY;
    for (size_t i = 0; i < PIECE && ready; i++)
        dtype_store(c->dtype, a.grad, i, 1);
    while (status == CLACT_SUCCESS && atomic_load(&s->status) == CLACT_SUCCESS) {
        const size_t piece = atomic_fetch_add(&s->next, 1);
        if (piece >= s->pieces)
            break;
        status = run_piece(s, piece, &a);
        if (reports && s->m->progress != NULL)
            s->m->progress(s->m->progress_user, atomic_load(&s->done));
    }
    if (status != CLACT_SUCCESS)
        atomic_store(&s->status, (int)status);
    free(a.grad);
    free(a.saved);
    free(a.output);
}

static void *work(void *sweep)
{
    take_pieces(sweep, false);
    return NULL;
}

static size_t thread_count(size_t pieces)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = processors < 1 ? 1 : (size_t)processors;
    count = count < MOST_THREADS ? count : MOST_THREADS;
    return count < pieces ? count : pieces;
}

/* The calling thread is one of them; with fewer than are wanted it only takes longer. */
static void run(struct sweep *s)
{
    pthread_t threads[MOST_THREADS];
    const size_t wanted = thread_count(s->pieces);
    size_t started = 0;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, s) == 0)
        started++;
    take_pieces(s, true);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

bool measure_judges(clact_dtype dtype)
{
    return dtype != CLACT_F64 || REFERENCE_JUDGES_F64;
}

clact_status measure(const struct measurement *m, struct ulp_stats *stats)
{
    struct judge judge;
    struct sweep s = {.m = m, .judge = &judge};
    clact_status status = judge_init(&judge, m->c, m->ctx);
    if (status != CLACT_SUCCESS)
        return status;
    s.pieces = (size_t)((m->operands->total + PIECE - 1) / PIECE);
    s.stats = malloc(s.pieces * sizeof *s.stats);
    if (s.stats == NULL)
        return CLACT_OUT_OF_MEMORY;
    run(&s);
    status = (clact_status)atomic_load(&s.status);
    ulp_stats_init(stats, m->c->dtype);
    for (size_t i = 0; i < s.pieces && status == CLACT_SUCCESS; i++)
        ulp_stats_merge(stats, &s.stats[i]);
    free(s.stats);
    return status;
}
