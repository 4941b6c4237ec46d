/* SPDX-License-Identifier: MIT */
/* The calls for labels with what a caller can get wrong about them: the status, what
 * clact_last_error and the log say, and that labels and events are as they were. */
#include "host_fixture.h"

#include <math.h>
#include <string.h>

enum { N = 16, ROWS = 2, BYTES = N * 8, POISON = 0xa5 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

static _Alignas(8) unsigned char logits[BYTES];
static unsigned char labels[BYTES];
static cl_mem x_mem, y_mem;

static void assert_untouched(void)
{
    unsigned char bytes[BYTES];
    read_mem(shared.ctx, y_mem, BYTES, bytes);
    for (size_t i = 0; i < BYTES; i++) {
        assert_int_equal(labels[i], POISON);
        assert_int_equal(bytes[i], POISON);
    }
}

/* Host arrays. */

static void refuse(clact_status expected, clact_dtype dtype, double threshold, size_t n,
                   const void *x, unsigned char *y)
{
    assert_error(&shared, expected, clact_predict(shared.ctx, dtype, threshold, n, x, y));
    assert_untouched();
}

static const double bad_thresholds[] = {NAN,         -0.1,     -0x1p-1074, 1.1,
                                        1 + 0x1p-52, INFINITY, -INFINITY};
enum { BAD_THRESHOLDS = sizeof(bad_thresholds) / sizeof(*bad_thresholds) };

static void test_array_thresholds(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_THRESHOLDS; i++) {
        refuse(CLACT_INVALID_ARGUMENT, CLACT_F32, bad_thresholds[i], N, logits, labels);
        assert_non_null(strstr(clact_last_error(shared.ctx)->message, "threshold"));
    }
}

static void test_arrays(void **state)
{
    (void)state;
    refuse(CLACT_INVALID_ARGUMENT, CLACT_F32, 0.5, N, NULL, labels);
    assert_non_null(strstr(clact_last_error(shared.ctx)->message, "logits"));
    refuse(CLACT_INVALID_ARGUMENT, CLACT_F32, 0.5, N, logits, NULL);
    assert_non_null(strstr(clact_last_error(shared.ctx)->message, "labels"));
    for (size_t shift = 1; shift < sizeof(float); shift++)
        refuse(CLACT_INVALID_ARGUMENT, CLACT_F32, 0.5, N, logits + shift, labels);
    refuse(CLACT_INVALID_ARGUMENT, CLACT_F32, 0.5, SIZE_MAX, logits, labels);
    refuse(CLACT_INVALID_ARGUMENT, (clact_dtype)0, 0.5, N, logits, labels);
    assert_error(NULL, CLACT_INVALID_ARGUMENT,
                 clact_predict(NULL, CLACT_F32, 0.5, N, logits, labels));
    assert_untouched();
}

/* On the first logit, on the last one, and within. */
static void test_array_overlaps(void **state)
{
    static const size_t starts[] = {0, 1, N - 1, N * sizeof(float) - 1};
    unsigned char before[BYTES];
    (void)state;
    memcpy(before, logits, BYTES);
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        refuse(CLACT_OVERLAP, CLACT_F32, 0.5, N, logits, logits + starts[i]);
    assert_memory_equal(logits, before, BYTES);
}

/* u8 holds labels, which nothing computes with. */
static void test_labels_are_no_operands(void **state)
{
    const clact_view x = clact_view_1d(x_mem, CLACT_U8, 0, N);
    const clact_view y = clact_view_1d(y_mem, CLACT_U8, 0, N);
    (void)state;
    refuse(CLACT_INVALID_ARGUMENT, CLACT_U8, 0.5, N, logits, labels);
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_forward(shared.ctx, any_operator(), NULL, CLACT_U8, N, logits, labels));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_backward(shared.ctx, any_operator(), NULL, CLACT_U8, any_kind(), N, logits,
                                logits, labels));
    assert_error(
        &shared, CLACT_INVALID_ARGUMENT,
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, x, y, 0, NULL, NULL));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_enqueue_backward(shared.ctx, NULL, any_operator(), NULL, any_kind(), x, x, y,
                                        0, NULL, NULL));
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_prepare_predict(shared.ctx, CLACT_U8));
    assert_untouched();
}

/* Views. */

struct call {
    cl_command_queue queue;
    double threshold;
    clact_view x, y;
    cl_uint n_wait;
    const cl_event *wait;
};

static struct call right_call(void)
{
    return (struct call){.threshold = 0.5,
                         .x = clact_view_2d(x_mem, CLACT_F32, 0, ROWS, N / ROWS, N / ROWS),
                         .y = clact_view_2d(y_mem, CLACT_U8, 0, ROWS, N / ROWS, N / ROWS)};
}

static void refuse_views(clact_status expected, struct call c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 clact_enqueue_predict(shared.ctx, c.queue, c.threshold, c.x, c.y, c.n_wait, c.wait,
                                       &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

static void test_view_thresholds(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_THRESHOLDS; i++) {
        struct call c = right_call();
        c.threshold = bad_thresholds[i];
        refuse_views(CLACT_INVALID_ARGUMENT, c);
    }
}

static void test_view_dtypes(void **state)
{
    (void)state;
    struct call c = right_call();
    c.x.dtype = CLACT_U8;
    refuse_views(CLACT_INVALID_ARGUMENT, c);
    c = right_call();
    c.y.dtype = CLACT_F32;
    refuse_views(CLACT_DTYPE_MISMATCH, c);
    c.y.dtype = (clact_dtype)99;
    refuse_views(CLACT_DTYPE_MISMATCH, c);
}

static void test_view_shapes(void **state)
{
    (void)state;
    struct call c = right_call();
    c.y.rows--;
    refuse_views(CLACT_SHAPE_MISMATCH, c);
    c = right_call();
    c.x.cols--;
    refuse_views(CLACT_SHAPE_MISMATCH, c);
    c = right_call();
    c.y.offset = BYTES - N + 1;
    refuse_views(CLACT_OUT_OF_BOUNDS, c);
    c = right_call();
    c.x.offset = BYTES / sizeof(float) - N + 1;
    refuse_views(CLACT_OUT_OF_BOUNDS, c);
    c = right_call();
    c.y.mem = NULL;
    refuse_views(CLACT_INVALID_ARGUMENT, c);
}

/* Also where both start at the same byte, which for operators is in place. */
static void test_view_overlaps(void **state)
{
    (void)state;
    struct call c = right_call();
    c.y.stride = N / ROWS - 1;
    refuse_views(CLACT_OVERLAP, c);
    for (size_t offset = 0; offset < N * sizeof(float); offset += 7) {
        c = right_call();
        c.x.mem = y_mem;
        c.y.offset = offset;
        refuse_views(CLACT_OVERLAP, c);
    }
}

static void test_foreign_objects(void **state)
{
    (void)state;
    const cl_event event = make_user_event(other.ctx);
    struct call c = right_call();
    c.queue = clact_context_queue(other.ctx);
    refuse_views(CLACT_WRONG_CONTEXT, c);
    c = right_call();
    c.n_wait = 1;
    refuse_views(CLACT_INVALID_ARGUMENT, c);
    c.wait = &event;
    refuse_views(CLACT_WRONG_CONTEXT, c);
    c = right_call();
    c.y.mem = make_mem(other.ctx, CL_MEM_READ_WRITE, BYTES, NULL);
    refuse_views(CLACT_WRONG_CONTEXT, c);
    assert_int_equal(clReleaseMemObject(c.y.mem), CL_SUCCESS);
    complete_user_event(event);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    memset(labels, POISON, BYTES);
    x_mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, logits);
    y_mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, labels);
    return 0;
}

/* After all that the right call works. */
static void test_still_works(void **state)
{
    (void)state;
    const struct call c = right_call();
    assert_ok(clact_enqueue_predict(shared.ctx, NULL, 0.5, c.x, c.y, 0, NULL, NULL));
    read_mem(shared.ctx, y_mem, BYTES, labels);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(labels[i], i < N ? 1 : POISON);
    assert_int_equal(clReleaseMemObject(x_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(y_mem), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_array_thresholds), cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_array_overlaps),   cmocka_unit_test(test_labels_are_no_operands),
        cmocka_unit_test(test_view_thresholds),  cmocka_unit_test(test_view_dtypes),
        cmocka_unit_test(test_view_shapes),      cmocka_unit_test(test_view_overlaps),
        cmocka_unit_test(test_foreign_objects),  cmocka_unit_test(test_still_works),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("predict errors", tests, open_shared, NULL);
}
