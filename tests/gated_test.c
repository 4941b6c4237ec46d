/* SPDX-License-Identifier: MIT */
/* Gated units from anywhere to anywhere: every layout, way to store and transfer, vector and group
 * gives the bits that plain arrays give; halves of one matrix, in place, on every kind of queue. */
#include "dtype.h"
#include "host_fixture.h"
#include "reference.h"
#include "ulp.h"

#include <string.h>

enum { DTYPES = 4, ROOM = 4200, OPERANDS = 5, POISON = 0xa5 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* What the host does is the same for every operator: one with a parameter that compiles fast. */
static const clact_operator op = CLACT_LEAKY_RELU;
static const clact_params params = {0.3, 0, 0};

/* The operands in the order of the call. */
enum operand { GRAD, A, B, DA, DB, Y = DA };

static unsigned char arrays[OPERANDS][ROOM * 8], expected[2][ROOM * 8];

static void fill(clact_dtype dtype)
{
    for (unsigned i = 0; i < 3; i++)
        for (size_t k = 0; k < ROOM; k++)
            dtype_store(dtype, arrays[i], k, ((double)((k * k + k * 37 + i * 11) % 61) - 24) / 8);
    memset(arrays[DA], POISON, sizeof(arrays[DA]));
    memset(arrays[DB], POISON, sizeof(arrays[DB]));
}

/* The results for each element of the arrays as they are filled, from the references. */
static void expect_reference(clact_context *ctx, clact_dtype dtype, bool backward)
{
    const clact_params p = reference_params(dtype, &params);
    if (backward)
        assert_ok(clact_gated_backward(ctx, op, &params, dtype, ROOM, arrays[GRAD], arrays[A],
                                       arrays[B], expected[0], expected[1]));
    else
        assert_ok(clact_gated(ctx, op, &params, dtype, ROOM, arrays[A], arrays[B], expected[0]));
    for (size_t i = 0; i < ROOM; i++) {
        const double a = dtype_load(dtype, arrays[A], i), b = dtype_load(dtype, arrays[B], i);
        const double grad = dtype_load(dtype, arrays[GRAD], i);
        const double act = reference_of(op)->forward(a, &p);
        const double first = backward ? reference_of(op)->from_input(grad * b, a, &p) : act * b;
        assert_true(ulp_error(dtype, dtype_load(dtype, expected[0], i), first) < 3);
        if (backward)
            assert_true(ulp_error(dtype, dtype_load(dtype, expected[1], i), grad * act) < 2);
    }
}

/* Layouts. */

struct layout {
    size_t rows, cols;
    struct {
        size_t offset, stride;
    } of[OPERANDS];
};

static clact_view view_of(cl_mem mem, clact_dtype dtype, const struct layout *l, unsigned i)
{
    return clact_view_2d(mem, dtype, l->of[i].offset, l->rows, l->cols, l->of[i].stride);
}

/* An output's whole buffer is as it must be: what is no result is as it was. Element (r, c) of an
 * operand at its place is the array's there, so every operand needs the inputs' places: results are
 * computed for the gathered inputs as plain arrays first. */
static void check_layout(clact_context *ctx, clact_dtype dtype, const struct layout *l,
                         bool backward)
{
    static unsigned char gathered[3][ROOM * 8], results[2][ROOM * 8], got[ROOM * 8];
    const size_t n = l->rows * l->cols;
    cl_mem mems[OPERANDS];
    fill(dtype);
    for (unsigned i = 0; i < OPERANDS; i++) {
        mems[i] = make_mem(ctx, CL_MEM_READ_WRITE, ROOM * clact_dtype_size(dtype), arrays[i]);
        for (size_t k = 0; i < 3 && k < n; k++)
            dtype_store_bits(
                dtype, gathered[i], k,
                dtype_load_bits(dtype, arrays[i],
                                l->of[i].offset + k / l->cols * l->of[i].stride + k % l->cols));
    }
    cl_event event = NULL;
    const clact_view a = view_of(mems[A], dtype, l, A), b = view_of(mems[B], dtype, l, B);
    const clact_view first = view_of(mems[DA], dtype, l, DA);
    if (backward) {
        assert_ok(clact_enqueue_gated_backward(ctx, NULL, op, &params,
                                               view_of(mems[GRAD], dtype, l, GRAD), a, b, first,
                                               view_of(mems[DB], dtype, l, DB), 0, NULL, &event));
        assert_ok(clact_gated_backward(ctx, op, &params, dtype, n, gathered[GRAD], gathered[A],
                                       gathered[B], results[0], results[1]));
    } else {
        assert_ok(clact_enqueue_gated(ctx, NULL, op, &params, a, b, first, 0, NULL, &event));
        assert_ok(clact_gated(ctx, op, &params, dtype, n, gathered[A], gathered[B], results[0]));
    }
    await(event);
    for (unsigned i = DA; i <= (backward ? DB : Y); i++) {
        for (size_t k = 0; k < n; k++)
            dtype_store_bits(dtype, arrays[i],
                             l->of[i].offset + k / l->cols * l->of[i].stride + k % l->cols,
                             dtype_load_bits(dtype, results[i - DA], k));
        read_mem(ctx, mems[i], ROOM * clact_dtype_size(dtype), got);
        assert_memory_equal(got, arrays[i], ROOM * clact_dtype_size(dtype));
    }
    for (unsigned i = 0; i < OPERANDS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

static const struct layout layouts[] = {
    {5, 3, {{1, 4}, {2, 3}, {0, 5}, {3, 7}, {1, 3}}},
    {7, 1, {{0, 1}, {3, 5}, {1, 2}, {0, 9}, {2, 1}}},
    {3, 33, {{5, 40}, {7, 35}, {1, 33}, {0, 36}, {2, 34}}},
    {4, 16, {{0, 16}, {0, 16}, {0, 16}, {0, 16}, {0, 16}}},
    {2, 1000, {{3, 1003}, {1, 1001}, {0, 1000}, {9, 1011}, {4, 1000}}},
    {1000, 2, {{1, 3}, {5, 4}, {0, 2}, {1, 3}, {7, 4}}},
    {9, 15, {{2, 0}, {1, 17}, {0, 15}, {3, 16}, {5, 18}}},
    {0, 5, {{0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 5}}},
    {5, 0, {{0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 5}}},
    {31, 17, {{3, 17}, {0, 64}, {1, 18}, {2, 19}, {0, 17}}},
};

static void check_layouts(const clact_options *options)
{
    struct fixture f;
    fixture_open(&f, options);
    for (int d = 0; d < DTYPES; d++) {
        if (!dtype_works(f.ctx, dtypes[d]))
            continue;
        for (int backward = 0; backward <= 1; backward++) {
            for (size_t n = 0; n <= 40; n += 1 + n / 8)
                check_layout(
                    f.ctx, dtypes[d],
                    &(struct layout){
                        1, n, {{n % 5, 0}, {3, 0}, {n % 3, 0}, {n * 7 % 19, 0}, {n % 2, 0}}},
                    backward);
            check_layout(f.ctx, dtypes[d],
                         &(struct layout){1, 4000, {{1, 0}, {0, 0}, {2, 0}, {13, 0}, {5, 0}}},
                         backward);
            for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
                check_layout(f.ctx, dtypes[d], &layouts[i], backward);
        }
    }
    fixture_close(&f);
}

static void test_layouts(void **state)
{
    (void)state;
    check_layouts(NULL);
}

static void test_layouts_streamed(void **state)
{
    (void)state;
    check_layouts(&(clact_options){.stores = CLACT_STORES_STREAM, .work_group_size = 7});
}

/* The bits do not depend on the width of vectors, nor on the size of groups. */
static void test_widths_agree(void **state)
{
    (void)state;
    for (int d = 0; d < DTYPES; d++) {
        struct fixture f;
        fixture_open(&f, NULL);
        if (dtype_works(f.ctx, dtypes[d])) {
            fill(dtypes[d]);
            expect_reference(f.ctx, dtypes[d], false);
            expect_reference(f.ctx, dtypes[d], true);
        }
        const bool works = dtype_works(f.ctx, dtypes[d]);
        fixture_close(&f);
        for (size_t width = 1; works && width <= 16; width *= 2) {
            const size_t bytes = ROOM * clact_dtype_size(dtypes[d]);
            fixture_open(&f, &(clact_options){.vector_width = width, .work_group_size = width * 3});
            assert_ok(clact_gated_backward(f.ctx, op, &params, dtypes[d], ROOM, arrays[GRAD],
                                           arrays[A], arrays[B], arrays[DA], arrays[DB]));
            assert_memory_equal(arrays[DA], expected[0], bytes);
            assert_memory_equal(arrays[DB], expected[1], bytes);
            /* db is what the forward pass makes of a and grad. */
            assert_ok(clact_gated(f.ctx, op, &params, dtypes[d], ROOM, arrays[A], arrays[GRAD],
                                  arrays[Y]));
            assert_memory_equal(arrays[Y], expected[1], bytes);
            fixture_close(&f);
        }
    }
}

/* Halves and in place. */

/* The halves of one matrix, and the gradients back into their place. */
static void test_halves_in_place(void **state)
{
    enum { ROWS = 7, HALF = 21, N = ROWS * 2 * HALF };
    struct fixture f;
    float x[N], grad[N / 2], a[N / 2], b[N / 2], da[N / 2], db[N / 2], y[N / 2], got[N];
    (void)state;
    fixture_open(&f, NULL);
    for (size_t i = 0; i < N; i++)
        x[i] = (float)((i * 37 + i * i) % 61) / 8 - 3;
    for (size_t i = 0; i < N / 2; i++) {
        a[i] = x[i / HALF * 2 * HALF + i % HALF];
        b[i] = x[i / HALF * 2 * HALF + HALF + i % HALF];
        grad[i] = (float)((int)i % 17) - 8;
    }
    assert_ok(clact_gated(f.ctx, op, NULL, CLACT_F32, N / 2, a, b, y));
    assert_ok(clact_gated_backward(f.ctx, op, NULL, CLACT_F32, N / 2, grad, a, b, da, db));
    const cl_mem mem = make_mem(f.ctx, CL_MEM_READ_WRITE, sizeof(x), x);
    const cl_mem grad_mem = make_mem(f.ctx, CL_MEM_READ_WRITE, sizeof(grad), grad);
    const clact_view first = clact_view_2d(mem, CLACT_F32, 0, ROWS, HALF, 2 * HALF);
    const clact_view second = clact_view_2d(mem, CLACT_F32, HALF, ROWS, HALF, 2 * HALF);
    const clact_view up = clact_view_2d(grad_mem, CLACT_F32, 0, ROWS, HALF, HALF);
    assert_ok(clact_enqueue_gated_backward(f.ctx, NULL, op, NULL, up, first, second, first, second,
                                           0, NULL, NULL));
    read_mem(f.ctx, mem, sizeof(got), got);
    for (size_t i = 0; i < N; i++) {
        const size_t k = i / (2 * HALF) * HALF + i % HALF;
        assert_float_equal(got[i], (i % (2 * HALF) < HALF ? da[k] : db[k]), 0);
    }
    assert_int_equal(clEnqueueWriteBuffer(clact_context_queue(f.ctx), mem, CL_TRUE, 0, sizeof(x), x,
                                          0, NULL, NULL),
                     CL_SUCCESS);
    assert_ok(clact_enqueue_gated(f.ctx, NULL, op, NULL, first, second, second, 0, NULL, NULL));
    read_mem(f.ctx, mem, sizeof(got), got);
    for (size_t i = 0; i < N; i++) {
        const size_t k = i / (2 * HALF) * HALF + i % HALF;
        assert_float_equal(got[i], (i % (2 * HALF) < HALF ? x[i] : y[k]), 0);
    }
    assert_int_equal(clReleaseMemObject(mem), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(grad_mem), CL_SUCCESS);
    fixture_close(&f);
}

/* Host arrays: every transfer, in pieces and in place. */
static void test_host_arrays(void **state)
{
    enum { N = 3001 };
    (void)state;
    for (int transfer = CLACT_TRANSFER_AUTO; transfer <= CLACT_TRANSFER_COPY; transfer++) {
        struct fixture f;
        const size_t bytes = N * sizeof(float);
        fixture_open(&f, &(clact_options){.transfer = (clact_transfer)transfer});
        fill(CLACT_F32);
        expect_reference(f.ctx, CLACT_F32, true);
        assert_ok(clact_gated_backward(f.ctx, op, &params, CLACT_F32, N, arrays[GRAD], arrays[A],
                                       arrays[B], arrays[A], arrays[GRAD]));
        assert_memory_equal(arrays[A], expected[0], bytes);
        assert_memory_equal(arrays[GRAD], expected[1], bytes);
        fill(CLACT_F32);
        expect_reference(f.ctx, CLACT_F32, false);
        assert_ok(clact_gated(f.ctx, op, &params, CLACT_F32, N, arrays[A], arrays[B], arrays[B]));
        assert_memory_equal(arrays[B], expected[0], bytes);
        assert_ok(clact_gated(f.ctx, op, NULL, CLACT_F32, 0, NULL, NULL, NULL));
        assert_ok(
            clact_gated_backward(f.ctx, op, NULL, CLACT_F32, 0, NULL, NULL, NULL, NULL, NULL));
        fixture_close(&f);
    }
}

/* Queues. */

static void check_order(clact_context *ctx, cl_command_queue queue)
{
    enum { N = 1000, BYTES = N * sizeof(float) };
    fill(CLACT_F32);
    expect_reference(ctx, CLACT_F32, false);
    const cl_mem a = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, NULL);
    const cl_mem b = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, arrays[B]);
    const cl_mem y = make_mem(ctx, CL_MEM_READ_WRITE, BYTES, arrays[Y]);
    const cl_event gate = make_user_event(ctx);
    cl_event written = NULL, done = NULL;
    assert_int_equal(
        clEnqueueWriteBuffer(queue, a, CL_FALSE, 0, BYTES, arrays[A], 1, &gate, &written),
        CL_SUCCESS);
    assert_ok(clact_enqueue_gated(ctx, queue, op, &params, clact_view_1d(a, CLACT_F32, 0, N),
                                  clact_view_1d(b, CLACT_F32, 0, N),
                                  clact_view_1d(y, CLACT_F32, 0, N), 1, &written, &done));
    assert_int_equal(clFlush(queue), CL_SUCCESS);
    open_gate(gate, done);
    await(done);
    await(written);
    read_mem(ctx, y, BYTES, arrays[Y]);
    assert_memory_equal(arrays[Y], expected[0], BYTES);
    const cl_mem mems[] = {a, b, y};
    for (int i = 0; i < 3; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
}

static void test_queues(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_prepare_gated(f.ctx, op, CLACT_F32));
    cl_command_queue queues[] = {make_queue(f.ctx, 0), make_out_of_order_queue(f.ctx)};
    for (int i = 0; i < 2; i++)
        if (queues[i]) {
            check_order(f.ctx, queues[i]);
            assert_int_equal(clReleaseCommandQueue(queues[i]), CL_SUCCESS);
        }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_layouts_streamed),
        cmocka_unit_test(test_widths_agree),
        cmocka_unit_test(test_halves_in_place),
        cmocka_unit_test(test_host_arrays),
        cmocka_unit_test(test_queues),
        NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("gated", tests, NULL, NULL);
}
