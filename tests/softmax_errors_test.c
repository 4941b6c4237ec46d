/* SPDX-License-Identifier: MIT */
/* The calls of softmax.h with what a caller can get wrong about them, and with OpenCL calls that fail:
 * the status, what clact_last_error and the log say, and that outputs and events are as they were. */
#include "host_fixture.h"
#include "softmax_reference.h"

#include <string.h>

enum { ROWS = 4, COLS = 6, N = ROWS * COLS, BYTES = 2 * N * sizeof(float), POISON = 0xa5 };

static struct fixture shared, other; /* on another cl_context */
static float a[2 * N], b[2 * N], out[2 * N];
static cl_mem a_mem, b_mem, out_mem;

static void assert_untouched(void)
{
    static unsigned char bytes[BYTES];
    read_mem(shared.ctx, out_mem, BYTES, bytes);
    for (size_t i = 0; i < BYTES; i++) {
        assert_int_equal(((unsigned char *)out)[i], POISON);
        assert_int_equal(bytes[i], POISON);
    }
}

/* Host arrays. */

static void refuse(clact_status expected, enum softmax_kind kind, clact_dtype dtype, size_t rows,
                   size_t cols, const void *x, const void *y, void *to)
{
    assert_error(&shared, expected, softmax_call(shared.ctx, kind, dtype, rows, cols, x, y, to));
    assert_untouched();
}

static void test_arrays(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        const enum softmax_kind kind = (enum softmax_kind)k;
        const clact_status bad = CLACT_INVALID_ARGUMENT;
        refuse(bad, kind, CLACT_F32, ROWS, COLS, NULL, b, out);
        refuse(bad, kind, CLACT_F32, ROWS, COLS, a, b, NULL);
        refuse(bad, kind, CLACT_F32, ROWS, COLS, (char *)a + 1, b, out);
        refuse(bad, kind, CLACT_F32, ROWS, COLS, a, b, (char *)out + 2);
        refuse(bad, kind, CLACT_F32, SIZE_MAX / 2, 3, a, b, out);
        refuse(bad, kind, CLACT_F32, 1, SIZE_MAX, a, b, out);
        refuse(bad, kind, CLACT_U8, ROWS, COLS, a, b, out);
        refuse(bad, kind, (clact_dtype)0, ROWS, COLS, a, b, out);
        refuse(CLACT_OVERLAP, kind, CLACT_F32, ROWS, COLS, out + 1, b, out);
        assert_error(NULL, bad, softmax_call(NULL, kind, CLACT_F32, ROWS, COLS, a, b, out));
        if (!softmax_is_backward(kind))
            continue;
        refuse(bad, kind, CLACT_F32, ROWS, COLS, a, NULL, out);
        refuse(CLACT_OVERLAP, kind, CLACT_F32, ROWS, COLS, a, out + N - 1, out);
    }
    assert_untouched();
}

static void test_preparing(void **state)
{
    (void)state;
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_prepare_softmax(shared.ctx, CLACT_U8));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_prepare_log_softmax(shared.ctx, (clact_dtype)77));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare_softmax(NULL, CLACT_F32));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare_log_softmax(NULL, CLACT_F32));
}

/* Views. */

struct call {
    enum softmax_kind kind;
    cl_command_queue queue;
    clact_view a, b, out;
    cl_uint n_wait;
    const cl_event *wait;
};

static struct call right_call(int kind)
{
    return (struct call){.kind = (enum softmax_kind)kind,
                         .a = clact_view_2d(a_mem, CLACT_F32, 0, ROWS, COLS, COLS),
                         .b = clact_view_2d(b_mem, CLACT_F32, 0, ROWS, COLS, COLS),
                         .out = clact_view_2d(out_mem, CLACT_F32, 0, ROWS, COLS, COLS)};
}

static void refuse_views(clact_status expected, struct call c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(
        &shared, expected,
        softmax_enqueue(shared.ctx, c.queue, c.kind, c.a, c.b, c.out, c.n_wait, c.wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

static void test_views(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct call c = right_call(kind);
        c.a.dtype = CLACT_U8;
        refuse_views(CLACT_INVALID_ARGUMENT, c);
        c = right_call(kind);
        c.out.dtype = CLACT_F16;
        refuse_views(CLACT_DTYPE_MISMATCH, c);
        c = right_call(kind);
        c.out.rows--;
        refuse_views(CLACT_SHAPE_MISMATCH, c);
        c = right_call(kind);
        c.out.cols--;
        refuse_views(CLACT_SHAPE_MISMATCH, c);
        c = right_call(kind);
        c.a.offset = N + 1;
        refuse_views(CLACT_OUT_OF_BOUNDS, c);
        c = right_call(kind);
        c.out.mem = NULL;
        refuse_views(CLACT_INVALID_ARGUMENT, c);
        c = right_call(kind);
        c.out.stride = COLS - 1;
        refuse_views(CLACT_OVERLAP, c);
        c = right_call(kind);
        c.a.mem = out_mem;
        c.a.offset = 1;
        refuse_views(CLACT_OVERLAP, c);
        if (!softmax_is_backward(c.kind))
            continue;
        c = right_call(kind);
        c.b.dtype = CLACT_BF16;
        refuse_views(CLACT_DTYPE_MISMATCH, c);
        c = right_call(kind);
        c.b.rows++;
        refuse_views(CLACT_SHAPE_MISMATCH, c);
        c = right_call(kind);
        c.b.mem = NULL;
        refuse_views(CLACT_INVALID_ARGUMENT, c);
    }
}

static void test_foreign_objects(void **state)
{
    (void)state;
    const cl_event event = make_user_event(other.ctx);
    const cl_mem foreign = make_mem(other.ctx, CL_MEM_READ_WRITE, BYTES, NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        struct call c = right_call(kind);
        c.queue = clact_context_queue(other.ctx);
        refuse_views(CLACT_WRONG_CONTEXT, c);
        c = right_call(kind);
        c.n_wait = 1;
        refuse_views(CLACT_INVALID_ARGUMENT, c);
        c.wait = &event;
        refuse_views(CLACT_WRONG_CONTEXT, c);
        c = right_call(kind);
        c.out.mem = foreign;
        refuse_views(CLACT_WRONG_CONTEXT, c);
    }
    assert_int_equal(clReleaseMemObject(foreign), CL_SUCCESS);
    complete_user_event(event);
}

/* OpenCL calls that fail, each in its turn: the call says so, works when it is made again, and leaves
 * nothing behind. */
static void check_faults(const struct fault_layer *layer, clact_context *ctx,
                         enum softmax_kind kind)
{
    const struct live_objects before = live_objects();
    unsigned long errors = 0;
    bool fired = true;
    for (unsigned long n = 1; fired; n++) {
        layer->arm(n, CL_INVALID_OPERATION);
        const clact_status status = softmax_call(ctx, kind, CLACT_F32, ROWS, COLS, a, b, out);
        fired = layer->fired() != NULL;
        layer->arm(0, CL_SUCCESS);
        errors += status != CLACT_SUCCESS;
        if (status != CLACT_SUCCESS) {
            assert_true(fired);
            assert_int_equal(clact_last_error(ctx)->status, status);
            assert_ok(softmax_call(ctx, kind, CLACT_F32, ROWS, COLS, a, b, out));
        }
        clact_context_trim(ctx);
        assert_live(before);
    }
    assert_true(errors > 0);
}

static void test_faults(void **state)
{
    const struct fault_layer *layer = fault_layer_find();
    (void)state;
    if (!layer)
        skip();
    for (int transfer = CLACT_TRANSFER_SHARE; transfer <= CLACT_TRANSFER_COPY; transfer++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.transfer = (clact_transfer)transfer});
        for (int kind = 0; kind < KINDS; kind++) {
            assert_ok(
                softmax_call(f.ctx, (enum softmax_kind)kind, CLACT_F32, ROWS, COLS, a, b, out));
            clact_context_trim(f.ctx);
            check_faults(layer, f.ctx, (enum softmax_kind)kind);
        }
        fixture_close(&f);
    }
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    memset(out, POISON, BYTES);
    a_mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, a);
    b_mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, b);
    out_mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, out);
    return 0;
}

/* After all that the right calls work. */
static void test_still_works(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        const struct call c = right_call(kind);
        assert_ok(softmax_enqueue(shared.ctx, NULL, c.kind, c.a, c.b, c.out, 0, NULL, NULL));
        read_mem(shared.ctx, out_mem, BYTES, out);
        for (size_t i = 0; i < N; i++)
            assert_true(kind == KIND_softmax ? out[i] == 1 / 6.0f : out[i] <= 0);
    }
    assert_int_equal(clReleaseMemObject(a_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(b_mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(out_mem), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays),      cmocka_unit_test(test_preparing),
        cmocka_unit_test(test_views),       cmocka_unit_test(test_foreign_objects),
        cmocka_unit_test(test_still_works), cmocka_unit_test(test_faults),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("softmax errors", tests, open_shared, NULL);
}
