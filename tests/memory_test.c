/* SPDX-License-Identifier: MIT */
/* Calls on a device that has little memory: what is idle makes way for what is needed, and arrays go
 * through in pieces that fit beside each other. */
#include "host_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIB = 1 << 20, SKIPPED = 77 };

static const struct fault_layer *layer;

/* A context on a device with a MiB. */
static void open_small(struct fixture *f)
{
    layer->memory(MIB);
    fixture_open(f, &(clact_options){.transfer = CLACT_TRANSFER_COPY});
}

static void close_small(struct fixture *f)
{
    fixture_close(f);
    layer->memory(SIZE_MAX);
}

/* Host arrays, each of which fits in the device's memory, but not all of a call's. */

enum { ROWS = 4, COLS = 40000, N = ROWS * COLS };

static float *make_array(unsigned seed)
{
    float *array = malloc(N * sizeof(float));
    assert_non_null(array);
    fill_operands(CLACT_F32, array, N, seed);
    return array;
}

static void gated(clact_context *ctx, const float *a, const float *b, float *y)
{
    assert_ok(clact_gated(ctx, any_operator(), NULL, CLACT_F32, N, a, b, y));
}

/* A row is more than what a piece is otherwise. */
static void softmax(clact_context *ctx, const float *a, const float *b, float *y)
{
    (void)b;
    assert_ok(clact_softmax(ctx, CLACT_F32, ROWS, COLS, a, y));
}

static void test_arrays_go_in_pieces(void **state)
{
    static void (*const calls[])(clact_context *, const float *, const float *,
                                 float *) = {gated, softmax};
    (void)state;
    float *a = make_array(1), *b = make_array(2), *y = make_array(3), *expected = make_array(4);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct fixture small, large;
        fixture_open(&large, NULL);
        calls[i](large.ctx, a, b, expected);
        fixture_close(&large);
        open_small(&small);
        memset(y, 0, N * sizeof(float));
        calls[i](small.ctx, a, b, y);
        close_small(&small);
        assert_memory_equal(y, expected, N * sizeof(float));
    }
    free(a);
    free(b);
    free(y);
    free(expected);
}

/* Sums need memory of their own. */

enum { COUNT = 1000 };

struct operands {
    struct fixture f;
    clact_buffer *x, *other, *out, *sum;
};

static clact_view view_of(const clact_buffer *buffer, size_t n)
{
    return clact_buffer_view(buffer, CLACT_F32, 0, n);
}

static clact_status take_mean(const struct operands *o)
{
    return clact_enqueue_bce_with_logits(o->f.ctx, NULL, NULL, view_of(o->x, COUNT),
                                         view_of(o->other, COUNT), view_of(o->sum, 1), 0, NULL,
                                         NULL);
}

static clact_status take_bias_gradient(const struct operands *o)
{
    const clact_epilogue_options options = {.bias = CLACT_BIAS_PER_ROW};
    return clact_enqueue_epilogue_backward(
        o->f.ctx, NULL, any_operator(), NULL, &options, any_kind(), view_of(o->x, COUNT),
        view_of(o->other, COUNT), (clact_view){.mem = NULL}, view_of(o->out, COUNT),
        view_of(o->sum, 1), 0, NULL, NULL);
}

static clact_status (*const sums[])(const struct operands *) = {take_mean, take_bias_gradient};
enum { SUMS = sizeof(sums) / sizeof(*sums) };

static void open_operands(struct operands *o)
{
    float values[COUNT];
    open_small(&o->f);
    clact_buffer **buffers[] = {&o->x, &o->other, &o->out, &o->sum};
    for (int i = 0; i < 4; i++) {
        fill_operands(CLACT_F32, values, COUNT, (unsigned)i);
        assert_ok(clact_buffer_create(o->f.ctx, sizeof(values), buffers[i]));
        assert_ok(clact_buffer_write(*buffers[i], 0, sizeof(values), values));
    }
}

static float read_sum(const struct operands *o)
{
    float sum = -1;
    assert_ok(clact_buffer_read(o->sum, 0, sizeof(sum), &sum));
    return sum;
}

static void close_operands(struct operands *o)
{
    clact_buffer_destroy(o->x);
    clact_buffer_destroy(o->other);
    clact_buffer_destroy(o->out);
    clact_buffer_destroy(o->sum);
    close_small(&o->f);
}

/* Idle memory takes all that the operands leave, once the driver has let go of what the last call used:
 * that may be a little later than the call is done. */
static void fill_pool(const struct operands *o)
{
    const size_t rest = MIB - 4 * COUNT * sizeof(float);
    clact_buffer *idle = NULL;
    for (int tries = 0; tries < 1000 && !idle; tries++)
        if (clact_buffer_create(o->f.ctx, rest, &idle) != CLACT_SUCCESS)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_non_null(idle);
    clact_buffer_destroy(idle);
    cl_int code = CL_SUCCESS;
    assert_null(clCreateBuffer(clact_context_cl(o->f.ctx), CL_MEM_READ_WRITE, 1, NULL, &code));
    assert_int_equal(code, CL_MEM_OBJECT_ALLOCATION_FAILURE);
}

static void test_idle_memory_makes_way(void **state)
{
    (void)state;
    struct operands o;
    open_operands(&o);
    for (int i = 0; i < SUMS; i++) {
        assert_ok(sums[i](&o));
        const float expected = read_sum(&o);
        clact_context_trim(o.f.ctx);
        fill_pool(&o);
        assert_ok(clact_buffer_write(o.sum, 0, sizeof(float), &(float){-1}));
        assert_ok(sums[i](&o));
        assert_true(read_sum(&o) == expected);
    }
    close_operands(&o);
}

/* Memory that is larger than the device's allocations is too large for it, and no unknown error. */
static void test_too_large_at_once(void **state)
{
    (void)state;
    struct operands o;
    open_operands(&o);
    for (int i = 0; i < SUMS; i++) {
        assert_ok(sums[i](&o)); /* which compiles */
        const char *fired = "";
        for (unsigned long n = 1; strcmp(fired, "clCreateBuffer") != 0; n++) {
            layer->arm(n, CL_INVALID_BUFFER_SIZE);
            const clact_status status = sums[i](&o);
            fired = layer->fired();
            layer->arm(0, CL_SUCCESS);
            assert_non_null(fired);
            if (strcmp(fired, "clCreateBuffer") == 0)
                assert_int_equal(status, CLACT_OUT_OF_MEMORY);
        }
        assert_int_equal(clact_last_error(o.f.ctx)->code, CL_INVALID_BUFFER_SIZE);
        assert_ok(sums[i](&o));
    }
    assert_int_equal(clFinish(clact_context_queue(o.f.ctx)), CL_SUCCESS);
    close_operands(&o);
}

int main(void)
{
    layer = fault_layer_find();
    if (!layer) {
        print_message("the loader knows no layers: skipped\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays_go_in_pieces),
        cmocka_unit_test(test_idle_memory_makes_way),
        cmocka_unit_test(test_too_large_at_once),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
