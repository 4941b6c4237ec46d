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

INLINE cell cell_of(cell_operands x)
{
    const wide one = wide_of((real)1);
    const wide f = gate_denominator(x.f), i = gate_denominator(x.i);
    const tangent g = tangent_of(x.g);
    const wide of_g = wide_mul(i, g.more);
    const wide c = wide_add(wide_div(wide_of(x.c), f), wide_div(g.less, of_g));
    const wide z = output_gate(x, c);
    const wide o = gate_denominator(z);
    const tangent t = tangent_of_size(c);
    const wide of_h = wide_mul(o, t.more);
    cell y;
    y.c = c.hi;
    y.h = copysign(wide_round(wide_div(t.less, of_h)), c.hi);
    const real by_g = reciprocal(of_g.hi);
    y.f = wide_reciprocal(f);
    y.i = gate_quotient(one, i, by_g * g.more.hi);
    y.g = gate_quotient(g.less, g.more, by_g * i.hi);
    y.o = gate_quotient(one, o, reciprocal(of_h.hi) * t.more.hi);

    /* One sum tells that all of them are small; NaN is not. */
    const real sizes = fma(x.f.hi, x.f.hi, fma(x.i.hi, x.i.hi, x.c * x.c));
    const real others = fma(2 * x.g.hi, 2 * x.g.hi, z.hi * z.hi);
    const mask large = sizes + others <= ORDINARY * ORDINARY ? (mask)0 : (mask)-1;
    const mask far = large | (fabs(c.hi) < ORDINARY_SMALL);
    if (!rarely(far))
        return y;
    const cell other = far_cell(x);
    y.c = far ? other.c : y.c;
    y.h = far ? other.h : y.h;
    y.i = far ? other.i : y.i;
    y.f = far ? other.f : y.f;
    y.g = far ? other.g : y.g;
    y.o = far ? other.o : y.o;
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

INLINE void step(const struct operands *o, place at)
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
    const cell y = cell_of(x);
    give(o->c, at, 0, y.c);
    give(o->h, at, 0, y.h);
#ifdef CLACT_HAS_GATES
    give(o->gates, at, gate_start(o->layout, INPUT_GATE, at.cols), y.i);
    give(o->gates, at, gate_start(o->layout, FORGET_GATE, at.cols), y.f);
    give(o->gates, at, gate_start(o->layout, CANDIDATE, at.cols), y.g);
    give(o->gates, at, gate_start(o->layout, OUTPUT_GATE, at.cols), y.o);
#endif
}

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
