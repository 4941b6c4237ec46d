/* SPDX-License-Identifier: MIT */
/* Labels from logits, on views: calls of predict.cl's kernel. */
#include "call.h"

#include <stdio.h>

static void name_kernel(const clact__variant *variant, char options[CLACT__NAME_SIZE],
                        char name[CLACT__NAME_SIZE])
{
    (void)variant; /* there is one kernel */
    snprintf(options, CLACT__NAME_SIZE, "-DCLACT_PREDICT");
    snprintf(name, CLACT__NAME_SIZE, "clact_predict");
}

static const clact__shape shape = {
    .first_row = CLACT__PREDICT_ROW, .streams = true, .narrow = true, .name = name_kernel};

static const clact__role roles[] = {
    {.name = "logits", .rows = 1, .cols = 1},
    {.name = "labels", .rows = 1, .cols = 1, .dtype = CLACT_U8, .output = true},
};

clact_status clact__predict_begin(const clact_context *ctx, clact_dtype dtype, double threshold,
                                  clact__call *call)
{
    const clact_status status = clact__dtype_check(ctx, dtype);
    if (status != CLACT_SUCCESS)
        return status;
    if (!(threshold >= 0 && threshold <= 1))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT,
                           "the threshold is %g, which is not a number from 0 to 1", threshold);
    const clact__range range = clact__threshold(dtype, threshold);
    call->variant = (clact__variant){.shape = &shape, .dtype = dtype};
    call->roles = roles;
    call->operands = 2;
    call->scalars = 0;
    clact__call_add_integer(call, (cl_ulong)range.lowest);
    clact__call_add_integer(call, (cl_ulong)range.highest);
    return CLACT_SUCCESS;
}

clact_status clact_enqueue_predict(clact_context *ctx, cl_command_queue queue, double threshold,
                                   clact_view logits, clact_view labels, cl_uint n_wait,
                                   const cl_event *wait, cl_event *event)
{
    clact__call call;
    const clact_status status = clact__predict_begin(ctx, logits.dtype, threshold, &call);
    if (status != CLACT_SUCCESS)
        return status;
    call.views = (clact_view[]){logits, labels};
    call.rows = logits.rows;
    call.cols = logits.cols;
    return clact__call_enqueue(ctx, queue, &call, n_wait, wait, event);
}

clact_status clact_prepare_predict(clact_context *ctx, clact_dtype dtype)
{
    clact__call call = {.operands = 0};
    const clact_status status = clact__predict_begin(ctx, dtype, 0.5, &call);
    return status == CLACT_SUCCESS ? clact__prepare(ctx, &call) : status;
}
