/* SPDX-License-Identifier: MIT */
/*
 * What the device can move: kernels that read INPUTS arrays (1 to 4, set by -D) and write one, with
 * as good as no arithmetic. An item does one short vector, as GPUs like it, or a block of 4096
 * bytes, as CPUs do; which is better on this device is measured.
 */
#if INPUTS == 1
#define OPERANDS(type) global const type *a, global type *y
#define INPUT(i) a[i]
#elif INPUTS == 2
#define OPERANDS(type) global const type *a, global const type *b, global type *y
#define INPUT(i) (a[i] ^ b[i])
#elif INPUTS == 3
#define OPERANDS(type)                                                                             \
    global const type *a, global const type *b, global const type *c, global type *y
#define INPUT(i) (a[i] ^ b[i] ^ c[i])
#else
#define OPERANDS(type)                                                                             \
    global const type *a, global const type *b, global const type *c, global const type *d,        \
        global type *y
#define INPUT(i) (a[i] ^ b[i] ^ c[i] ^ d[i])
#endif

#define BLOCK (4096 / sizeof(uint16))

kernel void copy_vectors(OPERANDS(uint4))
{
    const size_t i = get_global_id(0);
    y[i] = INPUT(i);
}

kernel void copy_blocks(OPERANDS(uint16))
{
    const size_t first = get_global_id(0) * BLOCK;
    for (size_t i = first; i < first + BLOCK; i++)
        y[i] = INPUT(i);
}

/* The same with stores past the cache, where the compiler has them. */
#ifdef __has_builtin
#if __has_builtin(__builtin_nontemporal_store)
kernel void stream_vectors(OPERANDS(uint4))
{
    const size_t i = get_global_id(0);
    __builtin_nontemporal_store(INPUT(i), y + i);
}

kernel void stream_blocks(OPERANDS(uint16))
{
    const size_t first = get_global_id(0) * BLOCK;
    for (size_t i = first; i < first + BLOCK; i++)
        __builtin_nontemporal_store(INPUT(i), y + i);
}
#endif
#endif
