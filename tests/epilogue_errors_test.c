/* SPDX-License-Identifier: MIT */
/* The epilogue calls with what a caller can get wrong about them, and with OpenCL calls that fail: the
 * status, what clact_last_error and the log say, and that outputs and events are as they were. */
#include "host_fixture.h"

#include <math.h>
#include <string.h>

enum { ROWS = 3, COLS = 4, N = ROWS * COLS, BYTES = N * sizeof(float), POISON = 0xa5 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

static const clact_operator op = CLACT_RELU; /* which compiles fast */

/* The operands of a gradient; the forward call has x for saved and y for dx. */
enum operand { GRAD, SAVED, BIAS, DX, DBIAS, OPERANDS };
static float arrays[OPERANDS][N];
static cl_mem mems[OPERANDS];

static void assert_untouched(void)
{
    unsigned char poison[BYTES], bytes[BYTES];
    memset(poison, POISON, BYTES);
    for (unsigned i = DX; i <= DBIAS; i++) {
        read_mem(shared.ctx, mems[i], BYTES, bytes);
        assert_memory_equal(bytes, poison, BYTES);
        assert_memory_equal(arrays[i], poison, BYTES);
    }
}

/* A call of either kind, on arrays and on views. */
struct call {
    clact_operator op;
    const clact_params *params;
    clact_epilogue_options options;
    clact_dtype dtype;
    clact_saved kind;
    size_t rows, cols;
    void *arrays[OPERANDS];
    clact_view views[OPERANDS];
    cl_command_queue queue;
    cl_uint n_wait;
    const cl_event *wait;
};

static struct call right_call(void)
{
    struct call c = {
        .op = op, .dtype = CLACT_F32, .kind = CLACT_SAVED_INPUT, .rows = ROWS, .cols = COLS};
    for (unsigned i = 0; i < OPERANDS; i++) {
        c.arrays[i] = arrays[i];
        c.views[i] = i == BIAS || i == DBIAS
                         ? clact_view_1d(mems[i], CLACT_F32, 0, COLS)
                         : clact_view_2d(mems[i], CLACT_F32, 0, ROWS, COLS, COLS);
    }
    return c;
}

static void refuse_backward(clact_status expected, const struct call *c)
{
    assert_error(&shared, expected,
                 clact_epilogue_backward(shared.ctx, c->op, c->params, &c->options, c->dtype,
                                         c->kind, c->rows, c->cols, c->arrays[GRAD],
                                         c->arrays[SAVED], c->arrays[BIAS], c->arrays[DX],
                                         c->arrays[DBIAS]));
    assert_untouched();
}

static void refuse_backward_views(clact_status expected, const struct call *c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 clact_enqueue_epilogue_backward(shared.ctx, c->queue, c->op, c->params,
                                                 &c->options, c->kind, c->views[GRAD],
                                                 c->views[SAVED], c->views[BIAS], c->views[DX],
                                                 c->views[DBIAS], c->n_wait, c->wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

static void refuse_forward_views(clact_status expected, const struct call *c)
{
    cl_event event = UNTOUCHED_EVENT;
    assert_error(&shared, expected,
                 clact_enqueue_epilogue(shared.ctx, c->queue, c->op, c->params, &c->options,
                                        c->views[SAVED], c->views[BIAS], c->views[DX], c->n_wait,
                                        c->wait, &event));
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_untouched();
}

/* What is wrong in all four calls. */
static void refuse_all(clact_status expected, const struct call *c)
{
    assert_error(&shared, expected,
                 clact_epilogue(shared.ctx, c->op, c->params, &c->options, c->dtype, c->rows,
                                c->cols, c->arrays[SAVED], c->arrays[BIAS], c->arrays[DX]));
    refuse_backward(expected, c);
    refuse_forward_views(expected, c);
    refuse_backward_views(expected, c);
}

static void test_operator_and_options(void **state)
{
    const clact_params bad = {0, 1, 0};
    (void)state;
    struct call c = right_call();
    c.op = (clact_operator)999;
    refuse_all(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.params = &bad; /* relu has no beta */
    refuse_all(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.options.bias = (clact_bias)7;
    refuse_all(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.options.beta = 1e300; /* not finite in f32 */
    refuse_all(CLACT_INVALID_ARGUMENT, &c);
    c.options.beta = NAN;
    refuse_all(CLACT_INVALID_ARGUMENT, &c);
    c.options.beta = 1;
    refuse_forward_views(CLACT_INVALID_ARGUMENT, &c);
    assert_non_null(strstr(clact_last_error(shared.ctx)->message, "beta"));
    c = right_call();
    c.kind = (clact_saved)9;
    refuse_backward(CLACT_INVALID_ARGUMENT, &c);
    c.kind = CLACT_SAVED_OUTPUT; /* and a bias */
    refuse_backward(CLACT_INVALID_ARGUMENT, &c);
    refuse_backward_views(CLACT_INVALID_ARGUMENT, &c);
    c.op = CLACT_GELU;
    refuse_backward(CLACT_UNSUPPORTED, &c);
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare_epilogue(NULL, op, NULL, CLACT_F32));
    assert_error(&shared, CLACT_INVALID_ARGUMENT,
                 clact_prepare_epilogue(shared.ctx, (clact_operator)999, NULL, CLACT_F32));
}

static void test_arrays(void **state)
{
    (void)state;
    struct call c = right_call();
    c.dtype = CLACT_U8;
    refuse_backward(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.rows = SIZE_MAX / 2;
    refuse_backward(CLACT_INVALID_ARGUMENT, &c);
    for (unsigned i = 0; i < OPERANDS; i++) {
        c = right_call();
        c.arrays[i] = (char *)arrays[i] + 1;
        refuse_backward(CLACT_INVALID_ARGUMENT, &c);
        if (i != BIAS && i != DBIAS) {
            c.arrays[i] = NULL;
            refuse_backward(CLACT_INVALID_ARGUMENT, &c);
        }
    }
    c = right_call();
    c.arrays[DBIAS] = c.arrays[DX];
    refuse_backward(CLACT_OVERLAP, &c);
    c.rows = ROWS - 1;
    c.arrays[DX] = arrays[DX];
    c.arrays[DBIAS] = arrays[DBIAS];
    c.arrays[GRAD] = arrays[DX] + 1;
    refuse_backward(CLACT_OVERLAP, &c);
}

static void test_views(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPERANDS; i++) {
        struct call c = right_call();
        c.views[i].cols--;
        refuse_backward_views(CLACT_SHAPE_MISMATCH, &c);
        c = right_call();
        c.views[i].offset = N;
        refuse_backward_views(CLACT_OUT_OF_BOUNDS, &c);
        c = right_call();
        c.views[i].dtype = CLACT_F16;
        refuse_backward_views(CLACT_DTYPE_MISMATCH, &c);
    }
    struct call c = right_call();
    c.options.bias = CLACT_BIAS_PER_ROW; /* as which the bias has another shape */
    refuse_backward_views(CLACT_SHAPE_MISMATCH, &c);
    refuse_forward_views(CLACT_SHAPE_MISMATCH, &c);
    c = right_call();
    c.views[BIAS].mem = NULL;
    refuse_forward_views(CLACT_INVALID_ARGUMENT, &c);
    c = right_call();
    c.views[DBIAS] = c.views[DX];
    c.views[DBIAS].rows = 1;
    refuse_backward_views(CLACT_OVERLAP, &c);
    c = right_call();
    c.views[BIAS] = c.views[DX];
    c.views[BIAS].rows = 1;
    refuse_forward_views(CLACT_OVERLAP, &c);
}

static void test_foreign_objects(void **state)
{
    (void)state;
    const cl_event event = make_user_event(other.ctx);
    struct call c = right_call();
    c.queue = clact_context_queue(other.ctx);
    refuse_backward_views(CLACT_WRONG_CONTEXT, &c);
    refuse_forward_views(CLACT_WRONG_CONTEXT, &c);
    c = right_call();
    c.n_wait = 1;
    refuse_backward_views(CLACT_INVALID_ARGUMENT, &c);
    c.wait = &event;
    refuse_backward_views(CLACT_WRONG_CONTEXT, &c);
    c = right_call();
    c.views[DBIAS].mem = make_mem(other.ctx, CL_MEM_READ_WRITE, BYTES, NULL);
    refuse_backward_views(CLACT_WRONG_CONTEXT, &c);
    assert_int_equal(clReleaseMemObject(c.views[DBIAS].mem), CL_SUCCESS);
    complete_user_event(event);
}

/* All rows have to be there at once where they are summed up. */
static void test_too_large_to_sum(void **state)
{
    (void)state;
    struct fixture f;
    const float in[2 * COLS] = {0};
    float dx[2 * COLS], dbias[COLS];
    fixture_open(&f, &(clact_options){.piece_bytes = COLS * sizeof(float)});
    assert_ok(clact_epilogue_backward(f.ctx, op, NULL, NULL, CLACT_F32, CLACT_SAVED_INPUT, 2, COLS,
                                      in, in, in, dx, NULL));
    assert_error(&f, CLACT_OUT_OF_MEMORY,
                 clact_epilogue_backward(f.ctx, op, NULL, NULL, CLACT_F32, CLACT_SAVED_INPUT, 2,
                                         COLS, in, in, in, dx, dbias));
    fixture_close(&f);
}

static clact_status call_that_may_fail(bool views)
{
    static float dx[N], dbias[COLS];
    const struct call c = right_call();
    if (views)
        return clact_enqueue_epilogue_backward(shared.ctx, NULL, op, NULL, NULL, CLACT_SAVED_INPUT,
                                               c.views[GRAD], c.views[SAVED], c.views[BIAS],
                                               c.views[GRAD], c.views[BIAS], 0, NULL, NULL);
    return clact_epilogue_backward(shared.ctx, op, NULL, NULL, CLACT_F32, CLACT_SAVED_INPUT, ROWS,
                                   COLS, c.arrays[GRAD], c.arrays[SAVED], c.arrays[BIAS], dx,
                                   dbias);
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
            assert_int_equal(clFinish(clact_context_queue(shared.ctx)), CL_SUCCESS);
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
    memset(arrays[DX], POISON, BYTES);
    memset(arrays[DBIAS], POISON, BYTES);
    for (unsigned i = 0; i < OPERANDS; i++)
        mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, arrays[i]);
    assert_ok(clact_prepare_epilogue(shared.ctx, op, NULL, CLACT_F32));
    return 0;
}

/* After all that the right call works. */
static void test_still_works(void **state)
{
    (void)state;
    const struct call c = right_call();
    assert_ok(clact_enqueue_epilogue_backward(shared.ctx, NULL, op, NULL, NULL, c.kind,
                                              c.views[GRAD], c.views[SAVED], c.views[BIAS],
                                              c.views[DX], c.views[DBIAS], 0, NULL, NULL));
    for (unsigned i = 0; i < OPERANDS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operator_and_options),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_foreign_objects),
        cmocka_unit_test(test_too_large_to_sum),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_still_works),
        NOTHING_IS_LEFT(&shared, &other),
    };
    return cmocka_run_group_tests_name("epilogue errors", tests, open_shared, NULL);
}
