/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits: what a caller can get wrong, queues and events, and every OpenCL
 * call of it failing in its turn. */
#include "loss_fixture.h"

#include "dtype.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 4, COLS = 6, N = ROWS * COLS, BYTES = N * 8, POISON = 0xa5 };

static struct fixture shared, other; /* the other is on another cl_context */

/* Each operand has a buffer of its own. */
enum operand { X, Y, W, P, GRAD, LOSS, DX, OPERANDS };
static cl_mem mems[OPERANDS];

struct call {
    clact_reduction reduction;
    clact_view views[OPERANDS];
};

/* One that is right. */
static struct call right_call(void)
{
    struct call c = {.reduction = CLACT_REDUCTION_MEAN};
    for (int i = 0; i < OPERANDS; i++)
        c.views[i] = clact_view_2d(mems[i], CLACT_F32, 0, ROWS, COLS, COLS);
    c.views[P] = clact_view_1d(mems[P], CLACT_F32, 0, COLS);
    c.views[GRAD] = clact_view_1d(mems[GRAD], CLACT_F32, 0, 1);
    c.views[LOSS] = clact_view_1d(mems[LOSS], CLACT_F32, 0, 1);
    return c;
}

static clact_status enqueue(clact_context *ctx, const struct call *c, enum loss_pass pass,
                            cl_command_queue queue, cl_uint n_wait, const cl_event *wait,
                            cl_event *event)
{
    const clact_bce_views o = {
        .reduction = c->reduction, .weight = c->views[W], .pos_weight = c->views[P]};
    const clact_view *v = c->views;
    if (pass == LOSS_FORWARD)
        return clact_enqueue_bce_with_logits(ctx, queue, &o, v[X], v[Y], v[LOSS], n_wait, wait,
                                             event);
    if (pass == LOSS_BACKWARD)
        return clact_enqueue_bce_with_logits_backward(ctx, queue, &o, v[GRAD], v[X], v[Y], v[DX],
                                                      n_wait, wait, event);
    return clact_enqueue_bce_with_logits_forward_backward(ctx, queue, &o, v[X], v[Y], v[LOSS],
                                                          v[DX], n_wait, wait, event);
}

static void assert_untouched(void)
{
    unsigned char bytes[BYTES];
    for (int i = LOSS; i <= DX; i++) {
        read_mem(shared.ctx, mems[i], BYTES, bytes);
        for (size_t k = 0; k < BYTES; k++)
            assert_int_equal(bytes[k], POISON);
    }
}

static void refuse_pass(clact_status expected, const struct call *c, enum loss_pass pass)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected, enqueue(shared.ctx, c, pass, NULL, 0, NULL, &event));
    assert_true(event == UNTOUCHED_EVENT);
    assert_untouched();
}

/* Whichever passes have the operand. */
static void refuse(clact_status expected, const struct call *c, enum operand operand)
{
    if (operand != GRAD) {
        if (operand != DX)
            refuse_pass(expected, c, LOSS_FORWARD);
        refuse_pass(expected, c, LOSS_BOTH);
    }
    if (operand != LOSS)
        refuse_pass(expected, c, LOSS_BACKWARD);
}

static void test_shapes(void **state)
{
    (void)state;
    for (int i = Y; i < OPERANDS; i++) {
        struct call c = right_call();
        c.views[i].rows++;
        refuse(CLACT_SHAPE_MISMATCH, &c, (enum operand)i);
        c = right_call();
        c.views[i].cols--;
        refuse(CLACT_SHAPE_MISMATCH, &c, (enum operand)i);
    }
    struct call c = right_call();
    c.reduction = CLACT_REDUCTION_NONE; /* grad and loss are of one element still */
    refuse(CLACT_SHAPE_MISMATCH, &c, X);
}

static void test_dtypes(void **state)
{
    (void)state;
    for (int i = Y; i < OPERANDS; i++) {
        struct call c = right_call();
        c.views[i].dtype = CLACT_F16;
        refuse(CLACT_DTYPE_MISMATCH, &c, (enum operand)i);
        c.views[i].dtype = CLACT_U8;
        if (i != Y)
            refuse(CLACT_DTYPE_MISMATCH, &c, (enum operand)i);
        c.views[i].dtype = (clact_dtype)0;
        refuse(CLACT_DTYPE_MISMATCH, &c, (enum operand)i);
    }
    struct call c = right_call();
    c.views[X].dtype = CLACT_U8;
    refuse(CLACT_INVALID_ARGUMENT, &c, X);
    c.views[X].dtype = (clact_dtype)99;
    refuse(CLACT_INVALID_ARGUMENT, &c, X);
}

static void test_ranges(void **state)
{
    (void)state;
    for (int i = X; i < OPERANDS; i++) {
        struct call c = right_call();
        c.views[i].offset = BYTES / sizeof(float);
        refuse(CLACT_OUT_OF_BOUNDS, &c, (enum operand)i);
    }
    /* One row again and again, so often that their number wraps around to a few. */
    struct call c = right_call();
    c.views[W].mem = NULL;
    for (int i = X; i <= Y; i++) {
        c.views[i].rows = SIZE_MAX / COLS + 2;
        c.views[i].stride = 0;
    }
    refuse_pass(CLACT_INVALID_ARGUMENT, &c, LOSS_FORWARD);
}

static void test_overlaps(void **state)
{
    (void)state;
    struct call c = right_call();
    c.views[DX] = c.views[X];
    c.views[DX].offset = 1;
    refuse(CLACT_OVERLAP, &c, DX);
    c.views[DX] = c.views[P]; /* of another shape */
    c.views[DX].rows = ROWS;
    c.views[DX].stride = COLS;
    refuse(CLACT_OVERLAP, &c, DX);
    c = right_call();
    c.views[LOSS] = clact_view_1d(mems[X], CLACT_F32, 3, 1);
    refuse(CLACT_OVERLAP, &c, LOSS);
    c.views[LOSS] = clact_view_1d(mems[DX], CLACT_F32, 3, 1);
    refuse_pass(CLACT_OVERLAP, &c, LOSS_BOTH);
}

static void test_other_arguments(void **state)
{
    (void)state;
    struct call c = right_call();
    c.reduction = (clact_reduction)3;
    refuse(CLACT_INVALID_ARGUMENT, &c, X);
    c.reduction = (clact_reduction)-1;
    refuse(CLACT_INVALID_ARGUMENT, &c, X);
    c = right_call();
    for (int pass = LOSS_FORWARD; pass <= LOSS_BOTH; pass++) {
        cl_event event = UNTOUCHED_EVENT;
        assert_error(NULL, CLACT_INVALID_ARGUMENT,
                     enqueue(NULL, &c, (enum loss_pass)pass, NULL, 0, NULL, &event));
        assert_error(&shared, CLACT_WRONG_CONTEXT,
                     enqueue(shared.ctx, &c, (enum loss_pass)pass, clact_context_queue(other.ctx),
                             0, NULL, &event));
        assert_error(&shared, CLACT_INVALID_ARGUMENT,
                     enqueue(shared.ctx, &c, (enum loss_pass)pass, NULL, 1, NULL, &event));
        assert_true(event == UNTOUCHED_EVENT);
    }
    assert_untouched();
    c.views[X].rows = 0;
    for (int i = Y; i < OPERANDS; i++)
        c.views[i].rows = i == P || i == GRAD || i == LOSS;
    refuse(CLACT_INVALID_ARGUMENT, &c, X); /* the mean of nothing */
}

/* Without reduction and elements there is nothing to do, and an event for it. */
static void test_nothing_to_do(void **state)
{
    (void)state;
    struct call c = right_call();
    c.reduction = CLACT_REDUCTION_NONE;
    for (int i = X; i < OPERANDS; i++)
        c.views[i] = clact_view_2d(mems[i], CLACT_F32, 0, i == P, COLS, COLS);
    cl_event event = NULL;
    assert_ok(enqueue(shared.ctx, &c, LOSS_BOTH, NULL, 0, NULL, &event));
    await(event);
    assert_untouched();
}

/* Host arrays. */

static void refuse_arrays(clact_status expected, const clact_bce_arrays *o, size_t rows,
                          size_t cols, const void *x, const void *y, void *loss, void *dx)
{
    assert_error(&shared, expected,
                 clact_bce_with_logits_forward_backward(shared.ctx, o, CLACT_F32, rows, cols, x, y,
                                                        loss, dx));
    assert_error(&shared, expected,
                 clact_bce_with_logits(shared.ctx, o, CLACT_F32, rows, cols, x, y,
                                       expected == CLACT_OVERLAP ? dx : loss));
}

static void test_arrays(void **state)
{
    float x[N + 1] = {0}, y[N] = {0}, w[N] = {0}, loss[N], dx[N];
    unsigned char before[sizeof(dx)];
    (void)state;
    memset(loss, POISON, sizeof(loss));
    memset(dx, POISON, sizeof(dx));
    memcpy(before, dx, sizeof(dx));
    const clact_bce_arrays none = {.reduction = CLACT_REDUCTION_NONE};
    refuse_arrays(CLACT_INVALID_ARGUMENT, NULL, ROWS, COLS, NULL, y, loss, dx);
    refuse_arrays(CLACT_INVALID_ARGUMENT, NULL, ROWS, COLS, x, NULL, loss, dx);
    refuse_arrays(CLACT_INVALID_ARGUMENT, NULL, ROWS, COLS, x, y, NULL, dx);
    refuse_arrays(CLACT_INVALID_ARGUMENT, NULL, ROWS, COLS, (char *)x + 1, y, loss, dx);
    refuse_arrays(CLACT_INVALID_ARGUMENT, &none, SIZE_MAX / 8, COLS, x, y, loss, dx);
    refuse_arrays(CLACT_OVERLAP, &none, ROWS, COLS, x, y, loss, x + 1);
    const clact_bce_arrays crooked = {.weight = (char *)w + 1};
    refuse_arrays(CLACT_INVALID_ARGUMENT, &crooked, ROWS, COLS, x, y, loss, dx);
    const clact_bce_arrays halves = {.targets = CLACT_F16};
    refuse_arrays(CLACT_DTYPE_MISMATCH, &halves, ROWS, COLS, x, y, loss, dx);
    assert_error(
        &shared, CLACT_INVALID_ARGUMENT,
        clact_bce_with_logits_backward(shared.ctx, NULL, CLACT_F32, ROWS, COLS, NULL, x, y, dx));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_prepare_bce_with_logits(shared.ctx, NULL, CLACT_U8));
    assert_memory_equal(loss, before, sizeof(loss));
    assert_memory_equal(dx, before, sizeof(dx));
}

/* Queues. */

/* Logits arrive only when the event `gate` is complete; until then both outputs must wait, and they
 * are there when the event is. */
static void check_order(cl_command_queue queue)
{
    struct loss_data d = {.dtype = CLACT_F32, .rows = 100, .cols = 90};
    loss_data_make(&d, 6);
    const size_t bytes = 9000 * sizeof(float);
    const cl_mem x = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.dx);
    const cl_mem y = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.targets);
    const cl_mem dx = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.dx);
    const cl_mem loss = make_mem(shared.ctx, CL_MEM_READ_WRITE, sizeof(float), d.loss);
    const cl_event gate = make_user_event(shared.ctx);
    cl_event written = NULL, done = NULL;
    assert_int_equal(
        clEnqueueWriteBuffer(queue, x, CL_FALSE, 0, bytes, d.logits, 1, &gate, &written),
        CL_SUCCESS);
    assert_ok(clact_enqueue_bce_with_logits_forward_backward(
        shared.ctx, queue, NULL, clact_view_1d(x, CLACT_F32, 0, 9000),
        clact_view_1d(y, CLACT_F32, 0, 9000), clact_view_1d(loss, CLACT_F32, 0, 1),
        clact_view_1d(dx, CLACT_F32, 0, 9000), 1, &written, &done));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    open_gate(gate, done);
    await(done);
    await(written);
    assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, false));
    float got[9000];
    read_mem(shared.ctx, dx, bytes, got);
    assert_memory_equal(got, d.dx, bytes);
    read_mem(shared.ctx, loss, sizeof(float), got);
    assert_memory_equal(got, d.loss, sizeof(float));
    assert_int_equal(clReleaseMemObject(x), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(y), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(dx), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(loss), CL_SUCCESS);
    loss_data_free(&d);
}

static void test_queues(void **state)
{
    (void)state;
    assert_ok(clact_prepare_bce_with_logits(shared.ctx, NULL, CLACT_F32));
    cl_command_queue queue = make_queue(shared.ctx, 0);
    check_order(queue);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
    queue = make_out_of_order_queue(shared.ctx);
    if (!queue) {
        print_message("the device has no out-of-order queues\n");
        return;
    }
    check_order(queue);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

/* Once it is prepared nothing is compiled. */
static void test_prepare(void **state)
{
    (void)state;
    const struct fault_layer *layer = fault_layer_find();
    if (!layer)
        skip();
    struct loss_data d = {.dtype = CLACT_F32, .rows = 3, .cols = 5};
    loss_data_make(&d, 7);
    assert_ok(clact_prepare_bce_with_logits(shared.ctx, NULL, CLACT_F32));
    const unsigned long before = layer->compilations();
    for (int pass = LOSS_FORWARD; pass <= LOSS_BOTH; pass++)
        assert_ok(loss_call(shared.ctx, &d, (enum loss_pass)pass, false));
    assert_int_equal(layer->compilations(), before);
    loss_data_free(&d);
}

/* Faults. */

/* Every OpenCL call of it fails in its turn: the library's call says so, leaves nothing behind and
 * works when it is made again. */
static void check_faults(clact_status (*call)(void), void (*check)(void))
{
    const struct fault_layer *layer = fault_layer_find();
    if (!layer)
        skip();
    assert_ok(call());
    clact_context_trim(shared.ctx);
    const struct live_objects before = live_objects();
    unsigned failures = 0;
    bool fired = true;
    for (unsigned long n = 1; fired; n++) {
        layer->arm(n, CL_OUT_OF_RESOURCES);
        const clact_status status = call();
        fired = layer->fired() != NULL;
        layer->arm(0, CL_SUCCESS);
        failures += status != CLACT_SUCCESS;
        assert_true(status == CLACT_SUCCESS || fired);
        assert_ok(call());
        check();
        clact_context_trim(shared.ctx);
        assert_live(before);
    }
    assert_true(failures > 3);
}

static struct loss_data fault_data;
static float fault_loss, fault_dx[60];

static clact_status call_arrays(void)
{
    memset(fault_data.loss, 0, sizeof(float));
    memset(fault_data.dx, 0, sizeof(fault_dx));
    return loss_call(shared.ctx, &fault_data, LOSS_BOTH, false);
}

static void check_arrays(void)
{
    assert_memory_equal(fault_data.loss, &fault_loss, sizeof(fault_loss));
    assert_memory_equal(fault_data.dx, fault_dx, sizeof(fault_dx));
}

static clact_status call_views(void)
{
    const struct call c = right_call();
    cl_event event = UNTOUCHED_EVENT;
    const clact_status status = enqueue(shared.ctx, &c, LOSS_BOTH, NULL, 0, NULL, &event);
    if (status != CLACT_SUCCESS)
        assert_true(event == UNTOUCHED_EVENT);
    else
        assert_int_equal(clReleaseEvent(event), CL_SUCCESS); /* waiting might be what fails */
    return status;
}

/* At the end of the program nothing may be under way: PoCL might be compiling a kernel for it. */
static void finish_views(void)
{
    assert_int_equal(clFinish(clact_context_queue(shared.ctx)), CL_SUCCESS);
}

static void test_faults(void **state)
{
    (void)state;
    fault_data = (struct loss_data){.dtype = CLACT_F32, .rows = 6, .cols = 10};
    loss_data_make(&fault_data, 8);
    assert_ok(call_arrays());
    memcpy(&fault_loss, fault_data.loss, sizeof(fault_loss));
    memcpy(fault_dx, fault_data.dx, sizeof(fault_dx));
    check_faults(call_arrays, check_arrays);
    check_faults(call_views, finish_views);
    loss_data_free(&fault_data);
}

static int begin(void **state)
{
    unsigned char bytes[BYTES];
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    memset(bytes, POISON, BYTES);
    for (int i = 0; i < OPERANDS; i++)
        mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, bytes);
    return 0;
}

static void release_mems(void **state)
{
    (void)state;
    for (int i = 0; i < OPERANDS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_ranges),          cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_other_arguments), cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_arrays),          cmocka_unit_test(test_queues),
        cmocka_unit_test(test_prepare),         cmocka_unit_test(test_faults),
        cmocka_unit_test(release_mems),         NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("loss_errors", tests, begin, NULL);
}
