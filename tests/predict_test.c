/* SPDX-License-Identifier: MIT */
/* Labels from anywhere to anywhere: every layout, way to store, transfer and kind of queue. The
 * logits keep away from the threshold; predict_exact_test goes near. */
#include "dtype.h"
#include "host_fixture.h"

#include <stdio.h>
#include <string.h>

enum { DTYPES = 4, POISON = 0xa5 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* s(0.75) = 0.679 and s(0.875) = 0.706; logits are multiples of 1/8. */
static const double threshold = 0.7;

static void fill_logits(clact_dtype dtype, void *array, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        dtype_store(dtype, array, i, ((double)((i * i + i * 37 + seed * 11) % 61) - 24) / 8);
}

static unsigned char label_of(clact_dtype dtype, const void *logits, size_t i)
{
    return dtype_load(dtype, logits, i) >= 0.875;
}

/* Layouts. */

struct layout {
    size_t rows, cols, x_offset, x_stride, y_offset, y_stride;
};

/* A whole buffer of labels is as it must be: what is no label is as it was. */
static void check_layout(clact_context *ctx, clact_dtype dtype, const struct layout *l)
{
    enum { ROOM = 5000 };
    static unsigned char logits[ROOM * 8], expected[ROOM], got[ROOM];
    fill_logits(dtype, logits, ROOM, 1);
    memset(expected, POISON, ROOM);
    const cl_mem x = make_mem(ctx, CL_MEM_READ_ONLY, ROOM * clact_dtype_size(dtype), logits);
    const cl_mem y = make_mem(ctx, CL_MEM_WRITE_ONLY, ROOM, expected);
    cl_event event = NULL;
    assert_ok(clact_enqueue_predict(
        ctx, NULL, threshold, clact_view_2d(x, dtype, l->x_offset, l->rows, l->cols, l->x_stride),
        clact_view_2d(y, CLACT_U8, l->y_offset, l->rows, l->cols, l->y_stride), 0, NULL, &event));
    await(event);
    for (size_t r = 0; r < l->rows; r++)
        for (size_t c = 0; c < l->cols; c++)
            expected[l->y_offset + r * l->y_stride + c] =
                label_of(dtype, logits, l->x_offset + r * l->x_stride + c);
    read_mem(ctx, y, ROOM, got);
    for (size_t i = 0; i < ROOM; i++)
        if (got[i] != expected[i])
            fail_msg("%s, %zu rows of %zu, strides %zu and %zu: byte %zu is %d, not %d",
                     clact_dtype_name(dtype), l->rows, l->cols, l->x_stride, l->y_stride, i, got[i],
                     expected[i]);
    assert_int_equal(clReleaseMemObject(x), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(y), CL_SUCCESS);
}

static void check_layouts(const clact_options *options)
{
    static const struct layout matrices[] = {
        {5, 3, 1, 4, 2, 3},     {7, 1, 0, 1, 3, 5},          {3, 33, 5, 40, 7, 35},
        {4, 16, 0, 16, 0, 16},  {2, 1000, 3, 1003, 1, 1001}, {1000, 2, 1, 3, 5, 4},
        {9, 15, 2, 0, 1, 17},   {0, 5, 0, 5, 0, 5},          {5, 0, 0, 5, 0, 5},
        {1, 4000, 1, 0, 13, 0}, {31, 17, 3, 17, 0, 64},
    };
    struct fixture f;
    fixture_open(&f, options);
    for (int d = 0; d < DTYPES; d++) {
        if (!dtype_works(f.ctx, dtypes[d]))
            continue;
        for (size_t n = 0; n <= 50; n++)
            check_layout(f.ctx, dtypes[d], &(struct layout){1, n, n % 5, 0, (n * 7) % 19, 0});
        for (size_t i = 0; i < sizeof(matrices) / sizeof(*matrices); i++)
            check_layout(f.ctx, dtypes[d], &matrices[i]);
    }
    fixture_close(&f);
}

static void test_layouts(void **state)
{
    (void)state;
    check_layouts(NULL);
}

static void test_widths_stored_plainly(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 16; width *= 2)
        check_layouts(&(clact_options){
            .vector_width = width, .stores = CLACT_STORES_PLAIN, .work_group_size = 1});
}

static void test_widths_streamed(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 16; width *= 2)
        check_layouts(&(clact_options){
            .vector_width = width, .stores = CLACT_STORES_STREAM, .work_group_size = 7});
}

/* The labels right behind the logits, in their buffer. */
static void test_in_one_buffer(void **state)
{
    enum { N = 100 };
    struct fixture f;
    unsigned char bytes[N * sizeof(float) + N], got[sizeof(bytes)];
    (void)state;
    memset(bytes, POISON, sizeof(bytes));
    fill_logits(CLACT_F32, bytes, N, 2);
    fixture_open(&f, NULL);
    const cl_mem mem = make_mem(f.ctx, CL_MEM_READ_WRITE, sizeof(bytes), bytes);
    assert_ok(clact_enqueue_predict(f.ctx, NULL, threshold, clact_view_1d(mem, CLACT_F32, 0, N),
                                    clact_view_1d(mem, CLACT_U8, N * sizeof(float), N), 0, NULL,
                                    NULL));
    read_mem(f.ctx, mem, sizeof(got), got);
    for (size_t i = 0; i < N; i++)
        bytes[N * sizeof(float) + i] = label_of(CLACT_F32, bytes, i);
    assert_memory_equal(got, bytes, sizeof(bytes));
    assert_int_equal(clReleaseMemObject(mem), CL_SUCCESS);
    fixture_close(&f);
}

/* Host arrays. */

static void check_arrays(clact_context *ctx, clact_dtype dtype, size_t n, size_t offset)
{
    enum { ROOM = 3200 };
    static _Alignas(8) unsigned char logits[ROOM * 8], before[ROOM * 8];
    static unsigned char labels[ROOM];
    unsigned char *x = logits + offset * clact_dtype_size(dtype);
    fill_logits(dtype, logits, ROOM, 3);
    memcpy(before, logits, sizeof(before));
    memset(labels, POISON, ROOM);
    assert_ok(clact_predict(ctx, dtype, threshold, n, x, labels + 2 * offset));
    for (size_t i = 0; i < ROOM; i++) {
        const bool is_label = i >= 2 * offset && i < 2 * offset + n;
        assert_int_equal(labels[i], is_label ? label_of(dtype, x, i - 2 * offset) : POISON);
    }
    assert_memory_equal(logits, before, sizeof(before));
}

/* 100 bytes are no whole number of vectors, and 8 one element of f64. */
static void test_host_arrays(void **state)
{
    static const size_t pieces[] = {0, 8, 100, 4096};
    (void)state;
    for (int transfer = CLACT_TRANSFER_AUTO; transfer <= CLACT_TRANSFER_COPY; transfer++)
        for (size_t p = 0; p < sizeof(pieces) / sizeof(*pieces); p++) {
            struct fixture f;
            fixture_open(&f, &(clact_options){.transfer = (clact_transfer)transfer,
                                              .piece_bytes = pieces[p]});
            for (int d = 0; d < DTYPES; d++) {
                if (!dtype_works(f.ctx, dtypes[d]))
                    continue;
                check_arrays(f.ctx, dtypes[d], pieces[p] == 8 ? 201 : 3001, 0);
                for (size_t n = 0; n < 40; n++)
                    check_arrays(f.ctx, dtypes[d], n, n % 7);
            }
            fixture_close(&f);
        }
}

static void test_no_elements(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_predict(f.ctx, CLACT_F32, threshold, 0, NULL, NULL));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_predict(f.ctx, CLACT_F32, 2, 0, NULL, NULL));
    fixture_close(&f);
}

/* Queues and events. */

/* Logits arrive only when the event `gate` is complete; until then the labels must wait. */
static void check_order(clact_context *ctx, cl_command_queue queue)
{
    enum { N = 1000 };
    float old[N], logits[N];
    unsigned char labels[N];
    for (size_t i = 0; i < N; i++)
        old[i] = -10;
    fill_logits(CLACT_F32, logits, N, 4);
    memset(labels, POISON, N);
    const cl_mem x = make_mem(ctx, CL_MEM_READ_WRITE, sizeof(old), old);
    const cl_mem y = make_mem(ctx, CL_MEM_READ_WRITE, N, labels);
    const cl_event gate = make_user_event(ctx);
    cl_event written = NULL, done = NULL;
    assert_int_equal(
        clEnqueueWriteBuffer(queue, x, CL_FALSE, 0, sizeof(logits), logits, 1, &gate, &written),
        CL_SUCCESS);
    assert_ok(clact_enqueue_predict(ctx, queue, threshold, clact_view_1d(x, CLACT_F32, 0, N),
                                    clact_view_1d(y, CLACT_U8, 0, N), 1, &written, &done));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    open_gate(gate, done);
    await(done);
    await(written);
    read_mem(ctx, y, N, labels);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(labels[i], label_of(CLACT_F32, logits, i));
    assert_int_equal(clReleaseMemObject(x), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(y), CL_SUCCESS);
}

static void test_in_order_queue(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_prepare_predict(f.ctx, CLACT_F32));
    cl_command_queue queue = make_queue(f.ctx, 0);
    check_order(f.ctx, queue);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
    fixture_close(&f);
}

static void test_out_of_order_queue(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    cl_command_queue queue = make_out_of_order_queue(f.ctx);
    if (queue) {
        check_order(f.ctx, queue);
        assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
    }
    fixture_close(&f);
    if (!queue) {
        print_message("the device has no out-of-order queues\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_widths_stored_plainly),
        cmocka_unit_test(test_widths_streamed),
        cmocka_unit_test(test_in_one_buffer),
        cmocka_unit_test(test_host_arrays),
        cmocka_unit_test(test_no_elements),
        cmocka_unit_test(test_in_order_queue),
        cmocka_unit_test(test_out_of_order_queue),
        NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
