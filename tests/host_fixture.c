/* SPDX-License-Identifier: MIT */
#include "host_fixture.h"

#include "dtype.h"
#include "reference.h"
#include "ulp.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_log_add(void *user, clact_status status, cl_int code, const char *message)
{
    struct call_log *log = user;
    log->count++;
    log->status = status;
    log->code = code;
    log->length = strlen(message);
    snprintf(log->message, sizeof(log->message), "%s", message);
}

void fixture_open(struct fixture *f, const clact_options *options)
{
    clact_options logged = {0};
    if (options)
        logged = *options;
    logged.log = call_log_add;
    logged.log_user = &f->log;
    memset(f, 0, sizeof(*f));
    assert_ok(clact_context_create(&logged, &f->ctx));
    assert_non_null(f->ctx);
    assert_int_equal(f->log.count, 0);
}

void fixture_close(struct fixture *f)
{
    clact_context_destroy(f->ctx);
    f->ctx = NULL;
}

void nothing_is_left(void **fixtures)
{
    for (struct fixture **f = *fixtures; *f; f++)
        fixture_close(*f);
    assert_live((struct live_objects){{0}});
}

/* Statuses. */

void fixture_quiet(struct fixture *f)
{
    if (f)
        f->log.count = 0;
}

static void expect_log(const struct fixture *f, const clact_error *error)
{
    const size_t shown = strlen(error->message);
    assert_int_equal(f->log.count, 1);
    assert_int_equal(f->log.status, error->status);
    assert_int_equal(f->log.code, error->code);
    assert_true(f->log.length >= shown);
    assert_memory_equal(f->log.message, error->message, shown);
}

void fixture_expect(struct fixture *f, clact_status got, clact_status expected, const char *text,
                    const char *file, int line)
{
    const clact_error *error = clact_last_error(f ? f->ctx : NULL);
    if (got != expected) {
        print_error("%s\nreturned \"%s\" instead of \"%s\"; the last error: %s\n", text,
                    clact_status_string(got), clact_status_string(expected), error->message);
        _fail(file, line);
    }
    if (expected == CLACT_SUCCESS)
        return;
    assert_int_equal(error->status, expected);
    assert_string_not_equal(error->message, "");
    if (f)
        expect_log(f, error);
}

/* Operators and operands. */

static const struct row {
    clact_operator value;
    unsigned saved;
} rows[] = {
#define CLACT_OPERATOR(value, NAME, name, saved, ...) {CLACT_##NAME, saved},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

clact_operator any_operator(void)
{
    return rows[0].value;
}

clact_saved any_kind(void)
{
    return rows[0].saved & CLACT_SAVED_OUTPUT ? CLACT_SAVED_OUTPUT : CLACT_SAVED_INPUT;
}

bool dtype_works(clact_context *ctx, clact_dtype dtype)
{
    clact_device_info info;
    assert_ok(clact_context_info(ctx, &info));
    return dtype != CLACT_F64 || info.has_f64;
}

void fill_operands(clact_dtype dtype, void *array, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        dtype_store(dtype, array, i, (double)((i * 37 + seed * 11) % 63 + 1) / 64.0);
}

static void assert_near(clact_dtype dtype, const void *array, size_t i, double exact)
{
    const double got = dtype_load(dtype, array, i);
    if (ulp_error(dtype, got, exact) > 2.5) {
        print_error("element %zu is %a, not %a\n", i, got, exact);
        fail();
    }
}

void assert_forward(clact_dtype dtype, size_t n, const void *x, const void *y)
{
    const struct reference *reference = reference_of(any_operator());
    const clact_params params = reference_defaults(any_operator(), dtype);
    for (size_t i = 0; i < n; i++)
        assert_near(dtype, y, i, reference->forward(dtype_load(dtype, x, i), &params));
}

void assert_backward(clact_dtype dtype, clact_saved kind, size_t n, const void *grad,
                     const void *saved, const void *dx)
{
    const struct reference *reference = reference_of(any_operator());
    const clact_params params = reference_defaults(any_operator(), dtype);
    double (*gradient)(double, double, const clact_params *) =
        kind == CLACT_SAVED_OUTPUT ? reference->from_output : reference->from_input;
    for (size_t i = 0; i < n; i++)
        assert_near(dtype, dx, i,
                    gradient(dtype_load(dtype, grad, i), dtype_load(dtype, saved, i), &params));
}

/* The caller's own objects. */

cl_mem make_mem(clact_context *ctx, cl_mem_flags flags, size_t bytes, const void *contents)
{
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(clact_context_cl(ctx), flags, bytes, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    if (contents)
        assert_int_equal(clEnqueueWriteBuffer(clact_context_queue(ctx), mem, CL_TRUE, 0, bytes,
                                              contents, 0, NULL, NULL),
                         CL_SUCCESS);
    return mem;
}

void read_mem(clact_context *ctx, cl_mem mem, size_t bytes, void *to)
{
    assert_int_equal(
        clEnqueueReadBuffer(clact_context_queue(ctx), mem, CL_TRUE, 0, bytes, to, 0, NULL, NULL),
        CL_SUCCESS);
}

cl_command_queue make_queue(clact_context *ctx, cl_command_queue_properties properties)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(clact_context_cl(ctx), clact_context_device(ctx), properties, &code);
    assert_int_equal(code, CL_SUCCESS);
    return queue;
}

cl_command_queue make_out_of_order_queue(clact_context *ctx)
{
    cl_command_queue_properties properties = 0;
    assert_int_equal(clGetDeviceInfo(clact_context_device(ctx), CL_DEVICE_QUEUE_PROPERTIES,
                                     sizeof(properties), &properties, NULL),
                     CL_SUCCESS);
    if (!(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE))
        return NULL;
    return make_queue(ctx, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
}

cl_event make_user_event(clact_context *ctx)
{
    cl_int code = CL_SUCCESS;
    cl_event event = clCreateUserEvent(clact_context_cl(ctx), &code);
    assert_int_equal(code, CL_SUCCESS);
    return event;
}

void complete_user_event(cl_event event)
{
    assert_int_equal(clSetUserEventStatus(event, CL_COMPLETE), CL_SUCCESS);
    assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
}

cl_int event_state(cl_event event)
{
    cl_int state = CL_QUEUED;
    assert_int_equal(
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL),
        CL_SUCCESS);
    return state;
}

void fixture_open_gate(cl_event gate, const cl_event *waiting, const char *file, int line)
{
    cl_int least = CL_QUEUED;
    for (; *waiting; waiting++) {
        const cl_int state = event_state(*waiting);
        least = state < least ? state : least;
    }
    complete_user_event(gate);
    _assert_true(least > CL_RUNNING, "no command began before its wait list was complete", file,
                 line);
}

void await(cl_event event)
{
    assert_non_null(event);
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    assert_int_equal(event_state(event), CL_COMPLETE);
    assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
}

/* The loader reads OPENCL_LAYERS at its first call; then the file is loaded, or never will be. */
const struct fault_layer *fault_layer_find(void)
{
    cl_uint platforms = 0;
    clGetPlatformIDs(0, NULL, &platforms);
    const char *file = getenv("OPENCL_LAYERS");
    void *loaded = file ? dlopen(file, RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (!loaded)
        return NULL;
    fault_layer_getter getter = NULL;
    *(void **)(&getter) = dlsym(loaded, "fault_layer_get");
    const struct fault_layer *layer = getter ? getter() : NULL;
    dlclose(loaded); /* The loader keeps it. */
    return layer;
}

struct live_objects live_objects(void)
{
    struct live_objects live = {{0}};
    const struct fault_layer *layer = fault_layer_find();
    for (int kind = 0; layer && kind < FAULT_OBJECTS; kind++)
        live.count[kind] = layer->live((enum fault_object)kind);
    return live;
}

void assert_live(struct live_objects expected)
{
    const struct live_objects live = live_objects();
    for (int kind = 0; kind < FAULT_OBJECTS; kind++)
        if (live.count[kind] != expected.count[kind]) {
            print_error("%ld objects of kind %d are alive, not %ld\n", live.count[kind], kind,
                        expected.count[kind]);
            fail();
        }
}
