/* SPDX-License-Identifier: MIT */
/* What the files of host/ share; what calls share is in call.h. A call comes in at clact.h; call.c
 * checks it, and launch.c asks program.c for a kernel, sets the arguments and enqueues. Nothing below
 * calls upward. */
#ifndef CLACT_INTERNAL_H
#define CLACT_INTERNAL_H

#include <clact/clact.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static inline size_t clact__at_least(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline size_t clact__at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Without dividing, which takes long, where there is no more than one b. */
static inline size_t clact__divide_up(size_t a, size_t b)
{
    return a <= b ? a != 0 : a / b + (a % b != 0);
}

/* ops.c: the table of operators */

typedef enum clact__direction {
    CLACT__FORWARD,
    CLACT__FROM_OUTPUT,
    CLACT__FROM_INPUT,
    CLACT__DIRECTIONS /* how many there are; also: none of them */
} clact__direction;

typedef struct clact__op {
    clact_operator value;
    const char *name;
    unsigned saved;      /* clact_saved values, or-ed */
    unsigned parameters; /* clact_parameter values, or-ed */
    unsigned positive;   /* those of them that have to be greater than 0 */
    clact_params defaults;
} clact__op;

enum {
#define CLACT_OPERATOR(value, NAME, ...) CLACT__ROW_##NAME,
#include <clact/ops.def>
#undef CLACT_OPERATOR
    CLACT__OPS
};

/* The rows of the map of dtypes, from 0, as CLACT__DTYPE_<NAME>. */
enum {
#define XX(value, NAME, name, size) CLACT__DTYPE_##NAME,
    CLACT_DTYPE_MAP(XX)
#undef XX
        CLACT__DTYPES
};

extern const clact__op clact__ops[CLACT__OPS];

/* clact_dtype_size, without a call. */
static inline size_t clact__dtype_size(clact_dtype dtype)
{
    switch (dtype) {
#define XX(value, NAME, name, size)                                                                \
    case CLACT_##NAME:                                                                             \
        return size;
        CLACT_DTYPE_MAP(XX)
        CLACT_LABEL_DTYPE_MAP(XX)
#undef XX
    }
    return 0;
}

/* The row of an operator; NULL for a value that is none. */
const clact__op *clact__op_find(clact_operator value);
/* "forward", "from_output" or "from_input": how the kernels name the function. */
const char *clact__direction_name(clact__direction direction);
/* CLACT__DIRECTIONS for a value that is no clact_saved. */
clact__direction clact__direction_of(clact_saved kind);
/* Whether the operator has this direction. */
bool clact__op_has(const clact__op *op, clact__direction direction);
/* Checks the direction that a caller wants of an operator. */
clact_status clact__direction_check(const clact_context *ctx, const clact__op *op,
                                    clact__direction direction);
/* The operands before the output: x, or grad and the saved value. */
unsigned clact__inputs(clact__direction direction);
/* Checks a caller's parameters, NULL for the defaults, and stores what the kernel is to compute
 * with: for all dtypes but f64 they are rounded to f32. */
clact_status clact__params_resolve(const clact_context *ctx, const clact__op *op, clact_dtype dtype,
                                   const clact_params *params, clact_params *resolved);
/* The float that is nearest. */
double clact__rounded_to_f32(double value);

/* status.c: what went wrong */

/* Functions that are rarely called: what leads to them is kept out of the way of the rest. */
#if defined(__GNUC__)
#define CLACT__PRINTF(text, first) __attribute__((format(printf, text, first)))
#define CLACT__RARE __attribute__((cold))
#else
#define CLACT__PRINTF(text, first)
#define CLACT__RARE
#endif

/* Records an error for this thread, tells the context's log, and returns `status`. */
CLACT__RARE clact_status clact__fail(const clact_context *ctx, clact_status status,
                                     const char *format, ...) CLACT__PRINTF(3, 4);
/* The same for an OpenCL call that returned `code`. */
CLACT__RARE clact_status clact__fail_cl(const clact_context *ctx, cl_int code, const char *call);
/* The same for a text of any length. */
CLACT__RARE clact_status clact__fail_text(const clact_context *ctx, clact_status status,
                                          cl_int code, const char *text);

/* device.c: which device, and how work is cut for it */

typedef struct clact__profile {
    bool has_f64;
    bool shares_memory;
    bool compiles_late;      /* its driver compiles a kernel when it is first launched */
    bool doubles;            /* compute f32 in f64 */
    size_t vector_width;     /* elements per vector, at the most */
    size_t vector_bytes;     /* and as many bytes as it loads at once, at the most */
    size_t group_size;       /* work-items per group */
    size_t item_elements;    /* a work-item has at least so many elements */
    size_t items;            /* ... and more if there would be more items than this */
    size_t largest_group[2]; /* the device's limit in each dimension */
    size_t stream_bytes;     /* a call that moves so many bytes stores past the cache */
    size_t largest_bytes;    /* of one allocation */
    size_t piece_bytes;      /* of one operand's piece in the host-array calls, when copying */
} clact__profile;

clact_status clact__device_choose(const clact_context *ctx, const char *name, cl_device_id *device);
/* What tells the device and its driver from others, a property a line: its platform's name and its
 * own, then the vendors and versions. The caller frees it. NULL if one of them cannot be had. */
char *clact__device_identity(cl_device_id device);
/* Whether the library can run on the device at all. */
bool clact__device_usable(cl_device_id device);
clact_status clact__device_profile(const clact_context *ctx, cl_device_id device,
                                   const clact_options *options, clact__profile *profile);

/* program.c: compiled kernels */

struct clact__call;

/* How work is cut into items. */
typedef struct clact__grid {
    size_t global[2], local[2];
    cl_ulong rows, cols;
    cl_ulong row_span, col_span; /* of one work-item */
} clact__grid;

struct clact__variant;

/* Longer than the options of any kernel and than its name. */
enum { CLACT__NAME_SIZE = 320 };

/*
 * A shape of kernels: a file of kernels/, and the file of host/ that offers it. Each of its kernels
 * has for its arguments a buffer, an offset and a stride for each operand, then the rows and columns
 * and how many of them a work-item does, then the call's scalars.
 */
typedef struct clact__shape {
    unsigned first_row; /* of its programs, see below */
    bool streams;       /* it has kernels whose stores go past the cache */
    bool narrow;        /* it has kernels for rows that are shorter than a vector */
    /* The options that choose one of its kernels, and what that is called. */
    void (*name)(const struct clact__variant *variant, char options[CLACT__NAME_SIZE],
                 char name[CLACT__NAME_SIZE]);
    /* How it cuts its work; NULL for clact__cut. */
    clact__grid (*cut)(const clact_context *ctx, const struct clact__call *call,
                       size_t largest_group);
} clact__shape;

/* What a program is compiled for. */
typedef struct clact__variant {
    const clact__shape *shape;
    unsigned index; /* which of the shape's kernels: what it says is the shape's affair */
    clact_dtype dtype;
    bool streams; /* its stores go past the cache */
    bool narrow;  /* its vectors are short, for rows that are shorter than the device's */
} clact__variant;

/* The most operands, scalars and arguments of any kernel. */
enum { CLACT__OPERANDS = 12, CLACT__SCALARS = 4 };
enum { CLACT__ARGUMENTS = 3 * CLACT__OPERANDS + 4 + CLACT__SCALARS };

/* A kernel object that one call uses alone: clSetKernelArg changes it, so that two threads must not
 * share one. The integers among its arguments are remembered, as most are those of the last call;
 * buffers are not, as another one may have got the handle of one that is gone. */
typedef struct clact__kernel {
    struct clact__program *home;
    cl_kernel kernel;
    size_t group_size;               /* the largest that the kernel runs with */
    bool known;                      /* all its arguments are set, and the integers are these: */
    cl_ulong last[CLACT__ARGUMENTS]; /* by the argument's place */
    struct clact__kernel *next;
} clact__kernel;

/* How many kernels the composites have. */
enum { CLACT__LOSS_KERNELS = 49 };
enum { CLACT__GATED_KERNELS = CLACT__OPS * 2 /* directions */ };
enum { CLACT__EPILOGUE_KERNELS = CLACT__OPS * 24 + 1 };
enum { CLACT__RECURRENT_KERNELS = 64 };
enum { CLACT__SOFTMAX_KERNELS = 12 };

/* Where the programs of each shape are kept: a row for each index. */
enum {
    CLACT__ELEMENTWISE_ROW = 0,
    CLACT__PREDICT_ROW = CLACT__ELEMENTWISE_ROW + CLACT__OPS * CLACT__DIRECTIONS,
    CLACT__LOSS_ROW = CLACT__PREDICT_ROW + 1,
    CLACT__GATED_ROW = CLACT__LOSS_ROW + CLACT__LOSS_KERNELS,
    CLACT__EPILOGUE_ROW = CLACT__GATED_ROW + CLACT__GATED_KERNELS,
    CLACT__RECURRENT_ROW = CLACT__EPILOGUE_ROW + CLACT__EPILOGUE_KERNELS,
    CLACT__SOFTMAX_ROW = CLACT__RECURRENT_ROW + CLACT__RECURRENT_KERNELS,
    CLACT__PROGRAM_ROWS = CLACT__SOFTMAX_ROW + CLACT__SOFTMAX_KERNELS
};
enum { CLACT__PROGRAMS = CLACT__PROGRAM_ROWS * CLACT__DTYPES * 2 /* streams */ * 2 /* narrow */ };

/* The program of one variant and its idle kernels. One of them is to be had without the lock. */
typedef struct clact__program {
    _Atomic(clact__kernel *) spare;
    pthread_mutex_t lock; /* for what follows */
    cl_program program;   /* NULL until first wanted */
    char *options;        /* what it was compiled with */
    atomic_bool fresh;    /* compiled from source, and to be kept in the cache's folder */
    clact__kernel *idle;
} clact__program;

/* Tells the sources of the kernels from those of other versions. */
extern const char clact__kernels_digest[];

/* Elements per vector. */
size_t clact__vector_width(const clact_context *ctx, clact_dtype dtype, bool narrow);
/* Whether the kernels of this dtype compute in double. */
bool clact__computes_in_double(const clact_context *ctx, clact_dtype dtype);
clact_status clact__kernel_acquire(clact_context *ctx, const clact__variant *variant,
                                   clact__kernel **kernel);
void clact__kernel_release(clact__kernel *kernel);
/* Puts a fresh program, whose kernel has run, into the cache's folder. */
void clact__program_keep(const clact_context *ctx, clact__program *program);
void clact__programs_free(clact_context *ctx);

/* bundle.c: compiled programs as bytes, none of which is trusted before all are verified */

typedef struct clact__item {
    const char *options; /* the compiler's */
    const unsigned char *binary;
    size_t size; /* of the binary */
} clact__item;

typedef struct clact__bundle {
    const char *environment; /* what all the programs are made of and for */
    size_t count;
    const unsigned char *items; /* `size` bytes */
    size_t size;
} clact__bundle;

/* A hash over several ranges, one after the other. */
#define CLACT__HASH_OF_NOTHING UINT64_C(0xcbf29ce484222325)
uint64_t clact__hash(uint64_t hash, const void *bytes, size_t size);

/* How many bytes it takes; 0 if a size_t does not hold it. */
size_t clact__bundle_size(const char *environment, const clact__item *items, size_t count);
void clact__bundle_write(void *bytes, const char *environment, const clact__item *items,
                         size_t count);
/* Verifies all of it. What it gives points into the bytes. */
bool clact__bundle_read(const void *bytes, size_t size, clact__bundle *bundle);
/* Takes the first program out of it; false if there is none. */
bool clact__bundle_next(clact__bundle *bundle, clact__item *item);
/* The program that was compiled with these options; false if there is none. */
bool clact__bundle_find(clact__bundle bundle, const char *options, clact__item *item);

/* cache.c: the folder of compiled programs */

/* The folder that an option (NULL: the environment) says; the caller frees it. NULL if there is to
 * be no cache. Nothing is looked for or made yet. */
char *clact__cache_folder(const char *option);
/* Makes the folder if need be; false if it cannot be used. */
bool clact__cache_make(const clact_context *ctx);
/* All of a file; the caller frees it. NULL if there is no such file that can be trusted. */
void *clact__cache_read(const clact_context *ctx, const char *name, size_t *size);
/* Writes a file at once or not at all. */
void clact__cache_write(const clact_context *ctx, const char *name, const void *bytes, size_t size);

/* binary.c: compiled programs from the driver and back */

/* The program that these options make, with that kernel in it, from what was imported or from the
 * cache's folder. NULL if it is in neither, or damaged, or not what the driver takes. */
cl_program clact__binary_load(const clact_context *ctx, const char *options, const char *kernel);
/* Puts the program that these options have made into the cache's folder. */
void clact__binary_store(const clact_context *ctx, const char *options, cl_program program);
void clact__imports_free(clact_context *ctx);

/* pool.c: device memory that is used again */

typedef struct clact__block {
    cl_mem mem;
    size_t bytes;
    struct clact__block *next;
} clact__block;

/* A buffer that a block has, and its size. It is only here while the block has it, so that no other
 * buffer can have its handle. */
typedef struct clact__owned {
    _Atomic(cl_mem) mem; /* NULL: there is none */
    atomic_size_t bytes;
} clact__owned;

/* Those with the same hash are as large as a cache line. */
enum { CLACT__OWNED_HASHES = 64, CLACT__OWNED_ALIKE = 4 };

typedef struct clact__pool {
    pthread_mutex_t lock;
    clact__block *idle; /* the most recently released first */
    size_t idle_bytes, idle_blocks;
    size_t limit;
    /* Written with the lock, read without. What has no room is left out. */
    clact__owned owned[CLACT__OWNED_HASHES][CLACT__OWNED_ALIKE];
} clact__pool;

/* Makes a buffer, for which what is idle makes way if need be. */
clact_status clact__mem_create(clact_context *ctx, cl_mem_flags flags, size_t bytes, cl_mem *mem);
clact_status clact__pool_acquire(clact_context *ctx, size_t bytes, clact__block **block);
void clact__pool_release(clact_context *ctx, clact__block *block);
/* The size of a buffer that is known to be a block's, without asking OpenCL; else 0. Such a buffer is no
 * part of another, and may be read and written. */
size_t clact__pool_size_of(const clact_context *ctx, cl_mem mem);

/* context.c */

/* The queues of the host-array calls, which must not wait behind what the caller has enqueued. Only
 * the second is there from the start; the others serve devices with memory of their own. */
typedef struct clact__lanes {
    cl_command_queue up, compute, down;
} clact__lanes;

struct clact_context {
    uintmax_t id;           /* differs from that of every other context, also of those gone */
    atomic_uint references; /* the caller's, and one of each buffer */
    cl_context cl;
    cl_device_id device;
    cl_command_queue queue;
    clact__profile profile;
    char *build_options;
    char *cache_folder; /* NULL: there is none */
    _Atomic(struct clact__import *) imports;
    void (*log)(void *user, clact_status status, cl_int code, const char *message);
    void *log_user;
    /* Each is made when it is first wanted, and stays. */
    _Atomic(clact__program *) programs[CLACT__PROGRAMS];
    clact__pool pool;
    pthread_mutex_t lanes_lock;
    clact__lanes lanes;
};

void clact__context_retain(clact_context *ctx);
void clact__context_release(clact_context *ctx);

/* threshold.c: where the sigmoid reaches a threshold */

/*
 * Elements from one to another, both of them included, by their places in the order from -inf to +inf.
 * An element's place is its bits where its sign is clear, and minus that less 1 where it is set: -0 is
 * at -1, right before +0, and no NaN is between the infinities.
 */
typedef struct clact__range {
    cl_long lowest, highest;
} clact__range;

/* The elements x of a floating-point dtype with s(x) >= threshold, s the exact logistic function. The
 * threshold is from 0 to 1. */
clact__range clact__threshold(clact_dtype dtype, double threshold);

#endif /* CLACT_INTERNAL_H */
