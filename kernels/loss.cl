/* SPDX-License-Identifier: MIT */
/*
 * The kernel of cross_entropy.cl: it goes through a matrix by the numbers of its elements, in the chunks
 * and lanes of reduce.cl.
 */
#ifdef CLACT_BCE

/* What has no more columns than that gets its pos_weight from a table. */
#define TABLE 64

#ifdef CLACT_BCE_BYTES
typedef uchar target;

INLINE real span_load_targets(const span *s, ulong i, global const uchar *p, ulong stride)
{
    if (!s->ragged)
        return TO_REAL(VLOAD(p + s->at.row * stride + s->at.col + i));
    uchar part[CLACT_WIDTH];
    for (size_t k = 0; k < CLACT_WIDTH; k++)
        part[k] = p[s->rows[k] * stride + s->cols[k]];
    return TO_REAL(VLOAD(part));
}
#else
typedef storage target;
#define span_load_targets span_load
#endif

/* v in the lanes that there are, and 0 in the others. */
INLINE wide only_first(wide v, size_t count)
{
    ELEMENT hi[CLACT_WIDTH], lo[CLACT_WIDTH];
    VSTORE(v.hi, hi);
    VSTORE(wide_low(v), lo);
    for (size_t k = count; k < CLACT_WIDTH; k++)
        hi[k] = lo[k] = 0;
    v.hi = VLOAD(hi);
#ifdef CLACT_PAIRS
    v.lo = VLOAD(lo);
#endif
    return v;
}

/* pos_weight, repeated for ever, from a column on. */
INLINE real load_pos_weight(global const storage *p, const storage *table, ulong col, ulong period)
{
    if (period <= TABLE)
        return unpack(VLOAD(table + col));
    if (col + CLACT_WIDTH <= period)
        return load(p + col);
    storage part[CLACT_WIDTH];
    for (size_t k = 0; k < CLACT_WIDTH; k++)
        part[k] = p[(col + k) % period];
    return unpack(VLOAD(part));
}

/* The operands of a call, from their first elements on, and what is the same for all elements. */
typedef struct {
    global const storage *logits;
    global const target *targets;
    global const storage *weight, *pos_weight, *grad;
    global storage *loss, *dx;
    ulong logits_stride, targets_stride, weight_stride, grad_stride, loss_stride, dx_stride;
    ulong cols, period;
    wide scale;
    real grad_of_all;
} arguments;

/* The elements of one item: every `step`-th vector from `first` on, before `end`, those of `vectors`
 * lanes in turn. */
typedef struct {
    ulong first, end, step;
    size_t vectors;
} share;

INLINE real logits_at(const arguments *a, const span *here, ulong j)
{
    return span_load(here, j, a->logits, a->logits_stride);
}

/* Where an item is. */
typedef struct {
    size_t lane;      /* which of its vectors of lanes is the next one's */
    ulong period_col; /* the next one's column, repeated */
#ifdef CLACT_BCE_POS_WEIGHT
    storage table[TABLE + CLACT_WIDTH];
#endif
} progress;

INLINE operands operands_at(const arguments *a, const span *here, ulong j, progress *p, ulong step)
{
    operands o;
    o.x = logits_at(a, here, j);
    o.y = span_load_targets(here, j, a->targets, a->targets_stride);
#ifdef CLACT_BCE_WEIGHT
    o.weight = span_load(here, j, a->weight, a->weight_stride);
#endif
#ifdef CLACT_BCE_POS_WEIGHT
    o.pos_weight = load_pos_weight(a->pos_weight, p->table, p->period_col, a->period);
    for (p->period_col += step; p->period_col >= a->period;)
        p->period_col -= a->period;
#endif
#if defined(CLACT_BCE_GRAD) && defined(CLACT_BCE_REDUCED)
    o.grad = a->grad_of_all;
#elif defined(CLACT_BCE_GRAD)
    o.grad = span_load(here, j, a->grad, a->grad_stride);
#endif
    return o;
}

/* One vector, whose 2^LIFT e^-|x| is there already. */
INLINE void do_vector(const arguments *a, const share *all, const span *here, ulong j, wide lifted,
                      progress *p, sums s[TEAM])
{
    const operands o = operands_at(a, here, j, p, all->step);
    const terms t = terms_of(o, lifted, a->scale);
#if defined(CLACT_BCE_LOSS) && defined(CLACT_BCE_REDUCED)
    wide y = careful_wide_loss(o, t);
    if (here->ragged && here->count < CLACT_WIDTH)
        y = only_first(y, here->count);
    s[p->lane] = sums_add_wide(s[p->lane], y);
    p->lane = p->lane + 1 == all->vectors ? 0 : p->lane + 1;
#elif defined(CLACT_BCE_LOSS)
    span_store(here, j, a->loss, a->loss_stride, careful_loss(o, t));
#endif
#ifdef CLACT_BCE_DX
    span_store(here, j, a->dx, a->dx_stride, careful_gradient(o, t, a->scale));
#endif
}

INLINE void run(const arguments *a, share all, sums s[TEAM])
{
    place at = {all.first / a->cols, all.first % a->cols};
    progress p;
    p.lane = 0;
#ifdef CLACT_BCE_POS_WEIGHT
    for (size_t t = 0; t < TABLE + CLACT_WIDTH && a->period <= TABLE; t++)
        p.table[t] = a->pos_weight[t % a->period];
    p.period_col = all.first % a->period;
#endif
    for (ulong i = all.first; i < all.end;) {
        const span here = span_of(at, all.end - i, all.step, a->cols);
        ulong j = 0;
        /* Each loop is compiled for its own: that over whole vectors has no more to ask. */
        if (here.ragged) {
            do_vector(a, &all, &here, 0, lifted_exp(logits_at(a, &here, 0)), &p, s);
            j = all.step;
        } else {
            wide next = lifted_exp(logits_at(a, &here, 0));
            for (; j < here.length; j += all.step) {
                const wide lifted = next;
                next = lifted_exp(logits_at(a, &here, min(j + all.step, here.length - 1)));
                do_vector(a, &all, &here, j, lifted, &p, s);
            }
        }
        i += j;
        at = place_after(at, j, a->cols);
    }
}

WHOLE_REGISTERS
kernel void clact_bce(global const storage *logits, ulong logits_offset, ulong logits_stride,
                      global const target *targets, ulong targets_offset, ulong targets_stride,
                      global const storage *weight, ulong weight_offset, ulong weight_stride,
                      global const storage *pos_weight, ulong pos_weight_offset,
                      ulong pos_weight_stride, global const storage *grad, ulong grad_offset,
                      ulong grad_stride, global storage *loss, ulong loss_offset, ulong loss_stride,
                      global storage *dx, ulong dx_offset, ulong dx_stride,
                      global ELEMENT *partials, ulong partials_offset, ulong partials_stride,
                      ulong rows, ulong cols, ulong vectors, ulong chunk, ulong period,
                      PASTE(ELEMENT, 4) divisor)
{
    const ulong n = rows * cols;
    const ulong team = TEAM / vectors;
    const ulong start = get_global_id(0) / team * chunk;
    const size_t lane = get_global_id(0) % team * CLACT_WIDTH * vectors;
    if (start >= n)
        return;
    share all;
    all.first = start + lane;
    all.end = min(start + chunk, n);
    all.step = vectors == TEAM ? CLACT_WIDTH : LANES;
    all.vectors = vectors;

    arguments a;
    a.logits = logits + logits_offset;
    a.targets = targets + targets_offset;
    a.weight = weight + weight_offset;
    a.pos_weight = pos_weight + pos_weight_offset;
    a.grad = grad + grad_offset;
    a.loss = loss + loss_offset;
    a.dx = dx + dx_offset;
    a.logits_stride = logits_stride;
    a.targets_stride = targets_stride;
    a.weight_stride = weight_stride;
    a.grad_stride = grad_stride;
    a.loss_stride = loss_stride;
    a.dx_stride = dx_stride;
    a.cols = cols;
    a.period = period;
    a.scale = wide_inverse(wide_constant(divisor.x, divisor.y));
#if defined(CLACT_BCE_GRAD) && defined(CLACT_BCE_REDUCED)
    a.grad_of_all = load_part(a.grad, 1);
#endif

    sums s[TEAM];
    for (size_t k = 0; k < vectors; k++)
        s[k].hi = s[k].lo = (real)0;
    run(&a, all, s);
#if defined(CLACT_BCE_LOSS) && defined(CLACT_BCE_REDUCED)
    for (size_t k = 0; k < vectors; k++)
        sums_store(partials, start / chunk, lane + k * CLACT_WIDTH, s[k]);
#endif
}

#endif
