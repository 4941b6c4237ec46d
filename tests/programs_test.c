/* SPDX-License-Identifier: MIT */
/* Compiled programs as bytes of the caller's: what one context exports spares another the compiler,
 * and what is not such bytes, or not for this device, changes nothing. */
#include "bundle_fixture.h"
#include "cache_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100 };

static const struct fault_layer *layer;

/* What a context exports that has prepared an operator and a predict. */
static unsigned char *sound;
static size_t sound_size;
static unsigned long sound_programs; /* compiled for that */

static float x[N], grad[N], expected_y[N], expected_dx[N];
static unsigned char expected_labels[N];

static unsigned char *export_all(clact_context *ctx, size_t *size)
{
    *size = 0;
    assert_ok(clact_programs_export(ctx, 0, NULL, size));
    assert_true(*size > 0);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    size_t written = 0;
    assert_ok(clact_programs_export(ctx, *size, bytes, &written));
    assert_int_equal(written, *size);
    return bytes;
}

static void call_all(clact_context *ctx, float *y, float *dx, unsigned char *labels)
{
    assert_ok(clact_forward(ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    assert_ok(clact_backward(ctx, any_operator(), NULL, CLACT_F32, any_kind(), N, grad, x, dx));
    assert_ok(clact_predict(ctx, CLACT_F32, 0.6, N, x, labels));
}

/* Runs the kernels, checks the results, and returns how many were compiled. */
static unsigned long use(struct fixture *f)
{
    float y[N], dx[N];
    unsigned char labels[N];
    const unsigned long before = layer->compilations();
    call_all(f->ctx, y, dx, labels);
    assert_memory_equal(y, expected_y, sizeof(y));
    assert_memory_equal(dx, expected_dx, sizeof(dx));
    assert_memory_equal(labels, expected_labels, sizeof(labels));
    return layer->compilations() - before;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    unsigned char *copy = malloc(sound_size);
    assert_non_null(copy);
    memcpy(copy, sound, sound_size);
    assert_ok(clact_programs_import(f.ctx, copy, sound_size));
    memset(copy, 0, sound_size); /* the context has its own */
    const unsigned long before = layer->compilations();
    assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
    assert_ok(clact_prepare_predict(f.ctx, CLACT_F32));
    assert_int_equal(layer->compilations(), before);
    assert_int_equal(use(&f), 0);
    fixture_close(&f);
    free(copy);
}

/* Another context exports what it was given, whether it has used it, some of it, or none, and each
 * program once. */
static void test_pass_on(void **state)
{
    (void)state;
    for (int used = 0; used < 3; used++) {
        struct fixture f;
        float y[N];
        fixture_open(&f, NULL);
        assert_ok(clact_programs_import(f.ctx, sound, sound_size));
        assert_ok(clact_programs_import(f.ctx, sound, sound_size));
        if (used == 1)
            assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, N, x, y));
        else if (used == 2)
            assert_int_equal(use(&f), 0);
        size_t size = 0;
        unsigned char *bytes = export_all(f.ctx, &size);
        fixture_close(&f);
        struct bundle_parts parts;
        bundle_take_apart(bytes, size, &parts);
        assert_int_equal(parts.count, sound_programs);

        fixture_open(&f, NULL);
        assert_ok(clact_programs_import(f.ctx, bytes, size));
        assert_int_equal(use(&f), 0);
        fixture_close(&f);
        free(bytes);
    }
}

/* A context that has compiled nothing exports no programs, and that can be imported. */
static void test_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    size_t size = 0;
    unsigned char *bytes = export_all(f.ctx, &size);
    assert_true(size < 1000);
    assert_ok(clact_programs_import(f.ctx, bytes, size));
    assert_true(use(&f) > 0);
    free(bytes);
    fixture_close(&f);
}

static void test_too_little_room(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    assert_ok(clact_programs_import(f.ctx, sound, sound_size));
    size_t size = 0, needed = 0;
    assert_ok(clact_programs_export(f.ctx, 0, NULL, &needed));
    unsigned char *bytes = malloc(needed), *same = malloc(needed);
    assert_non_null(bytes);
    assert_non_null(same);
    memset(bytes, 0x5a, needed);
    memset(same, 0x5a, needed);
    assert_ok(clact_programs_export(f.ctx, needed - 1, bytes, &size));
    assert_int_equal(size, needed);
    assert_memory_equal(bytes, same, needed);
    assert_ok(clact_programs_export(f.ctx, needed, bytes, &size));
    assert_memory_not_equal(bytes, same, needed);
    free(bytes);
    free(same);
    fixture_close(&f);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    size_t size = 42;
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_programs_export(NULL, 0, NULL, &size));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_export(f.ctx, 0, NULL, NULL));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_export(f.ctx, 1, NULL, &size));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_programs_import(NULL, sound, sound_size));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_import(f.ctx, NULL, 0));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_import(f.ctx, NULL, 100));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_import(f.ctx, sound, 0));
    assert_int_equal(size, 42);
    fixture_close(&f);
}

/* The context goes on as if nothing had been tried. */
static void expect_unchanged(struct fixture *f)
{
    size_t size = 0;
    unsigned char *bytes = export_all(f->ctx, &size);
    assert_true(size < 1000); /* none of them is there */
    free(bytes);
}

/* Every length near the ends, and others; every byte likewise. All of them are tried on small
 * bundles, by the test of the format. */
static void test_damage(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    unsigned char *bytes = malloc(sound_size);
    assert_non_null(bytes);
    memcpy(bytes, sound, sound_size);
    for (size_t i = 0; i < sound_size; i += i < 1000 || i + 100 > sound_size ? 1 : 1009) {
        assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_import(f.ctx, bytes, i));
        bytes[i] ^= 0x10;
        assert_error(&f, CLACT_INVALID_ARGUMENT, clact_programs_import(f.ctx, bytes, sound_size));
        bytes[i] ^= 0x10;
    }
    expect_unchanged(&f);
    assert_true(use(&f) > 0);
    free(bytes);
    fixture_close(&f);
}

/* A sound bundle, but for something else: any line of the environment may differ. */
static void test_stale(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    struct bundle_parts parts;
    bundle_take_apart(sound, sound_size, &parts);
    char other[4096];
    const size_t length = strlen(parts.environment);
    assert_true(length < sizeof(other) - 1);
    int lines = 0;
    for (size_t i = 0; i < length; i++) {
        if (parts.environment[i] != '\n')
            continue;
        lines++;
        snprintf(other, sizeof(other), "%.*s.%s", (int)i, parts.environment, parts.environment + i);
        size_t size = 0;
        unsigned char *bytes = bundle_make(other, parts.options, parts.binary, parts.size, &size);
        assert_error(&f, CLACT_STALE, clact_programs_import(f.ctx, bytes, size));
        free(bytes);
    }
    assert_true(lines >= 6); /* library, device, vendor, driver, platform, kernels */
    expect_unchanged(&f);
    assert_true(use(&f) > 0);
    fixture_close(&f);
}

/* What tells versions apart is all there. */
static void test_environment(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    clact_device_info info;
    assert_ok(clact_context_info(f.ctx, &info));
    struct bundle_parts parts;
    bundle_take_apart(sound, sound_size, &parts);
    const char *const wanted[] = {clact_version_string(), info.platform_name, info.name,
                                  info.version, info.driver};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        assert_non_null(strstr(parts.environment, wanted[i]));
    fixture_close(&f);
}

/* The driver may not take what verifies: then it is compiled, and nothing is said. */
static void test_rejected_by_the_driver(void **state)
{
    (void)state;
    struct bundle_parts parts;
    bundle_take_apart(sound, sound_size, &parts);
    size_t size = 0;
    unsigned char *bytes =
        bundle_make(parts.environment, parts.options, (const unsigned char *)"no binary", 9, &size);
    struct fixture f;
    fixture_open(&f, NULL);
    assert_ok(clact_programs_import(f.ctx, sound, sound_size));
    assert_ok(clact_programs_import(f.ctx, bytes, size)); /* looked at first */
    assert_int_equal(use(&f), 0);
    fixture_close(&f);

    fixture_open(&f, NULL);
    assert_ok(clact_programs_import(f.ctx, bytes, size));
    assert_int_equal(use(&f), 3);
    assert_int_equal(f.log.count, 0);
    fixture_close(&f);
    free(bytes);
}

/* Programs for other options are not taken for these. */
static void test_other_options(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, &(clact_options){.build_options = "-DUNUSED"});
    assert_ok(clact_programs_import(f.ctx, sound, sound_size));
    assert_int_equal(use(&f), 3);
    fixture_close(&f);
}

/* Imports do not touch what the context has, and need no folder, nor fill one. */
static void test_beside_a_folder(void **state)
{
    (void)state;
    char folder[PATH_SIZE];
    scratch_make(folder);
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = folder});
    assert_ok(clact_programs_import(f.ctx, sound, sound_size));
    assert_int_equal(use(&f), 0);
    fixture_close(&f);
    assert_int_equal(files_in(folder, NULL), 0);

    fixture_open(&f, &(clact_options){.cache_dir = folder});
    assert_int_equal(use(&f), 3);
    assert_ok(clact_programs_import(f.ctx, sound, sound_size));
    assert_int_equal(use(&f), 0);
    fixture_close(&f);
    assert_int_equal(files_in(folder, NULL), 3);
    scratch_remove(folder);
}

/* Threads that use, export and import at the same time. */

enum { THREADS = 6, TURNS = 8 };

static struct fixture shared;

static void *work(void *failed)
{
    float y[N], dx[N];
    unsigned char labels[N], *bytes = malloc(2 * sound_size);
    bool right = bytes != NULL;
    for (int i = 0; i < TURNS && right; i++) {
        size_t size = 0;
        right =
            clact_programs_import(shared.ctx, sound, sound_size) == CLACT_SUCCESS &&
            clact_forward(shared.ctx, any_operator(), NULL, CLACT_F32, N, x, y) == CLACT_SUCCESS &&
            clact_programs_export(shared.ctx, 2 * sound_size, bytes, &size) == CLACT_SUCCESS &&
            size <= 2 * sound_size &&
            clact_programs_import(shared.ctx, bytes, size) == CLACT_SUCCESS &&
            clact_backward(shared.ctx, any_operator(), NULL, CLACT_F32, any_kind(), N, grad, x,
                           dx) == CLACT_SUCCESS &&
            clact_predict(shared.ctx, CLACT_F32, 0.6, N, x, labels) == CLACT_SUCCESS &&
            memcmp(y, expected_y, sizeof(y)) == 0 && memcmp(dx, expected_dx, sizeof(dx)) == 0 &&
            memcmp(labels, expected_labels, sizeof(labels)) == 0;
    }
    free(bytes);
    *(bool *)failed = !right;
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    bool failed[THREADS];
    fixture_open(&shared, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &failed[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_false(failed[i]);
    fixture_close(&shared);
}

static int make_sound(void **state)
{
    (void)state;
    fill_operands(CLACT_F32, x, N, 1);
    fill_operands(CLACT_F32, grad, N, 2);
    const unsigned long before = layer->compilations();
    struct fixture f;
    fixture_open(&f, NULL);
    assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
    assert_ok(clact_prepare_predict(f.ctx, CLACT_F32));
    sound_programs = layer->compilations() - before;
    sound = export_all(f.ctx, &sound_size);
    call_all(f.ctx, expected_y, expected_dx, expected_labels);
    assert_forward(CLACT_F32, N, x, expected_y);
    fixture_close(&f);
    return 0;
}

static int free_sound(void **state)
{
    (void)state;
    free(sound);
    return 0;
}

int main(void)
{
    if (!can_count())
        return SKIPPED;
    layer = fault_layer_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_pass_on),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_too_little_room),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_rejected_by_the_driver),
        cmocka_unit_test(test_other_options),
        cmocka_unit_test(test_beside_a_folder),
        cmocka_unit_test(test_threads),
        NOTHING_IS_LEFT(&shared),
    };
    return cmocka_run_group_tests_name("programs", tests, make_sound, free_sound);
}
