/* SPDX-License-Identifier: MIT */
/*
 * Gated linear units: act(a) * b, forward and gradients.
 *
 *   CLACT_GATED              what the kernel is called, such as mish_gated_forward
 *   CLACT_GATE_FORWARD       the operator's functions (activations.cl), such as mish_forward
 *   CLACT_GATE_SLOPE         and mish_from_input
 *   CLACT_GATE               the unit's steps below, such as silu_gate, for operators that have them
 *   CLACT_GATED_BACKWARD     da and db from grad, a and b, else y from a and b
 *   CLACT_HAS_PARAMETERS and CLACT_HAS_BETA as for elementwise.cl, and work is cut as there
 */
#ifdef CLACT_GATED

#ifdef CLACT_HAS_PARAMETERS
#define GATE_PARAMETERS , p
#else
#define GATE_PARAMETERS
#endif

/*
 * Where the units' short way is right: a product up to NEAR_LARGE is 0 beyond FORWARD_FLOOR, and a b up
 * to 1/16 of that beyond GELU_END, when multiplied by the gate. The product is lifted by GATE_LIFT, so that
 * what is lost of its low part is next to nothing of the smallest result.
 */
#ifdef CLACT_STORAGE_F64
#define NEAR_LARGE 0x1p64
#define GATE_LIFT 0x1p64
#define GATE_DROP (TWO_TO_MINUS_LIFT * 0x1p-64)
#else
#define NEAR_LARGE 0x1p16f
#define GATE_LIFT 0x1p24f
#define GATE_DROP (TWO_TO_MINUS_LIFT * 0x1p-24f)
#endif

/* GELU's way for a gate: times a b that is not far, it can still be lifted by 2^LIFT. */
#ifdef CLACT_STORAGE_F64
#define GATE_LARGE 0x1p128
#else
#define GATE_LARGE 0x1p40f
#endif
#define INVERSE_SQRT_2_PI                                                                          \
    WIDE_CONSTANT(0x1.988454p-2f, -0x1.857936p-27f, 0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56)

/* Whether a lifted product is larger than that, or NaN as 0 times infinity is. */
INLINE mask is_large(real product)
{
    return !(fabs(product) <= (real)(NEAR_LARGE * GATE_LIFT));
}

/* a * b * probability * 2^n for any a and b, for a gate that is -0 at -infinity and a at infinity. */
INLINE real gated_far(real a, real b, wide probability, mask n)
{
    const scaled product = scaled_product(a, b);
    const real y = wide_times_far(wide_mul(probability, product.m), (real)1, n + product.n);
    const mask finite = (fabs(a) <= REAL_MAX) & (fabs(b) <= REAL_MAX);
    return finite ? y : (a == -INFINITY ? (real)-0.0f : a) * b;
}

/* a / d for d > 0, rounded once. The remainder is taken as one that is +0 for a zero, as only the
 * negative of that leaves a -0 what it is. */
INLINE real gated_quotient(wide a, wide d)
{
    const real q = reciprocal(d.hi);
    const real y = a.hi * q;
#ifdef CLACT_PAIRS
    const real excess = fma(y, d.hi, -a.hi) + fma(y, d.lo, -a.lo);
    return fma(-excess, q, y);
#else
    return y;
#endif
}

/*
 * Each unit is in three steps: two that are made of a alone, in its gate, and the last, of which b is a
 * part as well. An item does a step of some vectors, then the next of these. A processor has room for more
 * vectors at once in shorter loops, and so waits less for what depends on each other.
 */

/* a * b * s(z), where e is of e^-z. */
INLINE real gated_by_logistic(real a, real b, wide z, exp_parts e, reach *r)
{
    const wide product = wide_product(a * GATE_LIFT, b);
    const real y = gated_quotient(product, lifted_one_plus(e)) * GATE_DROP;
    const mask far = is_large(product.hi);
    if (!is_any_far(r, far))
        return y;
    const logistic l = logistic_of(z);
    const mask negative = z.hi < 0;
    const wide numerator = wide_select(negative, l.e.m, wide_of((real)1));
    return far ? gated_far(a, b, wide_div(numerator, l.d), negative ? l.e.n : (mask)0) : y;
}

/* The argument of its exponential takes no step. */
typedef exp_parts sigmoid_gate;

INLINE void sigmoid_gate_first(real a, sigmoid_gate *e)
{
}

INLINE void sigmoid_gate_second(real a, sigmoid_gate *e)
{
    *e = lifted_denominator_parts(wide_of(a));
}

INLINE real sigmoid_gate_times(real a, real b, const sigmoid_gate *e, reach *r)
{
    const real product = b * GATE_LIFT;
    const real y = gated_quotient(wide_of(product), lifted_one_plus(*e)) * GATE_DROP;
    const mask far = is_large(product);
    return is_any_far(r, far) ? (far ? any_logistic_times(wide_of(a), b) : y) : y;
}

typedef exp_parts silu_gate;

INLINE void silu_gate_first(real a, params p, silu_gate *e)
{
}

INLINE void silu_gate_second(real a, params p, silu_gate *e)
{
    *e = lifted_denominator_parts(beta_times(p.beta, a));
}

INLINE real silu_gate_times(real a, real b, params p, const silu_gate *e, reach *r)
{
    return gated_by_logistic(a, b, beta_times(p.beta, a), *e, r);
}

typedef struct {
    wide z;
    exp_parts e;
} gelu_tanh_gate;

INLINE void gelu_tanh_gate_first(real a, gelu_tanh_gate *gate)
{
    gate->z = gelu_tanh_argument(gelu_tanh_clamped(a), (real)1);
}

INLINE void gelu_tanh_gate_second(real a, gelu_tanh_gate *gate)
{
    gate->e = lifted_denominator_parts(gate->z);
}

INLINE real gelu_tanh_gate_times(real a, real b, const gelu_tanh_gate *gate, reach *r)
{
    return gated_by_logistic(a, b, gate->z, gate->e, r);
}

/* G(a) of normal.cl, also beyond GELU_END, by its asymptotic series. */
INLINE wide any_normal_ratio(real a)
{
    const normal_ratio g = normal_ratio_of(at_most(a, GELU_END));
    const wide near = wide_normalise(wide_increase(wide_of(g.main), g.rest));
    const real u = 1 / (a * a);
    real s = fma((real)-13, u, (real)1);
    s = fma((real)-11 * u, s, (real)1);
    s = fma((real)-9 * u, s, (real)1);
    s = fma((real)-7 * u, s, (real)1);
    s = fma((real)-5 * u, s, (real)1);
    s = -u * fma((real)-3 * u, s, (real)1);
    const wide far = wide_normalise(wide_increase(wide_div(INVERSE_SQRT_2_PI, wide_of(a)), s));
    return wide_select(a > GELU_END, far, near);
}

INLINE real gelu_gated_far(real a, real b)
{
    const reach r = {false};
    const bell c = bell_of(a, &r);
    const mask negative = a < 0;
    const wide tail = wide_mul(c.e.m, any_normal_ratio(c.a));
    /* Behind NORMAL_END the tail is 0 unless a makes it more than that. */
    const real clamped = a == -INFINITY ? a : at_least(a, -NORMAL_END);
    return gated_far(clamped, b, wide_select(negative, tail, wide_one_minus(tail)),
                     negative ? c.e.n : (mask)0);
}

/* Of gelu_forward(), which y is but for the product: |a| e^(-a^2 / 2), lifted, and G(|a|). */
typedef struct {
    wide bell;
    normal_ratio g;
} gelu_gate;

INLINE void gelu_gate_first(real a, gelu_gate *gate)
{
    const real x = at_most(fabs(a), GELU_END);
    const scaled e = exp_of(wide_product(x, (real)-0.5f * x));
    gate->bell = wide_mul(wide_of(x * power_of_two(e.n + LIFT)), e.m);
}

INLINE void gelu_gate_second(real a, gelu_gate *gate)
{
    gate->g = gelu_forward_first(a);
}

INLINE real gelu_gate_times(real a, real b, const gelu_gate *of_a, reach *r)
{
    const wide tail = wide_increase(wide_mul(of_a->bell, wide_of(of_a->g.main)), of_a->g.rest);
    const real lifted = (AS_MASK(a) < 0 ? (real)-0.0f : a) * (real)(1 / TWO_TO_MINUS_LIFT);
    wide gate = wide_of(lifted - tail.hi);
#ifdef CLACT_PAIRS
    gate.lo = -(tail.lo + (tail.hi - (lifted - gate.hi)));
#endif
    const real y = wide_scaled_by(gate, b) * TWO_TO_MINUS_LIFT;
    const mask far = !(fabs(a) <= GATE_LARGE) | !(fabs(b) <= (real)(NEAR_LARGE / 16));
    return is_any_far(r, far) ? (far ? gelu_gated_far(a, b) : y) : y;
}

#define HAS_STEPS_sigmoid_gate 1
#define HAS_STEPS_silu_gate 1
#define HAS_STEPS_gelu_gate 1
#define HAS_STEPS_gelu_tanh_gate 1

/* The steps; other operators are one product. */
#if PASTE(HAS_STEPS_, CLACT_GATE)
#define GATE CLACT_GATE
#define GATE_FIRST(a, gate) PASTE(CLACT_GATE, _first)(a GATE_PARAMETERS, gate)
#define GATE_SECOND(a, gate) PASTE(CLACT_GATE, _second)(a GATE_PARAMETERS, gate)
#define GATED(a, b, gate, r) PASTE(CLACT_GATE, _times)(a, b GATE_PARAMETERS, gate, r)
#else
#define GATE real
#define GATE_FIRST(a, gate) (void)(gate)
#define GATE_SECOND(a, gate) (void)(gate)
#define GATED(a, b, gate, r) (CLACT_GATE_FORWARD(a GATE_PARAMETERS) * b)
#endif

/* act(a) * b, of operands of which nothing has been asked. */
INLINE real any_gated(real a, real b, params p)
{
    reach r = {false, 0};
    GATE gate;
    GATE_FIRST(a, &gate);
    GATE_SECOND(a, &gate);
    return GATED(a, b, &gate, &r);
}

#ifdef CLACT_GATED_BACKWARD

/* From SLOPE_LARGE on, and below TIMES_SMALL, grad * b is made one of 2^SLOPE_UP or 2^SLOPE_DOWN, from
 * which any slope that makes a difference to the result is far enough from the ends of the range. */
#ifdef CLACT_STORAGE_F64
#define SLOPE_LARGE 0x1p1022
#define SLOPE_UP 1016
#define SLOPE_DOWN -500
#define SMALLEST_NORMAL DBL_MIN
#else
#define SLOPE_LARGE 0x1p126f
#define SLOPE_UP 120
#define SLOPE_DOWN -60
#define SMALLEST_NORMAL FLT_MIN
#endif

#if PASTE(HAS_REACH_, CLACT_GATE_SLOPE)
#define GATE_REACH(r) , r
#else
#define GATE_REACH(r)
#endif

/* g * act'(a). The slope is the same for both parts of g; the compiler computes it once. */
INLINE real gate_slope_times(wide g, real a, params p, reach *r)
{
    const real dx = CLACT_GATE_SLOPE(g.hi, a GATE_PARAMETERS GATE_REACH(r));
#ifdef CLACT_PAIRS
    /* Infinities have no low part. */
    const real g_lo = fabs(g.hi) <= REAL_MAX ? g.lo : (real)0;
    const real low = CLACT_GATE_SLOPE(g_lo, a GATE_PARAMETERS GATE_REACH(r));
    return low == 0 ? dx : dx + low;
#else
    return dx;
#endif
}

/* Slopes that are 0 or 1: what they are multiplied by is rounded once. */
#define IS_EXACT_relu_from_input 1

/* grad * b * act'(a) */
INLINE real gated_slope(real grad, real a, real b, params p, reach *r)
{
#if PASTE(IS_EXACT_, CLACT_GATE_SLOPE)
    return CLACT_GATE_SLOPE(grad * b, a);
#else
    wide g = wide_product(grad, b);
    const real size = fabs(g.hi);
    /* Zeros are not so rare, and need no more than this. */
    const mask far = (size >= SLOPE_LARGE) | ((size < TIMES_SMALL) & (grad != 0) & (b != 0));
    if (!is_any_far(r, far))
        return gate_slope_times(g, a, p, r);
    const mask moved = far & (fabs(grad) <= REAL_MAX) & (fabs(b) <= REAL_MAX);
    const scaled product = scaled_product(grad, b);
    const mask n = product.n > 0 ? (mask)SLOPE_UP : (mask)SLOPE_DOWN;
    g = wide_select(moved, wide_scale(product.m, power_of_two(n)), g);
    const mask left = moved ? product.n - n : (mask)0;
    const real da = gate_slope_times(g, a, p, r);
    /* Whether a slope this small is lost must not depend on the arithmetic. */
    const mask lost = (left > 0) & (fabs(da) < SMALLEST_NORMAL);
    const mask half_left = left >> 1;
    return (lost ? copysign((real)0, da) : da) * power_of_two(half_left) *
           power_of_two(left - half_left);
#endif
}

#endif

/* Stores a vector, past the cache where it is aligned to a whole one. */
INLINE void put(global storage *p, real v, bool aligned)
{
#ifdef HAS_STREAM
    if (aligned) {
        stream(p, v);
        return;
    }
#endif
    store(p, v);
}

INLINE ulong misalignment(global storage *p)
{
    return ((ulong)p / sizeof(storage)) % CLACT_WIDTH;
}

/* A row of each operand; y is da in a gradient. */
typedef struct {
    global const storage *grad, *a, *b;
    global storage *y, *db;
} gated_row;

/* What act(a) is multiplied by. */
#ifdef CLACT_GATED_BACKWARD
#define FACTOR(r) (r).grad
#else
#define FACTOR(r) (r).b
#endif

/* The n <= CLACT_WIDTH elements from i. */
INLINE void gate_elements(gated_row r, ulong i, ulong n, params p)
{
    const bool whole = n == CLACT_WIDTH;
    const real a = whole ? load(r.a + i) : load_part(r.a + i, n);
    const real b = whole ? load(r.b + i) : load_part(r.b + i, n);
#ifdef CLACT_GATED_BACKWARD
    reach asked = {false, 0};
    const real grad = whole ? load(r.grad + i) : load_part(r.grad + i, n);
    const real y = gated_slope(grad, a, b, p, &asked);
    const real db = any_gated(a, grad, p);
    if (whole)
        store(r.db + i, db);
    else
        store_part(r.db + i, db, n);
#else
    const real y = any_gated(a, b, p);
#endif
    if (whole)
        store(r.y + i, y);
    else
        store_part(r.y + i, y, n);
}

INLINE gated_row row_from(gated_row r, ulong i)
{
    r.a += i;
    r.b += i;
    r.y += i;
#ifdef CLACT_GATED_BACKWARD
    r.grad += i;
    r.db += i;
#endif
    return r;
}

/* So many vectors are done at once, and asked whether an element of them is far. They stay in the cache
 * meanwhile. Where vectors are short, on a GPU, an item has no more than one. */
#define VECTORS (sizeof(real) >= 64 ? 16 : 1)
#define BLOCK (VECTORS * CLACT_WIDTH)

/* The whole vectors from i to the end; y is aligned to one where that matters. False, and nothing is
 * stored, if any element is far. All are asked before any is stored: an output may be an operand. */
INLINE bool gate_near(gated_row r, ulong i, ulong end, params p)
{
    reach asked = {true, 0};
    GATE gates[VECTORS];
    const size_t n = (end - i) / CLACT_WIDTH;
    r = row_from(r, i);
#ifdef CLACT_GATED_BACKWARD
    real da[VECTORS];
    const bool aligned = misalignment(r.db) == 0;
    for (size_t k = 0; k < n; k++)
        da[k] = gated_slope(VECTOR_OF(r.grad, k), VECTOR_OF(r.a, k), VECTOR_OF(r.b, k), p, &asked);
#endif
    for (size_t k = 0; k < n; k++) {
        const real a = VECTOR_OF(r.a, k);
        GATE_FIRST(a, &gates[k]);
        GATED(a, VECTOR_OF(FACTOR(r), k), &gates[k], &asked);
    }
    if (rarely(asked.far))
        return false;
    for (size_t k = 0; k < n; k++)
        GATE_SECOND(VECTOR_OF(r.a, k), &gates[k]);
    for (size_t k = 0; k < n; k++) {
        const real y = GATED(VECTOR_OF(r.a, k), VECTOR_OF(FACTOR(r), k), &gates[k], &asked);
#ifdef CLACT_GATED_BACKWARD
        put(r.db + k * CLACT_WIDTH, y, aligned);
        put(r.y + k * CLACT_WIDTH, da[k], true);
#else
        put(r.y + k * CLACT_WIDTH, y, true);
#endif
    }
    return true;
}

/* All that is not near, or no whole vector, is done in one place, as compiling it takes long. */
INLINE void gate_row(gated_row r, ulong first, ulong last, params p)
{
    ulong i = first;
    while (i < last) {
#ifdef HAS_STREAM
        /* Up to a whole vector's boundary, then past the cache. */
        const ulong misaligned = misalignment(r.y + i);
#else
        const ulong misaligned = 0;
#endif
        const ulong n = min((ulong)BLOCK, last - i);
        const bool whole = !misaligned && n >= CLACT_WIDTH;
        const ulong end = i + (whole ? n - n % CLACT_WIDTH : min(CLACT_WIDTH - misaligned, n));
        if (whole && gate_near(r, i, end, p)) {
            i = end;
            continue;
        }
        for (; i < end; i += min((ulong)CLACT_WIDTH, end - i))
            gate_elements(r, i, min((ulong)CLACT_WIDTH, end - i), p);
    }
}

WHOLE_REGISTERS
kernel void PASTE(clact_, CLACT_GATED)(
#ifdef CLACT_GATED_BACKWARD
    global const storage *grad, ulong grad_offset, ulong grad_stride,
#endif
    global const storage *a, ulong a_offset, ulong a_stride, global const storage *b, ulong b_offset,
    ulong b_stride, global storage *y, ulong y_offset, ulong y_stride,
#ifdef CLACT_GATED_BACKWARD
    global storage *db, ulong db_offset, ulong db_stride,
#endif
    ulong rows, ulong cols, ulong row_span, ulong col_span
#ifdef CLACT_HAS_PARAMETERS
    ,
    PASTE(ELEMENT, 4) parameters
#endif
)
{
#ifdef CLACT_HAS_PARAMETERS
    params p = {parameters.x, parameters.y, parameters.z, false};
    p.extreme = !(p.beta >= SMALL_BETA && p.beta <= 1 / SMALL_BETA);
#else
    const params p = {0, 0, 0, false};
#endif
    const ulong first_row = min(get_global_id(1) * row_span, rows);
    const ulong last_row = min(first_row + row_span, rows);
    /* An item that only fills up its group has an empty range, never one that ends before it starts. */
    const ulong first = min(get_global_id(0) * col_span, cols);
    const ulong last = min(first + col_span, cols);
    for (ulong row = first_row; row < last_row; row++) {
        gated_row r;
        r.a = a + a_offset + row * a_stride;
        r.b = b + b_offset + row * b_stride;
        r.y = y + y_offset + row * y_stride;
#ifdef CLACT_GATED_BACKWARD
        r.grad = grad + grad_offset + row * grad_stride;
        r.db = db + db_offset + row * db_stride;
#endif
#if PASTE(HAS_STEPS_, CLACT_GATE) && defined(CLACT_HAS_BETA)
        /* Decided here, and not for each vector. */
        if (p.beta == 1) {
            const params plain = {p.alpha, 1, p.gamma, false};
            gate_row(r, first, last, plain);
            continue;
        }
#endif
        gate_row(r, first, last, p);
    }
}

#endif
