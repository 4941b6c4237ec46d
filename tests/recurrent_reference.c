/* SPDX-License-Identifier: MIT */
#include "recurrent_cells.h"

#include <math.h>
#include <string.h>

/* Where PyTorch's order and ONNX's have each gate. */
static const size_t lstm_places[2][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}};
static const size_t gru_places[2][4] = {{0, 1, 2, 3}, {1, 0, 2, 3}};

enum { I, F, G, O };
enum { R, Z, N, KEPT };

size_t cell_place(enum cell_kind kind, int order, size_t gate)
{
    return kind == LSTM_FORWARD || kind == LSTM_BACKWARD ? lstm_places[order][gate]
                                                         : gru_places[order][gate];
}

static long double logistic(long double z)
{
    if (isnan(z))
        return z;
    const long double e = expl(-fabsl(z));
    return z < 0 ? e / (1 + e) : 1 / (1 + e);
}

/* 1 - tanh(x)^2 */
static long double tanh_slope(long double x)
{
    const long double e = expl(-2 * fabsl(x));
    return 4 * e / ((1 + e) * (1 + e));
}

static long double largest(long double a, long double b)
{
    return fmaxl(fabsl(a), fabsl(b));
}

static void result(struct cell_exact *out, size_t operand, size_t column, long double value,
                   long double scale)
{
    out->value[operand][column] = value;
    out->scale[operand][column] = largest(value, scale);
    out->written[operand][column] = true;
}

static void lstm_forward(const size_t at[4], const struct cell_unit *in, struct cell_exact *out)
{
    const long double *z = in->value[0], *bias = in->value[1], *p = in->value[2];
    const long double c_prev = in->value[3][0];
    const long double i = logistic(z[at[I]] + bias[at[I]] + p[0] * c_prev);
    const long double f = logistic(z[at[F]] + bias[at[F]] + p[2] * c_prev);
    const long double g = tanhl(z[at[G]] + bias[at[G]]);
    const long double c = f * c_prev + i * g;
    const long double o = logistic(z[at[O]] + bias[at[O]] + p[1] * c);
    const long double scale = largest(f * c_prev, i * g);
    /* What the peephole multiplies is c' with its error. */
    const long double amplified = o * largest(1, p[1] * scale);
    result(out, 4, 0, c, scale);
    result(out, 5, 0, o * tanhl(c), amplified * largest(tanhl(c), tanh_slope(c) * scale));
    result(out, 6, at[I], i, 0);
    result(out, 6, at[F], f, 0);
    result(out, 6, at[G], g, 0);
    result(out, 6, at[O], o, amplified);
}

static void lstm_backward(const size_t at[4], const struct cell_unit *in, struct cell_exact *out)
{
    const long double *gates = in->value[0], *p = in->value[3];
    const long double c = in->value[1][0], c_prev = in->value[2][0];
    const long double grad_h = in->value[4][0], grad_c = in->value[5][0];
    const long double i = gates[at[I]], f = gates[at[F]], g = gates[at[G]], o = gates[at[O]];
    const long double dz_o = grad_h * tanhl(c) * o * (1 - o);
    const long double through_h = grad_h * o * tanh_slope(c);
    const long double dc = grad_c + through_h + p[1] * dz_o;
    const long double scale = largest(largest(grad_c, through_h), p[1] * dz_o);
    const long double of_i = g * i * (1 - i), of_f = c_prev * f * (1 - f),
                      of_g = i * (1 - g) * (1 + g);
    const long double terms = largest(f, largest(p[0] * of_i, p[2] * of_f));
    result(out, 6, at[I], dc * of_i, scale * of_i);
    result(out, 6, at[F], dc * of_f, scale * of_f);
    result(out, 6, at[G], dc * of_g, scale * of_g);
    result(out, 6, at[O], dz_o, 0);
    result(out, 7, 0, dc * (f + p[0] * of_i + p[2] * of_f), scale * terms);
}

/* h' from the pre-activation of z and the terms of that of n. */
static void unit_output(struct cell_exact *out, size_t operand, long double z, long double a,
                        long double b, long double h_prev)
{
    const long double keep = logistic(z), pass = logistic(-z), n = a + b;
    const long double scale = largest(pass * tanhl(n), keep * h_prev);
    result(out, operand, 0, pass * tanhl(n) + keep * h_prev,
           largest(scale, pass * tanh_slope(n) * largest(a, b)));
}

static void gru_forward(const size_t at[4], const struct cell_unit *in, struct cell_exact *out)
{
    const long double *x = in->value[0], *u = in->value[1];
    const long double r = logistic(x[at[R]] + u[at[R]]), z = x[at[Z]] + u[at[Z]];
    const long double n = x[at[N]] + r * u[at[N]];
    unit_output(out, 3, z, x[at[N]], r * u[at[N]], in->value[2][0]);
    result(out, 4, at[R], r, 0);
    result(out, 4, at[Z], logistic(z), 0);
    result(out, 4, at[N], tanhl(n), tanh_slope(n) * largest(x[at[N]], r * u[at[N]]));
    result(out, 4, KEPT, u[at[N]], 0);
}

static void gru_backward(const size_t at[4], const struct cell_unit *in, struct cell_exact *out)
{
    const long double grad = in->value[0][0], *gates = in->value[1], h_prev = in->value[2][0];
    const long double r = gates[at[R]], z = gates[at[Z]], n = gates[at[N]], u = gates[KEPT];
    const long double dz = grad * (h_prev - n) * z * (1 - z),
                      dn = grad * (1 - z) * (1 - n) * (1 + n);
    const long double dr = dn * u * r * (1 - r);
    for (size_t to = 3; to <= 4; to++) {
        result(out, to, at[R], dr, 0);
        result(out, to, at[Z], dz, 0);
        result(out, to, at[N], to == 3 ? dn : dn * r, 0);
    }
    result(out, 5, 0, grad * z, 0);
}

static void gru_reset_forward(const size_t at[4], const struct cell_unit *in,
                              struct cell_exact *out)
{
    const long double r = logistic(in->value[0][at[R]] + in->value[1][at[R]]);
    result(out, 3, 0, r * in->value[2][0], 0);
    result(out, 4, at[R], r, 0);
}

static void gru_reset_backward(const size_t at[4], const struct cell_unit *in,
                               struct cell_exact *out)
{
    const long double dreset = in->value[0][0], r = in->value[1][at[R]];
    const long double h_prev = in->value[2][0], dh_part = in->value[3][0];
    result(out, 4, at[R], dreset * h_prev * r * (1 - r), 0);
    result(out, 5, 0, dh_part + dreset * r, largest(dh_part, dreset * r));
}

static void gru_update_forward(const size_t at[4], const struct cell_unit *in,
                               struct cell_exact *out)
{
    const long double *x = in->value[0], v = in->value[2][0];
    const long double z = x[at[Z]] + in->value[1][at[Z]], n = x[at[N]] + v;
    unit_output(out, 4, z, x[at[N]], v, in->value[3][0]);
    result(out, 5, at[Z], logistic(z), 0);
    result(out, 5, at[N], tanhl(n), 0);
}

static void gru_update_backward(const size_t at[4], const struct cell_unit *in,
                                struct cell_exact *out)
{
    const long double grad = in->value[0][0], *gates = in->value[1], h_prev = in->value[2][0];
    const long double z = gates[at[Z]], n = gates[at[N]];
    result(out, 3, at[Z], grad * (h_prev - n) * z * (1 - z), 0);
    result(out, 3, at[N], grad * (1 - z) * (1 - n) * (1 + n), 0);
    result(out, 4, 0, grad * z, 0);
}

void cell_reference(enum cell_kind kind, int order, const struct cell_unit *in,
                    struct cell_exact *out)
{
    static void (*const functions[CELL_KINDS])(const size_t[4], const struct cell_unit *,
                                               struct cell_exact *) = {
        [LSTM_FORWARD] = lstm_forward,
        [LSTM_BACKWARD] = lstm_backward,
        [GRU_FORWARD] = gru_forward,
        [GRU_BACKWARD] = gru_backward,
        [GRU_RESET_FORWARD] = gru_reset_forward,
        [GRU_RESET_BACKWARD] = gru_reset_backward,
        [GRU_UPDATE_FORWARD] = gru_update_forward,
        [GRU_UPDATE_BACKWARD] = gru_update_backward,
    };
    memset(out, 0, sizeof(*out));
    size_t at[4];
    for (size_t gate = 0; gate < 4; gate++)
        at[gate] = cell_place(kind, order, gate);
    functions[kind](at, in, out);
}
