/* SPDX-License-Identifier: MIT */
#include "input_types.h"

#include <string.h>

bool input_find_dtype(const struct input *input, bool bf16, clact_dtype *dtype, struct failure *why)
{
    const struct npy_header *header = &input->header;
    char type[8];
    npy_format_type(header, type);
    if (header->item_size == 1)
        return fail(why, "%s: elements of type '%s' can only be targets of a loss", input->path,
                    type);
    if (bf16 && header->kind == 'f')
        return fail(why, "%s: with --bf16 the elements have to be of type u2, not '%s'",
                    input->path, type);
    if (!bf16 && header->kind != 'f')
        return fail(why, "%s: elements of type '%s' are read with --bf16 only", input->path, type);
    *dtype = bf16                     ? CLACT_BF16
             : header->item_size == 2 ? CLACT_F16
             : header->item_size == 4 ? CLACT_F32
                                      : CLACT_F64;
    return true;
}

bool inputs_match_shapes(const struct input *grad, const struct input *saved, struct failure *why)
{
    const struct npy_header *g = &grad->header;
    const struct npy_header *s = &saved->header;
    char left[256], right[256];
    if (g->dimensions != s->dimensions ||
        memcmp(g->shape, s->shape, g->dimensions * sizeof g->shape[0]) != 0) {
        npy_format_shape(g, left, sizeof left);
        npy_format_shape(s, right, sizeof right);
        return fail(why, "%s and %s differ in their shapes: %s and %s", grad->path, saved->path,
                    left, right);
    }
    if (g->dimensions > 1 && g->fortran_order != s->fortran_order)
        return fail(why, "%s and %s differ in their order: one is in C order, one in Fortran order",
                    grad->path, saved->path);
    return true;
}

bool inputs_match_types(const struct input *grad, const struct input *saved, struct failure *why)
{
    char left[8], right[8];
    if (grad->header.item_size == saved->header.item_size)
        return true;
    npy_format_type(&grad->header, left);
    npy_format_type(&saved->header, right);
    return fail(why, "%s and %s differ in their types: '%s' and '%s'", grad->path, saved->path,
                left, right);
}

bool inputs_match(const struct input *grad, const struct input *saved, struct failure *why)
{
    return inputs_match_types(grad, saved, why) && inputs_match_shapes(grad, saved, why);
}
