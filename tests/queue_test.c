/* SPDX-License-Identifier: MIT */
/* Queues and events: calls return at once, wait for what they are told to, and give events that
 * tell when they are done, on every kind of queue. */
#include "host_fixture.h"

#include <string.h>

enum { N = 1000 };

static struct fixture shared;

/* x, y and dx on the device, and x and grad on the host. */
struct chain {
    float x[N], grad[N];
    cl_mem mem_x, mem_grad, mem_y, mem_dx;
};

static void chain_open(struct chain *c)
{
    fill_operands(CLACT_F32, c->x, N, 1);
    fill_operands(CLACT_F32, c->grad, N, 2);
    static const float zeros[N];
    c->mem_x = make_mem(shared.ctx, CL_MEM_READ_ONLY, sizeof(c->x), c->x);
    c->mem_grad = make_mem(shared.ctx, CL_MEM_READ_ONLY, sizeof(c->x), c->grad);
    c->mem_y = make_mem(shared.ctx, CL_MEM_READ_WRITE, sizeof(c->x), zeros);
    c->mem_dx = make_mem(shared.ctx, CL_MEM_WRITE_ONLY, sizeof(c->x), zeros);
}

static void chain_close(struct chain *c)
{
    clReleaseMemObject(c->mem_x);
    clReleaseMemObject(c->mem_grad);
    clReleaseMemObject(c->mem_y);
    clReleaseMemObject(c->mem_dx);
}

static clact_view view(cl_mem mem)
{
    return clact_view_1d(mem, CLACT_F32, 0, N);
}

static clact_status forward(const struct chain *c, cl_command_queue queue, cl_uint n_wait,
                            const cl_event *wait, cl_event *event)
{
    return clact_enqueue_forward(shared.ctx, queue, any_operator(), NULL, view(c->mem_x),
                                 view(c->mem_y), n_wait, wait, event);
}

/* From what forward wrote, or from x where the operator's gradient needs that. */
static clact_status backward(const struct chain *c, cl_command_queue queue, cl_uint n_wait,
                             const cl_event *wait, cl_event *event)
{
    const cl_mem saved = any_kind() == CLACT_SAVED_OUTPUT ? c->mem_y : c->mem_x;
    return clact_enqueue_backward(shared.ctx, queue, any_operator(), NULL, any_kind(),
                                  view(c->mem_grad), view(saved), view(c->mem_dx), n_wait, wait,
                                  event);
}

static void assert_chain(const struct chain *c)
{
    float y[N], dx[N];
    read_mem(shared.ctx, c->mem_y, sizeof(y), y);
    read_mem(shared.ctx, c->mem_dx, sizeof(dx), dx);
    assert_forward(CLACT_F32, N, c->x, y);
    const float *saved = any_kind() == CLACT_SAVED_OUTPUT ? y : c->x;
    assert_backward(CLACT_F32, any_kind(), N, c->grad, saved, dx);
}

/* forward -> backward, the second ordered by the first's event alone or by the queue. */
static void run_chain(cl_command_queue queue, bool with_events)
{
    struct chain c;
    chain_open(&c);
    cl_event first = NULL, second = NULL;
    assert_ok(forward(&c, queue, 0, NULL, &first));
    assert_ok(backward(&c, queue, with_events ? 1 : 0, with_events ? &first : NULL, &second));
    await(second);
    await(first);
    assert_chain(&c);
    chain_close(&c);
}

static cl_command_queue out_of_order_or_skip(void)
{
    cl_command_queue queue = make_out_of_order_queue(shared.ctx);
    if (!queue) {
        print_message("the device has no out-of-order queues\n");
        skip();
    }
    return queue;
}

static void test_own_queue(void **state)
{
    (void)state;
    run_chain(NULL, false);
    run_chain(clact_context_queue(shared.ctx), false);
}

static void test_in_order_queue(void **state)
{
    (void)state;
    cl_command_queue queue = make_queue(shared.ctx, 0);
    for (int i = 0; i < 20; i++)
        run_chain(queue, i % 2);
    clReleaseCommandQueue(queue);
}

static void test_out_of_order_queue(void **state)
{
    (void)state;
    cl_command_queue queue = out_of_order_or_skip();
    for (int i = 0; i < 20; i++)
        run_chain(queue, true);
    clReleaseCommandQueue(queue);
}

static void test_profiling_queue(void **state)
{
    (void)state;
    cl_command_queue queue = make_queue(shared.ctx, CL_QUEUE_PROFILING_ENABLE);
    struct chain c;
    chain_open(&c);
    cl_event event = NULL;
    assert_ok(forward(&c, queue, 0, NULL, &event));
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    cl_ulong start = 0, end = 0;
    assert_int_equal(
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof(start), &start, NULL),
        CL_SUCCESS);
    assert_int_equal(
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof(end), &end, NULL),
        CL_SUCCESS);
    assert_true(start > 0 && end >= start);
    await(event);
    assert_ok(backward(&c, queue, 0, NULL, &event));
    await(event);
    assert_chain(&c);
    chain_close(&c);
    clReleaseCommandQueue(queue);
}

/* Neither call blocks nor runs while the event that it waits for is pending, on `queue`. */
static void run_gated(cl_command_queue queue)
{
    struct chain c;
    chain_open(&c);
    cl_event gate = make_user_event(shared.ctx), first = NULL, second = NULL;
    assert_ok(forward(&c, queue, 1, &gate, &first));
    assert_ok(backward(&c, queue, 1, &first, &second));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    cl_command_queue aside = make_queue(shared.ctx, 0);
    float y[N] = {1};
    static const float zeros[N];
    assert_int_equal(clEnqueueReadBuffer(aside, c.mem_y, CL_TRUE, 0, sizeof(y), y, 0, NULL, NULL),
                     CL_SUCCESS);
    open_gate(gate, first, second);
    await(second);
    await(first);
    assert_memory_equal(y, zeros, sizeof(y));
    assert_chain(&c);
    clReleaseCommandQueue(aside);
    chain_close(&c);
}

static void test_wait_list_in_order(void **state)
{
    (void)state;
    cl_command_queue queue = make_queue(shared.ctx, 0);
    run_gated(queue);
    run_gated(clact_context_queue(shared.ctx));
    clReleaseCommandQueue(queue);
}

static void test_wait_list_out_of_order(void **state)
{
    (void)state;
    cl_command_queue queue = out_of_order_or_skip();
    run_gated(queue);
    clReleaseCommandQueue(queue);
}

/* All events of a list count, the last as much as the first. */
static void test_wait_list_of_several(void **state)
{
    (void)state;
    struct chain c;
    chain_open(&c);
    cl_event gates[5], done = NULL;
    for (int i = 0; i < 5; i++)
        gates[i] = make_user_event(shared.ctx);
    assert_ok(forward(&c, NULL, 5, gates, &done));
    assert_int_equal(clFlush(clact_context_queue(shared.ctx)), CL_SUCCESS);
    cl_int states[5];
    for (int i = 0; i < 5; i++) {
        states[i] = event_state(done);
        complete_user_event(gates[(i + 2) % 5]);
    }
    await(done);
    for (int i = 0; i < 5; i++)
        assert_true(states[i] > CL_RUNNING);
    assert_ok(backward(&c, NULL, 0, NULL, NULL));
    assert_chain(&c);
    chain_close(&c);
}

/* Across two queues only events order the calls. */
static void test_events_across_queues(void **state)
{
    (void)state;
    struct chain c;
    chain_open(&c);
    cl_command_queue one = make_queue(shared.ctx, 0), two = make_queue(shared.ctx, 0);
    cl_event gate = make_user_event(shared.ctx), first = NULL, second = NULL;
    assert_ok(forward(&c, one, 1, &gate, &first));
    assert_ok(backward(&c, two, 1, &first, &second));
    assert_int_equal(clFlush(one), CL_SUCCESS);
    assert_int_equal(clFlush(two), CL_SUCCESS);
    open_gate(gate, second);
    await(second);
    await(first);
    assert_chain(&c);
    clReleaseCommandQueue(one);
    clReleaseCommandQueue(two);
    chain_close(&c);
}

/* The queue stays the caller's: commands of its own take their place between the library's. */
static void test_own_commands_between(void **state)
{
    (void)state;
    struct chain c;
    chain_open(&c);
    cl_command_queue queue = make_queue(shared.ctx, 0);
    float y[N], dx[N], other_x[N];
    fill_operands(CLACT_F32, other_x, N, 9);
    cl_mem mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, sizeof(other_x), NULL);
    assert_int_equal(clEnqueueCopyBuffer(queue, c.mem_x, mem, 0, 0, sizeof(y), 0, NULL, NULL),
                     CL_SUCCESS);
    assert_ok(clact_enqueue_forward(shared.ctx, queue, any_operator(), NULL, view(mem),
                                    view(c.mem_y), 0, NULL, NULL));
    assert_int_equal(clEnqueueReadBuffer(queue, c.mem_y, CL_FALSE, 0, sizeof(y), y, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_int_equal(
        clEnqueueWriteBuffer(queue, mem, CL_FALSE, 0, sizeof(y), other_x, 0, NULL, NULL),
        CL_SUCCESS);
    assert_ok(clact_enqueue_backward(shared.ctx, queue, any_operator(), NULL, any_kind(),
                                     view(c.mem_grad), view(mem), view(c.mem_dx), 0, NULL, NULL));
    assert_int_equal(
        clEnqueueReadBuffer(queue, c.mem_dx, CL_TRUE, 0, sizeof(dx), dx, 0, NULL, NULL),
        CL_SUCCESS);
    assert_forward(CLACT_F32, N, c.x, y);
    assert_backward(CLACT_F32, any_kind(), N, c.grad, other_x, dx);
    clReleaseMemObject(mem);
    clReleaseCommandQueue(queue);
    chain_close(&c);
}

/* Calls with nothing to do. */

/* Complete once the wait list is, and not before; with or without memory behind the views. */
static void run_empty(cl_command_queue queue, clact_view none)
{
    cl_event gate = make_user_event(shared.ctx), first = NULL, second = NULL;
    assert_ok(clact_enqueue_forward(shared.ctx, queue, any_operator(), NULL, none, none, 1, &gate,
                                    &first));
    assert_ok(clact_enqueue_backward(shared.ctx, queue, any_operator(), NULL, any_kind(), none,
                                     none, none, 1, &first, &second));
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(clFlush(queue ? queue : clact_context_queue(shared.ctx)), CL_SUCCESS);
    open_gate(gate, first, second);
    await(second);
    await(first);
    assert_ok(clact_enqueue_forward(shared.ctx, queue, any_operator(), NULL, none, none, 0, NULL,
                                    &first));
    await(first);
    assert_ok(
        clact_enqueue_forward(shared.ctx, queue, any_operator(), NULL, none, none, 0, NULL, NULL));
}

static void run_all_empty(cl_command_queue queue)
{
    cl_mem mem = make_mem(shared.ctx, CL_MEM_READ_WRITE, 64, NULL);
    run_empty(queue, clact_view_1d(NULL, CLACT_F32, 0, 0));
    run_empty(queue, clact_view_1d(mem, CLACT_F32, 0, 0));
    run_empty(queue, clact_view_2d(NULL, CLACT_F16, 7, 0, 10, 10));
    run_empty(queue, clact_view_2d(NULL, CLACT_BF16, 7, 10, 0, 0));
    clReleaseMemObject(mem);
}

static void test_empty_calls(void **state)
{
    (void)state;
    run_all_empty(NULL);
    cl_command_queue queue = make_queue(shared.ctx, CL_QUEUE_PROFILING_ENABLE);
    run_all_empty(queue);
    clReleaseCommandQueue(queue);
}

static void test_empty_calls_out_of_order(void **state)
{
    (void)state;
    cl_command_queue queue = out_of_order_or_skip();
    run_all_empty(queue);
    clReleaseCommandQueue(queue);
}

/* Empty or not, what is wrong with the rest of a call is still wrong. */
static void test_empty_calls_are_checked(void **state)
{
    (void)state;
    struct fixture other;
    fixture_open(&other, NULL);
    const clact_view none = clact_view_1d(NULL, CLACT_F32, 0, 0);
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, CLACT_WRONG_CONTEXT,
                 clact_enqueue_forward(shared.ctx, clact_context_queue(other.ctx), any_operator(),
                                       NULL, none, none, 0, NULL, &event));
    assert_error(
        &shared, CLACT_INVALID_ARGUMENT,
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, none, none, 1, NULL, &event));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_enqueue_forward(shared.ctx, NULL, (clact_operator)0, NULL, none, none, 0,
                                       NULL, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    fixture_close(&other);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_queue),
        cmocka_unit_test(test_in_order_queue),
        cmocka_unit_test(test_out_of_order_queue),
        cmocka_unit_test(test_profiling_queue),
        cmocka_unit_test(test_wait_list_in_order),
        cmocka_unit_test(test_wait_list_out_of_order),
        cmocka_unit_test(test_wait_list_of_several),
        cmocka_unit_test(test_events_across_queues),
        cmocka_unit_test(test_own_commands_between),
        cmocka_unit_test(test_empty_calls),
        cmocka_unit_test(test_empty_calls_out_of_order),
        cmocka_unit_test(test_empty_calls_are_checked),
        NOTHING_IS_LEFT(&shared),
    };
    return cmocka_run_group_tests_name("queue", tests, open_shared, NULL);
}
