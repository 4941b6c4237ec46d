/* SPDX-License-Identifier: MIT */
/* Views of one memory: which may be combined, which may not, and that those which may give the
 * right results. */
#include "host_fixture.h"

#include <string.h>

enum { CAPACITY = 4096 };

/* Two views over CAPACITY floats, and what becomes of them as input and output. */
struct layout {
    size_t rows, cols;
    struct place {
        size_t offset, stride;
    } in, out;
    clact_status expected;
};

static struct fixture shared;

/* The memory that holds a view: all of it, or a part that starts `origin` floats into it. */
struct part {
    cl_mem mem;
    size_t origin;
};

static clact_view view_of(const struct part *part, const struct layout *l,
                          const struct place *place)
{
    return clact_view_2d(part->mem, CLACT_F32, place->offset - part->origin, l->rows, l->cols,
                         place->stride);
}

static void gather(const struct layout *l, const struct place *place, const float *from, float *to)
{
    for (size_t r = 0; r < l->rows; r++)
        memcpy(to + r * l->cols, from + place->offset + r * place->stride, l->cols * sizeof(*to));
}

static void scatter(const struct layout *l, const struct place *place, const float *from, float *to)
{
    for (size_t r = 0; r < l->rows; r++)
        memcpy(to + place->offset + r * place->stride, from + r * l->cols, l->cols * sizeof(*to));
}

/* The whole memory is what it was, but for the output. */
static void assert_result(const struct layout *l, const float *before, const float *after)
{
    static float x[CAPACITY], y[CAPACITY], expected[CAPACITY];
    gather(l, &l->in, before, x);
    gather(l, &l->out, after, y);
    assert_forward(CLACT_F32, l->rows * l->cols, x, y);
    memcpy(expected, before, sizeof(expected));
    scatter(l, &l->out, y, expected);
    assert_memory_equal(after, expected, sizeof(expected));
}

static void check_layout(const struct layout *l, cl_mem all, const struct part *in,
                         const struct part *out)
{
    static float before[CAPACITY], after[CAPACITY];
    fill_operands(CLACT_F32, before, CAPACITY, 3);
    assert_int_equal(clEnqueueWriteBuffer(clact_context_queue(shared.ctx), all, CL_TRUE, 0,
                                          sizeof(before), before, 0, NULL, NULL),
                     CL_SUCCESS);
    const clact_view x = view_of(in, l, &l->in), y = view_of(out, l, &l->out);
    if (l->expected == CLACT_SUCCESS) {
        assert_ok(
            clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, x, y, 0, NULL, NULL));
        read_mem(shared.ctx, all, sizeof(after), after);
        assert_result(l, before, after);
        return;
    }
    const clact_view apart = clact_view_2d(in->mem, CLACT_F32, 0, l->rows, l->cols, l->cols);
    cl_mem aside = make_mem(shared.ctx, CL_MEM_READ_WRITE, sizeof(before), before);
    clact_view elsewhere = apart;
    elsewhere.mem = aside;
    assert_error(
        &shared, l->expected,
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, x, y, 0, NULL, NULL));
    assert_error(&shared, l->expected,
                 clact_enqueue_backward(shared.ctx, NULL, any_operator(), NULL, any_kind(), x,
                                        elsewhere, y, 0, NULL, NULL));
    assert_error(&shared, l->expected,
                 clact_enqueue_backward(shared.ctx, NULL, any_operator(), NULL, any_kind(),
                                        elsewhere, x, y, 0, NULL, NULL));
    read_mem(shared.ctx, all, sizeof(after), after);
    assert_memory_equal(before, after, sizeof(before));
    clReleaseMemObject(aside);
}

static void check_in_one_buffer(const struct layout *layouts, size_t count)
{
    cl_mem all = make_mem(shared.ctx, CL_MEM_READ_WRITE, CAPACITY * sizeof(float), NULL);
    const struct part whole = {all, 0};
    for (size_t i = 0; i < count; i++)
        check_layout(&layouts[i], all, &whole, &whole);
    clReleaseMemObject(all);
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void test_one_row(void **state)
{
    static const struct layout layouts[] = {
        {1, 100, {50, 0}, {50, 0}, CLACT_SUCCESS},
        {1, 100, {50, 0}, {50, 7}, CLACT_SUCCESS}, /* one row has no stride to differ in */
        {1, 100, {0, 0}, {100, 0}, CLACT_SUCCESS},
        {1, 100, {100, 0}, {0, 0}, CLACT_SUCCESS},
        {1, 100, {50, 0}, {51, 0}, CLACT_OVERLAP},
        {1, 100, {51, 0}, {50, 0}, CLACT_OVERLAP},
        {1, 100, {0, 0}, {99, 0}, CLACT_OVERLAP},
        {1, 100, {99, 0}, {0, 0}, CLACT_OVERLAP},
    };
    (void)state;
    check_in_one_buffer(layouts, COUNT(layouts));
}

static void test_columns_of_one_matrix(void **state)
{
    static const struct layout layouts[] = {
        {8, 1, {0, 16}, {1, 16}, CLACT_SUCCESS},
        {8, 1, {15, 16}, {0, 16}, CLACT_SUCCESS},
        {8, 8, {0, 16}, {8, 16}, CLACT_SUCCESS},
        {8, 8, {8, 16}, {0, 16}, CLACT_SUCCESS},
        {8, 8, {0, 16}, {7, 16}, CLACT_OVERLAP},
        {8, 8, {7, 16}, {0, 16}, CLACT_OVERLAP},
        {8, 8, {0, 16}, {9, 16}, CLACT_OVERLAP}, /* its rows' ends are the next rows' starts */
        {8, 8, {9, 16}, {0, 16}, CLACT_OVERLAP},
        {8, 7, {0, 16}, {9, 16}, CLACT_SUCCESS},
        {8, 8, {0, 16}, {16, 16}, CLACT_OVERLAP},
        {8, 8, {0, 16}, {16 * 7, 16}, CLACT_OVERLAP}, /* its first row is the other's last */
        {8, 8, {0, 16}, {16 * 7 + 8, 16}, CLACT_SUCCESS},
        {8, 8, {0, 16}, {16 * 6 + 9, 16}, CLACT_OVERLAP},
        {8, 8, {0, 16}, {16 * 8, 16}, CLACT_SUCCESS},
        {8, 16, {0, 16}, {0, 16}, CLACT_SUCCESS},
    };
    (void)state;
    check_in_one_buffer(layouts, COUNT(layouts));
}

static void test_strides_that_differ(void **state)
{
    static const struct layout layouts[] = {
        {4, 8, {0, 16}, {64, 32}, CLACT_SUCCESS}, {4, 8, {0, 16}, {0, 32}, CLACT_OVERLAP},
        {2, 2, {0, 8}, {4, 16}, CLACT_OVERLAP},  /* documented, although they interleave */
        {4, 8, {200, 0}, {0, 8}, CLACT_SUCCESS}, /* each input row is the same one */
        {4, 8, {200, 3}, {0, 8}, CLACT_SUCCESS},  {4, 8, {0, 0}, {0, 8}, CLACT_OVERLAP},
    };
    (void)state;
    check_in_one_buffer(layouts, COUNT(layouts));
}

/* Two parts of one buffer that share its middle: elements are the same by where they are, not by
 * the handle that they are reached through. */
static void test_parts_of_one_buffer(void **state)
{
    static const struct layout layouts[] = {
        {1, 100, {1024, 0}, {1024, 0}, CLACT_SUCCESS},
        {1, 100, {1024, 0}, {1124, 0}, CLACT_SUCCESS},
        {1, 100, {1024, 0}, {1025, 0}, CLACT_OVERLAP},
        {1, 100, {1123, 0}, {1024, 0}, CLACT_OVERLAP},
        {8, 8, {1024, 16}, {1032, 16}, CLACT_SUCCESS},
        {8, 8, {1024, 16}, {1031, 16}, CLACT_OVERLAP},
    };
    (void)state;
    cl_mem all = make_mem(shared.ctx, CL_MEM_READ_WRITE, CAPACITY * sizeof(float), NULL);
    const cl_buffer_region front = {0, 3072 * sizeof(float)};
    const cl_buffer_region back = {1024 * sizeof(float), 3072 * sizeof(float)};
    cl_int code = CL_SUCCESS;
    const struct part parts[] = {
        {all, 0},
        {clCreateSubBuffer(all, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &front, &code), 0},
        {clCreateSubBuffer(all, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &back, &code),
         1024},
    };
    assert_non_null(parts[1].mem);
    assert_non_null(parts[2].mem);
    for (size_t i = 0; i < COUNT(layouts); i++) {
        check_layout(&layouts[i], all, &parts[1], &parts[2]);
        check_layout(&layouts[i], all, &parts[2], &parts[1]);
        check_layout(&layouts[i], all, &parts[0], &parts[2]);
    }
    for (int i = 2; i >= 0; i--)
        assert_int_equal(clReleaseMemObject(parts[i].mem), CL_SUCCESS);
}

/* What a part does not reach is past its end, though the buffer goes on. */
static void test_end_of_a_part(void **state)
{
    (void)state;
    cl_mem all = make_mem(shared.ctx, CL_MEM_READ_WRITE, CAPACITY * sizeof(float), NULL);
    const cl_buffer_region region = {1024 * sizeof(float), 1024 * sizeof(float)};
    cl_int code = CL_SUCCESS;
    cl_mem part =
        clCreateSubBuffer(all, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    assert_int_equal(code, CL_SUCCESS);
    const clact_view fits = clact_view_1d(part, CLACT_F32, 24, 1000);
    const clact_view past = clact_view_1d(part, CLACT_F32, 25, 1000);
    assert_ok(
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, fits, fits, 0, NULL, NULL));
    assert_error(
        &shared, CLACT_OUT_OF_BOUNDS,
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, past, past, 0, NULL, NULL));
    assert_int_equal(clFinish(clact_context_queue(shared.ctx)), CL_SUCCESS);
    clReleaseMemObject(part);
    clReleaseMemObject(all);
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    return 0;
}

static int close_shared(void **state)
{
    (void)state;
    fixture_close(&shared);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_columns_of_one_matrix),
        cmocka_unit_test(test_strides_that_differ),
        cmocka_unit_test(test_parts_of_one_buffer),
        cmocka_unit_test(test_end_of_a_part),
    };
    return cmocka_run_group_tests_name("overlap", tests, open_shared, close_shared);
}
