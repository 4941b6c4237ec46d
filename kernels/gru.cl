/* SPDX-License-Identifier: MIT */
/*
 * The GRU cell. With s the sigmoid, x the pre-activations from the input and u those from the hidden state,
 *
 *   r = s(x_r + u_r)    z = s(x_z + u_z)    n = tanh(x_n + r u_n)    h' = (1 - z) n + z h
 *
 * if the reset gate comes after the product of the hidden state, which gives u_n, and where it comes
 * before it, n = tanh(x_n + v) with v the product of r h: one kernel gives r h, another h' from v.
 *
 *   CLACT_GRU_FORWARD, CLACT_GRU_BACKWARD                 the reset gate after the product
 *   CLACT_GRU_RESET_FORWARD, CLACT_GRU_RESET_BACKWARD     before it: r h
 *   CLACT_GRU_UPDATE_FORWARD, CLACT_GRU_UPDATE_BACKWARD   and h'
 *   CLACT_HAS_GATES                                       the gates are stored for the gradient
 */
#ifdef CLACT_GRU

/* As a layout numbers them; behind the gates of the first kind u_n is kept, which is no gate. */
enum { RESET_GATE, UPDATE_GATE, CANDIDATE, KEPT = 3 };

/* h' = (1 - s(z)) tanh(n) + s(z) h = (E_z less + h more) / ((1 + E_z) more), with E_z = e^-z */
typedef struct {
    real h, z, n;
} unit;

INLINE unit far_unit(wide z, wide n, real h)
{
    const scaled s = far_gate(z);
    unit y;
    y.h = wide_round(far_sum(s, h, far_gate(wide_negate(z)), n));
    y.z = far_round(s);
    y.n = tanh_forward(wide_round(n));
    return y;
}

INLINE unit unit_of(wide z, wide n, real h)
{
    const exponential e = exponential_of(wide_negate(z));
    const wide gate = one_and(e, e.scale);
    const tangent t = tangent_of(n);
    const wide d = wide_mul(gate, t.more);
    const wide sum = wide_add(wide_mul(whole(e), t.less), wide_times_real(t.more, h));
    const real inverse = reciprocal(d.hi);
    unit y;
    y.h = wide_round(wide_div(sum, d));
    y.z = gate_quotient(wide_of((real)1), gate, inverse * t.more.hi);
    y.n = gate_quotient(t.less, t.more, inverse * gate.hi);

    const mask far = (max(size_of(z.hi), size_of(2 * n.hi)) > AS_MASK((real)ORDINARY)) |
                     (size_of(h) > AS_MASK((real)ORDINARY_LARGE)) |
                     (max(size_of(n.hi), size_of(h)) < AS_MASK((real)ORDINARY_SMALL));
    if (!rarely(far))
        return y;
    const unit other = far_unit(z, n, h);
    y.h = far ? other.h : y.h;
    y.z = far ? other.z : y.z;
    y.n = far ? other.n : y.n;
    return y;
}

enum { HAS_H_PREV, HAS_DH_PREV };

/* A gate's pre-activation. */
INLINE wide preactivation(input x, input u, place at, ulong start)
{
    return settled(wide_exact_sum(take(x, at, start), take(u, at, start)));
}

#ifdef CLACT_GRU_FORWARD

/* s(z) u, not rounded where it is ordinary; and s(z). */
typedef struct {
    wide product;
    real gate;
} reset;

INLINE reset reset_of(wide z, real u)
{
    const wide d = gate_denominator(z);
    reset y;
    y.product = wide_normalise(wide_div(wide_of(u), d));
    y.gate = wide_reciprocal(d);
    const mask far = (size_of(z.hi) > AS_MASK((real)ORDINARY)) |
                     (size_of(u) > AS_MASK((real)ORDINARY_LARGE)) |
                     (size_of(u) < AS_MASK((real)ORDINARY_SMALL));
    if (!rarely(far))
        return y;
    y.product = wide_select(far, wide_of(any_logistic_times(z, u)), y.product);
    y.gate = far ? any_logistic_times(z, (real)1) : y.gate;
    return y;
}

struct operands {
    input x, u, h_prev;
    output h, gates;
    ulong layout;
};

INLINE void step(const struct operands *o, place at)
{
    const ulong r_start = gate_start(o->layout, RESET_GATE, at.cols);
    const ulong z_start = gate_start(o->layout, UPDATE_GATE, at.cols);
    const ulong n_start = gate_start(o->layout, CANDIDATE, at.cols);
    const real u = take(o->u, at, n_start);
    const reset r = reset_of(preactivation(o->x, o->u, at, r_start), u);
    const wide n = settled_sum(wide_of(take(o->x, at, n_start)), r.product);
    const unit y = unit_of(preactivation(o->x, o->u, at, z_start), n,
                           take_any(o->h_prev, at, o->layout, HAS_H_PREV));
    give(o->h, at, 0, y.h);
#ifdef CLACT_HAS_GATES
    give(o->gates, at, r_start, r.gate);
    give(o->gates, at, z_start, y.z);
    give(o->gates, at, n_start, y.n);
    give(o->gates, at, KEPT * at.cols, u);
#endif
}

WHOLE_REGISTERS
kernel void clact_gru_forward(INPUT(x), INPUT(u), INPUT(h_prev), OUTPUT(h), OUTPUT(gates), WORK)
{
    const struct operands o = {AT(x), AT(u), AT(h_prev), AT(h), AT(gates), layout};
    run(&o, rows, cols, row_span, col_span);
}

#elif defined(CLACT_GRU_RESET_FORWARD)

struct operands {
    input x, u, h_prev;
    output reset, gates;
    ulong layout;
};

INLINE void step(const struct operands *o, place at)
{
    const ulong r_start = gate_start(o->layout, RESET_GATE, at.cols);
    const wide z = preactivation(o->x, o->u, at, r_start);
    const real h_prev = take(o->h_prev, at, 0);
#ifdef CLACT_HAS_GATES
    const real gate = any_logistic_times(z, (real)1);
    give(o->gates, at, r_start, gate);
#endif
    give(o->reset, at, 0, any_logistic_times(z, h_prev));
}

WHOLE_REGISTERS
kernel void clact_gru_reset_forward(INPUT(x), INPUT(u), INPUT(h_prev), OUTPUT(reset),
                                    OUTPUT(gates), WORK)
{
    const struct operands o = {AT(x), AT(u), AT(h_prev), AT(reset), AT(gates), layout};
    run(&o, rows, cols, row_span, col_span);
}

#elif defined(CLACT_GRU_UPDATE_FORWARD)

struct operands {
    input x, u, v, h_prev;
    output h, gates;
    ulong layout;
};

INLINE void step(const struct operands *o, place at)
{
    const ulong z_start = gate_start(o->layout, UPDATE_GATE, at.cols);
    const ulong n_start = gate_start(o->layout, CANDIDATE, at.cols);
    const wide n = settled(wide_exact_sum(take(o->x, at, n_start), take(o->v, at, 0)));
    const unit y = unit_of(preactivation(o->x, o->u, at, z_start), n,
                           take_any(o->h_prev, at, o->layout, HAS_H_PREV));
    give(o->h, at, 0, y.h);
#ifdef CLACT_HAS_GATES
    give(o->gates, at, z_start, y.z);
    give(o->gates, at, n_start, y.n);
#endif
}

WHOLE_REGISTERS
kernel void clact_gru_update_forward(INPUT(x), INPUT(u), INPUT(v), INPUT(h_prev), OUTPUT(h),
                                     OUTPUT(gates), WORK)
{
    const struct operands o = {AT(x), AT(u), AT(v), AT(h_prev), AT(h), AT(gates), layout};
    run(&o, rows, cols, row_span, col_span);
}

#elif defined(CLACT_GRU_RESET_BACKWARD)

struct operands {
    input dreset, gates, h_prev, dh_part;
    output dx, dh_prev;
    ulong layout;
};

/* dx_r = dreset h r (1 - r), and to what the hidden state has got comes dreset r. */
INLINE void step(const struct operands *o, place at)
{
    const ulong r_start = gate_start(o->layout, RESET_GATE, at.cols);
    const real r = take(o->gates, at, r_start), dreset = take(o->dreset, at, 0);
    const real h_prev = take(o->h_prev, at, 0), dh_part = take(o->dh_part, at, 0);
    const wide dx = wide_times_real(wide_times_real(gate_slope_of(r), h_prev), dreset);
    const wide dh = settled_sum(settled(wide_product(dreset, r)), wide_of(dh_part));
    give(o->dx, at, r_start, gradient_round(dx));
    give(o->dh_prev, at, 0, gradient_round(dh));
}

WHOLE_REGISTERS
kernel void clact_gru_reset_backward(INPUT(dreset), INPUT(gates), INPUT(h_prev), INPUT(dh_part),
                                     OUTPUT(dx), OUTPUT(dh_prev), WORK)
{
    const struct operands o = {AT(dreset), AT(gates), AT(h_prev), AT(dh_part),
                               AT(dx), AT(dh_prev), layout};
    run(&o, rows, cols, row_span, col_span);
}

#else

struct operands {
    input grad, gates, h_prev;
    output dx;
#ifdef CLACT_GRU_BACKWARD
    output du;
#endif
    output dh_prev;
    ulong layout;
};

/* dx_z = grad (h - n) z (1 - z), dx_n = grad (1 - z) (1 - n^2); after the product also
 * dx_r = dx_n u_n r (1 - r), and u gets the same but du_n = dx_n r. */
INLINE void step(const struct operands *o, place at)
{
    const ulong layout = o->layout;
    const ulong z_start = gate_start(layout, UPDATE_GATE, at.cols);
    const ulong n_start = gate_start(layout, CANDIDATE, at.cols);
    const real z = take(o->gates, at, z_start), n = take(o->gates, at, n_start);
    const real grad = take(o->grad, at, 0), h_prev = take_any(o->h_prev, at, layout, HAS_H_PREV);
#ifdef CLACT_GRU_BACKWARD
    const ulong r_start = gate_start(layout, RESET_GATE, at.cols);
    const real r = take(o->gates, at, r_start), u = take(o->gates, at, KEPT * at.cols);
#endif
    const wide dz = wide_times_real(wide_mul(gate_slope_of(z), wide_exact_sum(h_prev, -n)), grad);
    const wide dn = wide_times_real(wide_mul(complement(z), candidate_slope_of(n)), grad);
    give(o->dx, at, z_start, gradient_round(dz));
    give(o->dx, at, n_start, gradient_round(dn));
#ifdef CLACT_GRU_BACKWARD
    const wide dr = wide_mul(wide_times_real(gate_slope_of(r), u), dn);
    give(o->dx, at, r_start, gradient_round(dr));
    give(o->du, at, r_start, gradient_round(dr));
    give(o->du, at, z_start, gradient_round(dz));
    give(o->du, at, n_start, gradient_round(wide_times_real(dn, r)));
#endif
    if (has(layout, HAS_DH_PREV))
        give(o->dh_prev, at, 0, grad * z);
}

WHOLE_REGISTERS
#ifdef CLACT_GRU_BACKWARD
kernel void clact_gru_backward(INPUT(grad), INPUT(gates), INPUT(h_prev), OUTPUT(dx), OUTPUT(du),
                               OUTPUT(dh_prev), WORK)
{
    const struct operands o = {AT(grad), AT(gates), AT(h_prev), AT(dx), AT(du), AT(dh_prev), layout};
#else
kernel void clact_gru_update_backward(INPUT(grad), INPUT(gates), INPUT(h_prev), OUTPUT(dx),
                                      OUTPUT(dh_prev), WORK)
{
    const struct operands o = {AT(grad), AT(gates), AT(h_prev), AT(dx), AT(dh_prev), layout};
#endif
    run(&o, rows, cols, row_span, col_span);
}

#endif
#endif
