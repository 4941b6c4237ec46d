/* SPDX-License-Identifier: MIT */
/* Recurrent cells from anywhere to anywhere: every layout, vector width and way to store, in place, and
 * as host arrays, gives the bits that plain arrays give, and touches nothing else. */
#include "device.h"
#include "dtype.h"
#include "host_fixture.h"
#include "recurrent_operands.h"

#include <stdlib.h>
#include <string.h>

enum { POISON = 0xa5, MOST_BYTES = 1 << 17 };

static clact_context *ctx; /* with the default options */

static size_t bytes_of(const struct cell_data *data, size_t operand)
{
    return cell_count(data, operand) * clact_dtype_size(data->dtype);
}

/* Makes operands and runs the call on them, as arrays. */
static void make_and_run(struct cell_data *data, uint64_t seed)
{
    cell_make(data, 0, seed);
    assert_ok(cell_run(ctx, data->kind, data->order, data->dtype, data->batch, data->hidden,
                       data->arrays));
}

/* Where an operand lies in its buffer. */
struct layout {
    size_t offset, stride;
};

static struct layout layout_of(const struct cell_data *data, size_t operand, size_t gap)
{
    const size_t cols = cell_calls[data->kind].operand[operand].cols * data->hidden;
    return (struct layout){gap * (operand + 1) % 7, cols + gap * (operand % 3)};
}

/* The buffer's bytes: the operand's rows in their places among poison. */
static size_t lay_out(const struct cell_data *data, size_t operand, struct layout l, bool filled,
                      unsigned char *bytes)
{
    const struct cell_operand *o = &cell_calls[data->kind].operand[operand];
    const size_t size = clact_dtype_size(data->dtype), row = o->cols * data->hidden * size;
    const size_t rows = o->shared ? 1 : data->batch;
    const size_t total = (l.offset + rows * l.stride + 5) * size;
    assert_true(total <= MOST_BYTES);
    memset(bytes, POISON, total);
    for (size_t r = 0; r < rows && filled; r++)
        memcpy(bytes + (l.offset + r * l.stride) * size,
               (unsigned char *)data->arrays[operand] + r * row, row);
    return total;
}

/* What a call does not write of an output stays as it was: poison here, ones in the arrays. */
static void keep_unwritten(const struct cell_data *data, size_t operand, struct layout l,
                           unsigned char *bytes)
{
    const size_t size = clact_dtype_size(data->dtype);
    const struct cell_unit unit = cell_unit_of(data, 0, 0);
    struct cell_exact exact;
    cell_reference(data->kind, data->order, &unit, &exact);
    for (size_t r = 0; r < data->batch; r++)
        for (size_t k = 0; k < cell_calls[data->kind].operand[operand].cols; k++)
            if (!exact.written[operand][k])
                memset(bytes + (l.offset + r * l.stride + k * data->hidden) * size, POISON,
                       data->hidden * size);
}

static void check_views(clact_context *other, const struct cell_data *data, size_t gap)
{
    static unsigned char bytes[MOST_BYTES], got[MOST_BYTES];
    const struct cell_call *call = &cell_calls[data->kind];
    clact_view views[CELL_OPERANDS] = {{.mem = NULL}};
    for (size_t i = 0; i < call->operands; i++) {
        const struct layout l = layout_of(data, i, gap);
        const size_t total = lay_out(data, i, l, i < call->inputs, bytes);
        views[i] = clact_view_2d(make_mem(other, CL_MEM_READ_WRITE, total, bytes), data->dtype,
                                 l.offset, call->operand[i].shared ? 1 : data->batch,
                                 call->operand[i].cols * data->hidden, l.stride);
    }
    cl_event event = NULL;
    assert_ok(cell_enqueue(other, NULL, data->kind, data->order, views, 0, NULL, &event));
    await(event);
    for (size_t i = 0; i < call->operands; i++) {
        const struct layout l = layout_of(data, i, gap);
        const size_t total = lay_out(data, i, l, true, bytes);
        if (i >= call->inputs)
            keep_unwritten(data, i, l, bytes);
        read_mem(other, views[i].mem, total, got);
        if (memcmp(bytes, got, total) != 0)
            fail_msg("%s, %zu x %zu, gap %zu: %s is not what it is in arrays", call->name,
                     data->batch, data->hidden, gap, call->operand[i].name);
        assert_int_equal(clReleaseMemObject(views[i].mem), CL_SUCCESS);
    }
}

static const struct shape {
    size_t batch, hidden;
} shapes[] = {{1, 1}, {3, 16}, {5, 37}, {2, 131}, {33, 3}, {1, 64}};

static void check_layouts(clact_context *other, clact_dtype dtype, int kind)
{
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct cell_data data = {.kind = (enum cell_kind)kind,
                                 .order = (int)(s & 1),
                                 .dtype = dtype,
                                 .batch = shapes[s].batch,
                                 .hidden = shapes[s].hidden};
        make_and_run(&data, 50 + s);
        for (size_t gap = 0; gap < 4; gap += 3)
            check_views(other, &data, gap);
        cell_free(&data);
    }
}

static void test_layouts(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        check_layouts(ctx, CLACT_F32, kind);
        check_layouts(ctx, CLACT_BF16, kind);
    }
}

/* Each compiles kernels of its own, so that not all of them are tried. */
static void test_widths(void **state)
{
    static const size_t widths[] = {1, 4, 8};
    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.vector_width = widths[w], .work_group_size = 3});
        check_layouts(f.ctx, CLACT_F32, LSTM_FORWARD);
        check_layouts(f.ctx, CLACT_F32, w == 0 ? LSTM_BACKWARD : GRU_FORWARD);
        fixture_close(&f);
    }
}

static void test_streams(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.stores = CLACT_STORES_STREAM});
    check_layouts(f.ctx, CLACT_F32, LSTM_FORWARD);
    check_layouts(f.ctx, CLACT_F32, GRU_UPDATE_FORWARD);
    fixture_close(&f);
}

/* In place. */

/* The call with an output where an input is; what it does not write there is the input. */
static void check_in_place(const struct cell_data *data, size_t input, size_t output)
{
    const struct cell_call *call = &cell_calls[data->kind];
    const size_t bytes = bytes_of(data, output);
    const size_t column = data->hidden * clact_dtype_size(data->dtype);
    struct cell_data other = *data;
    cell_make(&other, 1U << output, 70);
    other.arrays[output] = other.arrays[input];
    unsigned char *expected = malloc(bytes), *got = other.arrays[output];
    assert_non_null(expected);
    memcpy(expected, got, bytes);
    const struct cell_unit unit = cell_unit_of(data, 0, 0);
    struct cell_exact exact;
    cell_reference(data->kind, data->order, &unit, &exact);
    const size_t cols = call->operand[output].cols;
    for (size_t c = 0; c < data->batch * cols; c++)
        if (exact.written[output][c % cols])
            memcpy(expected + c * column, (unsigned char *)data->arrays[output] + c * column,
                   column);
    assert_ok(cell_run(ctx, data->kind, data->order, data->dtype, data->batch, data->hidden,
                       other.arrays));
    if (memcmp(got, expected, bytes) != 0)
        fail_msg("%s with %s in the place of %s", call->name, call->operand[output].name,
                 call->operand[input].name);
    other.arrays[output] = NULL;
    free(expected);
    cell_free(&other);
}

static void test_in_place(void **state)
{
    unsigned places = 0;
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        const struct cell_call *call = &cell_calls[kind];
        struct cell_data data = {
            .kind = (enum cell_kind)kind, .order = 1, .dtype = CLACT_F32, .batch = 7, .hidden = 41};
        make_and_run(&data, 70);
        for (size_t i = 0; i < call->inputs; i++)
            for (size_t o = call->inputs; o < call->operands; o++)
                if (!call->operand[i].shared && call->operand[i].cols == call->operand[o].cols) {
                    check_in_place(&data, i, o);
                    places++;
                }
        cell_free(&data);
    }
    assert_true(places > 20);
}

/* What is left out is 0, and outputs that are left out change no other. */
static void test_left_out(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (size_t i = 0; i < cell_calls[kind].operands; i++) {
            const struct cell_call *call = &cell_calls[kind];
            struct cell_data all = {
                .kind = (enum cell_kind)kind, .dtype = CLACT_F32, .batch = 3, .hidden = 50};
            if (!call->operand[i].optional)
                continue;
            cell_make(&all, 0, 90);
            if (i < call->inputs)
                memset(all.arrays[i], 0, bytes_of(&all, i));
            assert_ok(cell_run(ctx, all.kind, 0, CLACT_F32, 3, 50, all.arrays));
            struct cell_data less = all;
            cell_make(&less, 1U << i, 90);
            for (size_t k = 0; k < call->inputs; k++)
                if (less.arrays[k])
                    memcpy(less.arrays[k], all.arrays[k], bytes_of(&all, k));
            assert_ok(cell_run(ctx, all.kind, 0, CLACT_F32, 3, 50, less.arrays));
            for (size_t o = call->inputs; o < call->operands; o++)
                for (size_t e = 0; o != i && e < cell_count(&all, o); e++)
                    if (((float *)all.arrays[o])[e] != ((float *)less.arrays[o])[e])
                        fail_msg("%s: without %s %s is another", call->name, call->operand[i].name,
                                 call->operand[o].name);
            cell_free(&all);
            cell_free(&less);
        }
}

/* Copied to the device and back, in one piece. */
static void test_copies(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, &(clact_options){.transfer = CLACT_TRANSFER_COPY});
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        struct cell_data data = {
            .kind = (enum cell_kind)kind, .dtype = CLACT_F32, .batch = 9, .hidden = 21};
        struct cell_data copied = data;
        make_and_run(&data, 30);
        cell_make(&copied, 0, 30);
        assert_ok(cell_run(f.ctx, copied.kind, 0, CLACT_F32, 9, 21, copied.arrays));
        for (size_t i = 0; i < cell_calls[kind].operands; i++)
            assert_memory_equal(data.arrays[i], copied.arrays[i], bytes_of(&data, i));
        cell_free(&data);
        cell_free(&copied);
    }
    fixture_close(&f);
}

static struct fixture shared;

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    ctx = shared.ctx;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),  cmocka_unit_test(test_widths),
        cmocka_unit_test(test_streams),  cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_left_out), cmocka_unit_test(test_copies),
        NOTHING_IS_LEFT(&shared),
    };
    return cmocka_run_group_tests_name("recurrent layouts", tests, open_shared, NULL);
}
