/* SPDX-License-Identifier: MIT */
/* Kernels that the device's compiler rejects: the caller gets the compiler's log, and the context
 * stays sound. */
#include "host_fixture.h"

#include <pthread.h>
#include <string.h>

/* What to break the build with. */
static const char unknown_body[] = "-DCLACT_BODY=clact_no_such_function";
static const char syntax_error[] = "-Dfloat=)";

static struct {
    struct fixture f;
    float x[16], y[16], same[16];
    cl_mem mem;
} scene;

static void *ask_from_another_thread(void *seen)
{
    const clact_error *error = clact_last_error(NULL);
    *(bool *)seen = error->status != CLACT_SUCCESS || *error->message != '\0' ||
                    clact_last_error(scene.f.ctx)->status != CLACT_SUCCESS;
    return NULL;
}

static void assert_other_threads_see_nothing(void)
{
    pthread_t thread;
    bool seen = true;
    assert_int_equal(pthread_create(&thread, NULL, ask_from_another_thread, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(seen);
}

/* The compiler said something, clact_last_error shows it from its start, and the log had all of it:
 * assert_error has compared the two. */
static void assert_log_is_kept(void)
{
    const clact_error *error = clact_last_error(scene.f.ctx);
    assert_int_not_equal(error->code, CL_SUCCESS);
    assert_non_null(strstr(error->message, "error"));
    if (scene.f.log.length < 3000)
        assert_int_equal(strlen(error->message), scene.f.log.length);
}

static void expect_every_call_fails(void)
{
    const clact_operator op = any_operator();
    const clact_view view = clact_view_1d(scene.mem, CLACT_F32, 0, 16);
    cl_event event = UNTOUCHED_EVENT;
    const clact_status failed = CLACT_BUILD_FAILED;
    assert_error(&scene.f, failed, clact_prepare(scene.f.ctx, op, CLACT_F32));
    assert_log_is_kept();
    assert_error(&scene.f, failed,
                 clact_forward(scene.f.ctx, op, NULL, CLACT_F32, 16, scene.x, scene.y));
    assert_log_is_kept();
    assert_error(&scene.f, failed,
                 clact_backward(scene.f.ctx, op, NULL, CLACT_F32, any_kind(), 16, scene.x, scene.x,
                                scene.y));
    assert_error(&scene.f, failed,
                 clact_enqueue_forward(scene.f.ctx, NULL, op, NULL, view, view, 0, NULL, &event));
    assert_error(&scene.f, failed,
                 clact_enqueue_backward(scene.f.ctx, NULL, op, NULL, any_kind(), view, view, view,
                                        0, NULL, &event));
    assert_log_is_kept();
    assert_ptr_equal(event, UNTOUCHED_EVENT);
    assert_memory_equal(scene.y, scene.same, sizeof(scene.y));
    float kept[16];
    read_mem(scene.f.ctx, scene.mem, sizeof(kept), kept);
    assert_memory_equal(kept, scene.x, sizeof(kept));
}

static void run_breakage(const char *build_options)
{
    const struct live_objects nothing = live_objects();
    fixture_open(&scene.f, &(clact_options){.build_options = build_options});
    fill_operands(CLACT_F32, scene.x, 16, 1);
    memset(scene.y, 0x5a, sizeof(scene.y));
    memset(scene.same, 0x5a, sizeof(scene.same));
    scene.mem = make_mem(scene.f.ctx, CL_MEM_READ_WRITE, sizeof(scene.x), scene.x);
    expect_every_call_fails();
    assert_other_threads_see_nothing();
    const struct live_objects after_one_round = live_objects();
    expect_every_call_fails();
    assert_live(after_one_round);

    /* What needs no kernel works as ever. */
    cl_event event = NULL;
    const clact_view none = clact_view_1d(NULL, CLACT_F32, 0, 0);
    assert_ok(clact_enqueue_forward(scene.f.ctx, NULL, any_operator(), NULL, none, none, 0, NULL,
                                    &event));
    await(event);
    assert_int_equal(clReleaseMemObject(scene.mem), CL_SUCCESS);
    fixture_close(&scene.f);
    assert_live(nothing);
}

static void test_unknown_body(void **state)
{
    (void)state;
    run_breakage(unknown_body);
}

static void test_syntax_error(void **state)
{
    (void)state;
    run_breakage(syntax_error);
}

/* A context beside a broken one is none the worse, nor is its last error. */
static void test_other_context(void **state)
{
    (void)state;
    struct fixture broken, sound;
    float x[8], y[8];
    fill_operands(CLACT_F32, x, 8, 1);
    fixture_open(&broken, &(clact_options){.build_options = unknown_body});
    fixture_open(&sound, NULL);
    assert_error(&broken, CLACT_BUILD_FAILED,
                 clact_forward(broken.ctx, any_operator(), NULL, CLACT_F32, 8, x, y));
    assert_int_equal(clact_last_error(sound.ctx)->status, CLACT_SUCCESS);
    assert_string_equal(clact_last_error(sound.ctx)->message, "");
    assert_ok(clact_forward(sound.ctx, any_operator(), NULL, CLACT_F32, 8, x, y));
    assert_forward(CLACT_F32, 8, x, y);
    assert_int_equal(clact_last_error(broken.ctx)->status, CLACT_BUILD_FAILED);
    fixture_close(&broken);
    fixture_close(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_body),
        cmocka_unit_test(test_syntax_error),
        cmocka_unit_test(test_other_context),
    };
    return cmocka_run_group_tests_name("build failure", tests, NULL, NULL);
}
