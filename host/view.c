/* SPDX-License-Identifier: MIT */
/* Views: where their elements lie, and whether they may be read or written there. */
#include "call.h"

#include <limits.h>
#include <stdint.h>

clact_view clact_view_1d(cl_mem mem, clact_dtype dtype, size_t offset, size_t n)
{
    const clact_view view = {mem, dtype, offset, 1, n, n};
    return view;
}

clact_view clact_view_2d(cl_mem mem, clact_dtype dtype, size_t offset, size_t rows, size_t cols,
                         size_t stride)
{
    const clact_view view = {mem, dtype, offset, rows, cols, stride};
    return view;
}

/* *sum = a + b * c. False, and *sum unchanged, if that does not fit. */
static bool add_product(size_t a, size_t b, size_t c, size_t *sum)
{
    /* Two factors below this need no division, which takes long. */
    const size_t half = (size_t)1 << (sizeof(size_t) * CHAR_BIT / 2);
    if ((b >= half || c >= half) && b != 0 && c > SIZE_MAX / b)
        return false;
    if (b * c > SIZE_MAX - a)
        return false;
    *sum = a + b * c;
    return true;
}

typedef struct memory {
    cl_mem root; /* itself, or the buffer it is a part of */
    size_t origin;
    size_t size;
    cl_mem_flags flags;
} memory;

static cl_int get_memory(const clact_context *ctx, cl_mem mem, memory *m)
{
    const size_t owned = clact__pool_size_of(ctx, mem);
    if (owned) {
        *m = (memory){.root = mem, .size = owned, .flags = CL_MEM_READ_WRITE};
        return CL_SUCCESS;
    }
    cl_context owner = NULL;
    cl_mem_object_type type = 0;
    cl_int code = clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof(owner), &owner, NULL);
    if (code == CL_SUCCESS && owner != ctx->cl)
        return CL_INVALID_CONTEXT;
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof(type), &type, NULL);
    if (code == CL_SUCCESS && type != CL_MEM_OBJECT_BUFFER)
        return CL_INVALID_MEM_OBJECT;
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof(m->size), &m->size, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof(m->flags), &m->flags, NULL);
    if (code == CL_SUCCESS)
        code =
            clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof(m->root), &m->root, NULL);
    m->origin = 0;
    if (code == CL_SUCCESS && m->root)
        code = clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof(m->origin), &m->origin, NULL);
    if (!m->root)
        m->root = mem;
    return code;
}

static clact_status check_memory(const clact_context *ctx, cl_mem mem, const char *name,
                                 bool is_output, memory *m)
{
    const cl_int code = get_memory(ctx, mem, m);
    if (code == CL_INVALID_CONTEXT)
        return clact__fail_text(ctx, CLACT_WRONG_CONTEXT, code,
                                "an operand's buffer belongs to another OpenCL context");
    if (code != CL_SUCCESS)
        return clact__fail_cl(ctx, code, "clGetMemObjectInfo");
    if (is_output && (m->flags & CL_MEM_READ_ONLY))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%s is in a CL_MEM_READ_ONLY buffer", name);
    if (!is_output && (m->flags & CL_MEM_WRITE_ONLY))
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%s is in a CL_MEM_WRITE_ONLY buffer",
                           name);
    return CLACT_SUCCESS;
}

clact_status clact__view_check(const clact_context *ctx, const clact_view *view, const char *name,
                               bool is_output, clact__extent *extent)
{
    const size_t size = clact__dtype_size(view->dtype);
    if (!view->mem)
        return clact__fail(ctx, CLACT_INVALID_ARGUMENT, "%s.mem is NULL", name);
    if (is_output && view->rows > 1 && view->stride < view->cols)
        return clact__fail(ctx, CLACT_OVERLAP, "the rows of %s overlap: stride %zu < %zu columns",
                           name, view->stride, view->cols);
    memory m;
    const clact_status status = check_memory(ctx, view->mem, name, is_output, &m);
    if (status != CLACT_SUCCESS)
        return status;

    /* The element behind the last one, then bytes. */
    size_t end = 0;
    const bool fits = add_product(view->offset, view->rows - 1, view->stride, &end) &&
                      add_product(end, 1, view->cols, &end) && add_product(0, end, size, &end);
    if (!fits || end > m.size)
        return clact__fail(ctx, CLACT_OUT_OF_BOUNDS,
                           "%s (offset %zu, %zu rows of %zu, stride %zu) reaches past its buffer "
                           "of %zu bytes",
                           name, view->offset, view->rows, view->cols, view->stride, m.size);
    extent->root = m.root;
    extent->begin = m.origin + view->offset * size;
    extent->end = m.origin + end;
    extent->row_bytes = view->cols * size;
    extent->stride_bytes = view->rows > 1 ? view->stride * size : extent->row_bytes;
    extent->rows = view->rows;
    return CLACT_SUCCESS;
}

/* Whether two views with one stride and the same number of rows share a byte, where no row is longer
 * than the stride. b starts `down` rows and `right` bytes after a, so that its row j lies over a's
 * row j + down, and reaches into the next when `right` plus its width passes the stride. */
static bool rows_meet(const clact__extent *a, const clact__extent *b)
{
    const size_t stride = a->stride_bytes;
    const size_t down = (b->begin - a->begin) / stride;
    const size_t right = (b->begin - a->begin) % stride;
    const bool in_same_row = right < a->row_bytes && down < a->rows;
    const bool in_next_row = right + b->row_bytes > stride && down + 1 < a->rows;
    return in_same_row || in_next_row;
}

clact_status clact__view_check_overlap(const clact_context *ctx, const clact__extent *output,
                                       const char *name, const clact__extent *other,
                                       const char *other_name, bool may_equal)
{
    if (output->root != other->root || output->end <= other->begin || other->end <= output->begin)
        return CLACT_SUCCESS;
    if (output->stride_bytes == other->stride_bytes) {
        if (may_equal && output->begin == other->begin && output->row_bytes == other->row_bytes)
            return CLACT_SUCCESS;
        /* An output's rows do not overlap, so the stride is at least its row; an input with longer
         * rows leaves no room between them. */
        if (other->row_bytes <= other->stride_bytes &&
            (output->begin < other->begin ? !rows_meet(output, other) : !rows_meet(other, output)))
            return CLACT_SUCCESS;
    }
    return clact__fail(ctx, CLACT_OVERLAP, "%s overlaps %s%s", name, other_name,
                       may_equal ? " without being equal to it" : "");
}
