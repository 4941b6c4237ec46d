/* SPDX-License-Identifier: MIT */
/* Epilogues from anywhere to anywhere: the bits do not depend on how the work is cut, also those of
 * sums, nor on layouts, places and kinds of queues. */
#include "dtype.h"
#include "epilogue_calls.h"

#include <string.h>

/* The bits do not depend on how work is cut, stored or moved. */

static void check_same(const clact_options *options, const struct call *c,
                       const struct arrays *expected)
{
    static struct arrays a;
    struct fixture f;
    fixture_open(&f, options);
    arrays_fill(&a, c->dtype);
    call_run(f.ctx, c, &a);
    for (unsigned i = DX; i <= DBIAS; i++)
        assert_memory_equal(a.at[i], expected->at[i], sizeof(a.at[i]));
    fixture_close(&f);
}

static void test_sums_are_the_same_everywhere(void **state)
{
    static struct arrays expected;
    struct fixture f;
    (void)state;
    for (int axis = 0; axis < 2; axis++) {
        const struct call c = {.op = QUICK,
                               .options = {.bias = (clact_bias)axis, .beta = 0.5},
                               .dtype = CLACT_F32,
                               .rows = axis ? 2 : 200,
                               .cols = axis ? 4333 : 43,
                               .kind = CLACT_SAVED_INPUT,
                               .bias = true,
                               .dbias = true};
        fixture_open(&f, NULL);
        arrays_fill(&expected, c.dtype);
        call_run(f.ctx, &c, &expected);
        fixture_close(&f);
        for (size_t width = 1; width <= 16; width *= 4)
            check_same(&(clact_options){.vector_width = width, .work_group_size = width}, &c,
                       &expected);
        check_same(&(clact_options){.stores = CLACT_STORES_STREAM}, &c, &expected);
        /* The second lets one row at a time through, of which each has its own sum. */
        for (int t = CLACT_TRANSFER_AUTO; t <= CLACT_TRANSFER_COPY; t++)
            check_same(
                &(clact_options){.transfer = (clact_transfer)t, .piece_bytes = axis ? 20000 : 0},
                &c, &expected);
    }
}

/* Layouts. */

struct places {
    size_t offset[OPERANDS];
    size_t gap; /* between rows */
};

static size_t place_of(const struct call *c, const struct places *p, unsigned i, size_t k)
{
    const size_t cols = call_cols(c, i);
    return p->offset[i] + k / cols * (cols + p->gap) + k % cols;
}

static void enqueue(clact_context *ctx, cl_command_queue queue, const struct call *c,
                    const clact_view v[OPERANDS], cl_uint n_wait, const cl_event *wait,
                    cl_event *event)
{
    const clact_view none = {0};
    if (c->kind == 0)
        assert_ok(clact_enqueue_epilogue(ctx, queue, c->op, NULL, &c->options, v[X], v[BIAS], v[Y],
                                         n_wait, wait, event));
    else
        assert_ok(clact_enqueue_epilogue_backward(
            ctx, queue, c->op, NULL, &c->options, c->kind, v[GRAD], v[SAVED],
            call_has(c, BIAS) ? v[BIAS] : none, v[DX], call_has(c, DBIAS) ? v[DBIAS] : none, n_wait,
            wait, event));
}

/* Views give what arrays give, and change nothing else. */
static void check_layout(clact_context *ctx, cl_command_queue queue, const struct call *c,
                         const struct places *p, cl_event gate)
{
    static struct arrays plain, expected;
    static unsigned char got[ROOM * 8];
    const size_t bytes = ROOM * clact_dtype_size(c->dtype);
    cl_mem mems[OPERANDS];
    clact_view views[OPERANDS];
    arrays_fill(&expected, c->dtype);
    for (unsigned i = 0; i < OPERANDS; i++) {
        mems[i] = make_mem(ctx, CL_MEM_READ_WRITE, bytes, expected.at[i]);
        views[i] = clact_view_2d(mems[i], c->dtype, p->offset[i], call_rows(c, i), call_cols(c, i),
                                 call_cols(c, i) + p->gap);
        for (size_t k = 0; k < call_rows(c, i) * call_cols(c, i); k++)
            dtype_store_bits(c->dtype, plain.at[i], k,
                             dtype_load_bits(c->dtype, expected.at[i], place_of(c, p, i, k)));
    }
    call_run(ctx, c, &plain);
    cl_event event = NULL;
    enqueue(ctx, queue, c, views, gate ? 1 : 0, gate ? &gate : NULL, &event);
    if (gate) {
        assert_int_equal(clFlush(queue), CL_SUCCESS);
        open_gate(gate, event);
    }
    await(event);
    for (unsigned i = 0; i < OPERANDS; i++) {
        for (size_t k = 0; k < call_rows(c, i) * call_cols(c, i); k++)
            dtype_store_bits(c->dtype, expected.at[i], place_of(c, p, i, k),
                             dtype_load_bits(c->dtype, plain.at[i], k));
        read_mem(ctx, mems[i], bytes, got);
        assert_memory_equal(got, expected.at[i], bytes);
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
    }
}

static const struct places places[] = {
    {{0, 0, 0, 0, 0}, 0}, {{1, 2, 3, 5, 7}, 0}, {{3, 1, 0, 2, 1}, 5}, {{0, 0, 1, 8, 0}, 16}};

static void check_layouts(const clact_options *options, clact_dtype dtype)
{
    static const size_t shapes[][2] = {{67, 33}, {5, 3}, {130, 1}, {1, 130},
                                       {7, 64},  {0, 4}, {4, 0}};
    struct fixture f;
    fixture_open(&f, options);
    for (size_t i = 0; dtype_works(f.ctx, dtype) && i < sizeof(shapes) / sizeof(*shapes); i++)
        for (unsigned variant = 0; variant < 4; variant++) {
            struct call c = {.op = QUICK,
                             .options = {.bias = (clact_bias)(variant & 1)},
                             .dtype = dtype,
                             .rows = shapes[i][0],
                             .cols = shapes[i][1],
                             .kind = variant & 2 ? CLACT_SAVED_INPUT : (clact_saved)0,
                             .bias = true,
                             .dbias = true};
            c.options.beta = variant & 2 ? 2 : 0;
            for (size_t k = 0; k < sizeof(places) / sizeof(*places); k++)
                check_layout(f.ctx, NULL, &c, &places[k], NULL);
        }
    fixture_close(&f);
}

static void test_layouts(void **state)
{
    (void)state;
    check_layouts(NULL, CLACT_F32);
    check_layouts(NULL, CLACT_F16);
    check_layouts(&(clact_options){.stores = CLACT_STORES_STREAM}, CLACT_F32);
}

/* dx in grad's place and dbias in the bias'. */
static void test_in_place(void **state)
{
    static struct arrays expected, a;
    const struct call c = {.op = QUICK,
                           .dtype = CLACT_F32,
                           .rows = 70,
                           .cols = 43,
                           .kind = CLACT_SAVED_INPUT,
                           .bias = true,
                           .dbias = true};
    const size_t bytes = c.rows * c.cols * sizeof(float);
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    arrays_fill(&expected, c.dtype);
    a = expected;
    call_run(f.ctx, &c, &expected);
    assert_ok(clact_epilogue_backward(f.ctx, c.op, NULL, NULL, c.dtype, c.kind, c.rows, c.cols,
                                      a.at[GRAD], a.at[SAVED], a.at[BIAS], a.at[GRAD], a.at[BIAS]));
    assert_memory_equal(a.at[GRAD], expected.at[DX], bytes);
    assert_memory_equal(a.at[BIAS], expected.at[DBIAS], c.cols * sizeof(float));
    assert_ok(clact_epilogue(f.ctx, c.op, NULL, NULL, c.dtype, c.rows, c.cols, expected.at[X],
                             expected.at[BIAS], a.at[Y]));
    assert_ok(clact_epilogue(f.ctx, c.op, NULL, NULL, c.dtype, c.rows, c.cols, a.at[X],
                             expected.at[BIAS], a.at[X]));
    assert_memory_equal(a.at[X], a.at[Y], bytes);
    assert_ok(clact_epilogue(f.ctx, c.op, NULL, NULL, c.dtype, 0, 4, NULL, NULL, NULL));
    fixture_close(&f);
}

static void test_queues(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    for (int axis = 0; axis < 2; axis++)
        assert_ok(clact_prepare_epilogue(
            f.ctx, QUICK, &(clact_epilogue_options){.bias = (clact_bias)axis}, CLACT_F32));
    cl_command_queue queues[] = {make_queue(f.ctx, 0), make_out_of_order_queue(f.ctx)};
    for (int i = 0; i < 4; i++) {
        const struct call c = {.op = QUICK,
                               .options = {.bias = (clact_bias)(i & 1)},
                               .dtype = CLACT_F32,
                               .rows = 67,
                               .cols = 33,
                               .kind = CLACT_SAVED_INPUT,
                               .bias = true,
                               .dbias = true};
        if (queues[i / 2])
            check_layout(f.ctx, queues[i / 2], &c, &places[0], make_user_event(f.ctx));
    }
    for (int i = 0; i < 2; i++)
        if (queues[i])
            assert_int_equal(clReleaseCommandQueue(queues[i]), CL_SUCCESS);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_place), cmocka_unit_test(test_sums_are_the_same_everywhere),
        cmocka_unit_test(test_layouts),  cmocka_unit_test(test_queues),
        NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("epilogue layout", tests, NULL, NULL);
}
