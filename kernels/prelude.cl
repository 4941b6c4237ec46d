/* SPDX-License-Identifier: MIT */
/*
 * The types that everything else is written in, and the way in and out of memory.
 *
 * The host sets, by -D:
 *   CLACT_STORAGE_F32, _F16, _BF16 or _F64   how an element lies in memory
 *   CLACT_WIDTH                              elements per vector: 1, 2, 4, 8 or 16
 *   CLACT_DOUBLES                            for f32 storage: compute in f64
 *   CLACT_PAIRS                              compute in pairs of reals: see wide.cl
 *   CLACT_STREAMS                            store past the cache where the compiler can
 * and the kernel: for a pointwise one CLACT_BODY, CLACT_INPUTS, CLACT_HAS_PARAMETERS and CLACT_HAS_BETA
 * (elementwise.cl), for any other what its file says in front.
 *
 * storage  an element in memory
 * real     a vector of CLACT_WIDTH elements in registers, float or double
 * mask     the vector of integers of the same shape: a comparison's result, an exponent
 * params   the parameters of a call, the same for all elements
 */
#pragma OPENCL FP_CONTRACT OFF /* every fma below is written out; no other may appear */

#if defined(CLACT_STORAGE_F64) || defined(CLACT_DOUBLES)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define REAL_IS_DOUBLE
#define ELEMENT double
#define INTEGER long
#else
#define ELEMENT float
#define INTEGER int
#endif

/* A call would pass its vectors through memory. As none remains, what clang says of vectors that are
 * wider than the device's, that their calling convention may change, concerns nobody. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpsabi"
#endif
#define INLINE static __attribute__((always_inline))

/* The compiler is to keep what a branch needs off the way around it. */
#ifdef __clang__
#define UNLIKELY(condition) __builtin_expect(condition, 0)
#else
#define UNLIKELY(condition) (condition)
#endif

/* Compilers for AVX-512 keep to 256 bits unless they are told that a kernel wants more. */
#if defined(__clang__) && defined(__x86_64__)
#define WHOLE_REGISTERS __attribute__((min_vector_width(512)))
#else
#define WHOLE_REGISTERS
#endif

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

#if CLACT_WIDTH == 1
#define VECTOR(type) type
#define VLOAD(p) (*(p))
#define VSTORE(v, p) (*(p) = (v))
#define WIDTH_SUFFIX
#else
#define VECTOR(type) PASTE(type, CLACT_WIDTH)
#define VLOAD(p) PASTE(vload, CLACT_WIDTH)(0, p)
#define VSTORE(v, p) PASTE(vstore, CLACT_WIDTH)(v, 0, p)
#define WIDTH_SUFFIX CLACT_WIDTH
#endif

typedef VECTOR(ELEMENT) real;
typedef VECTOR(INTEGER) mask;

typedef struct {
    ELEMENT alpha, beta, gamma;
    bool extreme; /* beta is not between SMALL_BETA and 1 / SMALL_BETA */
} params;

/* From this beta on what the tails of the operators are cut at is 0 even when divided by beta; up to its
 * inverse, what is divided by beta is not subnormal before its tail is. */
#ifdef CLACT_STORAGE_F64
#define SMALL_BETA 0x1p-300
#else
#define SMALL_BETA 0x1p-10f
#endif

/* Whether a comparison holds for any element, where it hardly ever does. any() would ask each element by
 * itself. */
INLINE bool rarely(mask v)
{
#if CLACT_WIDTH == 16
    const PASTE(INTEGER, 8) of_8 = v.lo | v.hi;
#elif CLACT_WIDTH == 8
    const mask of_8 = v;
#endif
#if CLACT_WIDTH >= 8
    const PASTE(INTEGER, 4) of_4 = of_8.lo | of_8.hi;
#elif CLACT_WIDTH == 4
    const mask of_4 = v;
#endif
#if CLACT_WIDTH >= 4
    const PASTE(INTEGER, 2) of_2 = of_4.lo | of_4.hi;
#elif CLACT_WIDTH == 2
    const mask of_2 = v;
#endif
#if CLACT_WIDTH == 1
    return UNLIKELY(v != 0);
#else
    return UNLIKELY((of_2.x | of_2.y) != 0);
#endif
}

/*
 * Some operands are far: what leads to the result over- or underflows unless it is done with care. Hardly
 * any are. So it is asked of some vectors at once, before they are computed (elementwise.cl, gated.cl), and
 * the loop over those that are near has no branch, which would cost it a third.
 */
typedef struct {
    bool near; /* no element is far */
    mask far;  /* the elements that are far, in any of the vectors asked */
} reach;

/* Whether any element is far. `far` must depend on nothing but the operands: where only that is asked,
 * nothing else is computed. */
INLINE bool is_any_far(reach *r, mask far)
{
    r->far |= far;
    return !r->near && rarely(far);
}

#define AS_REAL(v) PASTE(as_, VECTOR(ELEMENT))(v)
#define AS_MASK(v) PASTE(as_, VECTOR(INTEGER))(v)
#define TO_REAL(v) PASTE(convert_, VECTOR(ELEMENT))(v)
#define TO_FLOAT(v) PASTE(convert_, VECTOR(float))(v)

/* unpack() and pack(): from and to the elements as they are stored. pack() rounds once, to nearest even. */
#if defined(CLACT_STORAGE_F32)
#define STORED float
#define STORED_BYTES 4
#ifdef REAL_IS_DOUBLE
#define unpack(v) TO_REAL(v)
#define pack(v) TO_FLOAT(v)
#else
#define unpack(v) (v)
#define pack(v) (v)
#endif

#elif defined(CLACT_STORAGE_F64)
#define STORED double
#define STORED_BYTES 8
#define unpack(v) (v)
#define pack(v) (v)

#elif defined(CLACT_STORAGE_F16)
#define STORED ushort /* half itself may only be pointed to where cl_khr_fp16 is missing */
#define STORED_BYTES 2

/* Through a variable of the vector's alignment: PoCL takes vload_half's pointer to have it. */
INLINE real unpack(VECTOR(ushort) v)
{
    return PASTE(vload_half, WIDTH_SUFFIX)(0, (private const half *)&v);
}

INLINE VECTOR(ushort) pack(real v)
{
    VECTOR(ushort) packed;
    PASTE(PASTE(vstore_half, WIDTH_SUFFIX), _rte)(v, 0, (private half *)&packed);
    return packed;
}

#elif defined(CLACT_STORAGE_BF16)
#define STORED ushort
#define STORED_BYTES 2

INLINE real unpack(VECTOR(ushort) v)
{
    return AS_REAL(PASTE(convert_, VECTOR(uint))(v) << 16);
}

INLINE VECTOR(ushort) pack(real v)
{
    const VECTOR(uint) bits = PASTE(as_, VECTOR(uint))(v);
    /* Adding just under half of the last place that stays, or half where that place is odd, carries
     * into it exactly when rounding to nearest even goes up. A NaN would carry into infinity. */
    const VECTOR(uint) rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const VECTOR(uint) quiet = bits | 0x400000;
    return PASTE(convert_, VECTOR(ushort))(((v != v) ? quiet : rounded) >> 16);
}
#endif

typedef STORED storage;

/* CLACT_WIDTH elements at p, with no alignment beyond the element's. */
INLINE real load(global const storage *p)
{
    return unpack(VLOAD(p));
}

/* Of the vectors from p on the one with the number k. */
#define VECTOR_OF(p, k) load((p) + (k) * CLACT_WIDTH)

INLINE void store(global storage *p, real v)
{
    VSTORE(pack(v), p);
}

/* A store past the cache, for a p that is aligned to a whole vector. */
#if defined(CLACT_STREAMS) && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define HAS_STREAM
INLINE void stream(global storage *p, real v)
{
    __builtin_nontemporal_store(pack(v), (global VECTOR(STORED) *)p);
}
#endif
#endif

/* Stores a vector, past the cache where that is wanted and the vector is aligned to a whole one. */
INLINE void store_past_cache(global storage *p, real v)
{
#ifdef HAS_STREAM
    if ((ulong)p % sizeof(VECTOR(STORED)) == 0) {
        stream(p, v);
        return;
    }
#endif
    store(p, v);
}

/* The first n < CLACT_WIDTH elements at p; the other lanes repeat the last of them. */
INLINE real load_part(global const storage *p, size_t n)
{
    storage part[CLACT_WIDTH];
    for (size_t i = 0; i < CLACT_WIDTH; i++)
        part[i] = p[min(i, n - 1)];
    return unpack(VLOAD(part));
}

/* Stores the first n lanes and touches nothing behind them. */
INLINE void store_part(global storage *p, real v, size_t n)
{
    storage part[CLACT_WIDTH];
    VSTORE(pack(v), part);
    for (size_t i = 0; i < n; i++)
        p[i] = part[i];
}
