/* SPDX-License-Identifier: MIT */
/* Which tests are found in a folder of ONNX's data, on one made here. */
#include "onnx_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Nodes, the bodies of NodeProto. */
#define ONE_INPUT "\x0a\x01x\x12\x01y"
#define ELU                                                                                        \
    "\x22\x03"                                                                                     \
    "Elu"
#define ALPHA_2                                                                                    \
    "\x2a\x0f\x0a\x05"                                                                             \
    "alpha\x15\0\0\0\x40\xa0\x01\x01"
#define BETA_2                                                                                     \
    "\x2a\x0e\x0a\x04"                                                                             \
    "beta\x15\0\0\0\x40\xa0\x01\x01"
#define COUNT_1                                                                                    \
    "\x2a\x0c\x0a\x05"                                                                             \
    "alpha\x18\x01\xa0\x01\x02"
/* A word of four letters. */
#define APPROXIMATE(word)                                                                          \
    "\x2a\x16\x0a\x0b"                                                                             \
    "approximate\x22\x04" word "\xa0\x01\x03"

/* A test's folder and its model: a node of that body, so many times; 0 makes a broken file. */
struct made {
    const char *folder;
    int nodes;
    const char *node;
    size_t size;
};

#define MADE(folder, nodes, node)                                                                  \
    {                                                                                              \
        folder, nodes, node, sizeof(node) - 1                                                      \
    }

static const struct made made[] = {
    MADE("a", 1, ONE_INPUT ELU),
    MADE("b", 1, ONE_INPUT ELU ALPHA_2),
    MADE("b_expanded", 3, ONE_INPUT "\x22\x01X"),
    MADE("c_beta", 1, ONE_INPUT ELU BETA_2),
    MADE("c_integer", 1, ONE_INPUT ELU COUNT_1),
    MADE("c_two_inputs", 1, "\x0a\x01z" ONE_INPUT ELU),
    MADE("d_foreign", 1, ONE_INPUT ELU "\x3a\x01z"),
    MADE("d_unknown", 1, ONE_INPUT "\x22\x0fThresholdedRelu" ALPHA_2),
    MADE("e_broken", 0, ""),
    MADE("f_none", 1, ONE_INPUT "\x22\x04Gelu" APPROXIMATE("none")),
    MADE("f_other", 1, ONE_INPUT "\x22\x04Gelu" APPROXIMATE("sine")),
    MADE("f_tanh", 1, ONE_INPUT "\x22\x04Gelu" APPROXIMATE("tanh")),
    MADE("g", 1,
         ONE_INPUT "\x22\x0b"
                   "HardSigmoid" BETA_2),
    /* Several nodes: by the folder's name, if there are no parameters. */
    MADE("leakyRelu", 2, ONE_INPUT "\x22\x01X"),
    MADE("tanh", 2, ONE_INPUT "\x22\x01X"),
    MADE("tanh_of_sum", 2, ONE_INPUT "\x22\x01X"),
};

enum { MADE_COUNT = sizeof made / sizeof made[0] };

static char root[] = "/tmp/clact-onnx-cases-XXXXXX";

static void path_of(char path[256], const char *folder, const char *rest)
{
    int length = snprintf(path, 256, "%s/group/test_%s%s", root, folder, rest);
    assert_true(length > 0 && length < 256);
}

static void write_model(const struct made *m)
{
    char path[256];
    path_of(path, m->folder, "/model.onnx");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    size_t graph = (size_t)m->nodes * (m->size + 2);
    assert_true(graph < 128);
    assert_int_not_equal(fprintf(file, "\x3a%c", (int)graph), -1);
    for (int i = 0; i < m->nodes; i++) {
        assert_int_not_equal(fprintf(file, "\x0a%c", (int)m->size), -1);
        assert_int_equal(fwrite(m->node, 1, m->size, file), m->size);
    }
    assert_int_equal(fclose(file), 0);
}

/* Two data sets for the first test, one for each other. */
static int make_data(void **state)
{
    (void)state;
    char path[256];
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/group", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < MADE_COUNT; i++) {
        path_of(path, made[i].folder, "");
        assert_int_equal(mkdir(path, 0700), 0);
        write_model(&made[i]);
        path_of(path, made[i].folder, "/test_data_set_0");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    path_of(path, "a", "/test_data_set_1");
    assert_int_equal(mkdir(path, 0700), 0);
    return setenv("CLACT_ONNX_DATA", root, 1);
}

static int remove_data(void **state)
{
    (void)state;
    static const char *const parts[] = {"/model.onnx", "/test_data_set_0", "/test_data_set_1", ""};
    char path[256];
    for (int i = 0; i < MADE_COUNT * 4; i++) {
        path_of(path, made[i / 4].folder, parts[i % 4]);
        remove(path);
    }
    snprintf(path, sizeof path, "%s/group", root);
    return rmdir(path) != 0 || rmdir(root) != 0;
}

struct expected {
    const char *folder;
    const char *op;
    bool own_params;
    clact_params params;
    const char *wrong;
};

static const char not_a_parameter[] =
    "the node has an attribute that is no parameter of the operator";

static const struct expected expected[] = {
    {"a/test_data_set_0", "elu", false, {1, 0, 0}, NULL},
    {"a/test_data_set_1", "elu", false, {1, 0, 0}, NULL},
    {"b/test_data_set_0", "elu", true, {2, 0, 0}, NULL},
    {"b_expanded/test_data_set_0", "elu", true, {2, 0, 0}, NULL},
    {"c_beta/test_data_set_0", "elu", false, {1, 0, 0}, not_a_parameter},
    {"c_integer/test_data_set_0", "elu", false, {1, 0, 0}, not_a_parameter},
    {"c_two_inputs/test_data_set_0",
     "elu",
     false,
     {1, 0, 0},
     "the node has not one input and one output"},
    {"e_broken", NULL, false, {0, 0, 0}, "the graph has no nodes"},
    {"f_none/test_data_set_0", "gelu", false, {0, 0, 0}, NULL},
    {"f_tanh/test_data_set_0", "gelu_tanh", false, {0, 0, 0}, NULL},
    {"g/test_data_set_0", "hard_sigmoid", true, {0.2, 2, 0}, NULL},
    {"tanh/test_data_set_0", "tanh", false, {0, 0, 0}, NULL},
};

static void the_tests_of_our_operators_are_found(void **state)
{
    (void)state;
    enum { COUNT = sizeof expected / sizeof expected[0] };
    static struct onnx_cases cases;
    onnx_find_cases(&cases);
    for (size_t i = 0; i < cases.count && i < COUNT; i++) {
        const struct onnx_case *c = &cases.items[i];
        const struct expected *e = &expected[i];
        char name[128];
        snprintf(name, sizeof name, "group/test_%s", e->folder);
        assert_string_equal(c->data_set, name);
        assert_string_equal(c->wrong != NULL ? c->wrong : "", e->wrong != NULL ? e->wrong : "");
        if (e->op == NULL)
            continue;
        assert_string_equal(clact_operator_name(c->op), e->op);
        assert_int_equal(c->own_params, e->own_params);
        assert_memory_equal(&c->params, &e->params, sizeof c->params);
    }
    assert_int_equal(cases.count, COUNT);
}

static void a_folder_that_is_not_there_has_no_tests(void **state)
{
    (void)state;
    static struct onnx_cases cases;
    assert_int_equal(setenv("CLACT_ONNX_DATA", "/nowhere", 1), 0);
    assert_false(onnx_data_is_there());
    onnx_find_cases(&cases);
    assert_int_equal(cases.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tests_of_our_operators_are_found),
        cmocka_unit_test(a_folder_that_is_not_there_has_no_tests),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
