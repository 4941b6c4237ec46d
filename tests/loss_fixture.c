/* SPDX-License-Identifier: MIT */
#include "loss_fixture.h"

#include "dtype.h"
#include "loss_reference.h"

#include <stdlib.h>
#include <string.h>

enum { POISON = 0xa5 };

size_t loss_data_losses(const struct loss_data *d)
{
    return d->reduction == CLACT_REDUCTION_NONE ? d->rows * d->cols : 1;
}

static clact_dtype targets_dtype(const struct loss_data *d)
{
    return d->targets_dtype ? d->targets_dtype : d->dtype;
}

static void *make_array(size_t elements, clact_dtype dtype)
{
    void *array = malloc((elements ? elements : 1) * clact_dtype_size(dtype));
    assert_non_null(array);
    return array;
}

void loss_data_make(struct loss_data *d, unsigned seed)
{
    const size_t n = d->rows * d->cols;
    d->logits = make_array(n, d->dtype);
    d->targets = make_array(n, targets_dtype(d));
    d->weight = make_array(n, d->dtype);
    d->pos_weight = make_array(d->cols, d->dtype);
    d->grad = make_array(loss_data_losses(d), d->dtype);
    d->loss = make_array(loss_data_losses(d), d->dtype);
    d->dx = make_array(n, d->dtype);
    for (size_t i = 0; i < n; i++) {
        const struct bce b = bce_sample(d->dtype, i + seed * UINT64_C(1000003));
        dtype_store(d->dtype, d->logits, i, b.x > 300 ? 30 : b.x < -300 ? -30 : b.x);
        if (d->targets_dtype == CLACT_U8)
            ((unsigned char *)d->targets)[i] = b.y >= 0.5;
        else
            dtype_store(d->dtype, d->targets, i, b.y);
        dtype_store(d->dtype, d->weight, i, b.weight > 8 ? 0.75 : b.weight);
        if (i < d->cols)
            dtype_store(d->dtype, d->pos_weight, i, 0.5 + 0.25 * (double)(i % 13));
        if (i < loss_data_losses(d))
            dtype_store(d->dtype, d->grad, i, b.grad > 8 ? 1.25 : 0.5 + b.grad);
    }
}

void loss_data_free(struct loss_data *d)
{
    free(d->logits);
    free(d->targets);
    free(d->weight);
    free(d->pos_weight);
    free(d->grad);
    free(d->loss);
    free(d->dx);
}

clact_status loss_call(clact_context *ctx, const struct loss_data *d, enum loss_pass pass,
                       bool weights)
{
    const clact_bce_arrays options = {
        .reduction = d->reduction,
        .targets = d->targets_dtype,
        .weight = weights ? d->weight : NULL,
        .pos_weight = weights ? d->pos_weight : NULL,
    };
    switch (pass) {
    case LOSS_FORWARD:
        return clact_bce_with_logits(ctx, &options, d->dtype, d->rows, d->cols, d->logits,
                                     d->targets, d->loss);
    case LOSS_BACKWARD:
        return clact_bce_with_logits_backward(ctx, &options, d->dtype, d->rows, d->cols, d->grad,
                                              d->logits, d->targets, d->dx);
    default:
        return clact_bce_with_logits_forward_backward(ctx, &options, d->dtype, d->rows, d->cols,
                                                      d->logits, d->targets, d->loss, d->dx);
    }
}

/* A buffer with an operand in it, and what is there before the call and has to be after it. */
struct placed {
    clact_view view;
    size_t bytes;
    unsigned char *expected;
};

static void place(clact_context *ctx, struct placed *p, const void *array, clact_dtype dtype,
                  size_t rows, size_t cols, size_t offset, size_t gap)
{
    const size_t size = clact_dtype_size(dtype), stride = cols + gap;
    p->bytes = (offset + rows * stride + 40) * size;
    p->expected = malloc(p->bytes);
    assert_non_null(p->expected);
    memset(p->expected, POISON, p->bytes);
    for (size_t r = 0; r < rows && array; r++)
        memcpy(p->expected + (offset + r * stride) * size,
               (const unsigned char *)array + r * cols * size, cols * size);
    const cl_mem mem = make_mem(ctx, CL_MEM_READ_WRITE, p->bytes, p->expected);
    p->view = clact_view_2d(mem, dtype, offset, rows, cols, stride);
}

/* Takes the operand back, if `array` is not NULL, and asserts that there is nothing else. */
static void take(clact_context *ctx, struct placed *p, void *array)
{
    const size_t size = clact_dtype_size(p->view.dtype);
    unsigned char *got = malloc(p->bytes);
    assert_non_null(got);
    read_mem(ctx, p->view.mem, p->bytes, got);
    for (size_t r = 0; r < p->view.rows && array; r++) {
        const size_t start = (p->view.offset + r * p->view.stride) * size;
        memcpy((unsigned char *)array + r * p->view.cols * size, got + start, p->view.cols * size);
        memcpy(p->expected + start, got + start, p->view.cols * size);
    }
    assert_memory_equal(got, p->expected, p->bytes);
    assert_int_equal(clReleaseMemObject(p->view.mem), CL_SUCCESS);
    free(p->expected);
    free(got);
}

void loss_call_views(clact_context *ctx, const struct loss_data *d, enum loss_pass pass,
                     bool weights, const struct loss_layout *l)
{
    const size_t full_rows = d->reduction == CLACT_REDUCTION_NONE ? d->rows : 1;
    const size_t full_cols = d->reduction == CLACT_REDUCTION_NONE ? d->cols : 1;
    const size_t o = l->offset, g = l->gap;
    struct placed x, y, w, p, grad, loss, dx;
    place(ctx, &x, d->logits, d->dtype, d->rows, d->cols, o, g);
    place(ctx, &y, d->targets, targets_dtype(d), d->rows, d->cols, 3 * o, 2 * g);
    place(ctx, &w, d->weight, d->dtype, d->rows, d->cols, o + (o > 0), g);
    place(ctx, &p, d->pos_weight, d->dtype, 1, d->cols, 2 * o, 0);
    place(ctx, &grad, d->grad, d->dtype, full_rows, full_cols, 5 * o, 3 * g);
    place(ctx, &loss, NULL, d->dtype, full_rows, full_cols, 2 * o, g);
    place(ctx, &dx, NULL, d->dtype, d->rows, d->cols, 7 * o, g);
    clact_bce_views options = {.reduction = d->reduction};
    if (weights) {
        options.weight = w.view;
        options.pos_weight = p.view;
    }
    cl_event done = NULL;
    if (pass == LOSS_FORWARD)
        assert_ok(clact_enqueue_bce_with_logits(ctx, NULL, &options, x.view, y.view, loss.view, 0,
                                                NULL, &done));
    else if (pass == LOSS_BACKWARD)
        assert_ok(clact_enqueue_bce_with_logits_backward(ctx, NULL, &options, grad.view, x.view,
                                                         y.view, dx.view, 0, NULL, &done));
    else
        assert_ok(clact_enqueue_bce_with_logits_forward_backward(
            ctx, NULL, &options, x.view, y.view, loss.view, dx.view, 0, NULL, &done));
    await(done);
    take(ctx, &x, NULL);
    take(ctx, &y, NULL);
    take(ctx, &w, NULL);
    take(ctx, &p, NULL);
    take(ctx, &grad, NULL);
    take(ctx, &loss, pass != LOSS_BACKWARD ? d->loss : NULL);
    take(ctx, &dx, pass != LOSS_FORWARD ? d->dx : NULL);
}
