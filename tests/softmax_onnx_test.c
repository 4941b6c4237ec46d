/* SPDX-License-Identifier: MIT */
/*
 * Softmax and log-softmax against what ONNX publishes, in every case of its data whose model is one node
 * of them: see onnx_test_data.md. The test moves the axis to the end, on the host, and the result back.
 *
 * What is published was computed in f32, so each result has to be as near to it as ONNX asks of anyone,
 * and within 4 ULP of it or nearer to the exact result than what is published.
 */
#include "dtype.h"
#include "host_fixture.h"
#include "onnx_cases.h"
#include "onnx_model.h"
#include "onnx_tensor.h"
#include "softmax_reference.h"
#include "ulp.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Version 1.12 has so many of each; later ones have as many or more. */
enum { KNOWN = 7 };

/* Where an axis is in a tensor: it is made of `outer` blocks of `length` times `inner` elements. */
struct axis {
    size_t outer, length, inner;
};

/* Up to version 12 the axis and all that follow it are one. */
static struct axis find_axis(const struct onnx_model *model, const struct onnx_tensor *tensor)
{
    const bool is_old = model->opset < 13;
    int64_t at = is_old ? 1 : -1;
    for (size_t i = 0; i < model->node.attribute_count; i++) {
        const struct onnx_attribute *a = &model->node.attributes[i];
        if (!onnx_text_equals(a->name, "axis") || a->kind != ONNX_INTEGER)
            fail_msg("the node has an attribute that is no axis");
        at = a->integer;
    }
    if (at < 0)
        at += (int64_t)tensor->dimensions;
    assert_true(at >= 0 && at < (int64_t)tensor->dimensions);
    struct axis axis = {1, 1, 1};
    for (size_t i = 0; i < tensor->dimensions; i++)
        if (i < (size_t)at)
            axis.outer *= tensor->shape[i];
        else if (i == (size_t)at || is_old)
            axis.length *= tensor->shape[i];
        else
            axis.inner *= tensor->shape[i];
    return axis;
}

/* Element c of row r, in the tensor. */
static size_t place_of(const struct axis *axis, size_t r, size_t c)
{
    return (r / axis->inner * axis->length + c) * axis->inner + r % axis->inner;
}

static void judge_row(enum softmax_kind kind, const struct axis *axis, size_t r,
                      const struct onnx_tensor *input, const struct onnx_tensor *output,
                      const void *got_rows)
{
    const clact_dtype dtype = input->dtype;
    double *x = calloc(axis->length, sizeof(double));
    long double *exact = calloc(2 * axis->length, sizeof(long double));
    assert_true(x && exact);
    for (size_t c = 0; c < axis->length; c++)
        x[c] = dtype_load(dtype, input->data, place_of(axis, r, c));
    softmax_reference(kind, axis->length, x, NULL, exact, exact + axis->length);
    for (size_t c = 0; c < axis->length; c++) {
        const double got = dtype_load(dtype, got_rows, r * axis->length + c);
        const double published = dtype_load(dtype, output->data, place_of(axis, r, c));
        const double off = fabsl((long double)published - exact[c]) > 0
                               ? ulp_error(dtype, published, (double)exact[c])
                               : 0;
        if (fabs(got - published) > 1e-7 + 1e-3 * fabs(published) ||
            (ulp_error(dtype, got, published) > 4 && ulp_error(dtype, got, (double)exact[c]) > off))
            fail_msg("row %zu, column %zu: %a, and not %a; the exact result is %La", r, c, got,
                     published, exact[c]);
    }
    free(x);
    free(exact);
}

static void read_tensor(const char *folder, const char *name, struct onnx_tensor *tensor)
{
    char path[ONNX_PATH];
    assert_true(onnx_path(path, folder, name));
    const char *wrong = onnx_tensor_read(path, tensor);
    if (wrong)
        fail_msg("%s: %s", path, wrong);
}

static void check_data_set(clact_context *ctx, enum softmax_kind kind,
                           const struct onnx_model *model, const char *folder)
{
    struct onnx_tensor input, output;
    read_tensor(folder, "input_0.pb", &input);
    read_tensor(folder, "output_0.pb", &output);
    assert_int_equal(input.dtype, output.dtype);
    assert_int_equal(input.count, output.count);
    const struct axis axis = find_axis(model, &input);
    const size_t size = clact_dtype_size(input.dtype), rows = axis.outer * axis.inner;
    unsigned char *elements = calloc(input.count + 1, size);
    assert_non_null(elements);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < axis.length; c++)
            memcpy(elements + (r * axis.length + c) * size,
                   (unsigned char *)input.data + place_of(&axis, r, c) * size, size);
    assert_ok(softmax_call(ctx, kind, input.dtype, rows, axis.length, elements, NULL, elements));
    print_message("%s: %zu x %zu x %zu\n", folder, axis.outer, axis.length, axis.inner);
    for (size_t r = 0; r < rows; r++)
        judge_row(kind, &axis, r, &input, &output, elements);
    free(elements);
    onnx_tensor_free(&input);
    onnx_tensor_free(&output);
}

/* Checks the data sets of a test's folder if its model is one node of that type; says whether it is. */
static bool check_test(clact_context *ctx, enum softmax_kind kind, const char *type,
                       const char *folder)
{
    char path[ONNX_PATH], set[256];
    struct onnx_model model;
    if (!onnx_path(path, folder, "model.onnx") || onnx_model_read(path, &model) != NULL)
        return false; /* onnx_device_test fails on a model that cannot be read */
    const bool is_ours = model.node_count == 1 && onnx_text_equals(model.node.op_type, type);
    for (int i = 0; is_ours; i++) {
        snprintf(set, sizeof set, "%.200s/test_data_set_%d", folder, i);
        DIR *data = onnx_path(path, set, "") ? opendir(path) : NULL;
        if (!data)
            break;
        closedir(data);
        check_data_set(ctx, kind, &model, set);
    }
    onnx_model_free(&model);
    return is_ours;
}

static size_t check_group(clact_context *ctx, enum softmax_kind kind, const char *type,
                          const char *group)
{
    char path[ONNX_PATH], folder[256];
    struct dirent **entries = NULL;
    size_t found = 0;
    const int count = onnx_path(path, group, "") ? scandir(path, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        snprintf(folder, sizeof folder, "%.60s/%.150s", group, entries[i]->d_name);
        found += entries[i]->d_name[0] != '.' && check_test(ctx, kind, type, folder);
        free(entries[i]);
    }
    free(entries);
    return found;
}

static void check_all(enum softmax_kind kind, const char *type)
{
    static const char *const groups[] = {"node", "pytorch-converted", "pytorch-operator"};
    struct fixture f;
    size_t found = 0;
    if (!onnx_data_is_there()) {
        print_message("skipped: there is no %s (package libonnx-testdata)\n", onnx_data());
        skip();
    }
    fixture_open(&f, NULL);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        found += check_group(f.ctx, kind, type, groups[i]);
    fixture_close(&f);
    assert_true(found >= KNOWN);
}

static void test_softmax(void **state)
{
    (void)state;
    check_all(KIND_softmax, "Softmax");
}

static void test_log_softmax(void **state)
{
    (void)state;
    check_all(KIND_log_softmax, "LogSoftmax");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_log_softmax),
    };
    return cmocka_run_group_tests_name("softmax onnx", tests, NULL, NULL);
}
