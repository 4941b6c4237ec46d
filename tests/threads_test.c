/* SPDX-License-Identifier: MIT */
/* Eight threads on one context, with everything mixed: their results are those of one thread, bit
 * for bit, from the first use of each kernel on. */
#include "host_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, TURNS = 12, N = 1501, SLICES = 5, DIRECTIONS = 3, DTYPES = 4 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* The operands of every thread and what one thread alone makes of them. */
static unsigned char first[DTYPES][N * 8], saved[DTYPES][N * 8];
static unsigned char expected[DTYPES][DIRECTIONS][N * 8];
static bool wanted[DTYPES][DIRECTIONS];

static clact_context *shared;
static pthread_barrier_t start;

/* Direction 0 is forward; the others are clact_saved values. */
static clact_status call_arrays(clact_context *ctx, int direction, clact_dtype dtype, size_t n,
                                const void *a, const void *b, void *out)
{
    if (direction == 0)
        return clact_forward(ctx, any_operator(), NULL, dtype, n, a, out);
    return clact_backward(ctx, any_operator(), NULL, dtype, (clact_saved)direction, n, a, b, out);
}

static void prepare_expected(void)
{
    struct fixture f;
    fixture_open(&f, NULL);
    for (int t = 0; t < DTYPES; t++) {
        fill_operands(dtypes[t], first[t], N, 1);
        fill_operands(dtypes[t], saved[t], N, 2);
        for (int d = 0; d < DIRECTIONS; d++) {
            const clact_status status =
                call_arrays(f.ctx, d, dtypes[t], N, first[t], saved[t], expected[t][d]);
            wanted[t][d] = status != CLACT_UNSUPPORTED;
            if (wanted[t][d])
                assert_ok(status);
            else
                print_message("unsupported: %s, direction %d\n", clact_dtype_name(dtypes[t]), d);
        }
    }
    fixture_close(&f);
}

/* What a thread does. cmocka's asserts are for the main thread alone. */

struct worker {
    pthread_t thread;
    int index;
    cl_command_queue queue; /* NULL: the context's own */
    const char *failed;     /* what went wrong first */
};

static void check(struct worker *w, bool right, const char *what)
{
    if (!right && !w->failed)
        w->failed = what;
}

/* Through host arrays, at a place of its own. */
static void use_arrays(struct worker *w, int t, int d)
{
    const size_t size = clact_dtype_size(dtypes[t]), from = (size_t)w->index * 7;
    unsigned char out[N * 8];
    const clact_status status = call_arrays(shared, d, dtypes[t], N - from, first[t] + from * size,
                                            saved[t] + from * size, out);
    check(w, status == CLACT_SUCCESS, "a host-array call failed");
    check(w, memcmp(out, expected[t][d] + from * size, (N - from) * size) == 0,
          "a host-array call gave other bits");
}

static clact_status enqueue_slice(const struct worker *w, int t, int d, clact_buffer *const b[3],
                                  size_t from, size_t n, cl_event *done)
{
    const clact_view a = clact_buffer_view(b[0], dtypes[t], from, n);
    const clact_view s = clact_buffer_view(b[1], dtypes[t], from, n);
    const clact_view out = clact_buffer_view(b[2], dtypes[t], from, n);
    if (d == 0)
        return clact_enqueue_forward(shared, w->queue, any_operator(), NULL, a, out, 0, NULL, done);
    return clact_enqueue_backward(shared, w->queue, any_operator(), NULL, (clact_saved)d, a, s, out,
                                  0, NULL, done);
}

/* Through buffers, in slices that are all under way before the first is waited for: a kernel object
 * that two calls share would mix up their arguments. */
static void use_buffers(struct worker *w, int t, int d)
{
    const size_t size = clact_dtype_size(dtypes[t]);
    clact_buffer *b[3] = {NULL, NULL, NULL};
    unsigned char out[N * 8];
    bool right = true;
    for (int i = 0; i < 3; i++)
        right &= clact_buffer_create(shared, N * size, &b[i]) == CLACT_SUCCESS;
    right = right && clact_buffer_write(b[0], 0, N * size, first[t]) == CLACT_SUCCESS &&
            clact_buffer_write(b[1], 0, N * size, saved[t]) == CLACT_SUCCESS;
    cl_event done[SLICES] = {NULL};
    for (size_t i = 0; i < SLICES && right; i++) {
        const size_t from = N * i / SLICES, to = N * (i + 1) / SLICES;
        right = enqueue_slice(w, t, d, b, from, to - from, &done[i]) == CLACT_SUCCESS;
    }
    for (size_t i = 0; i < SLICES; i++) {
        if (done[i]) {
            right &= clWaitForEvents(1, &done[i]) == CL_SUCCESS;
            clReleaseEvent(done[i]);
        }
    }
    right = right && clact_buffer_read(b[2], 0, N * size, out) == CLACT_SUCCESS;
    check(w, right, "a call on buffers failed");
    check(w, !right || memcmp(out, expected[t][d], N * size) == 0,
          "a call on buffers gave other bits");
    for (int i = 0; i < 3; i++)
        clact_buffer_destroy(b[i]);
}

/* Each thread's errors are its own. */
static void use_wrongly(struct worker *w)
{
    const clact_status wrong =
        w->index % 2 ? clact_prepare(shared, (clact_operator)0, CLACT_F32)
                     : clact_forward(shared, any_operator(), NULL, CLACT_F32, 1, NULL, NULL);
    const clact_error *error = clact_last_error(shared);
    check(w, wrong == CLACT_INVALID_ARGUMENT && error->status == wrong, "an error was lost");
    check(w, strstr(error->message, w->index % 2 ? "operator" : "NULL") != NULL,
          "another thread's error was seen");
}

static void *work(void *user)
{
    struct worker *w = user;
    pthread_barrier_wait(&start);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int k = 0; k < DTYPES * DIRECTIONS; k++) {
            /* All start with the same kernel, to meet in its first use, and then go apart. */
            const int step = turn == 0 ? k : (k + w->index) % (DTYPES * DIRECTIONS);
            const int t = step / DIRECTIONS, d = step % DIRECTIONS;
            if (!wanted[t][d])
                continue;
            if ((turn + w->index) % 2)
                use_arrays(w, t, d);
            else
                use_buffers(w, t, d);
        }
        use_wrongly(w);
        if (w->index == 0)
            clact_context_trim(shared);
    }
    return NULL;
}

static void run_threads(const clact_options *options)
{
    const struct live_objects before = live_objects();
    assert_ok(clact_context_create(options, &shared));
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    struct worker workers[THREADS];
    memset(workers, 0, sizeof(workers));
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].queue = i % 4 < 2 ? NULL : make_queue(shared, 0);
    }
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            abort(); /* those that run wait for this one for ever */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        if (workers[i].queue)
            clReleaseCommandQueue(workers[i].queue);
        if (workers[i].failed)
            fail_msg("thread %d: %s", i, workers[i].failed);
    }
    pthread_barrier_destroy(&start);
    clact_context_destroy(shared);
    assert_live(before);
}

static void test_shared_memory(void **state)
{
    (void)state;
    run_threads(&(clact_options){.transfer = CLACT_TRANSFER_SHARE});
}

static void test_copies_in_pieces(void **state)
{
    (void)state;
    run_threads(&(clact_options){.transfer = CLACT_TRANSFER_COPY, .piece_bytes = 2048});
}

static int begin(void **state)
{
    (void)state;
    prepare_expected();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_memory),
        cmocka_unit_test(test_copies_in_pieces),
    };
    return cmocka_run_group_tests_name("threads", tests, begin, NULL);
}
