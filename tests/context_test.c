/* SPDX-License-Identifier: MIT */
/* Contexts: which device they take, what they say about it, what they take and give back. */
#include "host_fixture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 };

static clact_device_info infos[ROOM];
static size_t info_count;
static char *named_device; /* what CLACT_DEVICE was when the tests began; NULL if not set */

static void set_device(const char *name)
{
    assert_int_equal(name ? setenv("CLACT_DEVICE", name, 1) : unsetenv("CLACT_DEVICE"), 0);
}

static int restore_device(void **state)
{
    (void)state;
    set_device(named_device);
    return 0;
}

static void to_upper(char *text)
{
    for (; *text; text++)
        *text = (char)toupper((unsigned char)*text);
}

/* The first usable device of which `part` is a part of a name; NULL: the first usable one. */
static cl_device_id expected_device(const char *part)
{
    char wanted[256] = "";
    strncat(wanted, part ? part : "", sizeof(wanted) - 1);
    to_upper(wanted);
    for (size_t i = 0; i < info_count; i++) {
        clact_device_info info = infos[i];
        to_upper(info.name);
        to_upper(info.platform_name);
        if (info.usable && (strstr(info.name, wanted) || strstr(info.platform_name, wanted)))
            return info.device;
    }
    return NULL;
}

static void expect_device(const char *option, const char *part)
{
    const clact_options options = {.device = option};
    clact_context *ctx = NULL;
    assert_ok(clact_context_create(&options, &ctx));
    assert_ptr_equal(clact_context_device(ctx), expected_device(part));
    clact_context_destroy(ctx);
}

/* The list of devices. */

static void test_list(void **state)
{
    (void)state;
    size_t count = 0;
    assert_ok(clact_devices(0, NULL, &count));
    assert_int_equal(count, info_count);
    clact_device_info few[2];
    memset(few, 0x5a, sizeof(few));
    const clact_device_info untouched = few[1];
    count = 0;
    assert_ok(clact_devices(1, few, &count));
    assert_int_equal(count, info_count);
    assert_ptr_equal(few[0].device, infos[0].device);
    assert_memory_equal(&few[1], &untouched, sizeof(untouched));
}

static void test_list_with_room_to_spare(void **state)
{
    (void)state;
    static clact_device_info many[ROOM + 1], untouched[ROOM + 1];
    memset(many, 0x5a, sizeof(many));
    memset(untouched, 0x5a, sizeof(untouched));
    size_t count = 0;
    assert_ok(clact_devices(ROOM + 1, many, &count));
    assert_int_equal(count, info_count);
    assert_memory_equal(many + count, untouched, (ROOM + 1 - count) * sizeof(*many));
}

static void test_list_errors(void **state)
{
    (void)state;
    size_t count = 77;
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_devices(0, NULL, NULL));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_devices(1, NULL, &count));
    assert_int_equal(count, 77);
}

static int rank(cl_device_type type)
{
    if (type & CL_DEVICE_TYPE_GPU)
        return 0;
    if (type & CL_DEVICE_TYPE_ACCELERATOR)
        return 1;
    return type & CL_DEVICE_TYPE_CPU ? 2 : 3;
}

static void test_list_is_in_order_of_preference(void **state)
{
    (void)state;
    for (size_t i = 1; i < info_count; i++)
        assert_true(rank(infos[i - 1].type) <= rank(infos[i].type));
}

static void test_list_says_what_opencl_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < info_count; i++) {
        const clact_device_info *info = &infos[i];
        char name[256] = "", platform[256] = "";
        cl_uint units = 0;
        cl_ulong memory = 0, largest = 0;
        assert_int_equal(clGetDeviceInfo(info->device, CL_DEVICE_NAME, sizeof(name), name, NULL),
                         CL_SUCCESS);
        assert_int_equal(
            clGetPlatformInfo(info->platform, CL_PLATFORM_NAME, sizeof(platform), platform, NULL),
            CL_SUCCESS);
        clGetDeviceInfo(info->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(units), &units, NULL);
        clGetDeviceInfo(info->device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(memory), &memory, NULL);
        clGetDeviceInfo(info->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(largest), &largest,
                        NULL);
        assert_memory_equal(name, info->name, strlen(info->name));
        assert_memory_equal(platform, info->platform_name, strlen(info->platform_name));
        assert_true(strncmp(info->version, "OpenCL ", 7) == 0);
        assert_string_not_equal(info->driver, "");
        assert_true(info->compute_units == units);
        assert_true(info->global_memory == memory);
        assert_true(info->largest_allocation == largest);
    }
}

/* The choice of one. */

static void test_default_is_the_first(void **state)
{
    (void)state;
    set_device(NULL);
    clact_context *ctx = NULL;
    assert_ok(clact_context_create(NULL, &ctx));
    assert_ptr_equal(clact_context_device(ctx), expected_device(NULL));
    clact_context_destroy(ctx);
    expect_device(NULL, NULL);
    expect_device("", NULL);
    set_device("");
    expect_device(NULL, NULL);
}

/* Each usable device by its name, by the platform's, by a part, in capitals and not. */
static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < info_count; i++) {
        if (!infos[i].usable)
            continue;
        char part[128], capitals[128];
        strcpy(part, infos[i].name + strlen(infos[i].name) / 3);
        strcpy(capitals, infos[i].platform_name);
        to_upper(capitals);
        const char *const names[] = {infos[i].name, infos[i].platform_name, part, capitals};
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
            set_device(NULL);
            expect_device(names[k], names[k]);
            set_device(names[k]);
            expect_device(NULL, names[k]);
            set_device("no such device");
            expect_device(names[k], names[k]);
        }
    }
}

static void test_no_device_of_that_name(void **state)
{
    (void)state;
    struct call_log log = {0};
    clact_context *const untouched = (clact_context *)(void *)&log;
    clact_context *ctx = untouched;
    const clact_options options = {
        .device = "no such device", .log = call_log_add, .log_user = &log};
    assert_error(NULL, CLACT_NO_DEVICE, clact_context_create(&options, &ctx));
    assert_int_equal(log.count, 1);
    assert_int_equal(log.status, CLACT_NO_DEVICE);
    assert_non_null(strstr(log.message, "no such device"));
    set_device("nor this one");
    assert_error(NULL, CLACT_NO_DEVICE, clact_context_create(NULL, &ctx));
    assert_non_null(strstr(clact_last_error(NULL)->message, "nor this one"));
    assert_ptr_equal(ctx, untouched);
}

/* Options. */

static void expect_bad_options(clact_options options)
{
    struct call_log log = {0};
    clact_context *ctx = NULL;
    options.log = call_log_add;
    options.log_user = &log;
    const struct live_objects before = live_objects();
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_context_create(&options, &ctx));
    assert_int_equal(log.count, 1);
    assert_live(before);
    assert_null(ctx);
}

static void test_bad_options(void **state)
{
    static const size_t widths[] = {3, 5, 12, 15, 17, 32, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++)
        expect_bad_options((clact_options){.vector_width = widths[i]});
    expect_bad_options((clact_options){.arithmetic = (clact_arithmetic)3});
    expect_bad_options((clact_options){.arithmetic = (clact_arithmetic)-1});
    expect_bad_options((clact_options){.transfer = (clact_transfer)3});
    expect_bad_options((clact_options){.transfer = (clact_transfer)-1});
}

static void expect_works(const clact_options *options)
{
    struct fixture f;
    float x[100], y[100];
    fill_operands(CLACT_F32, x, 100, 4);
    fixture_open(&f, options);
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, 100, x, y));
    assert_forward(CLACT_F32, 100, x, y);
    fixture_close(&f);
}

static void test_good_options(void **state)
{
    static const size_t groups[] = {1, 3, 64, 1000000000, SIZE_MAX};
    (void)state;
    for (size_t width = 1; width <= 16; width *= 2) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.vector_width = width});
        fixture_close(&f);
    }
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
        expect_works(&(clact_options){.vector_width = 2, .work_group_size = groups[i]});
    expect_works(&(clact_options){.piece_bytes = 1, .transfer = CLACT_TRANSFER_COPY});
    expect_works(&(clact_options){.piece_bytes = SIZE_MAX, .pool_bytes = SIZE_MAX});
    expect_works(&(clact_options){.arithmetic = CLACT_ARITHMETIC_PAIRS});
}

static void test_doubles_need_f64(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    clact_device_info info;
    assert_ok(clact_context_info(f.ctx, &info));
    fixture_close(&f);
    const clact_options options = {.arithmetic = CLACT_ARITHMETIC_DOUBLES};
    if (info.has_f64) {
        expect_works(&options);
        return;
    }
    clact_context *ctx = NULL;
    assert_error(NULL, CLACT_UNSUPPORTED, clact_context_create(&options, &ctx));
    assert_null(ctx);
}

static void test_option_strings_are_copied(void **state)
{
    (void)state;
    char build_options[32] = "-DSOMETHING=1";
    struct fixture f;
    fixture_open(&f, &(clact_options){.build_options = build_options});
    strcpy(build_options, "-Dfloat=)");
    assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
    fixture_close(&f);
}

/* What a context says. */

static void test_info(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    clact_device_info info;
    memset(&info, 0x5a, sizeof(info));
    assert_ok(clact_context_info(f.ctx, &info));
    assert_ptr_equal(info.device, clact_context_device(f.ctx));
    for (size_t i = 0; i < info_count; i++)
        if (infos[i].device == info.device)
            assert_memory_equal(&info, &infos[i], sizeof(info));
    assert_true(info.usable);
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_context_info(f.ctx, NULL));
    const clact_device_info same = info;
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_context_info(NULL, &info));
    assert_memory_equal(&info, &same, sizeof(info));
    fixture_close(&f);
}

static void test_null_handles(void **state)
{
    (void)state;
    assert_null(clact_context_cl(NULL));
    assert_null(clact_context_device(NULL));
    assert_null(clact_context_queue(NULL));
    clact_context_destroy(NULL);
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_context_create(NULL, NULL));
    assert_error(NULL, CLACT_INVALID_ARGUMENT, clact_prepare(NULL, any_operator(), CLACT_F32));
}

static void test_prepare(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    for (int twice = 0; twice < 2; twice++)
        assert_ok(clact_prepare(f.ctx, any_operator(), CLACT_F32));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_prepare(f.ctx, (clact_operator)0, CLACT_F32));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_prepare(f.ctx, any_operator(), (clact_dtype)0));
    assert_error(&f, CLACT_INVALID_ARGUMENT, clact_prepare(f.ctx, any_operator(), (clact_dtype)5));
    fixture_close(&f);
}

/* An error is that of its context, even where a later one has come to lie at the same address. */
static void test_new_context_has_no_error(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct fixture f;
        fixture_open(&f, NULL);
        assert_int_equal(clact_last_error(f.ctx)->status, CLACT_SUCCESS);
        assert_int_equal(clact_last_error(f.ctx)->code, CL_SUCCESS);
        assert_string_equal(clact_last_error(f.ctx)->message, "");
        assert_error(&f, CLACT_INVALID_ARGUMENT,
                     clact_prepare(f.ctx, (clact_operator)0, CLACT_F32));
        fixture_close(&f);
    }
}

static int begin(void **state)
{
    (void)state;
    const char *name = getenv("CLACT_DEVICE");
    if (name) {
        named_device = malloc(strlen(name) + 1);
        assert_non_null(named_device);
        strcpy(named_device, name);
    }
    assert_ok(clact_devices(ROOM, infos, &info_count));
    assert_true(info_count > 0 && info_count <= ROOM);
    return 0;
}

/* Last: a failure in a teardown would not fail the program. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    free(named_device);
    assert_live((struct live_objects){{0}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_with_room_to_spare),
        cmocka_unit_test(test_list_errors),
        cmocka_unit_test(test_list_is_in_order_of_preference),
        cmocka_unit_test(test_list_says_what_opencl_says),
        cmocka_unit_test_teardown(test_default_is_the_first, restore_device),
        cmocka_unit_test_teardown(test_names, restore_device),
        cmocka_unit_test_teardown(test_no_device_of_that_name, restore_device),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_good_options),
        cmocka_unit_test(test_doubles_need_f64),
        cmocka_unit_test(test_option_strings_are_copied),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_null_handles),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_new_context_has_no_error),
        cmocka_unit_test(test_nothing_is_left),
    };
    return cmocka_run_group_tests_name("context", tests, begin, NULL);
}
