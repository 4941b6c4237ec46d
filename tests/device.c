/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The contexts that are kept. */
static struct kept {
    const clact_options *options;
    clact_arithmetic arithmetic;
    clact_context *ctx;
} kept[16];
static size_t kept_count;

bool device_quick_environment(void)
{
    const char *value = getenv("CLACT_TEST_QUICK");
    return value != NULL && strcmp(value, "1") == 0;
}

bool device_quick(int argc, char **argv)
{
    bool quick = device_quick_environment();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") != 0) {
            fprintf(stderr, "usage: %s [--quick]\n", argv[0]);
            exit(2);
        }
        quick = true;
    }
    return quick;
}

static void skip_because(const char *reason)
{
    print_message("skipped: %s\n", reason);
    skip();
}

clact_context *device_open(const clact_options *options)
{
    clact_context *ctx = NULL;
    clact_status status = clact_context_create(options, &ctx);
    if (status == CLACT_UNSUPPORTED && options->arithmetic == CLACT_ARITHMETIC_DOUBLES)
        skip_because("the device has no f64 to compute with");
    if (status != CLACT_SUCCESS)
        fail_msg("no context: %s", clact_last_error(NULL)->message);
    return ctx;
}

static clact_context *keep_context(const struct op_case *c, const clact_options *options)
{
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i].options == options && kept[i].arithmetic == c->arithmetic)
            return kept[i].ctx;
    assert_true(kept_count < sizeof kept / sizeof kept[0]);
    clact_options own = options != NULL ? *options : (clact_options){0};
    own.arithmetic = c->arithmetic;
    clact_context *ctx = device_open(&own);
    kept[kept_count++] = (struct kept){options, c->arithmetic, ctx};
    return ctx;
}

clact_context *device_context(const struct op_case *c, const clact_options *options)
{
    clact_context *ctx = keep_context(c, options);
    clact_status status = clact_prepare(ctx, c->op, c->dtype);
    if (status == CLACT_UNSUPPORTED && c->dtype == CLACT_F64)
        skip_because("the device has no f64");
    if (status != CLACT_SUCCESS)
        fail_msg("clact_prepare: %s", clact_last_error(ctx)->message);
    return ctx;
}

void device_close(void)
{
    while (kept_count > 0)
        clact_context_destroy(kept[--kept_count].ctx);
}

bool device_has_subnormals(const clact_context *ctx)
{
    clact_device_info info;
    assert_int_equal(clact_context_info(ctx, &info), CLACT_SUCCESS);
    return info.has_subnormals != 0;
}

static clact_saved saved_of(const struct op_case *c)
{
    return c->direction == FROM_OUTPUT ? CLACT_SAVED_OUTPUT : CLACT_SAVED_INPUT;
}

clact_status device_call(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                         const void *saved, void *output)
{
    if (c->direction == FORWARD)
        return clact_forward(ctx, c->op, NULL, c->dtype, n, saved, output);
    return clact_backward(ctx, c->op, NULL, c->dtype, saved_of(c), n, grad, saved, output);
}

clact_status device_enqueue(clact_context *ctx, const struct op_case *c,
                            const clact_view views[OPERANDS], cl_event *event)
{
    if (c->direction == FORWARD)
        return clact_enqueue_forward(ctx, NULL, c->op, NULL, views[SAVED], views[OUTPUT], 0, NULL,
                                     event);
    return clact_enqueue_backward(ctx, NULL, c->op, NULL, saved_of(c), views[GRAD], views[SAVED],
                                  views[OUTPUT], 0, NULL, event);
}

void device_compute(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                    const void *saved, void *output)
{
    if (device_call(ctx, c, n, grad, saved, output) != CLACT_SUCCESS)
        fail_msg("%s of %zu elements: %s", c->name, n, clact_last_error(ctx)->message);
}

void *device_allocate(size_t bytes)
{
    void *memory = malloc(bytes != 0 ? bytes : 1);
    assert_non_null(memory);
    return memory;
}

/* The finaliser of splitmix64. */
uint64_t device_hash(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
