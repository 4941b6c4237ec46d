/* SPDX-License-Identifier: MIT */
/*
 * Gated linear units: act(a) * b, forward and gradients.
 *
 *   CLACT_GATED              what the kernel is called, such as mish_gated_forward
 *   CLACT_GATE_FORWARD       the operator's functions in activations.cl, such as mish_forward
 *   CLACT_GATE_SLOPE         and mish_from_input
 *   CLACT_GATE_UNIT          the function below that rounds act(a) * b once, such as silu_gated, for
 *                            operators that have one
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
 * Of a * b, where the units' short way is right: its low part is exact from TIMES_SMALL on, and up to
 * NEAR_LARGE it is 0 beyond FORWARD_FLOOR and GELU_END when multiplied by the gate.
 */
#ifdef CLACT_STORAGE_F64
#define NEAR_LARGE 0x1p64
#else
#define NEAR_LARGE 0x1p16f
#endif

/* The sign bit alone, set where |product| is not from TIMES_SMALL to `large`. As integers, since the
 * results of comparisons take some devices as long to put together. */
INLINE mask outside(real product, ELEMENT large)
{
    const mask least = AS_MASK((real)TIMES_SMALL);
    const mask above = AS_MASK(fabs(product)) - least;
    return (above | (AS_MASK((real)large) - least - above)) & AS_MASK((real)-0.0f);
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
    const real excess = fma(y, d.lo, fma(y, d.hi, -a.hi)) - a.lo;
    return fma(-excess, q, y);
#else
    return y;
#endif
}

/* a * b * s(z), where d is (1 + e^-z) / 2^LIFT. */
INLINE real gated_by_logistic(real a, real b, wide z, wide d)
{
    const wide product = wide_product(a, b);
    const real y = gated_quotient(product, d) * TWO_TO_MINUS_LIFT;
    const mask out = outside(product.hi, NEAR_LARGE);
    const mask far = (out != 0) & (product.hi != 0);
    if (!rarely(out) || !rarely(far))
        return y;
    const logistic l = logistic_of(z);
    const mask negative = z.hi < 0;
    const wide numerator = wide_select(negative, l.e.m, wide_of((real)1));
    return far ? gated_far(a, b, wide_div(numerator, l.d), negative ? l.e.n : (mask)0) : y;
}

INLINE real sigmoid_gated(real a, real b)
{
    const wide d = lifted_denominator(wide_of(a));
    const real y = gated_quotient(wide_of(b), d) * TWO_TO_MINUS_LIFT;
    const mask out = outside(b, NEAR_LARGE);
    const mask far = (out != 0) & (b != 0);
    if (!rarely(out) || !rarely(far))
        return y;
    return far ? any_logistic_times(wide_of(a), b) : y;
}

INLINE real silu_gated(real a, real b, params p)
{
    if (p.beta == 1) /* decided when the kernel starts; nothing is left over then */
        return gated_by_logistic(a, b, wide_of(a), lifted_denominator(wide_of(a)));
    const wide z = wide_product(a, (real)p.beta);
    return gated_by_logistic(a, b, z, lifted_denominator(z));
}

INLINE real gelu_tanh_gated(real a, real b)
{
    const wide z = gelu_tanh_argument(gelu_tanh_clamped(a), (real)1);
    return gated_by_logistic(a, b, z, lifted_denominator(z));
}

INLINE real gelu_gated_far(real a, real b)
{
    const reach r = {false};
    const bell c = bell_of(a, &r);
    const mask negative = a < 0;
    const wide tail = wide_mul(c.e.m, wide_normal_ratio(c.a));
    const wide other = wide_add(wide_of((real)1), wide_negate(tail));
    /* Behind NORMAL_END the tail is 0 unless a makes it more than that. */
    const real clamped = a == -INFINITY ? a : at_least(a, -NORMAL_END);
    return gated_far(clamped, b, wide_select(negative, tail, other), negative ? c.e.n : (mask)0);
}

/* a * b * P(a), as gelu_forward has it. */
INLINE real gelu_gated(real a, real b)
{
    const wide product = wide_product(a, b);
    const real x = at_most(fabs(a), GELU_END);
    const wide t = wide_product(x, (real)-0.5f * x);
    const scaled e = exp_of(t);
    const wide m = wide_normalise(e.m);
    const wide lifted = wide_mul(wide_scale(m, power_of_two(e.n + LIFT)), wide_normal_ratio(x));
    const wide tail = wide_scale(lifted, (real)TWO_TO_MINUS_LIFT);
    const mask negative = a < 0;
    const wide probability = wide_select(negative, lifted, wide_one_minus(tail));
    const real gated = wide_round(wide_mul(probability, product));
    const real y = negative ? gated * TWO_TO_MINUS_LIFT : gated;
    const mask out = outside(product.hi, NEAR_LARGE);
    /* Adding the low part of a -0 makes it +0. */
    const real near_y = product.hi == 0 ? product.hi : y;
    const mask far = (out != 0) & (product.hi != 0);
    if (!rarely(out) || !rarely(far))
        return near_y;
    return far ? gelu_gated_far(a, b) : near_y;
}

INLINE real relu_gated(real a, real b)
{
    return relu_forward(a) * b;
}

/* act(a) * b */
INLINE real gated(real a, real b, params p)
{
#ifdef CLACT_GATE_UNIT
    return CLACT_GATE_UNIT(a, b GATE_PARAMETERS);
#else
    return CLACT_GATE_FORWARD(a GATE_PARAMETERS) * b;
#endif
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
#define GATE_REACH , &r
#else
#define GATE_REACH
#endif

/* grad * act'(a), of operands of which nothing has been asked. */
INLINE real gate_slope_times(real grad, real a, params p)
{
    reach r = {false};
    return CLACT_GATE_SLOPE(grad, a GATE_PARAMETERS GATE_REACH);
}

/* g * act'(a). The slope is the same for both parts of g; the compiler computes it once. */
INLINE real wide_gate_slope_times(wide g, real a, params p)
{
    const real dx = gate_slope_times(g.hi, a, p);
#ifdef CLACT_PAIRS
    /* Infinities have no low part. */
    const real low = gate_slope_times(fabs(g.hi) <= REAL_MAX ? g.lo : (real)0, a, p);
    return low == 0 ? dx : dx + low;
#else
    return dx;
#endif
}

/* grad * b * act'(a) */
INLINE real gated_slope(real grad, real a, real b, params p)
{
    wide g = wide_product(grad, b);
    const mask out = outside(g.hi, SLOPE_LARGE);
    mask far = (mask)0;
    mask left = (mask)0;
    if (rarely(out)) /* zeros are not so rare, and need no more than this */
        far = (out != 0) & (grad != 0) & (b != 0) & (fabs(grad) <= REAL_MAX) & (fabs(b) <= REAL_MAX);
    if (rarely(far)) {
        const scaled product = scaled_product(grad, b);
        const mask n = product.n > 0 ? (mask)SLOPE_UP : (mask)SLOPE_DOWN;
        g = wide_select(far, wide_scale(product.m, power_of_two(n)), g);
        left = far ? product.n - n : (mask)0;
    }
    const real da = wide_gate_slope_times(g, a, p);
    if (!rarely(far))
        return da;
    /* Whether a slope this small is lost must not depend on the arithmetic. */
    const mask lost = far & (left > 0) & (fabs(da) < SMALLEST_NORMAL);
    const mask half_left = left >> 1;
    return (lost ? copysign((real)0, da) : da) * power_of_two(half_left) *
           power_of_two(left - half_left);
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

/* The n <= CLACT_WIDTH elements from i; a whole vector of y is aligned to one where that matters. */
INLINE void gate_elements(gated_row r, ulong i, ulong n, params p)
{
    const bool whole = n == CLACT_WIDTH;
    const real a = whole ? load(r.a + i) : load_part(r.a + i, n);
    const real b = whole ? load(r.b + i) : load_part(r.b + i, n);
#ifdef CLACT_GATED_BACKWARD
    const real grad = whole ? load(r.grad + i) : load_part(r.grad + i, n);
    const real y = gated_slope(grad, a, b, p);
    const real db = gated(a, grad, p);
    if (whole)
        put(r.db + i, db, misalignment(r.db + i) == 0);
    else
        store_part(r.db + i, db, n);
#else
    const real y = gated(a, b, p);
#endif
    if (whole)
        put(r.y + i, y, true);
    else
        store_part(r.y + i, y, n);
}

/* What is before the first whole vector and behind the last is done in one place, as compiling it takes
 * long. */
INLINE void gate_row(gated_row r, ulong first, ulong last, params p)
{
    ulong i = first, part = 0;
#ifdef HAS_STREAM
    /* Up to a whole vector's boundary, then past the cache. */
    part = min((CLACT_WIDTH - misalignment(r.y + first)) % CLACT_WIDTH, last - first);
#endif
    do {
        if (part) {
            gate_elements(r, i, part, p);
            i += part;
        }
        for (; i + CLACT_WIDTH <= last; i += CLACT_WIDTH)
            gate_elements(r, i, CLACT_WIDTH, p);
        part = last - i;
    } while (part);
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
        gate_row(r, first, last, p);
    }
}

#endif
