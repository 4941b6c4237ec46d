/* SPDX-License-Identifier: MIT */
/*
 * The device under test: whichever clact_context_create chooses, so CLACT_DEVICE names it. What a
 * device cannot do is skipped, and says so; all other failures fail the test.
 */
#ifndef CLACT_TESTS_DEVICE_H
#define CLACT_TESTS_DEVICE_H

#include "op_case.h"

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The operands of a call: grad, the saved value or x, and the output. Without gradient the first is
 * left out. */
enum operand { GRAD, SAVED, OUTPUT, OPERANDS };

/* Whether to test less, as on a simulator of a device: with the argument --quick, or with the
 * environment variable CLACT_TEST_QUICK set to 1. Exits on any other argument. */
bool device_quick(int argc, char **argv);
bool device_quick_environment(void);

/* A context with these options. Skips the test where the device has no f64 to compute with. */
clact_context *device_open(const clact_options *options);

/* The context with the arithmetic of a case, and with `options` but for that; made at the first call
 * with these options (the same pointer) and kept. Skips the test where the device has no f64. */
clact_context *device_context(const struct op_case *c, const clact_options *options);

/* Gives back the contexts that are kept. */
void device_close(void);

/* Whether f32 subnormal numbers are kept. */
bool device_has_subnormals(const clact_context *ctx);

/* The call of the case on views indexed by enum operand. grad is not looked at where there is none. */
clact_status device_enqueue(clact_context *ctx, const struct op_case *c,
                            const clact_view views[OPERANDS], cl_event *event);

/* case_call, failing the test with the library's message where the status is not success. */
void device_compute(clact_context *ctx, const struct op_case *c, size_t n, const void *grad,
                    const void *saved, void *output);

/* malloc, failing the test when there is no memory; at least one byte. */
void *device_allocate(size_t bytes);

#endif
