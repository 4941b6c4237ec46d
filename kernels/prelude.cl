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
 * and for elementwise.cl: CLACT_BODY, CLACT_OPERANDS.
 *
 * storage  an element in memory
 * real     a vector of CLACT_WIDTH elements in registers, float or double
 * mask     the vector of integers of the same shape: a comparison's result, an exponent
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

#define AS_REAL(v) PASTE(as_, VECTOR(ELEMENT))(v)
#define AS_MASK(v) PASTE(as_, VECTOR(INTEGER))(v)
#define TO_REAL(v) PASTE(convert_, VECTOR(ELEMENT))(v)
#define TO_FLOAT(v) PASTE(convert_, VECTOR(float))(v)

/* LOAD(space, p) and STORE(space, v, p): CLACT_WIDTH elements at p in the address space `space`, with
 * no alignment beyond the element's. A store rounds once, to nearest even. */
#if defined(CLACT_STORAGE_F32)
#define STORED float
#ifdef REAL_IS_DOUBLE
#define LOAD(space, p) TO_REAL(VLOAD(p))
#define STORE(space, v, p) VSTORE(TO_FLOAT(v), p)
#else
#define LOAD(space, p) VLOAD(p)
#define STORE(space, v, p) VSTORE(v, p)
#endif

#elif defined(CLACT_STORAGE_F64)
#define STORED double
#define LOAD(space, p) VLOAD(p)
#define STORE(space, v, p) VSTORE(v, p)

#elif defined(CLACT_STORAGE_F16)
#define STORED ushort /* half itself may only be pointed to where cl_khr_fp16 is missing */
#define LOAD(space, p) PASTE(vload_half, WIDTH_SUFFIX)(0, (space const half *)(p))
#define STORE(space, v, p) PASTE(PASTE(vstore_half, WIDTH_SUFFIX), _rte)(v, 0, (space half *)(p))

#elif defined(CLACT_STORAGE_BF16)
#define STORED ushort
#define LOAD(space, p) from_bf16(VLOAD(p))
#define STORE(space, v, p) VSTORE(to_bf16(v), p)

INLINE real from_bf16(VECTOR(ushort) v)
{
    return AS_REAL(PASTE(convert_, VECTOR(uint))(v) << 16);
}

INLINE VECTOR(ushort) to_bf16(real v)
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

/* STREAM(v, p): a STORE to global memory past the cache, for a p that is aligned to a whole vector. */
#if defined(CLACT_STREAMS) && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define HAS_STREAM
INLINE void STREAM(real v, global storage *p)
{
    storage packed[CLACT_WIDTH];
    STORE(private, v, packed);
    __builtin_nontemporal_store(VLOAD(packed), (global VECTOR(STORED) *)p);
}
#endif
#endif

/* The first n < CLACT_WIDTH elements at p; the other lanes repeat the last of them. */
INLINE real load_part(global const storage *p, size_t n)
{
    storage part[CLACT_WIDTH];
    for (size_t i = 0; i < CLACT_WIDTH; i++)
        part[i] = p[min(i, n - 1)];
    return LOAD(private, part);
}

/* Stores the first n lanes and touches nothing behind them. */
INLINE void store_part(global storage *p, real v, size_t n)
{
    storage part[CLACT_WIDTH];
    STORE(private, v, part);
    for (size_t i = 0; i < n; i++)
        p[i] = part[i];
}
