/* SPDX-License-Identifier: MIT */
/* The host-array calls with every argument that a caller can get wrong: the status, what
 * clact_last_error and the log say, and that the arrays are as they were. */
#include "host_fixture.h"

#include <string.h>

enum { N = 16, ROOM = 64 };

static struct fixture shared;
static _Alignas(8) unsigned char memory[3][ROOM * 8];
static unsigned char before[3][ROOM * 8];

/* A call that is right until a test changes it; forward leaves out saved. */
struct call {
    clact_context *ctx;
    clact_operator op;
    clact_dtype dtype;
    clact_saved kind;
    size_t n;
    const void *first; /* x or grad */
    const void *saved;
    void *output;
};

static struct call right_call(void)
{
    return (struct call){shared.ctx, any_operator(), CLACT_F32, any_kind(),
                         N,          memory[0],      memory[1], memory[2]};
}

static clact_status forward(const struct call *c)
{
    return clact_forward(c->ctx, c->op, NULL, c->dtype, c->n, c->first, c->output);
}

static clact_status backward(const struct call *c)
{
    return clact_backward(c->ctx, c->op, NULL, c->dtype, c->kind, c->n, c->first, c->saved,
                          c->output);
}

static void assert_untouched(void)
{
    assert_memory_equal(memory, before, sizeof(memory));
}

static void refuse_forward(clact_status expected, struct call c)
{
    const struct live_objects live = live_objects();
    assert_error(c.ctx ? &shared : NULL, expected, forward(&c));
    assert_live(live);
    assert_untouched();
}

static void refuse_backward(clact_status expected, struct call c)
{
    const struct live_objects live = live_objects();
    assert_error(c.ctx ? &shared : NULL, expected, backward(&c));
    assert_live(live);
    assert_untouched();
}

static void refuse_both(clact_status expected, struct call c)
{
    refuse_forward(expected, c);
    refuse_backward(expected, c);
}

static void test_null_pointers(void **state)
{
    (void)state;
    struct call c = right_call();
    c.ctx = NULL;
    refuse_both(CLACT_INVALID_ARGUMENT, c);
    c = right_call();
    c.first = NULL;
    refuse_both(CLACT_INVALID_ARGUMENT, c);
    c = right_call();
    c.output = NULL;
    refuse_both(CLACT_INVALID_ARGUMENT, c);
    c = right_call();
    c.saved = NULL;
    refuse_backward(CLACT_INVALID_ARGUMENT, c);
}

static void test_unknown_values(void **state)
{
    static const int kinds[] = {0, 3, -1, 99}, unknown[] = {0, -1, 9999};
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct call c = right_call();
        c.kind = (clact_saved)kinds[i];
        refuse_backward(CLACT_INVALID_ARGUMENT, c);
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        struct call c = right_call();
        c.op = (clact_operator)unknown[i];
        refuse_both(CLACT_INVALID_ARGUMENT, c);
        c = right_call();
        c.dtype = (clact_dtype)unknown[i];
        refuse_both(CLACT_INVALID_ARGUMENT, c);
    }
}

static void test_unsupported_dtype(void **state)
{
    (void)state;
    if (dtype_works(shared.ctx, CLACT_F64)) {
        print_message("the device supports every dtype\n");
        skip();
    }
    struct call c = right_call();
    c.dtype = CLACT_F64;
    refuse_both(CLACT_UNSUPPORTED, c);
}

static void test_misaligned_arrays(void **state)
{
    static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};
    (void)state;
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++) {
        if (!dtype_works(shared.ctx, dtypes[i]))
            continue;
        for (size_t shift = 1; shift < clact_dtype_size(dtypes[i]); shift++) {
            struct call c = right_call();
            c.dtype = dtypes[i];
            c.first = memory[0] + shift;
            refuse_both(CLACT_INVALID_ARGUMENT, c);
            c.first = memory[0];
            c.output = memory[2] + shift;
            refuse_both(CLACT_INVALID_ARGUMENT, c);
            c.output = memory[2];
            c.saved = memory[1] + shift;
            refuse_backward(CLACT_INVALID_ARGUMENT, c);
        }
    }
}

/* The output one element after or before an input, or over its last or first one. */
static void test_overlaps(void **state)
{
    static const int shifts[] = {1, -1, N - 1, 1 - N};
    (void)state;
    for (size_t i = 0; i < sizeof(shifts) / sizeof(*shifts); i++) {
        float *output = (float *)(void *)memory[2] + N;
        struct call c = right_call();
        c.output = output;
        c.first = output + shifts[i];
        refuse_both(CLACT_OVERLAP, c);
        c.first = output;
        c.saved = output + shifts[i];
        refuse_backward(CLACT_OVERLAP, c);
    }
}

static void test_neighbours_do_not_overlap(void **state)
{
    (void)state;
    float room[3 * N];
    fill_operands(CLACT_F32, room, 3 * N, 1);
    float x[N], grad[N], saved[N];
    memcpy(x, room, sizeof(x));
    assert_ok(clact_forward(shared.ctx, any_operator(), NULL, CLACT_F32, N, room, room + N));
    assert_forward(CLACT_F32, N, x, room + N);
    assert_memory_equal(room, x, sizeof(x));
    memcpy(grad, room + 2 * N, sizeof(grad));
    memcpy(saved, room, sizeof(saved));
    assert_ok(clact_backward(shared.ctx, any_operator(), NULL, CLACT_F32, any_kind(), N,
                             room + 2 * N, room, room + N));
    assert_backward(CLACT_F32, any_kind(), N, grad, saved, room + N);
    /* The inputs may overlap each other as they like. */
    memcpy(grad, room + 1, sizeof(grad));
    assert_ok(clact_backward(shared.ctx, any_operator(), NULL, CLACT_F32, any_kind(), N, room + 1,
                             room, room + 2 * N));
    assert_backward(CLACT_F32, any_kind(), N, grad, saved, room + 2 * N);
}

/* More bytes than any memory has: n * size overflows, or is more than an object can have. */
static void test_counts_that_overflow(void **state)
{
    static const size_t counts[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 1, SIZE_MAX / 4,
                                    SIZE_MAX / 8 + 1};
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        struct call c = right_call();
        c.n = counts[i];
        refuse_both(CLACT_INVALID_ARGUMENT, c);
        c.first = c.saved = c.output = memory[2];
        refuse_both(CLACT_INVALID_ARGUMENT, c);
    }
}

static void test_count_zero(void **state)
{
    (void)state;
    struct call c = right_call();
    c.n = 0;
    assert_ok(forward(&c));
    assert_ok(backward(&c));
    c.first = c.saved = c.output = NULL;
    assert_ok(forward(&c));
    assert_ok(backward(&c));
    assert_untouched();
    c.op = (clact_operator)0;
    refuse_both(CLACT_INVALID_ARGUMENT, c);
    c = right_call();
    c.n = 0;
    c.ctx = NULL;
    refuse_both(CLACT_INVALID_ARGUMENT, c);
}

/* After all that the context works. */
static void test_still_works(void **state)
{
    (void)state;
    float x[N], y[N];
    fill_operands(CLACT_F32, x, N, 1);
    assert_ok(clact_forward(shared.ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    assert_forward(CLACT_F32, N, x, y);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    assert_ok(clact_prepare(shared.ctx, any_operator(), CLACT_F32));
    memset(memory, 0xa5, sizeof(memory));
    memcpy(before, memory, sizeof(before));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_pointers),
        cmocka_unit_test(test_unknown_values),
        cmocka_unit_test(test_unsupported_dtype),
        cmocka_unit_test(test_misaligned_arrays),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_neighbours_do_not_overlap),
        cmocka_unit_test(test_counts_that_overflow),
        cmocka_unit_test(test_count_zero),
        cmocka_unit_test(test_still_works),
        NOTHING_IS_LEFT(&shared),
    };
    return cmocka_run_group_tests_name("array errors", tests, open_shared, NULL);
}
