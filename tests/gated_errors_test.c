/* SPDX-License-Identifier: MIT */
/* The gated calls with what a caller can get wrong about them, and with OpenCL calls that fail: the
 * status, what clact_last_error and the log say, and that outputs and events are as they were. */
#include "host_fixture.h"

#include <string.h>

enum { N = 16, ROWS = 2, OPERANDS = 5, BYTES = N * sizeof(float), POISON = 0xa5 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

static const clact_operator op = CLACT_RELU; /* which compiles fast */
static float arrays[OPERANDS][N];
static cl_mem mems[OPERANDS];

/* The operands in the order of the call. */
enum operand { GRAD, A, B, DA, DB, Y = DA };

static void assert_untouched(void)
{
    unsigned char poison[BYTES], bytes[BYTES];
    memset(poison, POISON, BYTES);
    for (unsigned i = DA; i <= DB; i++) {
        read_mem(shared.ctx, mems[i], BYTES, bytes);
        assert_memory_equal(bytes, poison, BYTES);
        assert_memory_equal(arrays[i], poison, BYTES);
    }
}

/* A call of either kind, on arrays and on views. */
struct call {
    clact_operator op;
    const clact_params *params;
    clact_dtype dtype;
    size_t n;
    void *arrays[OPERANDS];
    clact_view views[OPERANDS];
    cl_command_queue queue;
    cl_uint n_wait;
    const cl_event *wait;
};

static struct call right_call(void)
{
    struct call c = {.op = op, .dtype = CLACT_F32, .n = N};
    for (unsigned i = 0; i < OPERANDS; i++) {
        c.arrays[i] = arrays[i];
        c.views[i] = clact_view_2d(mems[i], CLACT_F32, 0, ROWS, N / ROWS, N / ROWS);
    }
    return c;
}

static void refuse_backward_arrays(clact_status expected, const struct call *c)
{
    assert_error(&shared, expected,
                 clact_gated_backward(shared.ctx, c->op, c->params, c->dtype, c->n, c->arrays[GRAD],
                                      c->arrays[A], c->arrays[B], c->arrays[DA], c->arrays[DB]));
    assert_untouched();
}

static void refuse_arrays(clact_status expected, const struct call *c)
{
    assert_error(&shared, expected,
                 clact_gated(shared.ctx, c->op, c->params, c->dtype, c->n, c->arrays[A],
                             c->arrays[B], c->arrays[Y]));
    refuse_backward_arrays(expected, c);
}

static void refuse_backward_views(clact_status expected, const struct call *c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 clact_enqueue_gated_backward(
                     shared.ctx, c->queue, c->op, c->params, c->views[GRAD], c->views[A],
                     c->views[B], c->views[DA], c->views[DB], c->n_wait, c->wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

static void refuse_views(clact_status expected, const struct call *c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 clact_enqueue_gated(shared.ctx, c->queue, c->op, c->params, c->views[A],
                                     c->views[B], c->views[Y], c->n_wait, c->wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    refuse_backward_views(expected, c);
}

static void test_operator_and_parameters(void **state)
{
    const clact_params bad = {0, 1, 0};
    (void)state;
    struct call c = right_call();
    c.op = (clact_operator)999;
    refuse_arrays(CLACT_INVALID_ARGUMENT, &c);
    refuse_views(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.params = &bad; /* relu has no beta */
    refuse_arrays(CLACT_INVALID_ARGUMENT, &c);
    refuse_views(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    assert_error(NULL, CLACT_INVALID_ARGUMENT,
                 clact_gated(NULL, op, NULL, CLACT_F32, N, arrays[A], arrays[B], arrays[Y]));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare_gated(NULL, op, CLACT_F32));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_prepare_gated(shared.ctx, (clact_operator)999, CLACT_F32));
    assert_error(&shared, CLACT_INVALID_ARGUMENT, clact_prepare_gated(shared.ctx, op, CLACT_U8));
}

static void test_dtypes(void **state)
{
    (void)state;
    struct call c = right_call();
    c.dtype = CLACT_U8;
    refuse_arrays(CLACT_INVALID_ARGUMENT, &c);
    c.dtype = (clact_dtype)0;
    refuse_arrays(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.views[B].dtype = CLACT_F16;
    refuse_views(CLACT_DTYPE_MISMATCH, &c);
    assert_non_null(strstr(clact_last_error(shared.ctx)->message, "b is"));
}

static void test_arrays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPERANDS; i++) {
        struct call c = right_call();
        c.arrays[i] = NULL;
        refuse_backward_arrays(CLACT_INVALID_ARGUMENT, &c);
        c.arrays[i] = (char *)arrays[i] + 1;
        refuse_backward_arrays(CLACT_INVALID_ARGUMENT, &c);
        c = right_call();
        c.n = N - 1;
        for (unsigned k = DA; k <= DB && i != k;
             k++) { /* an output that another overlaps in part */
            c.arrays[k] = arrays[i] + 1;
            if (i < DA)
                memset(arrays[i], POISON, BYTES);
            refuse_backward_arrays(CLACT_OVERLAP, &c);
            c = right_call();
            c.n = N - 1;
        }
    }
    struct call c = right_call();
    c.arrays[DB] = c.arrays[DA];
    refuse_backward_arrays(CLACT_OVERLAP, &c);
    c = right_call();
    c.n = SIZE_MAX;
    refuse_arrays(CLACT_INVALID_ARGUMENT, &c);
}

static void test_views(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPERANDS; i++) {
        struct call c = right_call();
        c.views[i].rows--;
        refuse_backward_views(CLACT_SHAPE_MISMATCH, &c);
        c = right_call();
        c.views[i].offset = 1;
        refuse_backward_views(CLACT_OUT_OF_BOUNDS, &c);
        c = right_call();
        c.views[i].mem = NULL;
        refuse_backward_views(CLACT_INVALID_ARGUMENT, &c);
    }
    struct call c = right_call();
    c.views[DB] = c.views[DA];
    refuse_backward_views(CLACT_OVERLAP, &c);
    c = right_call();
    c.views[A] = c.views[Y];
    c.views[A].rows = c.views[B].rows = c.views[Y].rows = 1;
    c.views[A].offset = 1;
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, CLACT_OVERLAP,
                 clact_enqueue_gated(shared.ctx, NULL, op, NULL, c.views[A], c.views[B], c.views[Y],
                                     0, NULL, &event));
    assert_untouched();
}

static void test_foreign_objects(void **state)
{
    (void)state;
    const cl_event event = make_user_event(other.ctx);
    struct call c = right_call();
    c.queue = clact_context_queue(other.ctx);
    refuse_views(CLACT_WRONG_CONTEXT, &c);
    c = right_call();
    c.n_wait = 1;
    refuse_views(CLACT_INVALID_ARGUMENT, &c);
    c.wait = &event;
    refuse_views(CLACT_WRONG_CONTEXT, &c);
    c = right_call();
    c.views[DA].mem = make_mem(other.ctx, CL_MEM_READ_WRITE, BYTES, NULL);
    refuse_views(CLACT_WRONG_CONTEXT, &c);
    assert_int_equal(clReleaseMemObject(c.views[DA].mem), CL_SUCCESS);
    complete_user_event(event);
}

static clact_status call_that_may_fail(bool views)
{
    static float da[N], db[N];
    const struct call c = right_call();
    if (views)
        return clact_enqueue_gated_backward(shared.ctx, NULL, op, NULL, c.views[GRAD], c.views[A],
                                            c.views[B], c.views[A], c.views[B], 0, NULL, NULL);
    return clact_gated_backward(shared.ctx, op, NULL, CLACT_F32, N, c.arrays[GRAD], c.arrays[A],
                                c.arrays[B], da, db);
}

/* Each OpenCL call of a call fails once: the call says so, leaves nothing behind, and works again. */
static void test_faults(void **state)
{
    const struct fault_layer *layer = fault_layer_find();
    (void)state;
    if (!layer) {
        print_message("the loader knows no layers\n");
        skip();
    }
    for (int views = 0; views <= 1; views++) {
        assert_ok(call_that_may_fail(views)); /* which compiles */
        clact_context_trim(shared.ctx);
        const struct live_objects before = live_objects();
        unsigned long failures = 0;
        bool fired = true;
        for (unsigned long n = 1; fired; n++) {
            layer->arm(n, CL_INVALID_OPERATION);
            const clact_status status = call_that_may_fail(views);
            fired = layer->fired() != NULL;
            layer->arm(0, CL_SUCCESS);
            failures += status != CLACT_SUCCESS;
            assert_true(fired || status == CLACT_SUCCESS);
            clact_context_trim(shared.ctx);
            assert_live(before);
        }
        assert_true(failures > 0);
    }
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    memset(arrays[DA], POISON, BYTES);
    memset(arrays[DB], POISON, BYTES);
    for (unsigned i = 0; i < OPERANDS; i++)
        mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, arrays[i]);
    assert_ok(clact_prepare_gated(shared.ctx, op, CLACT_F32));
    return 0;
}

/* After all that the right call works. */
static void test_still_works(void **state)
{
    (void)state;
    const struct call c = right_call();
    const float ones[N] = {0};
    float y[N];
    assert_ok(clact_gated(shared.ctx, op, NULL, CLACT_F32, N, ones, ones, y));
    assert_ok(clact_enqueue_gated(shared.ctx, NULL, op, NULL, c.views[A], c.views[B], c.views[Y], 0,
                                  NULL, NULL));
    for (unsigned i = 0; i < OPERANDS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operator_and_parameters),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_foreign_objects),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_still_works),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("gated errors", tests, open_shared, NULL);
}
