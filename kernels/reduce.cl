/* SPDX-License-Identifier: MIT */
/*
 * Sums of any number of elements whose bits depend on nothing but the elements.
 *
 * The elements, in the order of their rows, are cut into chunks of a fixed number, and a chunk's are
 * dealt out to LANES lanes in turn. A lane adds up its own, in order, as a sum of two reals: a high
 * part, and what its roundings have left over (T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot
 * product", SIAM J. Sci. Comput. 26, 2005). The kernels that have the elements do that and write the
 * lanes of their chunks; the kernel below adds those up, also in an order that their number decides.
 *
 * The functions are for the losses' kernel; the one below is compiled where CLACT_REDUCE is defined.
 */
#if defined(CLACT_BCE) || defined(CLACT_REDUCE)

#define LANES 16
/* So many work-items have a chunk together, each of them a vector of its lanes. */
#define TEAM (LANES / CLACT_WIDTH)

/* Of each lane. Where hi is infinite lo is 0 or NaN, and does not count. */
typedef struct {
    real hi, lo;
} sums;

/* a + b as a sum of two. */
INLINE sums two_sum(real a, real b)
{
    sums s;
    s.hi = a + b;
    const real of_b = s.hi - a;
    s.lo = (a - (s.hi - of_b)) + (b - of_b);
    return s;
}

INLINE real wide_low(wide a)
{
#ifdef CLACT_PAIRS
    return a.lo;
#else
    return (real)0;
#endif
}

/* One element more. The low parts are not carried over: a lane has few elements. */
INLINE sums sums_add_wide(sums s, wide a)
{
    sums t = two_sum(s.hi, a.hi);
    t.lo += s.lo + wide_low(a);
    return t;
}

/* With a low part of at most half an ulp of the high one, and of 0 next to an infinite one. */
INLINE sums sums_settle(sums s)
{
    const real hi = s.hi + s.lo;
    sums t;
    t.hi = fabs(s.hi) == INFINITY ? s.hi : hi;
    t.lo = fabs(t.hi) == INFINITY ? (real)0 : (s.hi - hi) + s.lo;
    return t;
}

INLINE sums sums_add(sums a, sums b)
{
    sums t = two_sum(a.hi, b.hi);
    t.lo += a.lo + b.lo;
    return sums_settle(t);
}

/* The lanes of chunk c from `lane` on: all the high parts, then all the low ones. */
INLINE sums sums_load(global const ELEMENT *p, ulong c, size_t lane)
{
    sums s;
    s.hi = VLOAD(p + c * (2 * LANES) + lane);
    s.lo = VLOAD(p + c * (2 * LANES) + LANES + lane);
    return s;
}

INLINE void sums_store(global ELEMENT *p, ulong c, size_t lane, sums s)
{
    const sums settled = sums_settle(s);
    VSTORE(settled.hi, p + c * (2 * LANES) + lane);
    VSTORE(settled.lo, p + c * (2 * LANES) + LANES + lane);
}

#ifdef CLACT_REDUCE

/* The chunks are cut into so many runs, which are added up side by side. */
#define RUNS 64

/* The same for one lane. */
typedef struct {
    ELEMENT hi, lo;
} lane_sum;

INLINE lane_sum lane_add(lane_sum a, ELEMENT b_hi, ELEMENT b_lo)
{
    lane_sum t;
    const ELEMENT sum = a.hi + b_hi;
    const ELEMENT of_b = sum - a.hi;
    const ELEMENT low = ((a.hi - (sum - of_b)) + (b_hi - of_b)) + (a.lo + b_lo);
    const ELEMENT hi = sum + low;
    t.hi = fabs(sum) == INFINITY ? sum : hi;
    t.lo = fabs(t.hi) == INFINITY ? 0 : (sum - hi) + low;
    return t;
}

/* All the runs, lane by lane, and then all the lanes. */
INLINE wide total_of(local const ELEMENT *his, local const ELEMENT *los)
{
    lane_sum total = {0, 0};
    for (size_t lane = 0; lane < LANES; lane += CLACT_WIDTH) {
        sums s = {(real)0, (real)0};
        for (size_t run = 0; run < RUNS; run++) {
            sums of_run;
            of_run.hi = VLOAD(his + run * LANES + lane);
            of_run.lo = VLOAD(los + run * LANES + lane);
            s = sums_add(s, of_run);
        }
        ELEMENT hi[CLACT_WIDTH], lo[CLACT_WIDTH];
        VSTORE(s.hi, hi);
        VSTORE(s.lo, lo);
        for (size_t k = 0; k < CLACT_WIDTH; k++)
            total = lane_add(total, hi[k], lo[k]);
    }
    return wide_constant(total.hi, total.lo);
}

/* result = (the sum of all lanes of the `chunks` chunks) / divisor, for one work-group of any size. */
kernel void clact_reduce(global const ELEMENT *partials, ulong partials_offset,
                         ulong partials_stride, global storage *result, ulong result_offset,
                         ulong result_stride, ulong rows, ulong chunks, ulong row_span, ulong run,
                         PASTE(ELEMENT, 4) divisor)
{
    local ELEMENT his[RUNS * LANES], los[RUNS * LANES];
    for (size_t unit = get_local_id(0); unit < RUNS * TEAM; unit += get_local_size(0)) {
        const size_t lane = unit % TEAM * CLACT_WIDTH;
        const ulong first = min(unit / TEAM * run, chunks);
        const ulong last = min(first + run, chunks);
        sums s = {(real)0, (real)0};
        for (ulong c = first; c < last; c++)
            s = sums_add(s, sums_load(partials, c, lane));
        VSTORE(s.hi, his + unit / TEAM * LANES + lane);
        VSTORE(s.lo, los + unit / TEAM * LANES + lane);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (get_local_id(0) == 0 && chunks > 0) {
        const wide total = total_of(his, los);
        const real quotient = wide_round(wide_div(total, wide_constant(divisor.x, divisor.y)));
        const mask infinite = fabs(total.hi) == INFINITY;
        store_part(result + result_offset, infinite ? total.hi : quotient, 1);
    }
}

#endif

#endif
