/* SPDX-License-Identifier: MIT */
#include "epilogue_calls.h"

#include "dtype.h"

bool call_is_per_row(const struct call *c)
{
    return c->options.bias == CLACT_BIAS_PER_ROW;
}

size_t call_rows(const struct call *c, unsigned i)
{
    return (i == BIAS || i == DBIAS) && !call_is_per_row(c) ? 1 : c->rows;
}

size_t call_cols(const struct call *c, unsigned i)
{
    return (i == BIAS || i == DBIAS) && call_is_per_row(c) ? 1 : c->cols;
}

bool call_has(const struct call *c, unsigned i)
{
    return c->kind == 0 ? i == X || i == BIAS || i == Y
                        : (i != BIAS || c->bias) && (i != DBIAS || c->dbias);
}

void arrays_fill(struct arrays *a, clact_dtype dtype)
{
    for (unsigned i = 0; i < OPERANDS; i++)
        for (size_t k = 0; k < ROOM; k++)
            dtype_store(dtype, a->at[i], k,
                        ((double)((k * k * (i + 3) + k * 37 + i * 11) % 1021) - 500) / 128);
}

void call_run(clact_context *ctx, const struct call *c, struct arrays *a)
{
    void *const bias = call_has(c, BIAS) ? a->at[BIAS] : NULL;
    void *const dbias = call_has(c, DBIAS) ? a->at[DBIAS] : NULL;
    if (c->kind == 0)
        assert_ok(clact_epilogue(ctx, c->op, NULL, &c->options, c->dtype, c->rows, c->cols,
                                 a->at[X], bias, a->at[Y]));
    else
        assert_ok(clact_epilogue_backward(ctx, c->op, NULL, &c->options, c->dtype, c->kind, c->rows,
                                          c->cols, a->at[GRAD], a->at[SAVED], bias, a->at[DX],
                                          dbias));
}
