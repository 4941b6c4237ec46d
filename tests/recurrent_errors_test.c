/* SPDX-License-Identifier: MIT */
/* The calls of recurrent.h with what a caller can get wrong: the status, what clact_last_error and the
 * log say, and that outputs and events are as they were; and with OpenCL calls that fail. */
#include "host_fixture.h"
#include "recurrent_operands.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, HIDDEN = 3, BYTES = 256, POISON = 0xa5 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

/* Operand i of any call: in memory of its own, as it was made. */
static unsigned char memory[CELL_OPERANDS][BYTES];
static cl_mem mems[CELL_OPERANDS];

static void assert_untouched(void)
{
    for (size_t i = 0; i < CELL_OPERANDS; i++) {
        unsigned char bytes[BYTES];
        read_mem(shared.ctx, mems[i], BYTES, bytes);
        for (size_t k = 0; k < BYTES; k++) {
            assert_int_equal(memory[i][k], POISON);
            assert_int_equal(bytes[k], POISON);
        }
    }
}

/* Host arrays. */

struct array_call {
    enum cell_kind kind;
    int order;
    clact_dtype dtype;
    size_t batch, hidden;
    void *arrays[CELL_OPERANDS];
};

static struct array_call right_arrays(int kind)
{
    struct array_call c = {(enum cell_kind)kind, 0, CLACT_F32, BATCH, HIDDEN, {NULL}};
    for (size_t i = 0; i < CELL_OPERANDS; i++)
        c.arrays[i] = memory[i];
    return c;
}

static void refuse_arrays(clact_status expected, struct array_call c, const char *says)
{
    assert_error(&shared, expected,
                 cell_run(shared.ctx, c.kind, c.order, c.dtype, c.batch, c.hidden, c.arrays));
    assert_non_null(strstr(clact_last_error(shared.ctx)->message, says));
    assert_untouched();
}

static void test_arrays(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        struct array_call c = right_arrays(kind);
        c.order = 2;
        refuse_arrays(CLACT_INVALID_ARGUMENT, c, "order");
        c = right_arrays(kind);
        c.dtype = CLACT_U8;
        refuse_arrays(CLACT_INVALID_ARGUMENT, c, "u8");
        c.dtype = (clact_dtype)0;
        refuse_arrays(CLACT_INVALID_ARGUMENT, c, "dtype");
        c = right_arrays(kind);
        c.batch = SIZE_MAX;
        refuse_arrays(CLACT_INVALID_ARGUMENT, c, "large");
        assert_error(NULL, CLACT_INVALID_ARGUMENT,
                     cell_run(NULL, c.kind, 0, CLACT_F32, BATCH, HIDDEN, c.arrays));
    }
    assert_untouched();
}

static void test_each_array(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (size_t i = 0; i < cell_calls[kind].operands; i++) {
            const struct cell_operand *o = &cell_calls[kind].operand[i];
            struct array_call c = right_arrays(kind);
            c.arrays[i] = memory[i] + 1;
            refuse_arrays(CLACT_INVALID_ARGUMENT, c, o->name);
            c.arrays[i] = NULL;
            if (!o->optional)
                refuse_arrays(CLACT_INVALID_ARGUMENT, c, o->name);
        }
}

/* Outputs within others, and on them. */
static void test_array_overlaps(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        const struct cell_call *call = &cell_calls[kind];
        for (size_t o = call->inputs; o < call->operands; o++)
            for (size_t i = 0; i < call->operands; i++) {
                struct array_call c = right_arrays(kind);
                if (i == o)
                    continue;
                c.arrays[o] = memory[i] + sizeof(float);
                if (call->operand[i].cols > 1 || !call->operand[i].shared)
                    refuse_arrays(CLACT_OVERLAP, c, "overlaps");
                c.arrays[o] = memory[i];
                if (i >= call->inputs || call->operand[i].shared ||
                    call->operand[i].cols != call->operand[o].cols)
                    refuse_arrays(CLACT_OVERLAP, c, "overlaps");
            }
    }
}

static void test_no_gradient(void **state)
{
    (void)state;
    struct array_call c = right_arrays(LSTM_BACKWARD);
    c.arrays[4] = NULL;
    c.arrays[5] = NULL;
    refuse_arrays(CLACT_INVALID_ARGUMENT, c, "both");
    c.batch = 0;
    assert_ok(cell_run(shared.ctx, c.kind, 0, CLACT_F32, 0, HIDDEN, c.arrays));
}

static void test_no_elements(void **state)
{
    void *none[CELL_OPERANDS] = {NULL};
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        assert_ok(cell_run(shared.ctx, (enum cell_kind)kind, 0, CLACT_F32, 0, HIDDEN, none));
        assert_ok(cell_run(shared.ctx, (enum cell_kind)kind, 0, CLACT_F32, BATCH, 0, none));
    }
}

static void test_no_struct(void **state)
{
    cl_event event = UNTOUCHED_EVENT;
    (void)state;
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_lstm_forward(shared.ctx, CLACT_LSTM_IFGO, CLACT_F32, 1, 1, NULL));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_gru_backward(shared.ctx, CLACT_GRU_RZN, CLACT_F32, 1, 1, NULL));
    assert_error(
        &shared, CLACT_INVALID_ARGUMENT,
        clact_enqueue_lstm_backward(shared.ctx, NULL, CLACT_LSTM_IFGO, NULL, 0, NULL, &event));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_enqueue_gru_forward(shared.ctx, NULL, CLACT_GRU_RZN, NULL, 0, NULL, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
}

static void test_prepare(void **state)
{
    (void)state;
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_prepare_lstm(shared.ctx, CLACT_F32, 8));
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_prepare_lstm(shared.ctx, CLACT_U8, 0));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_prepare_gru(shared.ctx, CLACT_F32, CLACT_CELL_BIAS));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare_gru(NULL, CLACT_F32, 0));
}

/* Views. */

struct view_call {
    enum cell_kind kind;
    cl_command_queue queue;
    clact_view views[CELL_OPERANDS];
    cl_uint n_wait;
    const cl_event *wait;
};

static struct view_call right_views(int kind)
{
    struct view_call c = {.kind = (enum cell_kind)kind};
    for (size_t i = 0; i < cell_calls[kind].operands; i++) {
        const struct cell_operand *o = &cell_calls[kind].operand[i];
        c.views[i] = clact_view_2d(mems[i], CLACT_F32, 0, o->shared ? 1 : BATCH, o->cols * HIDDEN,
                                   o->cols * HIDDEN);
    }
    return c;
}

static void refuse_views(clact_status expected, struct view_call c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 cell_enqueue(shared.ctx, c.queue, c.kind, 0, c.views, c.n_wait, c.wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

static void test_each_view(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (size_t i = 0; i < cell_calls[kind].operands; i++) {
            struct view_call c = right_views(kind);
            c.views[i].dtype = CLACT_F16;
            refuse_views(CLACT_DTYPE_MISMATCH, c);
            c = right_views(kind);
            c.views[i].cols--;
            refuse_views(CLACT_SHAPE_MISMATCH, c);
            c = right_views(kind);
            c.views[i].rows++;
            refuse_views(CLACT_SHAPE_MISMATCH, c);
            c = right_views(kind);
            c.views[i].offset = BYTES / sizeof(float);
            refuse_views(CLACT_OUT_OF_BOUNDS, c);
            c = right_views(kind);
            c.views[i].mem = NULL;
            if (!cell_calls[kind].operand[i].optional)
                refuse_views(CLACT_INVALID_ARGUMENT, c);
        }
}

static void test_foreign_objects(void **state)
{
    const cl_event event = make_user_event(other.ctx);
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        struct view_call c = right_views(kind);
        c.queue = clact_context_queue(other.ctx);
        refuse_views(CLACT_WRONG_CONTEXT, c);
        c = right_views(kind);
        c.n_wait = 1;
        refuse_views(CLACT_INVALID_ARGUMENT, c);
        c.wait = &event;
        refuse_views(CLACT_WRONG_CONTEXT, c);
    }
    complete_user_event(event);
}

/* A wait list is waited for, in a queue of any kind. */
static void test_order(void **state)
{
    (void)state;
    assert_ok(clact_prepare_lstm(other.ctx, CLACT_F32, 0));
    cl_command_queue queue = make_out_of_order_queue(other.ctx);
    if (!queue)
        skip();
    float z[4] = {-50, 50, 1, 50}, fresh[4] = {50, 50, 1, 50}, h[2];
    const cl_mem from = make_mem(other.ctx, CL_MEM_READ_WRITE, sizeof z, z);
    const cl_mem to = make_mem(other.ctx, CL_MEM_READ_WRITE, sizeof h, NULL);
    const cl_event gate = make_user_event(other.ctx);
    cl_event written = NULL, done = NULL;
    assert_int_equal(
        clEnqueueWriteBuffer(queue, from, CL_FALSE, 0, sizeof fresh, fresh, 1, &gate, &written),
        CL_SUCCESS);
    assert_ok(
        clact_enqueue_lstm_forward(other.ctx, queue, CLACT_LSTM_IFGO,
                                   &(clact_lstm_views){.z = clact_view_1d(from, CLACT_F32, 0, 4),
                                                       .c = clact_view_1d(to, CLACT_F32, 0, 1),
                                                       .h = clact_view_1d(to, CLACT_F32, 1, 1)},
                                   1, &written, &done));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    open_gate(gate, done);
    await(done);
    await(written);
    read_mem(other.ctx, to, sizeof h, h);
    assert_true(h[0] > 0.76F && h[0] < 0.77F); /* tanh(1) */
    assert_int_equal(clReleaseMemObject(from), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(to), CL_SUCCESS);
    assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

/* OpenCL calls that fail, one after the other. */

static void run_with_faults(const struct fault_layer *layer, clact_transfer transfer)
{
    struct fixture f;
    struct cell_data data = {.kind = LSTM_FORWARD, .dtype = CLACT_F32, .batch = 4, .hidden = 5};
    fixture_open(&f, &(clact_options){.transfer = transfer});
    cell_make(&data, 0, 1);
    assert_ok(cell_run(f.ctx, data.kind, 0, data.dtype, 4, 5, data.arrays));
    clact_context_trim(f.ctx);
    const struct live_objects before = live_objects();
    unsigned failures = 0;
    for (unsigned long n = 1;; n++) {
        layer->arm(n, CL_INVALID_OPERATION);
        const clact_status status = cell_run(f.ctx, data.kind, 0, data.dtype, 4, 5, data.arrays);
        const bool fired = layer->fired() != NULL;
        layer->arm(0, CL_SUCCESS);
        if (!fired)
            break;
        failures += status != CLACT_SUCCESS;
        if (status != CLACT_SUCCESS)
            assert_int_equal(clact_last_error(f.ctx)->code, CL_INVALID_OPERATION);
        assert_ok(cell_run(f.ctx, data.kind, 0, data.dtype, 4, 5, data.arrays));
        cell_judge(&data, 1.5);
        clact_context_trim(f.ctx);
        assert_live(before);
    }
    assert_true(failures > 5);
    cell_free(&data);
    fixture_close(&f);
}

static void test_faults(void **state)
{
    const struct fault_layer *layer = fault_layer_find();
    (void)state;
    if (!layer)
        skip();
    run_with_faults(layer, CLACT_TRANSFER_COPY);
    run_with_faults(layer, CLACT_TRANSFER_SHARE);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    memset(memory, POISON, sizeof memory);
    for (size_t i = 0; i < CELL_OPERANDS; i++)
        mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, memory[i]);
    return 0;
}

/* After all that the right calls work. */
static void test_still_works(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        const struct view_call c = right_views(kind);
        assert_ok(cell_enqueue(shared.ctx, NULL, c.kind, 0, c.views, 0, NULL, NULL));
    }
    assert_int_equal(clFinish(clact_context_queue(shared.ctx)), CL_SUCCESS);
    for (size_t i = 0; i < CELL_OPERANDS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays),          cmocka_unit_test(test_each_array),
        cmocka_unit_test(test_array_overlaps),  cmocka_unit_test(test_no_gradient),
        cmocka_unit_test(test_no_elements),     cmocka_unit_test(test_no_struct),
        cmocka_unit_test(test_prepare),         cmocka_unit_test(test_each_view),
        cmocka_unit_test(test_foreign_objects), cmocka_unit_test(test_order),
        cmocka_unit_test(test_faults),          cmocka_unit_test(test_still_works),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("recurrent errors", tests, open_shared, NULL);
}
