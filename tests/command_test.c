/* SPDX-License-Identifier: MIT */
/* The clact command on files that are right: what comes out, in which form. */
#include "command_harness.h"
#include "dtype.h"
#include "reference.h"
#include "ulp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The command hands arrays to the library, whose accuracy other tests measure. */
static const double allowed_ulp = 2.5;

enum { COUNT = 24 };
static const char *const shapes_of_count = "(2, 3, 4)";

/* Operands of every size that matters, from saturated to nearly linear. */
static double operand(size_t i) {
    static const double some[] = {-40.0, -9.5, -2.0, -0.75, -0.0078125, 0.0,
                                  0.5,   1.25, 3.0,  6.5,   11.0,       2000.0};
    return some[i % (sizeof some / sizeof some[0])] / (double)(1 + i / 12);
}

static void reverse_bytes(void *elements, size_t count, size_t size) {
    unsigned char *bytes = elements;
    for (size_t i = 0; i < count; i++) {
        for (size_t b = 0; b < size / 2; b++) {
            unsigned char kept = bytes[i * size + b];
            bytes[i * size + b] = bytes[i * size + size - 1 - b];
            bytes[i * size + size - 1 - b] = kept;
        }
    }
}

static void *make_operands(clact_dtype dtype, size_t count) {
    void *elements = calloc(count + 1, clact_dtype_size(dtype));
    assert_non_null(elements);
    for (size_t i = 0; i < count; i++)
        dtype_store(dtype, elements, i, operand(i));
    return elements;
}

static void expect_sigmoid(clact_dtype dtype, const void *x, const void *y, size_t count) {
    const struct reference *reference = reference_of(CLACT_SIGMOID);
    for (size_t i = 0; i < count; i++) {
        double exact = reference->forward(dtype_load(dtype, x, i));
        assert_true(ulp_error(dtype, dtype_load(dtype, y, i), exact) <= allowed_ulp);
    }
}

struct form {
    clact_dtype dtype;
    bool big_endian;
    const char *bf16; /* "--bf16", or an option that changes nothing */
    const char *dict;
};

/* Forward through a file of this form; the result has to have the same form. */
static void check_form(const struct form *form) {
    size_t size = clact_dtype_size(form->dtype);
    void *x = make_operands(form->dtype, COUNT);
    void *stored = make_operands(form->dtype, COUNT);
    if (form->big_endian)
        reverse_bytes(stored, COUNT, size);
    write_npy("x.npy", 1, form->dict, stored, COUNT * size);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", form->bf16, "-o", "y.npy");
    void *y = read_npy("y.npy", form->dict, COUNT * size);
    if (form->big_endian)
        reverse_bytes(y, COUNT, size);
    expect_sigmoid(form->dtype, x, y, COUNT);
    free(x);
    free(stored);
    free(y);
}

static void test_types_and_orders(void **state) {
    static const char *const none = "--piece-bytes=4096";
    const struct form forms[] = {
        {CLACT_F16, false, none, DICT("<f2", "False", "(24,)")},
        {CLACT_F32, false, none, DICT("<f4", "False", "(2, 3, 4)")},
        {CLACT_F16, true, none, DICT(">f2", "False", "(2, 3, 4)")},
        {CLACT_F32, true, none, DICT(">f4", "True", "(4, 6)")},
        {CLACT_F32, false, none, DICT("<f4", "True", "(2, 3, 4)")},
        {CLACT_F32, false, none, DICT("<f4", "False", "(1, 24, 1)")},
        {CLACT_BF16, false, "--bf16", DICT("<u2", "False", "(24,)")},
        {CLACT_BF16, true, "--bf16", DICT(">u2", "True", "(6, 4)")},
        {CLACT_BF16, false, "--bf16", DICT("<V2", "False", "(24,)")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check_form(&forms[i]);
    EXPECT_FILES("x.npy", "y.npy");
}
