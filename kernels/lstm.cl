/* SPDX-License-Identifier: MIT */
/*
 * The LSTM cell. With s the sigmoid and i, f, g, o the pre-activations of its gates and its candidate,
 *
 *   c' = s(f) c + s(i) tanh(g)      h' = s(o) tanh(c')
 *
 *   CLACT_LSTM_FORWARD or CLACT_LSTM_BACKWARD   which kernel
 *   CLACT_HAS_BIAS, CLACT_HAS_PEEPHOLES         what is added to the pre-activations
 *   CLACT_HAS_GATES                             the gates are stored for the gradient
 */
#if defined(CLACT_LSTM_FORWARD) || defined(CLACT_LSTM_BACKWARD)

/* As a layout numbers them. */
enum { INPUT_GATE, FORGET_GATE, CANDIDATE, OUTPUT_GATE };
/* As ONNX has the peepholes. */
enum { INPUT_PEEPHOLE, OUTPUT_PEEPHOLE, FORGET_PEEPHOLE };

#ifdef CLACT_LSTM_FORWARD

enum { HAS_C_PREV };

/* The pre-activations; then what comes out. */
typedef struct {
    wide i, f, g, o;
    real c, peephole; /* the previous state, and what the new one is multiplied by for o */
} cell_operands;

typedef struct {
    real c, h, i, f, g, o;
} cell;

/* o with its peephole, which looks at the new state. */
INLINE wide output_gate(cell_operands x, wide c)
{
#ifdef CLACT_HAS_PEEPHOLES
    return settled_sum(x.o, settled(wide_times_real(c, x.peephole)));
#else
    return x.o;
#endif
}

/* For any operands. */
INLINE cell far_cell(cell_operands x)
{
    const scaled f = far_gate(x.f), i = far_gate(x.i);
    const wide c = far_sum(f, x.c, i, x.g);
    const scaled o = far_gate(output_gate(x, c));
    cell y;
    y.c = wide_round(c);
    y.h = wide_round(far_product(o, c));
    y.i = far_round(i);
    y.f = far_round(f);
    y.g = tanh_forward(wide_round(x.g));
    y.o = far_round(o);
    return y;
}

/*
 * For ordinary ones, in steps, of which near_steps() does one for several vectors before the next. Each is a
 * chain of operations that wait for each other; and stores past the cache are best made close together.
 */
typedef struct {
    wide f, of_g, less; /* c' = c / f + less / of_g */
#ifdef CLACT_HAS_GATES
    wide i, more;
#endif
} opened;

INLINE opened opened_of(cell_operands x)
{
    const wide i = gate_denominator(x.i);
    const tangent g = tangent_of(x.g);
    opened y;
    y.f = gate_denominator(x.f);
    y.of_g = wide_mul(i, g.more);
    y.less = g.less;
#ifdef CLACT_HAS_GATES
    y.i = i;
    y.more = g.more;
#endif
    return y;
}

/* The new state; y gets it, and the gates that it is of. */
INLINE wide state_of(opened x, real c, cell *y)
{
    const wide new_c = wide_add(wide_div(wide_of(c), x.f), wide_div(x.less, x.of_g));
    y->c = new_c.hi;
#ifdef CLACT_HAS_GATES
    const real by_g = reciprocal(x.of_g.hi);
    y->f = wide_reciprocal(x.f);
    y->i = gate_quotient(wide_of((real)1), x.i, by_g * x.more.hi);
    y->g = gate_quotient(x.less, x.more, by_g * x.i.hi);
#endif
    return new_c;
}

typedef struct {
    wide of_h, less; /* |h'| = less / of_h */
#ifdef CLACT_HAS_GATES
    wide o;
    real more;
#endif
} closed;

INLINE closed closed_of(wide o, wide c)
{
    const wide d = gate_denominator(o);
    const tangent t = tangent_of_size(c);
    closed y;
    y.of_h = wide_mul(d, t.more);
    y.less = t.less;
#ifdef CLACT_HAS_GATES
    y.o = d;
    y.more = t.more.hi;
#endif
    return y;
}

/* y gets the output, and its gate. */
INLINE void close(closed x, wide c, cell *y)
{
    y->h = copysign(wide_round(wide_div(x.less, x.of_h)), c.hi);
#ifdef CLACT_HAS_GATES
    y->o = gate_quotient(wide_of((real)1), x.o, reciprocal(x.of_h.hi) * x.more);
#endif
}

/* Which elements are not ordinary, from operands alone: squares tell that all are small enough, and c or g
 * large enough. A NaN is neither. */
INLINE mask is_far_cell(cell_operands x)
{
    real o = x.o.hi;
#ifdef CLACT_HAS_PEEPHOLES
    o = fabs(o) + fabs(x.peephole) * (fabs(x.c) + 1);
#endif
    const real c_and_g = fma(x.g.hi, x.g.hi, x.c * x.c);
    const real gates = fma(x.f.hi, x.f.hi, fma(x.i.hi, x.i.hi, o * o));
    const real sum = gates + fma(3 * x.g.hi, x.g.hi, c_and_g); /* 2 g counts */
    return (sum <= ORDINARY * ORDINARY ? (mask)0 : (mask)-1) |
           (c_and_g >= ORDINARY_SMALL * ORDINARY_SMALL ? (mask)0 : (mask)-1);
}

INLINE cell cell_of(cell_operands x)
{
    cell y;
    const wide c = state_of(opened_of(x), x.c, &y);
    close(closed_of(output_gate(x, c), c), c, &y);
    const mask far = is_far_cell(x);
    if (!rarely(far))
        return y;
    const cell other = far_cell(x);
    y.c = far ? other.c : y.c;
    y.h = far ? other.h : y.h;
#ifdef CLACT_HAS_GATES
    y.i = far ? other.i : y.i;
    y.f = far ? other.f : y.f;
    y.g = far ? other.g : y.g;
    y.o = far ? other.o : y.o;
#endif
    return y;
}

struct operands {
    input z, bias, peepholes, c_prev;
    output c, h, gates;
    ulong layout;
};

/* A pre-activation with its bias. */
INLINE wide preactivation(const struct operands *o, place at, ulong gate)
{
    const ulong start = gate_start(o->layout, gate, at.cols);
    const real z = take(o->z, at, start);
#ifdef CLACT_HAS_BIAS
    place shared = at;
    shared.row = 0;
    return settled(wide_exact_sum(z, take(o->bias, shared, start)));
#else
    return wide_of(z);
#endif
}

INLINE cell_operands operands_of(const struct operands *o, place at)
{
    cell_operands x;
    x.i = preactivation(o, at, INPUT_GATE);
    x.f = preactivation(o, at, FORGET_GATE);
    x.g = preactivation(o, at, CANDIDATE);
    x.o = preactivation(o, at, OUTPUT_GATE);
    x.c = take_any(o->c_prev, at, o->layout, HAS_C_PREV);
    x.peephole = (real)0;
#ifdef CLACT_HAS_PEEPHOLES
    place shared = at;
    shared.row = 0;
    const real of_i = take(o->peepholes, shared, INPUT_PEEPHOLE * at.cols);
    const real of_f = take(o->peepholes, shared, FORGET_PEEPHOLE * at.cols);
    x.peephole = take(o->peepholes, shared, OUTPUT_PEEPHOLE * at.cols);
    x.i = settled_sum(x.i, settled(wide_product(of_i, x.c)));
    x.f = settled_sum(x.f, settled(wide_product(of_f, x.c)));
#endif
    return x;
}

INLINE void give_state(const struct operands *o, place at, cell y)
{
    give(o->c, at, 0, y.c);
#ifdef CLACT_HAS_GATES
    give(o->gates, at, gate_start(o->layout, INPUT_GATE, at.cols), y.i);
    give(o->gates, at, gate_start(o->layout, FORGET_GATE, at.cols), y.f);
    give(o->gates, at, gate_start(o->layout, CANDIDATE, at.cols), y.g);
#endif
}

INLINE void give_output(const struct operands *o, place at, cell y)
{
    give(o->h, at, 0, y.h);
#ifdef CLACT_HAS_GATES
    give(o->gates, at, gate_start(o->layout, OUTPUT_GATE, at.cols), y.o);
#endif
}

INLINE void step(const struct operands *o, place at)
{
    const cell y = cell_of(operands_of(o, at));
    give_state(o, at, y);
    give_output(o, at, y);
}

#ifdef MOST_NEAR
INLINE bool are_near(const struct operands *o, place at, ulong vectors)
{
    mask far = 0;
    for (ulong k = 0; k < vectors; k++, at.col += CLACT_WIDTH)
        far |= is_far_cell(operands_of(o, at));
    return !rarely(far);
}

/* An output may be one of the operands: all that a vector's outputs take the place of has been read by
 * then. */
INLINE void near_steps(const struct operands *o, place first, ulong vectors)
{
    opened opened[MOST_NEAR];
    closed closed[MOST_NEAR];
    wide c[MOST_NEAR];
    place at = first;
    for (ulong k = 0; k < vectors; k++, at.col += CLACT_WIDTH)
        opened[k] = opened_of(operands_of(o, at));
    at = first;
    for (ulong k = 0; k < vectors; k++, at.col += CLACT_WIDTH) {
        cell y;
        const cell_operands x = operands_of(o, at);
        c[k] = state_of(opened[k], x.c, &y);
        closed[k] = closed_of(output_gate(x, c[k]), c[k]);
        give_state(o, at, y);
    }
    at = first;
    for (ulong k = 0; k < vectors; k++, at.col += CLACT_WIDTH) {
        cell y;
        close(closed[k], c[k], &y);
        give_output(o, at, y);
    }
}
#endif

WHOLE_REGISTERS
kernel void clact_lstm_forward(INPUT(z), INPUT(bias), INPUT(peepholes), INPUT(c_prev), OUTPUT(c),
                               OUTPUT(h), OUTPUT(gates), WORK)
{
    const struct operands o = {AT(z), AT(bias), AT(peepholes), AT(c_prev),
                               AT(c), AT(h),    AT(gates),     layout};
    run(&o, rows, cols, row_span, col_span);
}

#else

enum { HAS_C_PREV, HAS_GRAD_H, HAS_GRAD_C, HAS_DC_PREV };

struct operands {
    input gates, c, c_prev, peepholes, grad_h, grad_c;
    output dz, dc_prev;
    ulong layout;
};

/*
 * With i, f, g, o what the gates came to and t = tanh(c'), the new state gets
 *   dc = grad_c + grad_h o (1 - t^2) + p_o dz_o
 * and each gate its slope times what it was multiplied by and the gradient of the sum or product.
 */
INLINE void step(const struct operands *o, place at)
{
    const ulong layout = o->layout;
    const ulong i_start = gate_start(layout, INPUT_GATE, at.cols);
    const ulong f_start = gate_start(layout, FORGET_GATE, at.cols);
    const ulong g_start = gate_start(layout, CANDIDATE, at.cols);
    const ulong o_start = gate_start(layout, OUTPUT_GATE, at.cols);
    const real s_i = take(o->gates, at, i_start), s_f = take(o->gates, at, f_start);
    const real t_g = take(o->gates, at, g_start), s_o = take(o->gates, at, o_start);
    const real c = take(o->c, at, 0), c_prev = take_any(o->c_prev, at, layout, HAS_C_PREV);
    const real grad_h = take_any(o->grad_h, at, layout, HAS_GRAD_H);
    const real grad_c = take_any(o->grad_c, at, layout, HAS_GRAD_C);

    /* 1 - t^2 = 4 E / (1 + E)^2 with E = e^-2|c| keeps what t loses where it has rounded to 1. */
    const tangent t = tangent_of_size(wide_of(at_most(fabs(c), SLOPE_END)));
    const wide size = wide_div(t.less, t.more);
    const wide tail = wide_div(wide_scale(whole(t.e), (real)4), wide_square(t.more));
    const wide slope = wide_select(fabs(c) > SLOPE_END, wide_of((real)0), tail);
    const wide tanh_c = wide_select(c < 0, wide_negate(size), size);

    const wide dz_o = wide_times_real(wide_mul(gate_slope_of(s_o), tanh_c), grad_h);
    wide dc = settled_sum(settled(wide_times_real(wide_times_real(slope, s_o), grad_h)),
                          wide_of(grad_c));
#ifdef CLACT_HAS_PEEPHOLES
    place shared = at;
    shared.row = 0;
    const real p_i = take(o->peepholes, shared, INPUT_PEEPHOLE * at.cols);
    const real p_f = take(o->peepholes, shared, FORGET_PEEPHOLE * at.cols);
    const real p_o = take(o->peepholes, shared, OUTPUT_PEEPHOLE * at.cols);
    dc = settled_sum(dc, settled(wide_times_real(settled(dz_o), p_o)));
#endif
    const wide dz_i = wide_mul(wide_times_real(gate_slope_of(s_i), t_g), dc);
    const wide dz_f = wide_mul(wide_times_real(gate_slope_of(s_f), c_prev), dc);
    const wide dz_g = wide_mul(wide_times_real(candidate_slope_of(t_g), s_i), dc);
    wide dc_prev = settled(wide_times_real(dc, s_f));
#ifdef CLACT_HAS_PEEPHOLES
    dc_prev = settled_sum(dc_prev, settled(wide_times_real(settled(dz_i), p_i)));
    dc_prev = settled_sum(dc_prev, settled(wide_times_real(settled(dz_f), p_f)));
#endif
    give(o->dz, at, i_start, gradient_round(dz_i));
    give(o->dz, at, f_start, gradient_round(dz_f));
    give(o->dz, at, g_start, gradient_round(dz_g));
    give(o->dz, at, o_start, gradient_round(dz_o));
    if (has(layout, HAS_DC_PREV))
        give(o->dc_prev, at, 0, gradient_round(dc_prev));
}

WHOLE_REGISTERS
kernel void clact_lstm_backward(INPUT(gates), INPUT(c), INPUT(c_prev), INPUT(peepholes),
                                INPUT(grad_h), INPUT(grad_c), OUTPUT(dz), OUTPUT(dc_prev), WORK)
{
    const struct operands o = {AT(gates),  AT(c),      AT(c_prev), AT(peepholes),
                               AT(grad_h), AT(grad_c), AT(dz),     AT(dc_prev), layout};
    run(&o, rows, cols, row_span, col_span);
}

#endif
#endif
