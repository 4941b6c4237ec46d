/* SPDX-License-Identifier: MIT */
/*
 * The device's results against those that ONNX publishes, in every case of its data that is of an
 * operator of ops.def: onnx_test_data.md says which those are and how they are found.
 *
 * What is published was computed in f32 by NumPy or PyTorch, so it is no judge of the last bits.
 * Each result has to be as near to it as ONNX asks of anyone; and it has to be within two ULP of
 * it, or else at least as near to the exact result as what is published is. Two ULP are half an
 * ULP of ours and one and a half of theirs; formulas such as exp(x) - 1 and clip(a x + b) in f32
 * lose more than that where they cancel.
 */
#include "device.h"
#include "dtype.h"
#include "onnx_cases.h"
#include "onnx_tensor.h"
#include "reference.h"
#include "ulp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const double ulp_allowed = 2;
/* What ONNX's own runner of the node tests allows. */
static const double relative_allowed = 1e-3;
static const double absolute_allowed = 1e-7;

static void read_tensor(const struct onnx_case *onnx, const char *name, struct onnx_tensor *tensor)
{
    char path[ONNX_PATH];
    if (!onnx_path(path, onnx->data_set, name))
        fail_msg("%s/%s: the path is too long", onnx->data_set, name);
    const char *wrong = onnx_tensor_read(path, tensor);
    if (wrong != NULL)
        fail_msg("%s: %s", path, wrong);
}

/* The case for the library, with the parameters as it computes with them. */
static struct op_case case_of(const struct onnx_case *onnx, clact_dtype dtype)
{
    struct op_case c = {.op = onnx->op,
                        .direction = FORWARD,
                        .dtype = dtype,
                        .own_params = onnx->own_params,
                        .params = reference_defaults(onnx->op, dtype),
                        .name = "ONNX's data"};
    if (onnx->own_params)
        c.params = onnx->params;
    if (onnx->own_params && dtype != CLACT_F64)
        c.params = (clact_params){(float)onnx->params.alpha, (float)onnx->params.beta,
                                  (float)onnx->params.gamma};
    return c;
}

/* How far a value is from the exact result, in ULP. */
static double error_of(const struct op_case *c, double x, double value)
{
    const struct reference *reference = reference_of(c->op);
    if (c->dtype == CLACT_F64)
        return ulp_error_f64(value, reference->forward_long(x, &c->params));
    return ulp_error(c->dtype, value, reference->forward(x, &c->params));
}

static void judge(const struct op_case *c, double x, double value, double published)
{
    const double distance = ulp_error(c->dtype, value, published);
    const double allowed = absolute_allowed + relative_allowed * fabs(published);
    if (distance > 0 && !(fabs(value - published) <= allowed))
        fail_msg("at %a: %a, but ONNX has %a", x, value, published);
    if (distance > ulp_allowed && !(error_of(c, x, value) <= error_of(c, x, published)))
        fail_msg("at %a: %a, %.3f ULP from what ONNX has, %a, and %.3f from the exact result", x,
                 value, distance, published, error_of(c, x, value));
}

static void matches(void **state)
{
    const struct onnx_case *onnx = *state;
    struct onnx_tensor input;
    struct onnx_tensor output;
    if (onnx->wrong != NULL)
        fail_msg("%s", onnx->wrong);
    read_tensor(onnx, "input_0.pb", &input);
    read_tensor(onnx, "output_0.pb", &output);
    assert_int_equal(input.dtype, output.dtype);
    assert_int_equal(input.count, output.count);
    assert_int_not_equal(input.count, 0);
    const struct op_case c = case_of(onnx, input.dtype);
    void *got = device_allocate(input.count * dtype_format(input.dtype)->size);
    device_compute(device_context(&c, NULL), &c, input.count, NULL, input.data, got);
    for (size_t i = 0; i < input.count; i++)
        judge(&c, dtype_load(c.dtype, input.data, i), dtype_load(c.dtype, got, i),
              dtype_load(c.dtype, output.data, i));
    free(got);
    onnx_tensor_free(&input);
    onnx_tensor_free(&output);
}

/* Operators that ONNX has too: how many cases version 1.12 has of each, of which later ones have as many
 * or more, and the values of attributes that are missing (Softplus has no attribute, its beta is 1). */
static const struct known {
    const char *name;
    size_t cases;
    clact_params defaults;
} known[] = {
    {"sigmoid", 3, {0, 0, 0}},
    {"tanh", 3, {0, 0, 0}},
    {"softplus", 3, {0, 1, 0}},
    {"softsign", 3, {0, 0, 0}},
    {"relu", 3, {0, 0, 0}},
    {"leaky_relu", 5, {0.01, 0, 0}},
    {"elu", 4, {1, 0, 0}},
    {"selu", 5, {1.67326319217681884765625, 0, 1.05070102214813232421875}},
    {"hard_sigmoid", 3, {0.2, 0.5, 0}},
    {"hard_swish", 2, {0, 0, 0}},
};

enum { KNOWN = sizeof known / sizeof known[0] };

/* Without this a scan that finds nothing would pass. */
static void the_known_cases_are_found(void **state)
{
    const struct onnx_cases *cases = *state;
    if (!onnx_data_is_there()) {
        print_message("skipped: there is no %s (package libonnx-testdata)\n", onnx_data());
        skip();
    }
    for (size_t i = 0; i < KNOWN; i++) {
        clact_operator op;
        size_t count = 0;
        if (clact_operator_from_name(known[i].name, &op) != CLACT_SUCCESS)
            continue;
        for (size_t j = 0; j < cases->count; j++)
            count += cases->items[j].wrong == NULL && cases->items[j].op == op;
        if (count < known[i].cases)
            fail_msg("%zu cases of %s and not %zu", count, known[i].name, known[i].cases);
    }
}

/* To the last bit of f32, which is what an attribute is in. The cases alone would not show it: another
 * default is another exact result too. */
static void the_defaults_are_those_of_onnx(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN; i++) {
        clact_operator op;
        clact_params p;
        const clact_params *wanted = &known[i].defaults;
        if (clact_operator_from_name(known[i].name, &op) != CLACT_SUCCESS)
            continue;
        assert_int_equal(clact_params_default(op, &p), CLACT_SUCCESS);
        if ((float)p.alpha != (float)wanted->alpha || (float)p.beta != (float)wanted->beta ||
            (float)p.gamma != (float)wanted->gamma)
            fail_msg("%s: alpha %a, beta %a, gamma %a", known[i].name, p.alpha, p.beta, p.gamma);
    }
}

int main(void)
{
    static struct onnx_cases cases;
    static struct CMUnitTest tests[2 + ONNX_MOST_CASES];
    onnx_find_cases(&cases);
    tests[0] = (struct CMUnitTest){.name = "the known cases are found",
                                   .test_func = the_known_cases_are_found,
                                   .initial_state = &cases};
    tests[1] = (struct CMUnitTest){.name = "the defaults are those of ONNX",
                                   .test_func = the_defaults_are_those_of_onnx};
    for (size_t i = 0; i < cases.count; i++)
        tests[2 + i] = (struct CMUnitTest){
            .name = cases.items[i].name, .test_func = matches, .initial_state = &cases.items[i]};
    /* cmocka passes over the entries that are left empty. */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_close();
    return failed;
}
