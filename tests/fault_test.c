/* SPDX-License-Identifier: MIT */
/*
 * Every OpenCL call that the library makes, failing in its turn. A scenario is run again and again,
 * its first, second, third ... OpenCL call failing, until it makes no call that has not failed
 * once. Each time the library's call says so or copes, the same call works when it is made again,
 * results are right and no object is left behind.
 *
 * Scenarios make no OpenCL calls of their own but releases, which never fail: the fault would be
 * theirs.
 */
#include "cache_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 100, PIECE = 64 };

static const struct fault_layer *layer;

/* The fault of this run. */
static cl_int fault_code;
static bool was_reported;
static unsigned long reported_count;

static float x[N], grad[N], y[N], dx[N];

/* A library call that has failed: it failed because of the fault, once, and says so. */
static void note_failure(clact_status status, const char *text)
{
    const clact_error *error = clact_last_error(NULL);
    if (!layer->fired() || was_reported) {
        print_error("%s\nfailed without a reason: %s\n", text, error->message);
        fail();
    }
    was_reported = true;
    reported_count++;
    assert_int_equal(error->status, status);
    assert_string_not_equal(error->message, "");
    if (error->code != CL_SUCCESS)
        assert_int_equal(error->code, fault_code);
}

/* A call that may fail if the fault falls into it, after which `untouched` holds. Made again, it
 * works. */
#define TRY(call, untouched)                                                                       \
    do {                                                                                           \
        const clact_status status_ = (call);                                                       \
        if (status_ != CLACT_SUCCESS) {                                                            \
            note_failure(status_, #call);                                                          \
            assert_true(untouched);                                                                \
            assert_ok(call);                                                                       \
        }                                                                                          \
    } while (0)

static void release(cl_event event)
{
    assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
}

/* The runs. */

/* `kept` is the context that the scenario uses, if it is not one of its own. */
static void run_with_faults(void (*scenario)(void), clact_context *kept, cl_int code)
{
    layer->arm(0, CL_SUCCESS);
    scenario(); /* compiles, and shows that it works at all */
    clact_context_trim(kept);
    const struct live_objects before = live_objects();
    const unsigned long reported_before = reported_count;
    fault_code = code;
    bool fired = true;
    unsigned long n = 0;
    while (fired) {
        was_reported = false;
        layer->arm(++n, code);
        scenario();
        fired = layer->fired() != NULL;
        layer->arm(0, CL_SUCCESS);
        clact_context_trim(kept);
        assert_live(before);
    }
    print_message("%lu calls, of which %lu faults were errors\n", n - 1,
                  reported_count - reported_before);
    assert_true(reported_count > reported_before);
}

/* One code that the library takes for a lack of memory and tries to mend, and one that it does not
 * expect. */
static void run_scenario(void (*scenario)(void), clact_context *kept)
{
    run_with_faults(scenario, kept, CL_OUT_OF_RESOURCES);
    run_with_faults(scenario, kept, CL_INVALID_OPERATION);
}

/* Contexts. */

static void create_context(void)
{
    clact_context *ctx = NULL;
    TRY(clact_context_create(NULL, &ctx), ctx == NULL);
    clact_context *second = NULL;
    TRY(clact_context_create_from_cl(clact_context_cl(ctx), clact_context_device(ctx), NULL,
                                     &second),
        second == NULL);
    clact_context_destroy(ctx);
    clact_context_destroy(second);
}

static void test_context(void **state)
{
    (void)state;
    run_scenario(create_context, NULL);
}

static clact_context *described;

static void list_and_describe(void)
{
    clact_device_info infos[8], info;
    size_t count = 999;
    TRY(clact_devices(8, infos, &count), count == 999);
    assert_true(count < 999); /* a platform or device that fails is left out */
    info.device = NULL;
    TRY(clact_context_info(described, &info), info.device == NULL);
    assert_ptr_equal(info.device, clact_context_device(described));
}

static void test_description(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    described = f.ctx;
    run_scenario(list_and_describe, f.ctx);
    fixture_close(&f);
}

/* Calls on a context that is ready. */

static clact_context *ready;

static clact_buffer *make_buffer(void)
{
    clact_buffer *buffer = NULL;
    TRY(clact_buffer_create(ready, sizeof(x), &buffer), buffer == NULL);
    return buffer;
}

static void enqueue_calls(void)
{
    clact_buffer *first = make_buffer(), *second = make_buffer();
    const clact_view a = clact_buffer_view(first, CLACT_F32, 0, N);
    const clact_view b = clact_buffer_view(second, CLACT_F32, 0, N);
    const clact_view none = clact_buffer_view(first, CLACT_F32, 0, 0);
    cl_command_queue queue = clact_context_queue(ready);
    TRY(clact_buffer_write(first, 0, sizeof(x), x), true);
    TRY(clact_buffer_write(second, 0, sizeof(x), grad), true);
    cl_event empty = UNTOUCHED_EVENT, forward = UNTOUCHED_EVENT, backward = UNTOUCHED_EVENT;
    TRY(clact_enqueue_forward(ready, queue, any_operator(), NULL, none, none, 0, NULL, &empty),
        empty == UNTOUCHED_EVENT);
    TRY(clact_enqueue_forward(ready, queue, any_operator(), NULL, a, a, 1, &empty, &forward),
        forward == UNTOUCHED_EVENT);
    TRY(clact_buffer_read(first, 0, sizeof(y), y), true);
    TRY(clact_enqueue_backward(ready, queue, any_operator(), NULL, any_kind(), b, a, b, 1, &forward,
                               &backward),
        backward == UNTOUCHED_EVENT);
    TRY(clact_buffer_read(second, 0, sizeof(dx), dx), true);
    assert_forward(CLACT_F32, N, x, y);
    assert_backward(CLACT_F32, any_kind(), N, grad, y, dx);
    release(empty);
    release(forward);
    release(backward);
    clact_buffer_destroy(first);
    clact_buffer_destroy(second);
}

/* The unmap itself may be done where waiting for it is what failed. */
static void unmap(clact_buffer *buffer, void *pointer)
{
    const clact_status status = clact_buffer_unmap(buffer, pointer);
    if (status == CLACT_SUCCESS)
        return;
    note_failure(status, "clact_buffer_unmap");
    const clact_status again = clact_buffer_unmap(buffer, pointer);
    assert_true(again == CLACT_SUCCESS || again == CLACT_INVALID_ARGUMENT);
}

static void buffer_calls(void)
{
    clact_buffer *buffer = make_buffer();
    cl_event write = UNTOUCHED_EVENT, map = UNTOUCHED_EVENT, unmapped = UNTOUCHED_EVENT,
             read = UNTOUCHED_EVENT, nothing = UNTOUCHED_EVENT;
    void *pointer = NULL;
    TRY(clact_buffer_enqueue_write(buffer, NULL, 0, sizeof(x), x, 0, NULL, &write),
        write == UNTOUCHED_EVENT);
    TRY(clact_buffer_enqueue_map(buffer, NULL, CL_MAP_READ, 0, sizeof(x), 1, &write, &map,
                                 &pointer),
        map == UNTOUCHED_EVENT && pointer == NULL);
    TRY(clact_buffer_enqueue_unmap(buffer, NULL, pointer, 1, &map, &unmapped),
        unmapped == UNTOUCHED_EVENT);
    TRY(clact_buffer_enqueue_read(buffer, NULL, 0, sizeof(y), y, 1, &unmapped, &read),
        read == UNTOUCHED_EVENT);
    TRY(clact_buffer_enqueue_read(buffer, NULL, 0, 0, NULL, 1, &read, &nothing),
        nothing == UNTOUCHED_EVENT);
    pointer = NULL;
    TRY(clact_buffer_map(buffer, CL_MAP_READ | CL_MAP_WRITE, 0, sizeof(x), &pointer),
        pointer == NULL);
    assert_memory_equal(pointer, x, sizeof(x)); /* the queue is in order: the copy is done, too */
    assert_memory_equal(y, x, sizeof(x));
    memcpy(pointer, grad, sizeof(grad));
    unmap(buffer, pointer);
    TRY(clact_buffer_read(buffer, 0, sizeof(dx), dx), true);
    assert_memory_equal(dx, grad, sizeof(dx));
    release(write);
    release(map);
    release(unmapped);
    release(read);
    release(nothing);
    clact_buffer_destroy(buffer);
}

/* What y holds after a fault is unspecified, and right once the call has worked. */
static void array_calls(void)
{
    memset(y, 0, sizeof(y));
    memset(dx, 0, sizeof(dx));
    TRY(clact_forward(ready, any_operator(), NULL, CLACT_F32, N, x, y), true);
    assert_forward(CLACT_F32, N, x, y);
    TRY(clact_backward(ready, any_operator(), NULL, CLACT_F32, any_kind(), N, grad, y, dx), true);
    assert_backward(CLACT_F32, any_kind(), N, grad, y, dx);
    memcpy(dx, x, sizeof(dx));
    const clact_status status = clact_forward(ready, any_operator(), NULL, CLACT_F32, N, dx, dx);
    if (status == CLACT_SUCCESS)
        assert_memory_equal(dx, y, sizeof(dx));
    else
        note_failure(status, "clact_forward in place");
}

static void prepare_call(void)
{
    TRY(clact_prepare(ready, any_operator(), CLACT_F32), true);
}

static void run_ready(void (*scenario)(void), clact_transfer transfer)
{
    struct fixture f;
    fixture_open(&f, &(clact_options){.transfer = transfer, .piece_bytes = PIECE});
    assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
    ready = f.ctx;
    run_scenario(scenario, f.ctx);
    fixture_close(&f);
}

static void test_enqueue_calls(void **state)
{
    (void)state;
    run_ready(enqueue_calls, CLACT_TRANSFER_AUTO);
}

static void test_buffer_calls(void **state)
{
    (void)state;
    run_ready(buffer_calls, CLACT_TRANSFER_AUTO);
}

static void test_arrays_copied(void **state)
{
    (void)state;
    run_ready(array_calls, CLACT_TRANSFER_COPY);
}

static void test_arrays_shared(void **state)
{
    (void)state;
    run_ready(array_calls, CLACT_TRANSFER_SHARE);
}

static void test_prepare(void **state)
{
    (void)state;
    run_ready(prepare_call, CLACT_TRANSFER_AUTO);
}

/* First use, where kernels are compiled and queues made. */

static void first_use(void)
{
    clact_context *ctx = NULL;
    const clact_options options = {.transfer = CLACT_TRANSFER_COPY, .piece_bytes = PIECE};
    TRY(clact_context_create(&options, &ctx), ctx == NULL);
    memset(y, 0, sizeof(y));
    TRY(clact_forward(ctx, any_operator(), NULL, CLACT_F32, N, x, y), true);
    assert_forward(CLACT_F32, N, x, y);
    clact_context_destroy(ctx);
}

static void test_first_use(void **state)
{
    (void)state;
    run_with_faults(first_use, NULL, CL_OUT_OF_HOST_MEMORY);
}

/* First use where there is a folder for compiled programs. */

static char folder[PATH_SIZE];

static void use_folder(void)
{
    clact_context *ctx = NULL;
    const clact_options options = {.cache_dir = folder};
    TRY(clact_context_create(&options, &ctx), ctx == NULL);
    memset(y, 0, sizeof(y));
    TRY(clact_forward(ctx, any_operator(), NULL, CLACT_F32, N, x, y), true);
    assert_forward(CLACT_F32, N, x, y);
    clact_context_destroy(ctx);
}

/* What goes wrong while a program is kept is no error, and leaves a sound file or none. */
static void fill_folder(void)
{
    char file[PATH_SIZE];
    if (files_in(folder, file) == 1)
        assert_int_equal(unlink(file), 0);
    use_folder();
    assert_in_range(files_in(folder, NULL), 0, 1);
}

static void test_folder(void **state)
{
    (void)state;
    scratch_make(folder);
    run_with_faults(fill_folder, NULL, CL_OUT_OF_HOST_MEMORY);
    assert_int_equal(compilations_with(folder), 0);
    run_with_faults(use_folder, NULL, CL_OUT_OF_HOST_MEMORY);
    assert_int_equal(compilations_with(folder), 0);
    scratch_remove(folder);
}

/* Compiled programs as bytes. */

static void pass_programs_on(void)
{
    size_t size = 0;
    TRY(clact_programs_export(ready, 0, NULL, &size), size == 0);
    unsigned char *bytes = calloc(size, 1);
    assert_non_null(bytes);
    size_t written = 0;
    TRY(clact_programs_export(ready, size, bytes, &written), written == 0 && bytes[0] == 0);
    assert_int_equal(written, size);
    clact_context *ctx = NULL;
    TRY(clact_context_create(NULL, &ctx), ctx == NULL);
    TRY(clact_programs_import(ctx, bytes, size), true);
    TRY(clact_forward(ctx, any_operator(), NULL, CLACT_F32, N, x, y), true);
    assert_forward(CLACT_F32, N, x, y);
    clact_context_destroy(ctx);
    free(bytes);
}

static void test_programs(void **state)
{
    (void)state;
    run_ready(pass_programs_on, CLACT_TRANSFER_AUTO);
}

int main(void)
{
    if (!can_count())
        return SKIPPED;
    layer = fault_layer_find();
    fill_operands(CLACT_F32, x, N, 1);
    fill_operands(CLACT_F32, grad, N, 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context),       cmocka_unit_test(test_description),
        cmocka_unit_test(test_enqueue_calls), cmocka_unit_test(test_buffer_calls),
        cmocka_unit_test(test_arrays_copied), cmocka_unit_test(test_arrays_shared),
        cmocka_unit_test(test_prepare),       cmocka_unit_test(test_first_use),
        cmocka_unit_test(test_folder),        cmocka_unit_test(test_programs),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
