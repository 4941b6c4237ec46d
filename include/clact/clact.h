/* SPDX-License-Identifier: MIT */
/*
 * clact: activation functions for OpenCL devices, correct to the last bits.
 *
 * The interface has three layers, and this file has them in this order:
 *
 *   1. Simple.   Host arrays in, host arrays out. The library picks a device, moves data, waits.
 *   2. Explicit. Your cl_context, queue, memory and events. Nothing blocks but a kernel's first use.
 *   3. Advanced. Owned buffers, compiling ahead, the devices of this machine, forced code paths.
 *
 * The whole of a first program:
 *
 *     clact_context *ctx = NULL;
 *     if (clact_context_create(NULL, &ctx) == CLACT_SUCCESS)
 *         clact_forward(ctx, CLACT_SIGMOID, NULL, CLACT_F32, n, x, y);
 *     clact_context_destroy(ctx);
 *
 * Errors. Every call that can fail returns a clact_status; CLACT_SUCCESS is 0. Arguments are
 * checked before the first OpenCL call that has an effect, so on an error that the caller made all
 * outputs (arrays, buffers, handles and events) are as they were. clact_last_error() says more. The
 * library never prints, aborts or exits.
 *
 * Threads. One context may be used from any number of threads at once. A clact_buffer may be used
 * from any number of threads as long as they do not race on its contents. Destroying an object
 * while another thread uses it is an error in the caller.
 *
 * Ownership. What a *_create call gives belongs to the caller until the matching *_destroy. OpenCL
 * objects that a getter returns are borrowed. Events that a call gives belong to the caller, who
 * releases them with clReleaseEvent. Destroying or freeing NULL does nothing.
 */
#ifndef CLACT_CLACT_H
#define CLACT_CLACT_H

#include <stddef.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

/* A static clact stays hidden inside the library or program that it is linked into. */
#if !defined(CLACT_SHARED)
#define CLACT_API
#elif !defined(_WIN32)
#define CLACT_API __attribute__((visibility("default")))
#elif defined(CLACT_BUILDING)
#define CLACT_API __declspec(dllexport)
#else
#define CLACT_API __declspec(dllimport)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define CLACT_VERSION_MAJOR 0
#define CLACT_VERSION_MINOR 1
#define CLACT_VERSION_PATCH 0

/* The version of the library that is running, as "0.1.0". The macros above are those of the header
 * that the program was compiled with. */
CLACT_API const char *clact_version_string(void);

/* Status */

#define CLACT_STATUS_MAP(XX)                                                                       \
    XX(0, SUCCESS, "success")                                                                      \
    XX(1, INVALID_ARGUMENT, "an argument is NULL, unknown or out of range")                        \
    XX(2, OUT_OF_BOUNDS, "a view or range reaches past the end of its buffer")                     \
    XX(3, DTYPE_MISMATCH, "the operands' element types do not go together")                        \
    XX(4, SHAPE_MISMATCH, "the operands have different numbers of rows or columns")                \
    XX(5, OVERLAP, "an output partly overlaps another operand")                                    \
    XX(6, WRONG_CONTEXT, "a queue, buffer or event belongs to another context or device")          \
    XX(7, UNSUPPORTED, "the device cannot do this")                                                \
    XX(8, NO_DEVICE, "no usable OpenCL device was found")                                          \
    XX(9, OUT_OF_MEMORY, "out of memory on the host or the device")                                \
    XX(10, BUILD_FAILED, "the device's compiler rejected a kernel")                                \
    XX(11, OPENCL_ERROR, "an OpenCL call failed")                                                  \
    XX(12, STALE, "compiled programs are for another device, driver or version")

typedef enum clact_status {
#define CLACT_X(value, name, text) CLACT_##name = value,
    CLACT_STATUS_MAP(CLACT_X)
#undef CLACT_X
} clact_status;

/* One line of English for a status; never NULL, also for a value that is none. Static storage. */
CLACT_API const char *clact_status_string(clact_status status);

/* Types */

/*
 * How an element is stored. f16 is IEEE binary16 and bf16 the upper half of an f32; both are
 * storage only: loaded, computed in f32 and rounded once to nearest even, on every device
 * (cl_khr_fp16 is not needed). f64 needs a device with cl_khr_fp64, else calls return
 * CLACT_UNSUPPORTED. Arrays and buffers hold elements in the host's byte order.
 */
#define CLACT_DTYPE_MAP(XX)                                                                        \
    XX(1, F32, f32, 4)                                                                             \
    XX(2, F16, f16, 2)                                                                             \
    XX(3, BF16, bf16, 2)                                                                           \
    XX(4, F64, f64, 8)

/* Elements that are no numbers to compute with: u8 is an unsigned char, which holds a label. Only
 * clact_predict writes it, and losses read it; no operator takes it. */
#define CLACT_LABEL_DTYPE_MAP(XX) XX(5, U8, u8, 1)

typedef enum clact_dtype {
#define CLACT_X(value, NAME, name, size) CLACT_##NAME = value,
    CLACT_DTYPE_MAP(CLACT_X) CLACT_LABEL_DTYPE_MAP(CLACT_X)
#undef CLACT_X
} clact_dtype;

/* Bytes per element; 0 for a value that is no dtype. */
CLACT_API size_t clact_dtype_size(clact_dtype dtype);
/* "f32", "f16", "bf16", "f64" or "u8"; NULL for a value that is no dtype. */
CLACT_API const char *clact_dtype_name(clact_dtype dtype);

/* What a gradient is computed from. All operators offer the input, and some the output too, which
 * costs less; for sigmoid and tanh the input keeps the gradient that 1 - y or 1 - y^2 loses once y
 * has rounded to 1 (from x = 17 or x = 9 on in f32). */
typedef enum clact_saved { CLACT_SAVED_OUTPUT = 1, CLACT_SAVED_INPUT = 2 } clact_saved;

/* The operators, from the table in ops.def, where each one's formula is. */
typedef enum clact_operator {
#define CLACT_OPERATOR(value, NAME, ...) CLACT_##NAME = value,
#include <clact/ops.def>
#undef CLACT_OPERATOR
} clact_operator;

/* The name in ops.def, such as "sigmoid"; NULL for a value that is no operator. */
CLACT_API const char *clact_operator_name(clact_operator op);
/* The operator of that name, into *op. CLACT_INVALID_ARGUMENT if there is none. */
CLACT_API clact_status clact_operator_from_name(const char *name, clact_operator *op);

/* What gradients the operator offers: CLACT_SAVED_OUTPUT and CLACT_SAVED_INPUT, or-ed; 0 for a
 * value that is no operator. */
CLACT_API unsigned clact_operator_saved(clact_operator op);

/*
 * The parameters of an operator. Which of them it has, what they mean and which have to be greater
 * than 0 is in ops.def. Where a call takes params, NULL stands for the operator's defaults. To
 * change one, take the defaults and change that:
 *
 *     clact_params params;
 *     clact_params_default(CLACT_ELU, &params);
 *     params.alpha = 0.5;
 *
 * A parameter that is left at 0 is 0, not its default.
 *
 * For f64 they are used as they are; for the other dtypes they are rounded to f32 first, also
 * where the results are computed in f64. CLACT_INVALID_ARGUMENT if, after that, one that the
 * operator has is NaN, infinite, or not greater than 0 where it has to be; or if one that it does
 * not have is not 0, as it would change nothing. A call is done with *params when it returns.
 */
typedef struct clact_params {
    double alpha;
    double beta;
    double gamma;
} clact_params;

/* A name for each of them. */
typedef enum clact_parameter { CLACT_ALPHA = 1, CLACT_BETA = 2, CLACT_GAMMA = 4 } clact_parameter;

/* The parameters that an operator has: clact_parameter values, or-ed; 0 for a value that is no
 * operator. */
CLACT_API unsigned clact_operator_parameters(clact_operator op);
/* The defaults of an operator, into *params; those that it does not have are 0. On
 * CLACT_INVALID_ARGUMENT, if there is no such operator or params is NULL, *params is as it was. */
CLACT_API clact_status clact_params_default(clact_operator op, clact_params *params);

typedef struct clact_context clact_context;
typedef struct clact_options clact_options;

/* 1. Simple: host arrays */

/*
 * Makes a context: a device, a queue on it, the kernels compiled so far and a pool of memory.
 *
 * With options == NULL the device is the first that fits of: the one that the environment variable
 * CLACT_DEVICE names (any part of the platform's or the device's name, upper or lower case), else a
 * GPU, an accelerator, a CPU (PoCL is one). CLACT_NO_DEVICE if there is none, or none of that name;
 * CLACT_UNSUPPORTED if the device that was named has no OpenCL 1.2 full profile, no compiler or
 * does not round to nearest.
 */
CLACT_API clact_status clact_context_create(const clact_options *options, clact_context **ctx);

/* Gives the context back. Calls that have returned stay valid: commands already enqueued complete,
 * and buffers that are still alive keep what they need until they are destroyed. */
CLACT_API void clact_context_destroy(clact_context *ctx);

/*
 * y[i] = op(x[i]), for i in [0, n)
 *
 * x and y are host arrays of n elements of the given dtype, aligned to the element's size. y may
 * be x; another overlap is CLACT_OVERLAP. params are the operator's; NULL for its defaults. n may
 * be any number: data that is larger than one allocation or than the device's memory goes through
 * in pieces, transfers overlapping with compute. On a device that shares memory with the host
 * nothing is copied. Blocks until y is written. n = 0 succeeds, and then the arrays may be NULL.
 *
 * After CLACT_OPENCL_ERROR or CLACT_OUT_OF_MEMORY, which can come when some pieces are done, the
 * contents of y are unspecified; after any other error y is untouched.
 */
CLACT_API clact_status clact_forward(clact_context *ctx, clact_operator op,
                                     const clact_params *params, clact_dtype dtype, size_t n,
                                     const void *x, void *y);

/*
 * dx[i] = grad[i] * op'(...), for i in [0, n)
 *
 * saved holds the forward's output y or its input x, as `kind` says. dx may be grad or saved. All
 * else as for clact_forward. CLACT_UNSUPPORTED if the operator has no gradient from that kind.
 */
CLACT_API clact_status clact_backward(clact_context *ctx, clact_operator op,
                                      const clact_params *params, clact_dtype dtype,
                                      clact_saved kind, size_t n, const void *grad,
                                      const void *saved, void *dx);

/*
 * labels[i] = s(logits[i]) >= threshold, for i in [0, n), where s(x) = 1 / (1 + e^-x)
 *
 * 1 where the sigmoid takes the logit to a probability of at least the threshold, else 0. The
 * probabilities are not written, and not even computed: as s increases there is a smallest element
 * that reaches the threshold, and the logits are compared with that. So a label is right at any
 * distance from the threshold, as if the probability had been computed without rounding: a forward
 * pass rounds it, and comparing what it has written with a threshold decides some elements wrongly.
 *
 * threshold is from 0 to 1. 0.5 takes x >= 0, -0 too; 0 takes everything but NaN; 1 takes +inf
 * alone, as no other element's probability is exactly 1. The label of NaN is 0. labels is one byte
 * an element and may not overlap logits. All else as for clact_forward.
 */
CLACT_API clact_status clact_predict(clact_context *ctx, clact_dtype dtype, double threshold,
                                     size_t n, const void *logits, unsigned char *labels);

/* 2. Explicit: your context, queue, memory and events */

/*
 * Makes a context around an OpenCL context and one of its devices. Both are retained. For several
 * devices of one cl_context make one clact context each; buffers of the cl_context work with all.
 * options->device is ignored. CLACT_WRONG_CONTEXT if the device is not one of the context's.
 */
CLACT_API clact_status clact_context_create_from_cl(cl_context context, cl_device_id device,
                                                    const clact_options *options,
                                                    clact_context **ctx);

/* The OpenCL objects behind a context, borrowed; NULL for a NULL ctx. The queue is the one that is
 * used where a call is given a NULL queue: in order, with no properties. */
CLACT_API cl_context clact_context_cl(const clact_context *ctx);
CLACT_API cl_device_id clact_context_device(const clact_context *ctx);
CLACT_API cl_command_queue clact_context_queue(const clact_context *ctx);

/*
 * Elements in device memory: `rows` rows of `cols` elements. Row r starts `offset + r * stride`
 * elements after the start of mem. With one row the stride does not matter. All in elements, never
 * in bytes. The elements need no alignment beyond their own size.
 */
typedef struct clact_view {
    cl_mem mem;
    clact_dtype dtype;
    size_t offset;
    size_t rows;
    size_t cols;
    size_t stride;
} clact_view;

/* A plain array of n elements that starts `offset` elements after the start of mem. */
CLACT_API clact_view clact_view_1d(cl_mem mem, clact_dtype dtype, size_t offset, size_t n);
/* A matrix, or a part of one. */
CLACT_API clact_view clact_view_2d(cl_mem mem, clact_dtype dtype, size_t offset, size_t rows,
                                   size_t cols, size_t stride);

/*
 * for (r = 0; r < x.rows; r++)
 *     for (c = 0; c < x.cols; c++)
 *         y.mem[y.offset + r * y.stride + c] = op(x.mem[x.offset + r * x.stride + c]);
 *
 * Enqueues that loop on `queue` (NULL: the context's own) after the `n_wait` events in `wait`, and
 * returns at once; neither blocks nor flushes, except that the first call that needs a kernel loads
 * or compiles it, and what it compiles on a CPU it also runs once on nothing, which waits for what
 * the CPU is doing for OpenCL: clact_prepare does that ahead. If
 * event is not NULL it receives the command's event, also when there was nothing to do. The queue
 * may be in order or out of order.
 *
 * y may equal x. Views of different elements of one buffer are fine (two columns of one matrix,
 * say, if the strides are equal); a partial overlap is CLACT_OVERLAP. So is an overlap of views
 * that differ in their stride and share a range of addresses, even if their elements interleave.
 */
CLACT_API clact_status clact_enqueue_forward(clact_context *ctx, cl_command_queue queue,
                                             clact_operator op, const clact_params *params,
                                             clact_view x, clact_view y, cl_uint n_wait,
                                             const cl_event *wait, cl_event *event);

/* dx = grad * op'(...) elementwise, in one kernel, from the saved output or input as `kind` says.
 * dx may equal grad or saved. All else as for clact_enqueue_forward. */
CLACT_API clact_status clact_enqueue_backward(clact_context *ctx, cl_command_queue queue,
                                              clact_operator op, const clact_params *params,
                                              clact_saved kind, clact_view grad, clact_view saved,
                                              clact_view dx, cl_uint n_wait, const cl_event *wait,
                                              cl_event *event);

/* labels = s(logits) >= threshold elementwise, as clact_predict does it. labels is a view of dtype
 * CLACT_U8, which may not overlap logits, although it may lie in the same buffer. All else as for
 * clact_enqueue_forward. */
CLACT_API clact_status clact_enqueue_predict(clact_context *ctx, cl_command_queue queue,
                                             double threshold, clact_view logits, clact_view labels,
                                             cl_uint n_wait, const cl_event *wait, cl_event *event);

/* 3. Advanced */

/*
 * Compiles the kernels of an operator for a dtype and runs each of them on an empty range, so that
 * the first real call pays nothing (PoCL and others finish their compilation at the first launch).
 * What it leaves out is the kernel for views whose rows are apart and shorter than a vector. Blocks.
 * Not needed for a correct result.
 */
CLACT_API clact_status clact_prepare(clact_context *ctx, clact_operator op, clact_dtype dtype);
/* The same for clact_predict and clact_enqueue_predict. One kernel serves all thresholds. */
CLACT_API clact_status clact_prepare_predict(clact_context *ctx, clact_dtype dtype);

/*
 * Compiled programs as bytes, for an engine that keeps or ships them itself. The library keeps them
 * in a folder of the user's anyway, see clact_options.cache_dir; these calls do not touch it.
 *
 *     size_t size = 0;
 *     clact_programs_export(ctx, 0, NULL, &size);
 *     void *bytes = malloc(size);
 *     clact_programs_export(ctx, size, bytes, &size);
 *
 * The bytes are code for one device, its driver and this version of the library, whose names they
 * hold in plain text. Import only what you would run.
 */

/*
 * Writes the context's compiled programs, and those it was given and has not used, to `bytes`,
 * which has room for `capacity` bytes, and their size to *size. If that is more than capacity,
 * nothing has been written to bytes: other threads may compile between two calls. bytes may be NULL
 * if capacity is 0.
 *
 * Only what has been compiled is there, so clact_prepare first, or wait for the calls that use it:
 * PoCL compiles on at the first launch, but a binary that it has given stays as it is. It makes
 * binaries when it is asked the first time, which takes it about a quarter of the time that
 * compiling did. Where a driver has no binaries to give, an export has no programs.
 */
CLACT_API clact_status clact_programs_export(clact_context *ctx, size_t capacity, void *bytes,
                                             size_t *size);

/*
 * Gives the context what clact_programs_export wrote, to be used instead of compiling where it is
 * wanted. The bytes are copied; what the context has already stays. May be called again for more.
 * Programs for other options, such as another vector_width, are not used; one that the driver does
 * not take is compiled, and nothing is said about it.
 *
 * All of the bytes are verified first. CLACT_STALE if they are for another device, or another
 * version of the driver or the library; CLACT_INVALID_ARGUMENT if they are damaged or something
 * else. Then the context is as it was, and compiles what it needs: export again and replace what
 * was stored.
 */
CLACT_API clact_status clact_programs_import(clact_context *ctx, const void *bytes, size_t size);

/*
 * Owned memory. A buffer's memory comes from the context's pool and goes back to it.
 *
 * Where queue is an argument, NULL is the context's own queue. The enqueue_ forms return at once:
 * the host array must stay valid until the event is complete. The others block on that queue.
 * offset and bytes are in bytes; a range past the end is CLACT_OUT_OF_BOUNDS; bytes = 0 succeeds.
 */
typedef struct clact_buffer clact_buffer;

/* `bytes` may be 0. The contents are undefined. */
CLACT_API clact_status clact_buffer_create(clact_context *ctx, size_t bytes, clact_buffer **buffer);

/* The commands that use the buffer must be complete, as for free(): its memory is used again. */
CLACT_API void clact_buffer_destroy(clact_buffer *buffer);

CLACT_API size_t clact_buffer_size(const clact_buffer *buffer);
CLACT_API cl_mem clact_buffer_mem(const clact_buffer *buffer);

/* A plain array of n elements, `offset` elements into the buffer. The range is checked when the
 * view is used. */
CLACT_API clact_view clact_buffer_view(const clact_buffer *buffer, clact_dtype dtype, size_t offset,
                                       size_t n);

CLACT_API clact_status clact_buffer_write(clact_buffer *buffer, size_t offset, size_t bytes,
                                          const void *source);
CLACT_API clact_status clact_buffer_read(clact_buffer *buffer, size_t offset, size_t bytes,
                                         void *destination);
CLACT_API clact_status clact_buffer_enqueue_write(clact_buffer *buffer, cl_command_queue queue,
                                                  size_t offset, size_t bytes, const void *source,
                                                  cl_uint n_wait, const cl_event *wait,
                                                  cl_event *event);
CLACT_API clact_status clact_buffer_enqueue_read(clact_buffer *buffer, cl_command_queue queue,
                                                 size_t offset, size_t bytes, void *destination,
                                                 cl_uint n_wait, const cl_event *wait,
                                                 cl_event *event);

/*
 * Maps a range (at least one byte) for the host to read (CL_MAP_READ), write (CL_MAP_WRITE) or
 * overwrite (CL_MAP_WRITE_INVALIDATE_REGION). While it is mapped for writing no kernel may use it.
 * On a device that shares memory with the host nothing is copied. Each map needs one unmap.
 */
CLACT_API clact_status clact_buffer_map(clact_buffer *buffer, cl_map_flags flags, size_t offset,
                                        size_t bytes, void **pointer);
CLACT_API clact_status clact_buffer_unmap(clact_buffer *buffer, void *pointer);
/* The pointer is known at once and valid once the event is complete. */
CLACT_API clact_status clact_buffer_enqueue_map(clact_buffer *buffer, cl_command_queue queue,
                                                cl_map_flags flags, size_t offset, size_t bytes,
                                                cl_uint n_wait, const cl_event *wait,
                                                cl_event *event, void **pointer);
CLACT_API clact_status clact_buffer_enqueue_unmap(clact_buffer *buffer, cl_command_queue queue,
                                                  void *pointer, cl_uint n_wait,
                                                  const cl_event *wait, cl_event *event);

/* Frees the pool's idle memory. */
CLACT_API void clact_context_trim(clact_context *ctx);

/*
 * What went wrong in the last failing call of this thread, if that call was on `ctx` (NULL:
 * whatever it was on, also where it was to create a context). code is the cl_int of the OpenCL call
 * that failed, or CL_SUCCESS when none did; message is one or more lines of English, and for
 * CLACT_BUILD_FAILED the compiler's log (its first 4000 bytes; the log callback gets all of it).
 * Belongs to the thread; valid until its next failing call. Else: CLACT_SUCCESS and "". Never NULL.
 */
typedef struct clact_error {
    clact_status status;
    cl_int code;
    const char *message;
} clact_error;

CLACT_API const clact_error *clact_last_error(const clact_context *ctx);

/* How f32 results are computed. Both keep to the same published bounds. */
typedef enum clact_arithmetic {
    CLACT_ARITHMETIC_AUTO = 0,    /* the library's choice, in this version always pairs */
    CLACT_ARITHMETIC_PAIRS = 1,   /* pairs of f32, on any device */
    CLACT_ARITHMETIC_DOUBLES = 2, /* f64 inside, where the device has cl_khr_fp64 */
} clact_arithmetic;

/* How the host-array calls move data. */
typedef enum clact_transfer {
    CLACT_TRANSFER_AUTO = 0,  /* share where the device shares memory with the host, else copy */
    CLACT_TRANSFER_SHARE = 1, /* let the device work on the arrays themselves */
    CLACT_TRANSFER_COPY = 2,  /* go through buffers on the device */
} clact_transfer;

/* How results are stored. Past the cache is faster for data that does not fit there, and slower for
 * data that is used again at once. Where the device's compiler has no such store it is a plain one.
 */
typedef enum clact_stores {
    CLACT_STORES_AUTO = 0,   /* on CPUs, past the cache in calls that move more than it holds */
    CLACT_STORES_PLAIN = 1,  /* always through the cache */
    CLACT_STORES_STREAM = 2, /* always past it, except in place */
} clact_stores;

/*
 * Options of a context. Set all to zero and then what you need: zero means the default for every
 * field. Only read during creation; strings are copied.
 */
struct clact_options {
    /* Part of the platform's or device's name; before CLACT_DEVICE is looked at. */
    const char *device;

    /* Called with each error of a call on this context, from the thread that made the call and
     * before the call returns. The message may span lines. Must not call the library. */
    void (*log)(void *user, clact_status status, cl_int code, const char *message);
    void *log_user;

    /* The folder of compiled programs, from which a process loads in milliseconds what an earlier
     * one has compiled. NULL: the environment variable CLACT_CACHE_DIR, else $XDG_CACHE_HOME/clact,
     * else $HOME/.cache/clact (on macOS $HOME/Library/Caches/clact). "", here or in the variable:
     * none. A relative path starts from the current folder.
     *
     * Any number of processes may use it at once. It is made for the user alone when there is
     * something to put into it. It holds code, so one that belongs to somebody else, or that others
     * may write to, is not used. That, or not being able to write to it, is no error: each process
     * then compiles. A file that is damaged, or for another device, driver or version, or that the
     * driver does not take, is replaced. What is not noticed are changes of files that
     * build_options name, and of a driver's own environment variables.
     *
     * There is a file for each program, of 50 to 100 KB on PoCL, and new versions of a driver
     * replace those of the old. They may be deleted at any time. */
    const char *cache_dir;

    /* The rest forces what is otherwise chosen from the device, for tests and tuning. None
     * changes a result, except that the two arithmetics may differ within the published bounds,
     * and that build_options may be anything. */
    clact_arithmetic arithmetic;
    clact_transfer transfer;
    clact_stores stores;
    size_t vector_width;       /* elements per vector: 1, 2, 4, 8 or 16 */
    size_t work_group_size;    /* work-items per group */
    size_t piece_bytes;        /* host-array calls: bytes per operand and piece */
    size_t pool_bytes;         /* idle memory that the pool may keep */
    const char *build_options; /* appended to the options of the device's compiler */
};

/* A device that clact_devices found. Strings are cut to fit. */
typedef struct clact_device_info {
    cl_platform_id platform;
    cl_device_id device;
    cl_device_type type;
    char platform_name[128];
    char name[128];
    char version[128];
    char driver[128];
    cl_uint compute_units;
    cl_ulong global_memory;      /* bytes */
    cl_ulong largest_allocation; /* bytes */
    int shares_host_memory;
    int has_f64;
    int has_subnormals; /* f32 subnormal numbers are not flushed to zero */
    int usable;         /* 0: clact_context_create would return CLACT_UNSUPPORTED */
} clact_device_info;

/*
 * Lists the OpenCL devices of this machine in the order in which clact_context_create prefers them.
 * Writes the first `capacity` of them to infos and the number there is to *count. No device is not
 * an error here: *count is 0. infos may be NULL if capacity is 0.
 */
CLACT_API clact_status clact_devices(size_t capacity, clact_device_info *infos, size_t *count);

/* The same about the device of a context. */
CLACT_API clact_status clact_context_info(const clact_context *ctx, clact_device_info *info);

/* 4. Composites: what engines fuse. Each has its simple, explicit and advanced calls in its header. */

#include <clact/epilogue.h>
#include <clact/gated.h>
#include <clact/loss.h>
#include <clact/recurrent.h>
#include <clact/softmax.h>

#ifdef __cplusplus
}
#endif

#endif /* CLACT_CLACT_H */
