/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "device.h"
#include "dtype.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIECE = 1 << 18, MOST_THREADS = 16 };

struct sweep {
    const struct measurement *m;
    const struct reference *reference;
    bool flushes;
    size_t pieces;
    struct ulp_stats *stats; /* one for each piece, so that the order of threads changes nothing */
    atomic_size_t next;
    atomic_int status; /* the first clact_status that is not success */
};

/* What one thread works in. */
struct arrays {
    void *grad;
    void *saved;
    void *output;
};

/* what is right */

static double exact_of(const struct sweep *s, double grad, double x)
{
    switch (s->m->c->direction) {
    case FROM_OUTPUT:
        return s->reference->from_output(grad, x);
    case FROM_INPUT:
        return s->reference->from_input(grad, x);
    default:
        return s->reference->forward(x);
    }
}

static long double exact_long_of(const struct sweep *s, double grad, double x)
{
    switch (s->m->c->direction) {
    case FROM_OUTPUT:
        return s->reference->from_output_long((long double)grad, (long double)x);
    case FROM_INPUT:
        return s->reference->from_input_long((long double)grad, (long double)x);
    default:
        return s->reference->forward_long((long double)x);
    }
}

static bool is_flushed(double value)
{
    return fabs(value) < (double)FLT_MIN;
}

/* What the result is to be judged against on a device that may flush any operand and the result. */
static double flushed_exact_of(const struct sweep *s, double grad, double x, double got)
{
    clact_dtype dtype = s->m->c->dtype;
    double nearest = exact_of(s, grad, x);
    for (unsigned flush = 0; flush < 4; flush++) {
        double exact = exact_of(s, (flush & 1) != 0 && is_flushed(grad) ? copysign(0, grad) : grad,
                                (flush & 2) != 0 && is_flushed(x) ? copysign(0, x) : x);
        if (is_flushed(exact) && got == 0)
            return got;
        if (ulp_error(dtype, got, exact) < ulp_error(dtype, got, nearest))
            nearest = exact;
    }
    return nearest;
}

static void judge(const struct sweep *s, struct ulp_stats *stats, double grad, double x, double got)
{
    if (stats->dtype == CLACT_F64)
        ulp_stats_add_f64(stats, grad, x, got, exact_long_of(s, grad, x));
    else if (s->flushes)
        ulp_stats_add(stats, grad, x, got, flushed_exact_of(s, grad, x, got));
    else
        ulp_stats_add(stats, grad, x, got, exact_of(s, grad, x));
}

/* pieces */

static void fill(const struct sweep *s, uint64_t first, size_t n, const struct arrays *a)
{
    const struct measurement *m = s->m;
    clact_dtype dtype = m->c->dtype;
    operands_store(m->operands, first, n, a->saved);
    if (m->c->direction == FORWARD)
        return;
    for (size_t i = 0; i < n; i++) {
        if (m->random_grads)
            dtype_store_bits(dtype, a->grad, i, device_hash(first + i));
        else
            dtype_store(dtype, a->grad, i, 1);
    }
    if (!m->random_grads || m->c->direction != FROM_OUTPUT)
        return;
    for (size_t i = 0; i < n; i++)
        dtype_store(dtype, a->saved, i, s->reference->forward(dtype_load(dtype, a->saved, i)));
}

static clact_status run_piece(const struct sweep *s, size_t piece, const struct arrays *a)
{
    const struct measurement *m = s->m;
    clact_dtype dtype = m->c->dtype;
    uint64_t first = (uint64_t)piece * PIECE;
    uint64_t left = m->operands->total - first;
    size_t n = left < PIECE ? (size_t)left : PIECE;
    struct ulp_stats *stats = &s->stats[piece];
    ulp_stats_init(stats, dtype);
    fill(s, first, n, a);
    clact_status status = device_call(m->ctx, m->c, n, a->grad, a->saved, a->output);
    if (status != CLACT_SUCCESS)
        return status;
    for (size_t i = 0; i < n; i++) {
        double grad = m->c->direction == FORWARD ? ULP_NO_GRAD : dtype_load(dtype, a->grad, i);
        judge(s, stats, grad, dtype_load(dtype, a->saved, i), dtype_load(dtype, a->output, i));
    }
    return CLACT_SUCCESS;
}

static void *work(void *argument)
{
    struct sweep *s = argument;
    size_t bytes = PIECE * dtype_format(s->m->c->dtype)->size;
    struct arrays a = {malloc(bytes), malloc(bytes), malloc(bytes)};
    bool ready = a.grad != NULL && a.saved != NULL && a.output != NULL;
    clact_status status = ready ? CLACT_SUCCESS : CLACT_OUT_OF_MEMORY;
    while (status == CLACT_SUCCESS && atomic_load(&s->status) == CLACT_SUCCESS) {
        size_t piece = atomic_fetch_add(&s->next, 1);
        if (piece >= s->pieces)
            break;
        status = run_piece(s, piece, &a);
    }
    if (status != CLACT_SUCCESS)
        atomic_store(&s->status, (int)status);
    free(a.grad);
    free(a.saved);
    free(a.output);
    return NULL;
}

static size_t thread_count(size_t pieces)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = processors < 1 ? 1 : (size_t)processors;
    count = count < MOST_THREADS ? count : MOST_THREADS;
    return count < pieces ? count : pieces;
}

void measure(const struct measurement *m, struct ulp_stats *stats)
{
    struct sweep s = {.m = m, .reference = reference_of(m->c->op)};
    assert_non_null(s.reference);
    s.flushes = m->c->dtype != CLACT_F64 && !device_has_subnormals(m->ctx);
    s.pieces = (size_t)((m->operands->total + PIECE - 1) / PIECE);
    s.stats = device_allocate(s.pieces * sizeof *s.stats);
    pthread_t threads[MOST_THREADS];
    size_t started = 0;
    size_t wanted = thread_count(s.pieces);
    while (started < wanted && pthread_create(&threads[started], NULL, work, &s) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    ulp_stats_init(stats, m->c->dtype);
    clact_status status =
        started == wanted ? (clact_status)atomic_load(&s.status) : CLACT_OUT_OF_MEMORY;
    for (size_t i = 0; i < s.pieces && status == CLACT_SUCCESS; i++)
        ulp_stats_merge(stats, &s.stats[i]);
    free(s.stats);
    if (status != CLACT_SUCCESS)
        fail_msg("%s: %s", m->c->name, clact_status_string(status));
    assert_int_equal(stats->normal.count + stats->subnormal.count, m->operands->total);
}
