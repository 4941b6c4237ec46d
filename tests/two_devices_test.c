/* SPDX-License-Identifier: MIT */
/* Two devices of one cl_context: a clact context for each, memory that both use, and events that
 * put their work in order. Where no platform has two devices there is nothing to test. */
#include "cache_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { N = 5000, TURNS = 50 };

static cl_context both;
static cl_device_id devices[2];
static struct fixture pair[2];

static bool find_pair(void)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    if (clGetPlatformIDs(16, platforms, &count) != CL_SUCCESS)
        return false;
    for (cl_uint i = 0; i < count && i < 16; i++) {
        cl_uint found = 0;
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 2, devices, &found) == CL_SUCCESS &&
            found >= 2)
            return true;
    }
    return false;
}

static void test_one_pass_each(void **state)
{
    (void)state;
    float x[N], grad[N], y[N], dx[N];
    fill_operands(CLACT_F32, x, N, 1);
    fill_operands(CLACT_F32, grad, N, 2);
    cl_mem mem_x = make_mem(pair[0].ctx, CL_MEM_READ_WRITE, sizeof(x), x);
    cl_mem mem_grad = make_mem(pair[1].ctx, CL_MEM_READ_WRITE, sizeof(x), grad);
    cl_mem mem_y = make_mem(pair[0].ctx, CL_MEM_READ_WRITE, sizeof(x), NULL);
    const clact_view view_x = clact_view_1d(mem_x, CLACT_F32, 0, N);
    const clact_view view_grad = clact_view_1d(mem_grad, CLACT_F32, 0, N);
    const clact_view view_y = clact_view_1d(mem_y, CLACT_F32, 0, N);
    cl_event first = NULL, second = NULL;
    assert_ok(clact_enqueue_forward(pair[0].ctx, NULL, any_operator(), NULL, view_x, view_y, 0,
                                    NULL, &first));
    assert_int_equal(clFlush(clact_context_queue(pair[0].ctx)), CL_SUCCESS);
    const clact_view saved = any_kind() == CLACT_SAVED_OUTPUT ? view_y : view_x;
    assert_ok(clact_enqueue_backward(pair[1].ctx, NULL, any_operator(), NULL, any_kind(), view_grad,
                                     saved, view_grad, 1, &first, &second));
    await(second);
    await(first);
    read_mem(pair[1].ctx, mem_y, sizeof(y), y);
    read_mem(pair[0].ctx, mem_grad, sizeof(dx), dx);
    assert_forward(CLACT_F32, N, x, y);
    assert_backward(CLACT_F32, any_kind(), N, grad, any_kind() == CLACT_SAVED_OUTPUT ? y : x, dx);
    clReleaseMemObject(mem_x);
    clReleaseMemObject(mem_grad);
    clReleaseMemObject(mem_y);
}

/* Both devices take turns on one array, in place: only the events keep the order. */
static void test_turns(void **state)
{
    (void)state;
    float x[N], once[N], got[N];
    fill_operands(CLACT_F32, x, N, 3);
    cl_mem mem = make_mem(pair[0].ctx, CL_MEM_READ_WRITE, sizeof(x), x);
    const clact_view view = clact_view_1d(mem, CLACT_F32, 0, N);
    cl_event gate = make_user_event(pair[0].ctx), previous = gate;
    for (int i = 0; i < TURNS; i++) {
        cl_event done = NULL;
        assert_ok(clact_enqueue_forward(pair[i % 2].ctx, NULL, any_operator(), NULL, view, view, 1,
                                        &previous, &done));
        assert_int_equal(clFlush(clact_context_queue(pair[i % 2].ctx)), CL_SUCCESS);
        if (i > 0)
            assert_int_equal(clReleaseEvent(previous), CL_SUCCESS);
        previous = done;
    }
    complete_user_event(gate);
    await(previous);
    read_mem(pair[0].ctx, mem, sizeof(got), got);
    for (int i = 0; i < TURNS; i++) {
        assert_ok(clact_forward(pair[0].ctx, any_operator(), NULL, CLACT_F32, N, x, once));
        assert_forward(CLACT_F32, N, x, once);
        for (int k = 0; k < N; k++)
            x[k] = once[k];
    }
    assert_memory_equal(got, x, sizeof(x));
    clReleaseMemObject(mem);
}

static void test_queue_of_the_other_device(void **state)
{
    (void)state;
    float x[4] = {0};
    cl_mem mem = make_mem(pair[0].ctx, CL_MEM_READ_WRITE, sizeof(x), x);
    const clact_view view = clact_view_1d(mem, CLACT_F32, 0, 4);
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(pair[0].ctx, sizeof(x), &buffer));
    cl_command_queue wrong = clact_context_queue(pair[1].ctx);
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&pair[0], CLACT_WRONG_CONTEXT,
                 clact_enqueue_forward(pair[0].ctx, wrong, any_operator(), NULL, view, view, 0,
                                       NULL, &event));
    assert_error(&pair[0], CLACT_WRONG_CONTEXT,
                 clact_enqueue_backward(pair[0].ctx, wrong, any_operator(), NULL, any_kind(), view,
                                        view, view, 0, NULL, &event));
    assert_error(&pair[0], CLACT_WRONG_CONTEXT,
                 clact_buffer_enqueue_write(buffer, wrong, 0, sizeof(x), x, 0, NULL, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    clact_buffer_destroy(buffer);
    clReleaseMemObject(mem);
}

static void test_device_of_another_context(void **state)
{
    (void)state;
    cl_int code = CL_SUCCESS;
    cl_context single = clCreateContext(NULL, 1, &devices[0], NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    clact_context *ctx = NULL;
    assert_error(NULL, CLACT_WRONG_CONTEXT,
                 clact_context_create_from_cl(single, devices[1], NULL, &ctx));
    assert_null(ctx);
    clReleaseContext(single);
}

/* Of a program of several devices, each context keeps and exports the binary of its own device. */
static void test_programs(void **state)
{
    (void)state;
    char folder[PATH_SIZE];
    float x[16], y[16];
    fill_operands(CLACT_F32, x, 16, 1);
    for (int i = 0; i < 2; i++) {
        scratch_make(folder);
        clact_context *ctx = NULL;
        const clact_options options = {.cache_dir = folder};
        assert_ok(clact_context_create_from_cl(both, devices[i], &options, &ctx));
        assert_ok(clact_forward(ctx, any_operator(), NULL, CLACT_F32, 16, x, y));
        assert_int_equal(files_in(folder, NULL), 1);
        size_t size = 0;
        assert_ok(clact_programs_export(ctx, 0, NULL, &size));
        unsigned char *bytes = malloc(size);
        assert_non_null(bytes);
        assert_ok(clact_programs_export(ctx, size, bytes, &size));
        clact_context_destroy(ctx);
        scratch_remove(folder);

        assert_ok(clact_context_create_from_cl(both, devices[i], NULL, &ctx));
        assert_ok(clact_programs_import(ctx, bytes, size));
        const struct fault_layer *layer = fault_layer_find();
        const unsigned long before = layer ? layer->compilations() : 0;
        assert_ok(clact_forward(ctx, any_operator(), NULL, CLACT_F32, 16, x, y));
        assert_int_equal(layer ? layer->compilations() : 0, before);
        assert_forward(CLACT_F32, 16, x, y);
        clact_context_destroy(ctx);
        free(bytes);
    }
}

static int open_pair(void **state)
{
    (void)state;
    cl_int code = CL_SUCCESS;
    both = clCreateContext(NULL, 2, devices, NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    for (int i = 0; i < 2; i++) {
        const clact_options options = {.log = call_log_add, .log_user = &pair[i].log};
        assert_ok(clact_context_create_from_cl(both, devices[i], &options, &pair[i].ctx));
        assert_ptr_equal(clact_context_cl(pair[i].ctx), both);
        assert_ptr_equal(clact_context_device(pair[i].ctx), devices[i]);
    }
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    fixture_close(&pair[0]);
    fixture_close(&pair[1]);
    assert_int_equal(clReleaseContext(both), CL_SUCCESS);
    return 0;
}

int main(void)
{
    if (!find_pair()) {
        puts("skipped: no platform here has two devices");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_pass_each),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_queue_of_the_other_device),
        cmocka_unit_test(test_device_of_another_context),
        cmocka_unit_test(test_programs),
    };
    return cmocka_run_group_tests_name("two devices", tests, open_pair, close_pair);
}
