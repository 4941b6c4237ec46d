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

/* Chooses the device. Its OpenCL context is that of all the others: PoCL loads its library of
 * functions for each again, which takes longer than to compile a kernel. */
static clact_context *chosen;

static clact_context *choose_device(void)
{
    if (chosen == NULL && clact_context_create(NULL, &chosen) != CLACT_SUCCESS)
        fail_msg("no context: %s", clact_last_error(NULL)->message);
    return chosen;
}

clact_context *device_open(const clact_options *options)
{
    const clact_context *on = choose_device();
    clact_context *ctx = NULL;
    clact_status status =
        clact_context_create_from_cl(clact_context_cl(on), clact_context_device(on), options, &ctx);
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
    clact_device_info info;
    assert_int_equal(clact_context_info(ctx, &info), CLACT_SUCCESS);
    if (c->dtype == CLACT_F64 && !info.has_f64)
        skip_because("the device has no f64");
    return ctx;
}

void device_close(void)
{
    while (kept_count > 0)
        clact_context_destroy(kept[--kept_count].ctx);
    clact_context_destroy(chosen);
    chosen = NULL;
}

bool device_has_subnormals(const clact_context *ctx)
{
    clact_device_info info;
    assert_int_equal(clact_context_info(ctx, &info), CLACT_SUCCESS);
    return info.has_subnormals != 0;
}

clact_status device_enqueue(clact_context *ctx, const struct op_case *c,
                            const clact_view views[OPERANDS], cl_event *event)
{
    if (c->direction == FORWARD)
        return clact_enqueue_forward(ctx, NULL, c->op, case_params(c), views[SAVED], views[OUTPUT],
                                     0, NULL, event);
    return clact_enqueue_backward(ctx, NULL, c->op, case_params(c), case_saved(c), views[GRAD],
                                  views[SAVED], views[OUTPUT], 0, NULL, event);
}

void device_compute(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                    const void *saved, void *output)
{
    if (case_call(ctx, c, n, grad, saved, output) != CLACT_SUCCESS)
        fail_msg("%s of %zu elements: %s", c->name, n, clact_last_error(ctx)->message);
}

void *device_allocate(size_t bytes)
{
    void *memory = malloc(bytes != 0 ? bytes : 1);
    assert_non_null(memory);
    return memory;
}
