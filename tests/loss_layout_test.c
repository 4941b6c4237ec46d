/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits gives the same bits wherever its operands lie and however its work
 * is done: offsets, strides, vector widths, work-groups, ways to store and to move data. */
#include "loss_fixture.h"

#include "dtype.h"

#include <stdlib.h>
#include <string.h>

/* Rows that fit lines of vectors and rows that do not, columns with a table of pos_weight and too
 * many for one, more than one chunk. */
static const struct loss_layout layouts[] = {
    {1, 1, 0, 0},    {1, 9000, 3, 0}, {9001, 1, 0, 0}, {9001, 1, 1, 2}, {900, 10, 0, 0},
    {900, 10, 1, 3}, {70, 65, 0, 0},  {70, 65, 5, 7},  {64, 64, 16, 0}, {64, 64, 0, 16},
    {6, 1500, 0, 0}, {6, 1500, 2, 1}, {3, 17, 1, 1},   {2, 4096, 0, 0}, {100, 64, 1, 0},
};
enum { LAYOUTS = sizeof(layouts) / sizeof(*layouts) };

static size_t losses_bytes(const struct loss_data *d)
{
    return loss_data_losses(d) * clact_dtype_size(d->dtype);
}

static size_t dx_bytes(const struct loss_data *d)
{
    return d->rows * d->cols * clact_dtype_size(d->dtype);
}

/* On views in this layout, in this context, the results are those of host arrays in another. */
static void check_layout(clact_context *plain, clact_context *ctx, struct loss_data d,
                         const struct loss_layout *l, enum loss_pass pass, bool weights)
{
    d.rows = l->rows;
    d.cols = l->cols;
    loss_data_make(&d, 1);
    assert_ok(loss_call(plain, &d, pass, weights));
    void *loss = malloc(losses_bytes(&d)), *dx = malloc(dx_bytes(&d));
    assert_non_null(loss);
    assert_non_null(dx);
    memcpy(loss, d.loss, losses_bytes(&d));
    memcpy(dx, d.dx, dx_bytes(&d));
    loss_call_views(ctx, &d, pass, weights, l);
    if (pass != LOSS_BACKWARD && memcmp(loss, d.loss, losses_bytes(&d)) != 0)
        fail_msg("%s, %zu x %zu, offset %zu, gap %zu: the loss differs", clact_dtype_name(d.dtype),
                 l->rows, l->cols, l->offset, l->gap);
    if (pass != LOSS_FORWARD && memcmp(dx, d.dx, dx_bytes(&d)) != 0)
        fail_msg("%s, %zu x %zu, offset %zu, gap %zu: dx differs", clact_dtype_name(d.dtype),
                 l->rows, l->cols, l->offset, l->gap);
    free(loss);
    free(dx);
    loss_data_free(&d);
}

static struct fixture shared;

static void check_layouts(clact_context *ctx, struct loss_data d, enum loss_pass pass, bool weights)
{
    if (dtype_works(ctx, d.dtype))
        for (size_t i = 0; i < LAYOUTS; i++)
            check_layout(shared.ctx, ctx, d, &layouts[i], pass, weights);
}

static void test_dtypes(void **state)
{
    static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};
    (void)state;
    for (int i = 0; i < 4; i++)
        check_layouts(shared.ctx, (struct loss_data){.dtype = dtypes[i]}, LOSS_BOTH, true);
}

static void test_passes(void **state)
{
    (void)state;
    for (int pass = LOSS_FORWARD; pass <= LOSS_BOTH; pass++) {
        const struct loss_data d = {.dtype = CLACT_F32, .reduction = CLACT_REDUCTION_NONE};
        check_layouts(shared.ctx, d, (enum loss_pass)pass, true);
    }
    const struct loss_data sum = {.dtype = CLACT_F32, .reduction = CLACT_REDUCTION_SUM};
    check_layouts(shared.ctx, sum, LOSS_BACKWARD, true);
    check_layouts(shared.ctx, sum, LOSS_FORWARD, false);
}

static void test_bytes(void **state)
{
    (void)state;
    const struct loss_data d = {.dtype = CLACT_F32, .targets_dtype = CLACT_U8};
    check_layouts(shared.ctx, d, LOSS_BOTH, false);
}

/* A width and a way to store each, and groups of other sizes. */
static void test_widths(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 16; width *= 2) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.vector_width = width,
                                          .work_group_size = 16 / width + 3,
                                          .stores = width % 3 == 1 ? CLACT_STORES_STREAM
                                                                   : CLACT_STORES_PLAIN});
        check_layouts(f.ctx, (struct loss_data){.dtype = CLACT_F32}, LOSS_BOTH, true);
        fixture_close(&f);
    }
}

/* Bytes are targets like others. */
static void test_bytes_are_targets(void **state)
{
    struct loss_data bytes = {.dtype = CLACT_F32, .targets_dtype = CLACT_U8, .rows = 90, .cols = 7};
    (void)state;
    loss_data_make(&bytes, 2);
    struct loss_data floats = bytes;
    float targets[90 * 7], dx[90 * 7], loss;
    for (size_t i = 0; i < 90 * 7; i++)
        targets[i] = ((unsigned char *)bytes.targets)[i];
    floats.targets_dtype = (clact_dtype)0;
    floats.targets = targets;
    floats.dx = dx;
    floats.loss = &loss;
    assert_ok(loss_call(shared.ctx, &bytes, LOSS_BOTH, true));
    assert_ok(loss_call(shared.ctx, &floats, LOSS_BOTH, true));
    assert_memory_equal(bytes.loss, &loss, sizeof(loss));
    assert_memory_equal(bytes.dx, dx, sizeof(dx));
    loss_data_free(&bytes);
}

/* The pass that does both gives what each does alone, with a grad of 1. */
static void test_one_pass_is_both(void **state)
{
    (void)state;
    for (int reduction = CLACT_REDUCTION_MEAN; reduction <= CLACT_REDUCTION_NONE; reduction++) {
        struct loss_data d = {
            .dtype = CLACT_F32, .reduction = (clact_reduction)reduction, .rows = 900, .cols = 10};
        loss_data_make(&d, 3);
        const float one = 1;
        float loss[9000], dx[9000];
        for (size_t i = 0; i < loss_data_losses(&d); i++)
            memcpy((float *)d.grad + i, &one, sizeof(one));
        assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, true));
        memcpy(loss, d.loss, losses_bytes(&d));
        memcpy(dx, d.dx, sizeof(dx));
        assert_ok(loss_call(shared.ctx, &d, LOSS_FORWARD, true));
        assert_ok(loss_call(shared.ctx, &d, LOSS_BACKWARD, true));
        assert_memory_equal(d.loss, loss, losses_bytes(&d));
        assert_memory_equal(d.dx, dx, sizeof(dx));
        loss_data_free(&d);
    }
}

/* Outputs over inputs of their shape. */
static void test_in_place(void **state)
{
    struct loss_data d = {
        .dtype = CLACT_F32, .reduction = CLACT_REDUCTION_NONE, .rows = 130, .cols = 31};
    (void)state;
    loss_data_make(&d, 4);
    assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, true));
    const size_t bytes = dx_bytes(&d);
    const cl_mem x = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.logits);
    const cl_mem y = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.targets);
    const cl_mem w = make_mem(shared.ctx, CL_MEM_READ_WRITE, bytes, d.weight);
    const cl_mem p = make_mem(shared.ctx, CL_MEM_READ_WRITE, 31 * sizeof(float), d.pos_weight);
    const clact_view logits = clact_view_2d(x, CLACT_F32, 0, 130, 31, 31);
    const clact_view targets = clact_view_2d(y, CLACT_F32, 0, 130, 31, 31);
    const clact_bce_views options = {.reduction = CLACT_REDUCTION_NONE,
                                     .weight = clact_view_2d(w, CLACT_F32, 0, 130, 31, 31),
                                     .pos_weight = clact_view_1d(p, CLACT_F32, 0, 31)};
    assert_ok(clact_enqueue_bce_with_logits_forward_backward(
        shared.ctx, NULL, &options, logits, targets, targets, logits, 0, NULL, NULL));
    float got[130 * 31];
    read_mem(shared.ctx, x, bytes, got);
    assert_memory_equal(got, d.dx, bytes);
    read_mem(shared.ctx, y, bytes, got);
    assert_memory_equal(got, d.loss, bytes);
    assert_int_equal(clReleaseMemObject(x), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(y), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(w), CL_SUCCESS);
    assert_int_equal(clReleaseMemObject(p), CL_SUCCESS);
    /* And of host arrays. */
    float *expected = malloc(bytes);
    assert_non_null(expected);
    memcpy(expected, d.dx, bytes);
    free(d.dx);
    d.dx = d.logits;
    assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, true));
    assert_memory_equal(d.dx, expected, bytes);
    d.logits = expected;
    loss_data_free(&d);
}

static void test_transfers(void **state)
{
    (void)state;
    struct loss_data d = {.dtype = CLACT_F32, .rows = 500, .cols = 10};
    loss_data_make(&d, 5);
    assert_ok(loss_call(shared.ctx, &d, LOSS_BOTH, true));
    float loss, dx[5000];
    memcpy(&loss, d.loss, sizeof(loss));
    memcpy(dx, d.dx, sizeof(dx));
    for (int transfer = CLACT_TRANSFER_SHARE; transfer <= CLACT_TRANSFER_COPY; transfer++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.transfer = (clact_transfer)transfer});
        assert_ok(loss_call(f.ctx, &d, LOSS_BOTH, true));
        assert_memory_equal(d.loss, &loss, sizeof(loss));
        assert_memory_equal(d.dx, dx, sizeof(dx));
        fixture_close(&f);
    }
    loss_data_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_bytes_are_targets),
        cmocka_unit_test(test_one_pass_is_both),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_transfers),
        NOTHING_IS_LEFT(&shared),
    };
    fixture_open(&shared, NULL);
    return cmocka_run_group_tests_name("loss_layout", tests, NULL, NULL);
}
