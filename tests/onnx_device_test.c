/* SPDX-License-Identifier: MIT */
/*
 * The device's results against those that ONNX publishes: see onnx_test_data.md. ONNX asks for a
 * relative error of 1e-3; the two ULP here are far inside of that, and leave one and a half to what
 * ONNX has computed in f32 itself.
 */
#include "device.h"
#include "dtype.h"
#include "onnx.h"
#include "ulp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const double ulp_allowed = 2;

/* A data set: the folder below that of the test data, and the operator that it is of. */
struct data_set {
    const char *folder;
    clact_operator op;
};

#define DATA_SET(folder, op)                                                                       \
    {                                                                                              \
        "onnx " folder, matches, NULL, NULL, &(struct data_set)                                    \
        {                                                                                          \
            folder, op                                                                             \
        }                                                                                          \
    }

static void read_tensor(const struct data_set *set, const char *name, struct onnx_tensor *tensor)
{
    const char *root = getenv("CLACT_ONNX_DATA");
    char path[4096];
    int length =
        snprintf(path, sizeof path, "%s/%s/%s",
                 root != NULL ? root : "/usr/share/libonnx-testdata/data", set->folder, name);
    assert_true(length > 0 && (size_t)length < sizeof path);
    if (access(path, F_OK) != 0) {
        print_message("skipped: there is no %s (package libonnx-testdata)\n", path);
        skip();
    }
    const char *wrong = onnx_tensor_read(path, tensor);
    if (wrong != NULL)
        fail_msg("%s: %s", path, wrong);
}

static void matches(void **state)
{
    const struct data_set *set = *state;
    struct onnx_tensor input;
    struct onnx_tensor output;
    read_tensor(set, "input_0.pb", &input);
    read_tensor(set, "output_0.pb", &output);
    assert_int_equal(input.dtype, output.dtype);
    assert_int_equal(input.count, output.count);
    assert_int_not_equal(input.count, 0);
    const struct op_case c = {
        .op = set->op, .direction = FORWARD, .dtype = input.dtype, .name = "ONNX's data"};
    void *got = device_allocate(input.count * dtype_format(input.dtype)->size);
    device_compute(device_context(&c, NULL), &c, input.count, NULL, input.data, got);
    for (size_t i = 0; i < input.count; i++) {
        double value = dtype_load(input.dtype, got, i);
        double published = dtype_load(input.dtype, output.data, i);
        double error = ulp_error(input.dtype, value, published);
        if (error > ulp_allowed)
            fail_msg("element %zu, at %a: %a, but ONNX has %a, %.3f ULP away", i,
                     dtype_load(input.dtype, input.data, i), value, published, error);
    }
    free(got);
    onnx_tensor_free(&input);
    onnx_tensor_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_SET("node/test_sigmoid/test_data_set_0", CLACT_SIGMOID),
        DATA_SET("node/test_sigmoid_example/test_data_set_0", CLACT_SIGMOID),
        DATA_SET("pytorch-converted/test_Sigmoid/test_data_set_0", CLACT_SIGMOID),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_close();
    return failed;
}
