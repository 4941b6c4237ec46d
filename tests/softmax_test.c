/* SPDX-License-Identifier: MIT */
/* The calls of softmax.h from anywhere to anywhere: every layout, vector, work-group, way to store and
 * kind of queue gives the same bits. What these should be softmax_accuracy_test says. */
#include "dtype.h"
#include "host_fixture.h"
#include "softmax_reference.h"

#include <stdio.h>
#include <string.h>

enum { DTYPES = 4, ROOM = 6000, POISON = 0xa5 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

typedef unsigned char elements[ROOM * 8];

/* Logits or gradients from -8 to 8; saved outputs of softmax from 0 to 1, of log-softmax from -8 to 0. */
static void fill(enum softmax_kind kind, bool is_saved, clact_dtype dtype, elements array,
                 unsigned seed)
{
    for (size_t i = 0; i < ROOM; i++) {
        const double x = (double)((i * i + i * 37 + seed * 11) % 997) / 997;
        dtype_store(dtype, array, i,
                    !is_saved                       ? 16 * x - 8
                    : kind == KIND_softmax_backward ? x
                                                    : -8 * x);
    }
}

/* Layouts. */

struct layout {
    size_t rows, cols;
    size_t offsets[3], strides[3]; /* of a, b and the output */
};

/* The rows of a view, one after the other. */
static void pack_rows(clact_dtype dtype, const struct layout *l, unsigned operand, const void *from,
                      void *to)
{
    const size_t size = clact_dtype_size(dtype);
    for (size_t r = 0; r < l->rows; r++)
        memcpy((char *)to + r * l->cols * size,
               (const char *)from + (l->offsets[operand] + r * l->strides[operand]) * size,
               l->cols * size);
}

static clact_view view_of(cl_mem mem, clact_dtype dtype, const struct layout *l, unsigned operand)
{
    return clact_view_2d(mem, dtype, l->offsets[operand], l->rows, l->cols, l->strides[operand]);
}

/* All of the output's buffer is as it must be, beside its elements as it was; those are what the call on
 * host arrays gives in `plain`, a context with all defaults. */
static void check_layout(clact_context *ctx, clact_context *plain, enum softmax_kind kind,
                         clact_dtype dtype, const struct layout *l)
{
    static _Alignas(8) elements a, b, packed_a, packed_b, results, expected, got;
    const size_t size = clact_dtype_size(dtype), bytes = ROOM * size;
    fill(kind, false, dtype, a, 1);
    fill(kind, true, dtype, b, 2);
    memset(expected, POISON, bytes);
    const cl_mem a_mem = make_mem(ctx, CL_MEM_READ_ONLY, bytes, a);
    const cl_mem b_mem = make_mem(ctx, CL_MEM_READ_ONLY, bytes, b);
    const cl_mem out = make_mem(ctx, CL_MEM_READ_WRITE, bytes, expected);
    cl_event event = NULL;
    assert_ok(softmax_enqueue(ctx, NULL, kind, view_of(a_mem, dtype, l, 0),
                              view_of(b_mem, dtype, l, 1), view_of(out, dtype, l, 2), 0, NULL,
                              &event));
    await(event);
    read_mem(ctx, out, bytes, got);
    pack_rows(dtype, l, 0, a, packed_a);
    pack_rows(dtype, l, 1, b, packed_b);
    assert_ok(softmax_call(plain, kind, dtype, l->rows, l->cols, packed_a, packed_b, results));
    for (size_t r = 0; r < l->rows; r++)
        memcpy(expected + (l->offsets[2] + r * l->strides[2]) * size, results + r * l->cols * size,
               l->cols * size);
    for (size_t i = 0; i < ROOM; i++)
        if (memcmp(got + i * size, expected + i * size, size) != 0)
            fail_msg(
                "%s of %s, %zu rows of %zu, strides %zu, %zu and %zu: element %zu is %a, not %a",
                softmax_name(kind), clact_dtype_name(dtype), l->rows, l->cols, l->strides[0],
                l->strides[1], l->strides[2], i, dtype_load(dtype, got, i),
                dtype_load(dtype, expected, i));
    assert_int_equal(clReleaseMemObject(a_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(b_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(out), CL_SUCCESS);
}

static void check_layouts(const clact_options *options, int dtype_count)
{
    static const struct layout layouts[] = {
        {5, 3, {1, 2, 2}, {4, 7, 3}},         {7, 1, {0, 0, 3}, {1, 1, 5}},
        {40, 16, {3, 1, 0}, {16, 17, 20}},    {33, 10, {0, 0, 0}, {10, 10, 10}},
        {3, 17, {5, 0, 7}, {40, 17, 35}},     {2, 1000, {3, 0, 1}, {1003, 1000, 1001}},
        {500, 2, {1, 0, 5}, {3, 2, 4}},       {0, 5, {0, 0, 0}, {5, 5, 5}},
        {5, 0, {0, 0, 0}, {5, 5, 5}},         {1, 5000, {1, 9, 13}, {0, 0, 0}},
        {31, 33, {3, 0, 0}, {33, 34, 64}},    {2, 257, {0, 0, 1}, {257, 257, 257}},
        {4, 256, {0, 0, 0}, {256, 256, 256}},
    };
    struct fixture f, plain;
    fixture_open(&f, options);
    fixture_open(&plain, NULL);
    for (int d = 0; d < dtype_count; d++)
        for (int kind = 0; kind < KINDS; kind++)
            for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
                if (dtype_works(f.ctx, dtypes[d]))
                    check_layout(f.ctx, plain.ctx, (enum softmax_kind)kind, dtypes[d], &layouts[i]);
    fixture_close(&f);
    fixture_close(&plain);
}

static void test_layouts(void **state)
{
    (void)state;
    check_layouts(NULL, DTYPES);
}

static void test_elements_one_by_one(void **state)
{
    (void)state;
    check_layouts(&(clact_options){.vector_width = 1, .work_group_size = 3}, 1);
}

/* As a device with groups does it: a row is that of a group. */
static void test_groups(void **state)
{
    (void)state;
    check_layouts(&(clact_options){.vector_width = 4, .work_group_size = 64}, 1);
}

static void test_streamed(void **state)
{
    (void)state;
    check_layouts(&(clact_options){.vector_width = 8, .stores = CLACT_STORES_STREAM}, 1);
}

/* In place. */

static void check_in_place(clact_context *ctx, enum softmax_kind kind, size_t rows, size_t cols)
{
    static _Alignas(8) elements a, b, expected, got;
    const size_t bytes = rows * cols * sizeof(float);
    fill(kind, false, CLACT_F32, a, 3);
    fill(kind, true, CLACT_F32, b, 4);
    assert_ok(softmax_call(ctx, kind, CLACT_F32, rows, cols, a, b, expected));
    for (int which = 0; which < (softmax_is_backward(kind) ? 2 : 1); which++) {
        unsigned char *array = which == 0 ? a : b;
        const cl_mem a_mem = make_mem(ctx, CL_MEM_READ_WRITE, bytes, a);
        const cl_mem b_mem = make_mem(ctx, CL_MEM_READ_WRITE, bytes, b);
        const clact_view views[2] = {clact_view_2d(a_mem, CLACT_F32, 0, rows, cols, cols),
                                     clact_view_2d(b_mem, CLACT_F32, 0, rows, cols, cols)};
        assert_ok(
            softmax_enqueue(ctx, NULL, kind, views[0], views[1], views[which], 0, NULL, NULL));
        read_mem(ctx, which == 0 ? a_mem : b_mem, bytes, got);
        assert_memory_equal(got, expected, bytes);
        memcpy(got, array, bytes);
        assert_ok(softmax_call(ctx, kind, CLACT_F32, rows, cols, a, b, array));
        assert_memory_equal(array, expected, bytes);
        memcpy(array, got, bytes);
        assert_int_equal(clReleaseMemObject(a_mem), CL_SUCCESS);
        assert_int_equal(clReleaseMemObject(b_mem), CL_SUCCESS);
    }
}

static void test_in_place(void **state)
{
    static const size_t groups[] = {0, 64};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.vector_width = i ? 4 : 0, .work_group_size = groups[i]});
        for (int kind = 0; kind < KINDS; kind++) {
            check_in_place(f.ctx, (enum softmax_kind)kind, 37, 5);
            check_in_place(f.ctx, (enum softmax_kind)kind, 30, 100);
            check_in_place(f.ctx, (enum softmax_kind)kind, 3, 1500);
        }
        fixture_close(&f);
    }
}

/* Host arrays. */

/* Through buffers, which get some rows at a time where all are too many. */
static void test_transfers(void **state)
{
    static _Alignas(8) elements a, b, expected, got;
    struct fixture shared, copied;
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&copied, &(clact_options){.transfer = CLACT_TRANSFER_COPY});
    for (int kind = 0; kind < KINDS; kind++) {
        fill((enum softmax_kind)kind, false, CLACT_F32, a, 5);
        fill((enum softmax_kind)kind, true, CLACT_F32, b, 6);
        assert_ok(
            softmax_call(shared.ctx, (enum softmax_kind)kind, CLACT_F32, 60, 100, a, b, expected));
        assert_ok(softmax_call(copied.ctx, (enum softmax_kind)kind, CLACT_F32, 60, 100, a, b, got));
        assert_memory_equal(got, expected, 6000 * sizeof(float));
        assert_ok(
            softmax_call(shared.ctx, (enum softmax_kind)kind, CLACT_F32, 0, 5, NULL, NULL, NULL));
        assert_ok(
            softmax_call(shared.ctx, (enum softmax_kind)kind, CLACT_F32, 5, 0, NULL, NULL, NULL));
    }
    fixture_close(&shared);
    fixture_close(&copied);
}

/* Queues and events. */

/* The operands arrive only when the event `gate` is complete; until then the call must wait. */
static void check_order(clact_context *ctx, cl_command_queue queue, enum softmax_kind kind)
{
    enum { ROWS = 20, COLS = 50, BYTES = ROWS * COLS * sizeof(float) };
    static _Alignas(8) elements a, b, expected, got;
    fill(kind, false, CLACT_F32, a, 7);
    fill(kind, true, CLACT_F32, b, 8);
    assert_ok(softmax_call(ctx, kind, CLACT_F32, ROWS, COLS, a, b, expected));
    const cl_mem a_mem = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, b);
    const cl_mem b_mem = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, b);
    const cl_mem out = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, b);
    const cl_event gate = make_user_event(ctx);
    cl_event written = NULL, done = NULL, nothing = NULL;
    assert_int_equal(clEnqueueWriteBuffer(queue, a_mem, CL_FALSE, 0, BYTES, a, 1, &gate, &written),
                     CL_SUCCESS);
    assert_ok(
        softmax_enqueue(ctx, queue, kind, clact_view_2d(a_mem, CLACT_F32, 0, ROWS, COLS, COLS),
                        clact_view_2d(b_mem, CLACT_F32, 0, ROWS, COLS, COLS),
                        clact_view_2d(out, CLACT_F32, 0, ROWS, COLS, COLS), 1, &written, &done));
    assert_ok(softmax_enqueue(ctx, queue, kind, clact_view_2d(a_mem, CLACT_F32, 0, 0, COLS, COLS),
                              clact_view_2d(b_mem, CLACT_F32, 0, 0, COLS, COLS),
                              clact_view_2d(out, CLACT_F32, 0, 0, COLS, COLS), 1, &done, &nothing));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    open_gate(gate, done, nothing);
    await(nothing);
    await(done);
    await(written);
    read_mem(ctx, out, BYTES, got);
    assert_memory_equal(got, expected, BYTES);
    assert_int_equal(clReleaseMemObject(a_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(b_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(out), CL_SUCCESS);
}

static void test_queues(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_prepare_softmax(f.ctx, CLACT_F32));
    assert_ok(clact_prepare_log_softmax(f.ctx, CLACT_F32));
    cl_command_queue in_order = make_queue(f.ctx, 0), any_order = make_out_of_order_queue(f.ctx);
    for (int kind = 0; kind < KINDS; kind++) {
        check_order(f.ctx, in_order, (enum softmax_kind)kind);
        if (any_order)
            check_order(f.ctx, any_order, (enum softmax_kind)kind);
    }
    assert_int_equal(clReleaseCommandQueue(in_order), CL_SUCCESS);
    if (any_order)
        assert_int_equal(clReleaseCommandQueue(any_order), CL_SUCCESS);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),  cmocka_unit_test(test_elements_one_by_one),
        cmocka_unit_test(test_groups),   cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_in_place), cmocka_unit_test(test_transfers),
        cmocka_unit_test(test_queues),   NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("softmax", tests, NULL, NULL);
}
