/* SPDX-License-Identifier: MIT */
/* Compiled programs on disk: a second context loads what a first has compiled, and whatever is
 * wrong with a file, results are right, nothing is reported, and the file is replaced. */
#include "cache_fixture.h"

#include "bundle_fixture.h"
#include "dtype.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 104 };

/* A folder with the one entry of compilations_of, which each test leaves as it is here. */
static char folder[PATH_SIZE], entry[PATH_SIZE];

static const struct fault_layer *layer;

static void test_second_context(void **state)
{
    (void)state;
    assert_int_equal(compilations_with(folder), 0);
    assert_int_equal(files_in(folder, NULL), 1);
}

static void test_modes(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(entry, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* Options of the compiler are part of what a program is: none is taken for another. */
static void test_other_options(void **state)
{
    (void)state;
    char own[PATH_SIZE];
    scratch_make(own);
    static const clact_options others[] = {
        {.vector_width = 1}, {.vector_width = 2}, {.build_options = "-DUNUSED"}};
    const int count = sizeof(others) / sizeof(*others);
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < count; i++) {
            clact_options options = others[i];
            options.cache_dir = own;
            assert_int_equal(compilations_of(&options), turn == 0 ? 1 : 0);
        }
    assert_int_equal(files_in(own, NULL), count);
    scratch_remove(own);
}

/* Every kind of call in every dtype, each result behind the other. */
static size_t call_everything(clact_context *ctx, unsigned char *results)
{
    static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};
    double x[N], grad[N]; /* aligned for any dtype */
    size_t used = 0;
    for (int t = 0; t < 4; t++) {
        const clact_dtype dtype = dtypes[t];
        if (!dtype_works(ctx, dtype))
            continue;
        const size_t bytes = N * clact_dtype_size(dtype);
        fill_operands(dtype, x, N, 1);
        fill_operands(dtype, grad, N, 2);
        assert_ok(clact_forward(ctx, any_operator(), NULL, dtype, N, x, results + used));
        used += bytes;
        assert_ok(clact_backward(ctx, any_operator(), NULL, dtype, any_kind(), N, grad, x,
                                 results + used));
        used += bytes;
        assert_ok(clact_predict(ctx, dtype, 0.6, N, x, results + used));
        used += N;
    }
    return used;
}

static void test_every_program(void **state)
{
    (void)state;
    char own[PATH_SIZE];
    scratch_make(own);
    static _Alignas(8) unsigned char compiled[4 * N * 17], loaded[4 * N * 17];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = own});
    const unsigned long before = layer->compilations();
    const size_t size = call_everything(f.ctx, compiled);
    const unsigned long all = layer->compilations() - before;
    assert_true(all >= 9);
    fixture_close(&f);
    assert_int_equal(files_in(own, NULL), all);

    fixture_open(&f, &(clact_options){.cache_dir = own});
    assert_int_equal(call_everything(f.ctx, loaded), size);
    assert_memory_equal(loaded, compiled, size);
    assert_int_equal(layer->compilations() - before, all);
    fixture_close(&f);
    scratch_remove(own);
}

/* Once an operator is prepared in one context, another context compiles nothing of it. */
static void test_prepare(void **state)
{
    (void)state;
    char own[PATH_SIZE];
    scratch_make(own);
    unsigned long before = 0;
    for (int turn = 0; turn < 2; turn++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.cache_dir = own});
        before = layer->compilations();
        assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
        if (turn == 0)
            assert_true(layer->compilations() > before);
        fixture_close(&f);
    }
    assert_int_equal(layer->compilations(), before);
    scratch_remove(own);
}

/* What the compiler rejects is not kept. */
static void test_failed_build(void **state)
{
    (void)state;
    char own[PATH_SIZE];
    scratch_make(own);
    float x[N] = {0}, y[N];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = own, .build_options = "-Dfloat=)"});
    for (int turn = 0; turn < 2; turn++)
        assert_error(&f, CLACT_BUILD_FAILED,
                     clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    fixture_close(&f);
    assert_int_equal(files_in(own, NULL), 0);
    scratch_remove(own);
}

/* Threads that want a program at the same time: it is compiled once and kept once, while it is in
 * use. */

enum { THREADS = 6, TURNS = 20 };

static struct {
    struct fixture f;
    pthread_barrier_t start;
    float x[N], expected[N];
} shared;

static void *use_shared(void *failed)
{
    float y[N];
    pthread_barrier_wait(&shared.start);
    for (int i = 0; i < TURNS; i++)
        if (clact_forward(shared.f.ctx, any_operator(), NULL, CLACT_F32, N, shared.x, y) !=
                CLACT_SUCCESS ||
            memcmp(y, shared.expected, sizeof(y)) != 0)
            *(bool *)failed = true;
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    char own[PATH_SIZE];
    scratch_make(own);
    fill_operands(CLACT_F32, shared.x, N, 1);
    fixture_open(&shared.f, &(clact_options){.cache_dir = folder});
    assert_ok(
        clact_forward(shared.f.ctx, any_operator(), NULL, CLACT_F32, N, shared.x, shared.expected));
    fixture_close(&shared.f);
    assert_int_equal(pthread_barrier_init(&shared.start, NULL, THREADS), 0);
    for (int turn = 0; turn < 2; turn++) { /* compiled by one of them, then loaded by one */
        const unsigned long before = layer->compilations();
        pthread_t threads[THREADS];
        bool failed[THREADS] = {false};
        fixture_open(&shared.f, &(clact_options){.cache_dir = own});
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use_shared, &failed[i]), 0);
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_false(failed[i]);
        }
        fixture_close(&shared.f);
        assert_int_equal(layer->compilations() - before, turn == 0 ? 1 : 0);
        assert_int_equal(files_in(own, NULL), 1);
    }
    pthread_barrier_destroy(&shared.start);
    scratch_remove(own);
}

/* Damage. */

/* The entry is not used, but replaced by one that is. */
static void expect_replacement(const char *what)
{
    const unsigned long compiled = compilations_with(folder);
    if (compiled != 1) {
        print_error("%s: %lu programs were compiled, not 1\n", what, compiled);
        fail();
    }
    assert_int_equal(files_in(folder, NULL), 1);
    if (compilations_with(folder) != 0) {
        print_error("%s: the entry was not replaced\n", what);
        fail();
    }
}

static void test_cut_short(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = file_read(entry, &size);
    const size_t lengths[] = {0, 1, 8, 31, 40, 200, size / 2, size - 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        file_write(entry, bytes, lengths[i]);
        expect_replacement("cut short");
    }
    free(bytes);
}

/* Another process that has the file open goes on reading what it began with. */
static void test_replaced_at_once(void **state)
{
    (void)state;
    char text[32] = "";
    file_write(entry, "not a program", 13);
    FILE *open_before = fopen(entry, "rb");
    assert_non_null(open_before);
    expect_replacement("no program");
    assert_int_equal(fread(text, 1, sizeof(text) - 1, open_before), 13);
    assert_string_equal(text, "not a program");
    fclose(open_before);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = file_read(entry, &size);
    const size_t places[] = {0, 9, 17, 25, 33, 41, 60, size / 3, size / 2, size - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        bytes[places[i]] ^= 4;
        file_write(entry, bytes, size);
        bytes[places[i]] ^= 4;
        expect_replacement("a flipped bit");
    }
    free(bytes);
}

static void test_too_long(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = file_read(entry, &size);
    file_write(entry, bytes, size + 1); /* file_read leaves room for one more */
    free(bytes);
    expect_replacement("a byte too long");
    assert_int_equal(truncate(entry, (off_t)3 << 30), 0);
    expect_replacement("3 GiB long");
}

/* A file that verifies, but is of another version of the driver or for other options, or holds what
 * the driver does not take. */
static void test_foreign(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = file_read(entry, &size);
    struct bundle_parts parts;
    bundle_take_apart(bytes, size, &parts);
    char other[4096];

    snprintf(other, sizeof(other), "%s%s", parts.environment, "driver 2\n");
    bundle_write_file(entry, other, parts.options, parts.binary, parts.size);
    expect_replacement("another environment");

    snprintf(other, sizeof(other), "%s -DUNUSED", parts.options);
    bundle_write_file(entry, parts.environment, other, parts.binary, parts.size);
    expect_replacement("other options");

    bundle_write_file(entry, parts.environment, parts.options, (const unsigned char *)"junk", 4);
    expect_replacement("a binary of 4 bytes");

    bundle_write_file(entry, parts.environment, parts.options, (const unsigned char *)"", 0);
    expect_replacement("an empty binary");
    free(bytes);
}

/* A sound binary of another kernel under this one's name: the kernel is not in it. */
static void test_other_kernel(void **state)
{
    (void)state;
    char own[PATH_SIZE], file[PATH_SIZE];
    scratch_make(own);
    struct fixture f;
    unsigned char labels[N];
    float x[N] = {0};
    fixture_open(&f, &(clact_options){.cache_dir = own});
    assert_ok(clact_predict(f.ctx, CLACT_F32, 0.5, N, x, labels));
    fixture_close(&f);
    assert_int_equal(files_in(own, file), 1);

    size_t size = 0, other_size = 0;
    unsigned char *bytes = file_read(entry, &size), *other_bytes = file_read(file, &other_size);
    struct bundle_parts parts, other;
    bundle_take_apart(bytes, size, &parts);
    bundle_take_apart(other_bytes, other_size, &other);
    bundle_write_file(entry, parts.environment, parts.options, other.binary, other.size);
    expect_replacement("another kernel");
    free(bytes);
    free(other_bytes);
    scratch_remove(own);
}

static void test_writable_by_others(void **state)
{
    (void)state;
    assert_int_equal(chmod(entry, 0666), 0);
    expect_replacement("writable by all");
    assert_int_equal(chmod(entry, 0620), 0);
    expect_replacement("writable by the group");
}

static void test_owned_by_another(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown(entry, 65534, (gid_t)-1), 0);
    expect_replacement("another's");
}

/* Something else by that name is not followed, waited for, or written through. */
static void test_not_a_file(void **state)
{
    (void)state;
    char target[PATH_SIZE];
    scratch_make(target);
    char file[PATH_SIZE];
    path_join(file, target, "kept");
    assert_int_equal(rename(entry, file), 0);
    assert_int_equal(symlink(file, entry), 0);
    size_t size = 0, size_after = 0;
    unsigned char *before = file_read(file, &size);
    expect_replacement("a link to a sound entry");
    unsigned char *after = file_read(file, &size_after);
    assert_int_equal(size_after, size);
    assert_memory_equal(after, before, size);
    free(before);
    free(after);
    scratch_remove(target);

    assert_int_equal(unlink(entry), 0);
    assert_int_equal(mkfifo(entry, 0600), 0);
    expect_replacement("a pipe");

    /* A folder cannot be replaced: then there is no entry, and all works without. */
    assert_int_equal(unlink(entry), 0);
    assert_int_equal(mkdir(entry, 0700), 0);
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(files_in(folder, NULL), 1);
    assert_int_equal(rmdir(entry), 0);
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(compilations_with(folder), 0);
}

static int fill_folder(void **state)
{
    (void)state;
    scratch_make(folder);
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(files_in(folder, entry), 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

int main(void)
{
    if (!can_count())
        return SKIPPED;
    layer = fault_layer_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_context),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_other_options),
        cmocka_unit_test(test_every_program),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_failed_build),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_replaced_at_once),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_other_kernel),
        cmocka_unit_test(test_writable_by_others),
        cmocka_unit_test(test_owned_by_another),
        cmocka_unit_test(test_not_a_file),
        NOTHING_IS_LEFT(&shared.f),
    };
    return cmocka_run_group_tests_name("cache", tests, fill_folder, remove_folder);
}
