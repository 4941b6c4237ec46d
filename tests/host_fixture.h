/* SPDX-License-Identifier: MIT */
/* What the tests of the host library share: contexts whose log is recorded, checks of statuses,
 * operands and results, memory and events of the caller's own. cmocka asserts on a failure. */
#ifndef CLACT_TESTS_HOST_FIXTURE_H
#define CLACT_TESTS_HOST_FIXTURE_H

#include "fault_layer.h"

#include <clact/clact.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What a context's log was told last, and how often it was told something. */
struct call_log {
    unsigned count;
    clact_status status;
    cl_int code;
    size_t length;
    char message[6000];
};

/* A clact_options.log whose user is a struct call_log. */
void call_log_add(void *user, clact_status status, cl_int code, const char *message);

struct fixture {
    clact_context *ctx;
    struct call_log log;
};

/* A context with these options (NULL: the default ones), except that the log is the fixture's. */
void fixture_open(struct fixture *f, const clact_options *options);
void fixture_close(struct fixture *f);

/* The last test of a program, as a failure in a teardown would not fail it: closes these fixtures;
 * then no OpenCL object may be alive. */
#define NOTHING_IS_LEFT(...)                                                                       \
    cmocka_unit_test_prestate(nothing_is_left, ((struct fixture *[]){__VA_ARGS__, NULL}))
void nothing_is_left(void **fixtures);

/* Statuses. */

/* The call succeeds. */
#define assert_ok(call) fixture_expect(NULL, call, CLACT_SUCCESS, #call, __FILE__, __LINE__)

/* The call returns this error, clact_last_error and the log say so too, and the log was told once.
 * Where f is NULL there is no context whose log could be told. */
#define assert_error(f, expected, call)                                                            \
    (fixture_quiet(f), fixture_expect(f, call, expected, #call, __FILE__, __LINE__))

void fixture_quiet(struct fixture *f);
void fixture_expect(struct fixture *f, clact_status got, clact_status expected, const char *text,
                    const char *file, int line);

/* Operators and operands. */

/* What the host library does is the same for every operator, so its tests take the table's first,
 * and the first gradient that it offers. */
clact_operator any_operator(void);
clact_saved any_kind(void);

/* Whether the device can do this dtype. */
bool dtype_works(clact_context *ctx, clact_dtype dtype);

/* n operands between 0 and 1 that every dtype represents; other seeds give others. */
void fill_operands(clact_dtype dtype, void *array, size_t n, unsigned seed);

/* y = op(x), or dx from grad and saved, to a few ULP: other tests measure the accuracy. */
void assert_forward(clact_dtype dtype, size_t n, const void *x, const void *y);
void assert_backward(clact_dtype dtype, clact_saved kind, size_t n, const void *grad,
                     const void *saved, const void *dx);

/* The caller's own objects. */

cl_mem make_mem(clact_context *ctx, cl_mem_flags flags, size_t bytes, const void *contents);
void read_mem(clact_context *ctx, cl_mem mem, size_t bytes, void *to);
cl_command_queue make_queue(clact_context *ctx, cl_command_queue_properties properties);
/* NULL if the device has no such queues. */
cl_command_queue make_out_of_order_queue(clact_context *ctx);
cl_event make_user_event(clact_context *ctx);
void complete_user_event(cl_event event);
/* Completes the user event that these events wait for. Up to then none of them may have begun. That is
 * asserted afterwards: a command that waits for ever would hang whatever comes after a failure. */
#define open_gate(gate, ...)                                                                       \
    fixture_open_gate(gate, (const cl_event[]){__VA_ARGS__, NULL}, __FILE__, __LINE__)
void fixture_open_gate(cl_event gate, const cl_event *waiting, const char *file, int line);
/* CL_COMPLETE, CL_RUNNING, CL_SUBMITTED, CL_QUEUED or a negative error. */
cl_int event_state(cl_event event);
/* Waits for the event, which must end well, and releases it. */
void await(cl_event event);

/* A handle that no call gave and that must still be there after a call that failed. */
#define UNTOUCHED_EVENT ((cl_event)(uintptr_t)0x5a5a5a50)

/* Where the loader has no layers: NULL. */
const struct fault_layer *fault_layer_find(void);

/* The live objects of all kinds; all zero where there is no layer to count them. */
struct live_objects {
    long count[FAULT_OBJECTS];
};
struct live_objects live_objects(void);
void assert_live(struct live_objects expected);

#endif
