/* SPDX-License-Identifier: MIT */
/* Contexts around the caller's own OpenCL objects: used, retained while needed, and given back. */
#include "host_fixture.h"

#include <time.h>

enum { N = 500 };

static struct fixture chosen; /* tells which device to test on */
static cl_context own;
static cl_device_id device;

static cl_uint context_references(void)
{
    cl_uint count = 0;
    assert_int_equal(clGetContextInfo(own, CL_CONTEXT_REFERENCE_COUNT, sizeof(count), &count, NULL),
                     CL_SUCCESS);
    return count;
}

static cl_uint queue_references(cl_command_queue queue)
{
    cl_uint count = 0;
    assert_int_equal(
        clGetCommandQueueInfo(queue, CL_QUEUE_REFERENCE_COUNT, sizeof(count), &count, NULL),
        CL_SUCCESS);
    return count;
}

/* A driver may keep what a command used for a moment after the command's event is complete: both
 * of these wait for that moment to pass. */
static const struct timespec moment = {.tv_nsec = 10000000};
enum { MOMENTS = 500 };

static void assert_context_references(cl_uint expected)
{
    for (int i = 0; i < MOMENTS && context_references() != expected; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(context_references(), expected);
}

static void assert_queue_references(cl_command_queue queue, cl_uint expected)
{
    for (int i = 0; i < MOMENTS && queue_references(queue) != expected; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(queue_references(queue), expected);
}

static void wrap(struct fixture *f)
{
    *f = (struct fixture){0};
    const clact_options options = {.device = "ignored", .log = call_log_add, .log_user = &f->log};
    assert_ok(clact_context_create_from_cl(own, device, &options, &f->ctx));
    assert_ptr_equal(clact_context_cl(f->ctx), own);
    assert_ptr_equal(clact_context_device(f->ctx), device);
}

static void test_use_leaves_no_reference(void **state)
{
    (void)state;
    const cl_uint before = context_references();
    struct fixture f;
    wrap(&f);
    assert_true(context_references() > before);
    cl_command_queue queue = make_queue(f.ctx, 0);
    const cl_uint queue_before = queue_references(queue);
    float x[N], y[N];
    fill_operands(CLACT_F32, x, N, 1);
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    assert_forward(CLACT_F32, N, x, y);
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(f.ctx, sizeof(x), &buffer));
    const clact_view view = clact_buffer_view(buffer, CLACT_F32, 0, N);
    assert_ok(clact_buffer_write(buffer, 0, sizeof(x), x));
    cl_event done = NULL;
    assert_ok(
        clact_enqueue_forward(f.ctx, queue, any_operator(), NULL, view, view, 0, NULL, &done));
    await(done);
    assert_ok(clact_buffer_read(buffer, 0, sizeof(y), y));
    assert_forward(CLACT_F32, N, x, y);
    assert_queue_references(queue, queue_before);
    fixture_close(&f);
    clact_buffer_destroy(buffer);
    assert_queue_references(queue, queue_before);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
    assert_context_references(before);
}

static void test_own_queue_is_plain(void **state)
{
    (void)state;
    struct fixture f;
    wrap(&f);
    cl_command_queue queue = clact_context_queue(f.ctx);
    cl_command_queue_properties properties = 99;
    cl_context context = NULL;
    assert_int_equal(
        clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof(properties), &properties, NULL),
        CL_SUCCESS);
    assert_int_equal(
        clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL),
        CL_SUCCESS);
    assert_int_equal(properties, 0);
    assert_ptr_equal(context, own);
    fixture_close(&f);
}

/* The queue is borrowed: a caller who retains it has it after the context is gone. */
static void test_retained_queue_outlives_context(void **state)
{
    (void)state;
    struct fixture f;
    wrap(&f);
    cl_command_queue queue = clact_context_queue(f.ctx);
    assert_int_equal(clRetainCommandQueue(queue), CL_SUCCESS);
    fixture_close(&f);
    cl_event event = NULL;
    assert_int_equal(clEnqueueMarkerWithWaitList(queue, 0, NULL, &event), CL_SUCCESS);
    await(event);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

/* What was enqueued completes, though the context is gone before it starts. */
static void test_commands_outlive_context(void **state)
{
    (void)state;
    const cl_uint before = context_references();
    struct fixture f;
    wrap(&f);
    float x[N], y[N] = {0};
    fill_operands(CLACT_F32, x, N, 2);
    cl_command_queue queue = make_queue(f.ctx, 0);
    cl_mem mem = make_mem(f.ctx, CL_MEM_READ_WRITE, sizeof(x), x);
    const clact_view view = clact_view_1d(mem, CLACT_F32, 0, N);
    cl_event gate = make_user_event(f.ctx), done = NULL;
    assert_ok(
        clact_enqueue_forward(f.ctx, queue, any_operator(), NULL, view, view, 1, &gate, &done));
    fixture_close(&f);
    complete_user_event(gate);
    await(done);
    assert_int_equal(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, sizeof(y), y, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_forward(CLACT_F32, N, x, y);
    clReleaseMemObject(mem);
    clReleaseCommandQueue(queue);
    assert_context_references(before);
}

/* The caller may give its own objects back first: a context keeps what it needs. */
static void test_context_outlives_the_callers_reference(void **state)
{
    (void)state;
    cl_int code = CL_SUCCESS;
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    clact_context *ctx = NULL;
    assert_ok(clact_context_create_from_cl(context, device, NULL, &ctx));
    assert_int_equal(clReleaseContext(context), CL_SUCCESS);
    float x[N], y[N];
    fill_operands(CLACT_F32, x, N, 3);
    assert_ok(clact_forward(ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    assert_forward(CLACT_F32, N, x, y);
    clact_context_destroy(ctx);
}

/* Several contexts around one cl_context share its buffers. */
static void test_two_contexts_around_one(void **state)
{
    (void)state;
    const cl_uint before = context_references();
    struct fixture one, two;
    wrap(&one);
    wrap(&two);
    float x[N], y[N];
    fill_operands(CLACT_F32, x, N, 4);
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(one.ctx, sizeof(x), &buffer));
    assert_ok(clact_buffer_write(buffer, 0, sizeof(x), x));
    const clact_view view = clact_buffer_view(buffer, CLACT_F32, 0, N);
    cl_event done = NULL;
    assert_ok(clact_enqueue_forward(two.ctx, clact_context_queue(one.ctx), any_operator(), NULL,
                                    view, view, 0, NULL, &done));
    await(done);
    assert_ok(clact_buffer_read(buffer, 0, sizeof(y), y));
    assert_forward(CLACT_F32, N, x, y);
    clact_buffer_destroy(buffer);
    fixture_close(&one);
    fixture_close(&two);
    assert_context_references(before);
}

static void test_errors(void **state)
{
    (void)state;
    const cl_uint before = context_references();
    clact_context *const untouched = (clact_context *)(void *)&chosen;
    clact_context *ctx = untouched;
    const clact_options wrong = {.vector_width = 3};
    const clact_status invalid = CLACT_INVALID_ARGUMENT;
    assert_error(NULL, invalid, clact_context_create_from_cl(NULL, device, NULL, &ctx));
    assert_error(NULL, invalid, clact_context_create_from_cl(own, NULL, NULL, &ctx));
    assert_error(NULL, invalid, clact_context_create_from_cl(own, device, NULL, NULL));
    assert_error(NULL, invalid, clact_context_create_from_cl(own, device, &wrong, &ctx));
    assert_ptr_equal(ctx, untouched);
    assert_context_references(before);
}

static int begin(void **state)
{
    (void)state;
    fixture_open(&chosen, NULL);
    device = clact_context_device(chosen.ctx);
    cl_int code = CL_SUCCESS;
    own = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    return 0;
}

/* Last: a failure in a teardown would not fail the program. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(clReleaseContext(own), CL_SUCCESS);
    fixture_close(&chosen);
    assert_live((struct live_objects){{0}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_use_leaves_no_reference),
        cmocka_unit_test(test_own_queue_is_plain),
        cmocka_unit_test(test_retained_queue_outlives_context),
        cmocka_unit_test(test_commands_outlive_context),
        cmocka_unit_test(test_context_outlives_the_callers_reference),
        cmocka_unit_test(test_two_contexts_around_one),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_nothing_is_left),
    };
    return cmocka_run_group_tests_name("wrapped context", tests, begin, NULL);
}
