/* SPDX-License-Identifier: MIT */
/* Epilogues: the bits of the calls that they stand for, sums against sums in more precision, which are
 * the same whatever the work is cut into, every layout, and every kind of queue. */
#include "dtype.h"
#include "host_fixture.h"
#include "op_rows.h"
#include "reference.h"
#include "ulp.h"

#include <math.h>
#include <string.h>

enum { DTYPES = 4, ROOM = 9000, POISON = 0xa5 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* The operands of a call, backward; x and y of the forward call are the saved one and dx. */
enum operand { GRAD, SAVED, BIAS, DX, DBIAS, OPERANDS, X = SAVED, Y = DX };

static _Alignas(8) unsigned char arrays[OPERANDS][ROOM * 8];

/* What the host does is the same for every operator: one with a parameter that compiles fast. */
static const clact_operator quick = CLACT_LEAKY_RELU;

static void fill(clact_dtype dtype)
{
    for (unsigned i = 0; i < OPERANDS; i++)
        for (size_t k = 0; k < ROOM; k++)
            dtype_store(dtype, arrays[i], k,
                        ((double)((k * k * (i + 3) + k * 37 + i * 11) % 1021) - 500) / 128);
}

/* One call, on arrays or on views. */
struct call {
    clact_operator op;
    clact_epilogue_options options;
    clact_dtype dtype;
    size_t rows, cols;
    clact_saved kind; /* 0: forward */
    bool bias, dbias;
};

static bool per_row(const struct call *c)
{
    return c->options.bias == CLACT_BIAS_PER_ROW;
}

static size_t rows_of(const struct call *c, unsigned i)
{
    return (i == BIAS || i == DBIAS) && !per_row(c) ? 1 : c->rows;
}

static size_t cols_of(const struct call *c, unsigned i)
{
    return (i == BIAS || i == DBIAS) && per_row(c) ? 1 : c->cols;
}

static bool has(const struct call *c, unsigned i)
{
    return c->kind == 0 ? i == X || i == BIAS || i == Y
                        : (i != BIAS || c->bias) && (i != DBIAS || c->dbias);
}

/* What each array has in a call on plain arrays. */
struct arrays {
    unsigned char at[OPERANDS][ROOM * 8];
};

static void run(clact_context *ctx, const struct call *c, struct arrays *a)
{
    void *const bias = has(c, BIAS) ? a->at[BIAS] : NULL;
    void *const dbias = has(c, DBIAS) ? a->at[DBIAS] : NULL;
    if (c->kind == 0)
        assert_ok(clact_epilogue(ctx, c->op, NULL, &c->options, c->dtype, c->rows, c->cols,
                                 a->at[X], bias, a->at[Y]));
    else
        assert_ok(clact_epilogue_backward(ctx, c->op, NULL, &c->options, c->dtype, c->kind, c->rows,
                                          c->cols, a->at[GRAD], a->at[SAVED], bias, a->at[DX],
                                          dbias));
}

static void fill_arrays(struct arrays *a, clact_dtype dtype)
{
    fill(dtype);
    memcpy(a->at, arrays, sizeof(arrays));
}

/* The sums. */

static double bias_at(const struct call *c, const struct arrays *a, size_t k)
{
    return has(c, BIAS) ? dtype_load(c->dtype, a->at[BIAS], per_row(c) ? k / c->cols : k % c->cols)
                        : 0;
}

static void add_bias(const struct call *c, const struct arrays *a, void *sums)
{
    for (size_t k = 0; k < c->rows * c->cols; k++)
        dtype_store(c->dtype, sums, k, dtype_load(c->dtype, a->at[SAVED], k) + bias_at(c, a, k));
}

/* dbias against the sum of g, of which each may be off by so many ULP. */
static void check_sums(const struct call *c, const struct arrays *a, const double *g, double slack)
{
    for (size_t i = 0; i < rows_of(c, DBIAS) * cols_of(c, DBIAS); i++) {
        long double sum = 0, size = 0;
        const size_t count = per_row(c) ? c->cols : c->rows;
        for (size_t k = 0; k < count; k++) {
            const double term = g[per_row(c) ? i * c->cols + k : k * c->cols + i];
            sum += term;
            size += fabs(term);
        }
        const double got = dtype_load(c->dtype, a->at[DBIAS], i);
        const double unit = 0.501 * ldexp(1, ilogb((double)sum == 0 ? 0x1p-60 : (double)sum) -
                                                 dtype_format(c->dtype)->precision + 1);
        if (!(fabsl(got - sum) <= unit + slack * (double)size))
            fail_msg("sum %zu of %zu is %a, not %La", i, count, got, sum);
    }
}

/* The results of fused calls are those of two calls, bit for bit; beta * dx is added with one rounding;
 * the bias' gradient is the sum. */
static void check_fused(clact_context *ctx, const struct call *c)
{
    static struct arrays before, after;
    static unsigned char sums[ROOM * 8], expected[ROOM * 8];
    static double g[ROOM];
    const size_t n = c->rows * c->cols;
    fill_arrays(&before, c->dtype);
    after = before;
    run(ctx, c, &after);
    add_bias(c, &before, sums);
    if (c->kind == 0)
        assert_ok(clact_forward(ctx, c->op, NULL, c->dtype, n, sums, expected));
    else
        assert_ok(clact_backward(ctx, c->op, NULL, c->dtype, c->kind, n, before.at[GRAD], sums,
                                 expected));
    for (size_t k = 0; k < n; k++) {
        g[k] = dtype_load(c->dtype, expected, k);
        const double old = dtype_load(c->dtype, before.at[DX], k);
        const double got = dtype_load(c->dtype, after.at[DX], k);
        const double wanted = c->options.beta != 0 ? fma(c->options.beta, old, g[k]) : g[k];
        /* fma in double rounds f32 twice, which is another result once in 2^29. */
        if (c->dtype == CLACT_F32 ? got != (double)(float)wanted : got != wanted)
            fail_msg("operator %d, element %zu: %a, not %a", c->op, k, got, wanted);
    }
    if (has(c, DBIAS))
        check_sums(c, &after, g, c->dtype == CLACT_F64 ? 0x1p-63 : 0x1p-40);
}

/* All operators; else one with parameters and one without. */
static bool all;

static bool is_wanted(clact_operator op)
{
    return all || op == quick || op == any_operator();
}

/* f32 and f64, in which what is fused rounds as what is not. */
static void test_fused_is_the_same(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.arithmetic = CLACT_ARITHMETIC_PAIRS});
    for (size_t i = 0; i < OP_ROWS; i++)
        for (int axis = 0; is_wanted(op_rows[i].op) && axis < 2; axis++) {
            struct call c = {.op = op_rows[i].op,
                             .options = {.bias = (clact_bias)axis},
                             .dtype = CLACT_F32,
                             .rows = 83,
                             .cols = 101,
                             .bias = true,
                             .dbias = true};
            check_fused(f.ctx, &c);
            c.kind = CLACT_SAVED_INPUT;
            check_fused(f.ctx, &c);
            c.options.beta = 0.75;
            check_fused(f.ctx, &c);
        }
    fixture_close(&f);
}

/* Each combination of what may be left out, on shapes with few and many rows and columns. */
static void check_combinations(clact_context *ctx, clact_dtype dtype, clact_operator op)
{
    static const size_t shapes[][2] = {{1, 8500}, {8500, 1}, {200, 43}, {3, 16}, {1, 1}, {64, 7}};
    for (unsigned i = 0; i < 16 * sizeof(shapes) / sizeof(*shapes); i++) {
        struct call c = {.op = op,
                         .options = {.bias = (clact_bias)(i & 1), .beta = i & 2 ? -1.5 : 0},
                         .dtype = dtype,
                         .rows = shapes[i / 16][0],
                         .cols = shapes[i / 16][1],
                         .kind = CLACT_SAVED_INPUT,
                         .bias = (i & 4) != 0,
                         .dbias = (i & 8) != 0};
        if (op != quick) {
            c.bias = false;
            c.kind = CLACT_SAVED_OUTPUT;
        }
        check_fused(ctx, &c);
    }
}

static void test_combinations(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.arithmetic = CLACT_ARITHMETIC_PAIRS});
    check_combinations(f.ctx, CLACT_F32, quick);
    check_combinations(f.ctx, CLACT_F32, CLACT_RELU); /* from the output */
    if (dtype_works(f.ctx, CLACT_F64))
        check_combinations(f.ctx, CLACT_F64, quick);
    fixture_close(&f);
}

/* Against the reference: what is fused in the other arithmetics rounds less. */

static void check_reference(clact_context *ctx, clact_dtype dtype, clact_operator op)
{
    static struct arrays before, after;
    static double g[ROOM];
    const clact_params p = reference_defaults(op, dtype);
    const struct call c = {.op = op,
                           .options = {.bias = CLACT_BIAS_PER_ROW, .beta = 0.5},
                           .dtype = dtype,
                           .rows = 61,
                           .cols = 101,
                           .kind = CLACT_SAVED_INPUT,
                           .bias = true,
                           .dbias = true};
    const bool half = dtype == CLACT_F16 || dtype == CLACT_BF16;
    struct call forward = c;
    forward.kind = 0;
    forward.options.beta = 0;
    fill_arrays(&before, dtype);
    after = before;
    run(ctx, &forward, &after);
    for (size_t k = 0; k < c.rows * c.cols; k++) {
        double s = dtype_load(dtype, before.at[X], k) + bias_at(&c, &before, k);
        s = half ? s : (double)(float)s;
        const double error =
            ulp_error(dtype, dtype_load(dtype, after.at[Y], k), reference_of(op)->forward(s, &p));
        assert_true(error <= (half ? CLACT_EPILOGUE_HALF_BUDGET : 1));
        g[k] = reference_of(op)->from_input(dtype_load(dtype, before.at[GRAD], k), s, &p);
    }
    after = before;
    run(ctx, &c, &after);
    for (size_t k = 0; k < c.rows * c.cols; k++) {
        const double old = 0.5 * dtype_load(dtype, before.at[DX], k), exact = old + g[k];
        const double unit =
            ldexp(1, ilogb(exact == 0 ? 0x1p-60 : exact) - dtype_format(dtype)->precision + 1);
        assert_true(fabs(dtype_load(dtype, after.at[DX], k) - exact) <=
                    CLACT_EPILOGUE_HALF_BUDGET * unit + 0x1p-22 * (fabs(old) + fabs(g[k])));
    }
    check_sums(&c, &after, g, 0x1p-21);
}

static void test_reference(void **state)
{
    (void)state;
    for (int doubles = 0; doubles <= 1; doubles++) {
        struct fixture f;
        fixture_open(&f, doubles ? &(clact_options){.arithmetic = CLACT_ARITHMETIC_DOUBLES} : NULL);
        for (int d = 0; d < DTYPES; d++)
            if (doubles ? dtypes[d] == CLACT_F32 && dtype_works(f.ctx, CLACT_F64)
                        : dtypes[d] == CLACT_F16 || dtypes[d] == CLACT_BF16)
                check_reference(f.ctx, dtypes[d], CLACT_SIGMOID);
        fixture_close(&f);
    }
}

/* Gradients against differences of the loss, the sum of grad * act(x + bias), in f64. */
static void test_differences(void **state)
{
    enum { ROWS = 5, COLS = 3, N = ROWS * COLS };
    struct fixture f;
    double x[N], grad[N], dx[N], dbias[COLS];
    const double bias[COLS] = {0.3, -0.7, 1.9};
    const clact_operator op = CLACT_TANH;
    const clact_params p = {0, 0, 0};
    const long double h = 0x1p-16L;
    (void)state;
    fixture_open(&f, NULL);
    if (dtype_works(f.ctx, CLACT_F64)) {
        for (int i = 0; i < N; i++) {
            x[i] = (i * 7 % 11) / 4.0 - 1.2;
            grad[i] = (i * 5 % 13) / 8.0 - 0.6;
        }
        assert_ok(clact_epilogue_backward(f.ctx, op, NULL, NULL, CLACT_F64, CLACT_SAVED_INPUT, ROWS,
                                          COLS, grad, x, bias, dx, dbias));
        for (int c = 0; c < COLS; c++) {
            long double sum = 0;
            for (int r = 0; r < ROWS; r++) {
                const long double s = (long double)x[r * COLS + c] + bias[c];
                const long double slope = grad[r * COLS + c] *
                                          (reference_of(op)->forward_long(s + h, &p) -
                                           reference_of(op)->forward_long(s - h, &p)) /
                                          (2 * h);
                assert_true(fabsl(dx[r * COLS + c] - slope) < 1e-8L);
                sum += slope;
            }
            assert_true(fabsl(dbias[c] - sum) < 1e-7L);
        }
    }
    fixture_close(&f);
}

/* The bits do not depend on how work is cut, stored or moved. */

static void check_same(const clact_options *options, const struct call *c,
                       const struct arrays *expected)
{
    static struct arrays a;
    struct fixture f;
    fixture_open(&f, options);
    fill_arrays(&a, c->dtype);
    run(f.ctx, c, &a);
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
        const struct call c = {.op = quick,
                               .options = {.bias = (clact_bias)axis, .beta = 0.5},
                               .dtype = CLACT_F32,
                               .rows = axis ? 2 : 200,
                               .cols = axis ? 4333 : 43,
                               .kind = CLACT_SAVED_INPUT,
                               .bias = true,
                               .dbias = true};
        fixture_open(&f, NULL);
        fill_arrays(&expected, c.dtype);
        run(f.ctx, &c, &expected);
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
    const size_t cols = cols_of(c, i);
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
        assert_ok(clact_enqueue_epilogue_backward(ctx, queue, c->op, NULL, &c->options, c->kind,
                                                  v[GRAD], v[SAVED], has(c, BIAS) ? v[BIAS] : none,
                                                  v[DX], has(c, DBIAS) ? v[DBIAS] : none, n_wait,
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
    fill_arrays(&expected, c->dtype);
    for (unsigned i = 0; i < OPERANDS; i++) {
        mems[i] = make_mem(ctx, CL_MEM_READ_WRITE, bytes, expected.at[i]);
        views[i] = clact_view_2d(mems[i], c->dtype, p->offset[i], rows_of(c, i), cols_of(c, i),
                                 cols_of(c, i) + p->gap);
        for (size_t k = 0; k < rows_of(c, i) * cols_of(c, i); k++)
            dtype_store_bits(c->dtype, plain.at[i], k,
                             dtype_load_bits(c->dtype, expected.at[i], place_of(c, p, i, k)));
    }
    run(ctx, c, &plain);
    cl_event event = NULL;
    enqueue(ctx, queue, c, views, gate ? 1 : 0, gate ? &gate : NULL, &event);
    if (gate) {
        assert_int_equal(clFlush(queue), CL_SUCCESS);
        open_gate(gate, event);
    }
    await(event);
    for (unsigned i = 0; i < OPERANDS; i++) {
        for (size_t k = 0; k < rows_of(c, i) * cols_of(c, i); k++)
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
            struct call c = {.op = quick,
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
    const struct call c = {.op = quick,
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
    fill_arrays(&expected, c.dtype);
    a = expected;
    run(f.ctx, &c, &expected);
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

/* With beta = 0 a NaN in dx is no operand; with another it is. */
static void test_what_dx_held(void **state)
{
    struct fixture f;
    const float ones[2] = {1, 1}, bias[2] = {0, 0};
    float dx[2] = {(float)NAN, 3};
    (void)state;
    fixture_open(&f, NULL);
    assert_ok(clact_epilogue_backward(f.ctx, quick, NULL, &(clact_epilogue_options){.beta = 2},
                                      CLACT_F32, CLACT_SAVED_INPUT, 1, 2, ones, ones, bias, dx,
                                      NULL));
    assert_true(isnan(dx[0]) && dx[1] == 7);
    assert_ok(clact_epilogue_backward(f.ctx, quick, NULL, NULL, CLACT_F32, CLACT_SAVED_INPUT, 1, 2,
                                      ones, ones, bias, dx, NULL));
    assert_true(dx[0] == 1 && dx[1] == 1);
    fixture_close(&f);
}

/* A sum that overflows is infinite, and NaN stays NaN. */
static void test_special_sums(void **state)
{
    struct fixture f;
    const float x[3] = {1, 1, 1}, bias[3] = {0, 0, 0};
    const float grads[3][3] = {
        {0x1.fffffep127f, 0x1.fffffep127f, 1}, {-INFINITY, 1, 2}, {INFINITY, (float)NAN, 1}};
    const float sums[3] = {INFINITY, -INFINITY, (float)NAN};
    (void)state;
    fixture_open(&f, NULL);
    for (int i = 0; i < 3; i++)
        for (int axis = 0; axis < 2; axis++) {
            float dx[3], dbias[3];
            assert_ok(clact_epilogue_backward(
                f.ctx, quick, NULL, &(clact_epilogue_options){.bias = (clact_bias)axis}, CLACT_F32,
                CLACT_SAVED_INPUT, axis ? 1 : 3, axis ? 3 : 1, grads[i], x, bias, dx, dbias));
            assert_true(isnan(sums[i]) ? isnan(dbias[0]) : dbias[0] == sums[i]);
        }
    fixture_close(&f);
}

static void test_queues(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    for (int axis = 0; axis < 2; axis++)
        assert_ok(clact_prepare_epilogue(
            f.ctx, quick, &(clact_epilogue_options){.bias = (clact_bias)axis}, CLACT_F32));
    cl_command_queue queues[] = {make_queue(f.ctx, 0), make_out_of_order_queue(f.ctx)};
    for (int i = 0; i < 4; i++) {
        const struct call c = {.op = quick,
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

int main(int argc, char **argv)
{
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_dx_held),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_special_sums),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_sums_are_the_same_everywhere),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_fused_is_the_same),
        NOTHING_IS_LEFT(NULL),
    };
    return cmocka_run_group_tests_name("epilogue", tests, NULL, NULL);
}
