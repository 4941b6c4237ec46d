/* SPDX-License-Identifier: MIT */
/* Owned buffers: what goes in comes out, by every way in and out, and each wrong call is refused.
 */
#include "host_fixture.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 1000 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

static void fill(unsigned char *bytes, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256 + seed);
}

static clact_buffer *make_buffer(size_t bytes)
{
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(shared.ctx, bytes, &buffer));
    assert_int_equal(clact_buffer_size(buffer), bytes);
    assert_non_null(clact_buffer_mem(buffer));
    return buffer;
}

/* A buffer of BYTES that holds fill(seed), of which a copy is in `bytes`. */
static clact_buffer *make_filled(unsigned char bytes[BYTES], unsigned seed)
{
    clact_buffer *buffer = make_buffer(BYTES);
    fill(bytes, BYTES, seed);
    assert_ok(clact_buffer_write(buffer, 0, BYTES, bytes));
    return buffer;
}

static void assert_contents(clact_buffer *buffer, const unsigned char expected[BYTES])
{
    unsigned char got[BYTES];
    memset(got, 0, sizeof(got));
    assert_ok(clact_buffer_read(buffer, 0, BYTES, got));
    assert_memory_equal(got, expected, BYTES);
}

/* Sizes. */

static void test_sizes(void **state)
{
    static const size_t sizes[] = {1,    2,    3,    511,   512,   513,     1023,
                                   4096, 8191, 8193, 65537, 99991, 1000003, 4194304};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        const size_t n = sizes[i];
        unsigned char *in = malloc(n), *out = calloc(n + 1, 1);
        assert_true(in && out);
        fill(in, n, 7);
        out[n] = 0x5a;
        clact_buffer *buffer = make_buffer(n);
        assert_ok(clact_buffer_write(buffer, 0, n, in));
        assert_ok(clact_buffer_read(buffer, 0, n, out));
        assert_memory_equal(in, out, n);
        assert_int_equal(out[n], 0x5a);
        clact_buffer_destroy(buffer);
        free(in);
        free(out);
    }
}

static void test_size_zero(void **state)
{
    (void)state;
    clact_buffer *buffer = make_buffer(0);
    unsigned char byte = 0x5a;
    assert_ok(clact_buffer_write(buffer, 0, 0, NULL));
    assert_ok(clact_buffer_read(buffer, 0, 0, NULL));
    assert_error(&shared, CLACT_OUT_OF_BOUNDS, clact_buffer_read(buffer, 0, 1, &byte));
    assert_int_equal(byte, 0x5a);
    const clact_view none = clact_buffer_view(buffer, CLACT_F32, 0, 0);
    cl_event event = NULL;
    assert_ok(
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, none, none, 0, NULL, &event));
    await(event);
    clact_buffer_destroy(buffer);
}

static void test_too_large(void **state)
{
    (void)state;
    clact_device_info info;
    assert_ok(clact_context_info(shared.ctx, &info));
    clact_buffer *const untouched = (clact_buffer *)(void *)&info;
    clact_buffer *buffer = untouched;
    assert_error(&shared, CLACT_OUT_OF_MEMORY, clact_buffer_create(shared.ctx, SIZE_MAX, &buffer));
    assert_error(&shared, CLACT_OUT_OF_MEMORY,
                 clact_buffer_create(shared.ctx, SIZE_MAX / 2, &buffer));
    if (info.largest_allocation < SIZE_MAX / 4)
        assert_error(&shared, CLACT_OUT_OF_MEMORY,
                     clact_buffer_create(shared.ctx, (size_t)info.largest_allocation * 3, &buffer));
    assert_ptr_equal(buffer, untouched);
}

static void test_null_handles(void **state)
{
    (void)state;
    clact_buffer *buffer = NULL;
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_buffer_create(NULL, 8, &buffer));
    assert_null(buffer);
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_buffer_create(shared.ctx, 8, NULL));
    assert_int_equal(clact_buffer_size(NULL), 0);
    assert_null(clact_buffer_mem(NULL));
    assert_null(clact_buffer_view(NULL, CLACT_F32, 0, 4).mem);
    clact_buffer_destroy(NULL);
}

static void test_view(void **state)
{
    (void)state;
    clact_buffer *buffer = make_buffer(BYTES);
    const clact_view view = clact_buffer_view(buffer, CLACT_F16, 5, 17);
    assert_ptr_equal(view.mem, clact_buffer_mem(buffer));
    assert_int_equal(view.dtype, CLACT_F16);
    assert_int_equal(view.offset, 5);
    assert_int_equal(view.rows, 1);
    assert_int_equal(view.cols, 17);
    const clact_view plain = clact_view_1d(view.mem, CLACT_F32, 2, 9);
    assert_true(plain.offset == 2 && plain.rows == 1 && plain.cols == 9);
    const clact_view matrix = clact_view_2d(view.mem, CLACT_BF16, 1, 2, 3, 4);
    assert_ptr_equal(matrix.mem, view.mem);
    assert_int_equal(matrix.dtype, CLACT_BF16);
    assert_true(matrix.offset == 1 && matrix.rows == 2 && matrix.cols == 3 && matrix.stride == 4);
    clact_buffer_destroy(buffer);
}

/* A view ends where the buffer ends, whatever the memory behind it has been used for. */
static void test_view_past_the_end(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer_destroy(make_buffer(BYTES + 4));
    clact_buffer *buffer = make_filled(expected, 12);
    const size_t n = BYTES / sizeof(float);
    const clact_view past = clact_buffer_view(buffer, CLACT_F32, 1, n);
    assert_error(
        &shared, CLACT_OUT_OF_BOUNDS,
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, past, past, 0, NULL, NULL));
    assert_contents(buffer, expected);
    const clact_view last = clact_buffer_view(buffer, CLACT_F32, 1, n - 1);
    assert_ok(
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, last, last, 0, NULL, NULL));
    assert_int_equal(clFinish(clact_context_queue(shared.ctx)), CL_SUCCESS);
    clact_buffer_destroy(buffer);
}

/* Ranges. */

static void test_ranges(void **state)
{
    static const struct {
        size_t offset, bytes;
    } ranges[] = {{0, 1}, {1, 1}, {3, 500}, {BYTES - 1, 1}, {0, BYTES}, {BYTES, 0}, {500, 0}};
    (void)state;
    unsigned char expected[BYTES], source[BYTES], got[BYTES];
    clact_buffer *buffer = make_filled(expected, 1);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        const size_t offset = ranges[i].offset, bytes = ranges[i].bytes;
        fill(source, bytes, 100 + (unsigned)i);
        assert_ok(clact_buffer_write(buffer, offset, bytes, source));
        memcpy(expected + offset, source, bytes);
        assert_contents(buffer, expected);
        memset(got, 0x5a, sizeof(got));
        assert_ok(clact_buffer_read(buffer, offset, bytes, got));
        assert_memory_equal(got, source, bytes);
        for (size_t k = bytes; k < BYTES; k++)
            assert_int_equal(got[k], 0x5a);
    }
    clact_buffer_destroy(buffer);
}

static void test_ranges_past_the_end(void **state)
{
    static const struct {
        size_t offset, bytes;
    } ranges[] = {{0, BYTES + 1},     {1, BYTES},     {BYTES, 1},          {BYTES + 1, 0},
                  {SIZE_MAX, 1},      {SIZE_MAX, 0},  {1, SIZE_MAX},       {0, SIZE_MAX},
                  {SIZE_MAX - 9, 10}, {BYTES - 1, 2}, {SIZE_MAX, SIZE_MAX}};
    (void)state;
    unsigned char expected[BYTES], bytes[BYTES + 1], same[BYTES + 1];
    memset(bytes, 0x5a, sizeof(bytes));
    memset(same, 0x5a, sizeof(same));
    clact_buffer *buffer = make_filled(expected, 2);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        const size_t offset = ranges[i].offset, n = ranges[i].bytes;
        cl_event event = UNTOUCHED_EVENT;
        void *pointer = bytes;
        const clact_status past = CLACT_OUT_OF_BOUNDS;
        assert_error(&shared, past, clact_buffer_write(buffer, offset, n, bytes));
        assert_error(&shared, past, clact_buffer_read(buffer, offset, n, bytes));
        assert_error(&shared, past,
                     clact_buffer_enqueue_write(buffer, NULL, offset, n, bytes, 0, NULL, &event));
        assert_error(&shared, past,
                     clact_buffer_enqueue_read(buffer, NULL, offset, n, bytes, 0, NULL, &event));
        assert_error(&shared, past, clact_buffer_map(buffer, CL_MAP_READ, offset, n, &pointer));
        assert_error(&shared, past,
                     clact_buffer_enqueue_map(buffer, NULL, CL_MAP_READ, offset, n, 0, NULL, &event,
                                              &pointer));
        assert_ptr_equal(event, UNTOUCHED_EVENT);
        assert_ptr_equal(pointer, bytes);
    }
    assert_memory_equal(bytes, same, sizeof(bytes));
    assert_contents(buffer, expected);
    clact_buffer_destroy(buffer);
}

/* Asynchronous copies. */

static void test_asynchronous_copies(void **state)
{
    (void)state;
    unsigned char before[BYTES], source[BYTES], got[BYTES] = {0};
    clact_buffer *buffer = make_filled(before, 3);
    fill(source, BYTES, 4);
    cl_command_queue mine = make_queue(shared.ctx, 0);
    cl_event gate = make_user_event(shared.ctx), written = NULL, read = NULL;
    assert_ok(clact_buffer_enqueue_write(buffer, mine, 10, 20, source, 1, &gate, &written));
    /* On another queue, so that the event alone puts it after the write. */
    assert_ok(clact_buffer_enqueue_read(buffer, NULL, 0, BYTES, got, 1, &written, &read));
    assert_int_equal(clFlush(mine), CL_SUCCESS);
    open_gate(gate, written, read);
    await(read);
    await(written);
    memcpy(before + 10, source, 20);
    assert_memory_equal(got, before, BYTES);
    clReleaseCommandQueue(mine);
    clact_buffer_destroy(buffer);
}

/* Zero bytes take their turn like any other command. */
static void test_asynchronous_nothing(void **state)
{
    (void)state;
    clact_buffer *buffer = make_buffer(BYTES);
    cl_event gate = make_user_event(shared.ctx), written = NULL, read = NULL;
    assert_ok(clact_buffer_enqueue_write(buffer, NULL, 5, 0, NULL, 1, &gate, &written));
    assert_ok(clact_buffer_enqueue_read(buffer, NULL, BYTES, 0, NULL, 1, &written, &read));
    assert_int_equal(clFlush(clact_context_queue(shared.ctx)), CL_SUCCESS);
    open_gate(gate, written, read);
    await(read);
    await(written);
    clact_buffer_destroy(buffer);
}

/* Maps. */

static void test_map_to_read(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 5);
    void *pointer = NULL;
    assert_ok(clact_buffer_map(buffer, CL_MAP_READ, 17, 300, &pointer));
    assert_non_null(pointer);
    assert_memory_equal(pointer, expected + 17, 300);
    assert_ok(clact_buffer_unmap(buffer, pointer));
    assert_contents(buffer, expected);
    clact_buffer_destroy(buffer);
}

static void test_map_to_write(void **state)
{
    static const cl_map_flags flags[] = {CL_MAP_WRITE, CL_MAP_READ | CL_MAP_WRITE,
                                         CL_MAP_WRITE_INVALIDATE_REGION};
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 6);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        void *pointer = NULL;
        assert_ok(clact_buffer_map(buffer, flags[i], 100 + i, 200, &pointer));
        if (flags[i] & CL_MAP_READ)
            assert_memory_equal(pointer, expected + 100 + i, 200);
        fill(pointer, 200, 60 + (unsigned)i);
        fill(expected + 100 + i, 200, 60 + (unsigned)i);
        assert_ok(clact_buffer_unmap(buffer, pointer));
        assert_contents(buffer, expected);
    }
    clact_buffer_destroy(buffer);
}

static void test_two_maps_at_once(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 8);
    void *front = NULL, *back = NULL;
    assert_ok(clact_buffer_map(buffer, CL_MAP_WRITE, 0, 500, &front));
    assert_ok(clact_buffer_map(buffer, CL_MAP_WRITE, 500, 500, &back));
    memset(front, 1, 500);
    memset(back, 2, 500);
    assert_ok(clact_buffer_unmap(buffer, back));
    assert_ok(clact_buffer_unmap(buffer, front));
    memset(expected, 1, 500);
    memset(expected + 500, 2, 500);
    assert_contents(buffer, expected);
    clact_buffer_destroy(buffer);
}

static void test_asynchronous_maps(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 9);
    cl_event gate = make_user_event(shared.ctx), mapped = NULL, unmapped = NULL;
    void *pointer = NULL;
    assert_ok(clact_buffer_enqueue_map(buffer, NULL, CL_MAP_READ | CL_MAP_WRITE, 0, BYTES, 1, &gate,
                                       &mapped, &pointer));
    assert_non_null(pointer);
    open_gate(gate, mapped);
    await(mapped);
    assert_memory_equal(pointer, expected, BYTES);
    memset(pointer, 3, BYTES);
    memset(expected, 3, BYTES);
    gate = make_user_event(shared.ctx);
    assert_ok(clact_buffer_enqueue_unmap(buffer, NULL, pointer, 1, &gate, &unmapped));
    open_gate(gate, unmapped);
    await(unmapped);
    assert_contents(buffer, expected);
    clact_buffer_destroy(buffer);
}

static void test_wrong_maps(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 10);
    void *pointer = NULL;
    const clact_status invalid = CLACT_INVALID_ARGUMENT;
    assert_error(&shared, invalid, clact_buffer_map(buffer, CL_MAP_READ, 0, 8, NULL));
    assert_error(&shared, invalid, clact_buffer_map(buffer, CL_MAP_READ, 0, 0, &pointer));
    assert_error(NULL, invalid, clact_buffer_map(NULL, CL_MAP_READ, 0, 8, &pointer));
    assert_error(
        &shared, invalid,
        clact_buffer_map(buffer, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION, 0, 8, &pointer));
    assert_error(&shared, invalid, clact_buffer_map(buffer, 1U << 20, 0, 8, &pointer));
    assert_null(pointer);
    assert_error(&shared, invalid, clact_buffer_unmap(buffer, NULL));
    assert_error(NULL, invalid, clact_buffer_unmap(NULL, expected));
    assert_error(&shared, invalid, clact_buffer_unmap(buffer, expected));
    assert_contents(buffer, expected);
    clact_buffer_destroy(buffer);
}

/* What every enqueue call checks. */

/* The four enqueue calls with the same queue, wait list and buffer, of which each is refused. */
static void expect_all_refused(struct fixture *f, clact_status expected, clact_buffer *buffer,
                               cl_command_queue queue, cl_uint n_wait, const cl_event *wait)
{
    unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, same[8];
    memcpy(same, bytes, sizeof(same));
    void *pointer = NULL;
    cl_event event = UNTOUCHED_EVENT;
    const struct live_objects before = live_objects();
    assert_error(f, expected,
                 clact_buffer_enqueue_write(buffer, queue, 0, 8, bytes, n_wait, wait, &event));
    assert_error(f, expected,
                 clact_buffer_enqueue_read(buffer, queue, 0, 8, bytes, n_wait, wait, &event));
    assert_error(
        f, expected,
        clact_buffer_enqueue_map(buffer, queue, CL_MAP_READ, 0, 8, n_wait, wait, &event, &pointer));
    assert_error(f, expected,
                 clact_buffer_enqueue_unmap(buffer, queue, bytes, n_wait, wait, &event));
    assert_live(before);
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_null(pointer);
    assert_memory_equal(bytes, same, sizeof(bytes));
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    unsigned char expected[BYTES];
    clact_buffer *buffer = make_filled(expected, 11);
    const clact_status invalid = CLACT_INVALID_ARGUMENT;
    const cl_event nothing = NULL;
    const cl_event foreign = make_user_event(other.ctx);
    expect_all_refused(NULL, invalid, NULL, NULL, 0, NULL);
    expect_all_refused(&shared, invalid, buffer, NULL, 1, NULL);
    expect_all_refused(&shared, invalid, buffer, NULL, 1, &nothing);
    expect_all_refused(&shared, CLACT_WRONG_CONTEXT, buffer, NULL, 1, &foreign);
    expect_all_refused(&shared, CLACT_WRONG_CONTEXT, buffer, clact_context_queue(other.ctx), 0,
                       NULL);
    assert_error(&shared, invalid, clact_buffer_write(buffer, 0, 1, NULL));
    assert_error(&shared, invalid, clact_buffer_read(buffer, 0, 1, NULL));
    assert_error(NULL, invalid, clact_buffer_write(NULL, 0, 1, expected));
    assert_error(NULL, invalid, clact_buffer_read(NULL, 0, 1, expected));
    assert_contents(buffer, expected);
    complete_user_event(foreign);
    clact_buffer_destroy(buffer);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_size_zero),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_null_handles),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_view_past_the_end),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_past_the_end),
        cmocka_unit_test(test_asynchronous_copies),
        cmocka_unit_test(test_asynchronous_nothing),
        cmocka_unit_test(test_map_to_read),
        cmocka_unit_test(test_map_to_write),
        cmocka_unit_test(test_two_maps_at_once),
        cmocka_unit_test(test_asynchronous_maps),
        cmocka_unit_test(test_wrong_maps),
        cmocka_unit_test(test_wrong_arguments),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("buffer", tests, open_shared, NULL);
}
