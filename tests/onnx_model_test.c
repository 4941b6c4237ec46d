/* SPDX-License-Identifier: MIT */
/* The reader of ONNX models, on models made here byte by byte. */
#include "onnx_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A model of one node: y = Selu(x) with alpha = 2 and mode = "tanh". */
#define GOOD_ATTRIBUTES                                                                            \
    "\x2a\x0f\x0a\x05"                                                                             \
    "alpha\x15\0\0\0\x40\xa0\x01\x01\x2a\x0f\x0a\x04mode\x22\x04tanh\xa0\x01\x03"
#define GOOD_MODEL                                                                                 \
    "\x08\x07\x12\x01x\x3a\x33\x0a\x2e\x0a\x01x\x12\x01y\x22\x04Selu" GOOD_ATTRIBUTES              \
    "\x12\x01g\x42\x02\x10\x06"

/* The bytes must outlive the model, so here they are the caller's, of exactly that size. */
static const char *parse_model(const char *text, size_t size, char **bytes,
                               struct onnx_model *model)
{
    *bytes = malloc(size + (size == 0));
    assert_non_null(*bytes);
    memcpy(*bytes, text, size);
    return onnx_model_parse(*bytes, size, model);
}

static void assert_good_model(const char *wrong, const struct onnx_model *model)
{
    if (wrong != NULL)
        fail_msg("refused: %s", wrong);
    const struct onnx_node *node = &model->node;
    assert_int_equal(model->node_count, 1);
    assert_true(onnx_text_equals(node->op_type, "Selu"));
    assert_int_equal(node->inputs, 1);
    assert_int_equal(node->outputs, 1);
    assert_int_equal(node->attribute_count, 2);
    assert_true(onnx_text_equals(node->attributes[0].name, "alpha"));
    assert_int_equal(node->attributes[0].kind, ONNX_FLOAT);
    assert_true(node->attributes[0].number == 2);
    assert_true(onnx_text_equals(node->attributes[1].name, "mode"));
    assert_int_equal(node->attributes[1].kind, ONNX_STRING);
    assert_true(onnx_text_equals(node->attributes[1].text, "tanh"));
}

static void a_model_tells_its_operator_and_attributes(void **state)
{
    (void)state;
    struct onnx_model model;
    char *bytes;
    assert_good_model(parse_model(GOOD_MODEL, sizeof(GOOD_MODEL) - 1, &bytes, &model), &model);
    assert_false(onnx_text_equals(model.node.op_type, "Sel"));
    assert_false(onnx_text_equals(model.node.op_type, "SeluX"));
    assert_false(onnx_text_equals(model.node.op_type, "Relu"));
    free(bytes);
}

/* The messages that a model is made of, from the inside out, and their tags in the next one. */
enum level { ATTRIBUTE, NODE, GRAPH, MODEL };
static const char level_tags[] = {'\x2a', '\x0a', '\x3a'};

/* Makes a model of the body of one of its messages; all are short enough for lengths of a byte. A
 * node around an attribute is called A. Returns its size. */
static size_t wrap(enum level level, const char *body, size_t size, char model[128])
{
    memcpy(model, body, size);
    for (; level < MODEL; level++) {
        size_t before = level == ATTRIBUTE ? 5 : 2;
        assert_true(size < 120);
        memmove(model + before, model, size);
        memcpy(model, "\x22\x01\x41", before - 2);
        model[before - 2] = level_tags[level];
        model[before - 1] = (char)size;
        size += before;
    }
    return size;
}

static void only_operators_of_onnx_itself_have_a_name(void **state)
{
    (void)state;
    static const struct domain {
        const char *body;
        size_t size;
        const char *op_type;
    } domains[] = {
        {"\x22\x04Selu\x3a\x00", 8, "Selu"},
        {"\x22\x04Selu\x3a\x07"
         "ai.onnx",
         15, "Selu"},
        {"\x3a\x0a"
         "ai.onnx.ml\x22\x04Selu",
         18, ""},
    };
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        char text[128];
        char *bytes;
        struct onnx_model model;
        size_t size = wrap(NODE, domains[i].body, domains[i].size, text);
        assert_null(parse_model(text, size, &bytes, &model));
        assert_true(onnx_text_equals(model.node.op_type, domains[i].op_type));
        free(bytes);
    }
}

static void nodes_are_counted_and_other_attributes_named(void **state)
{
    (void)state;
    char text[128];
    char *bytes;
    struct onnx_model model;
    /* A, with the integer k = 1, and B. */
    static const char graph[] = "\x0a\x0d\x22\x01\x41\x2a\x08\x0a\x01k\x18\x01\xa0\x01\x02"
                                "\x0a\x03\x22\x01\x42";
    size_t size = wrap(GRAPH, graph, sizeof graph - 1, text);
    assert_null(parse_model(text, size, &bytes, &model));
    assert_int_equal(model.node_count, 2);
    assert_true(onnx_text_equals(model.node.op_type, "A"));
    assert_int_equal(model.node.attribute_count, 1);
    assert_int_equal(model.node.attributes[0].kind, ONNX_INTEGER);
    assert_int_equal(model.node.attributes[0].integer, 1);
    assert_true(onnx_text_equals(model.node.attributes[0].name, "k"));
    free(bytes);
}

static const struct malformed_model {
    const char *why;
    enum level level;
    const char *body;
    size_t size;
} malformed_models[] = {
#define MALFORMED_MODEL(why, level, text)                                                          \
    {                                                                                              \
        why, level, text, sizeof(text) - 1                                                         \
    }
    MALFORMED_MODEL("there is no graph", MODEL, ""),
    MALFORMED_MODEL("there is no graph", MODEL, "\x08\x07"),
    MALFORMED_MODEL("the graph is no message", MODEL, "\x38\x01"),
    MALFORMED_MODEL("the graph is there twice", MODEL,
                    "\x3a\x05\x0a\x03\x22\x01\x41\x3a\x05\x0a\x03\x22\x01\x41"),
    MALFORMED_MODEL("a number has more than 64 bits", MODEL,
                    "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
    MALFORMED_MODEL("a field reaches past the end", MODEL, "\x3a\x03\x0a\x01"),
    MALFORMED_MODEL("the graph has no nodes", GRAPH, ""),
    MALFORMED_MODEL("the graph has no nodes", GRAPH, "\x12\x01g"),
    MALFORMED_MODEL("a node is no message", GRAPH, "\x08\x01"),
    MALFORMED_MODEL("a field reaches past the end", GRAPH, "\x0a\x05\x22\x01\x41"),
    MALFORMED_MODEL("a number is cut off", GRAPH, "\x0a"),
    MALFORMED_MODEL("a node has no operator", NODE, ""),
    MALFORMED_MODEL("a node has no operator", NODE, "\x22\x00"),
    /* Past the first node too. */
    MALFORMED_MODEL("a node has no operator", GRAPH, "\x0a\x03\x22\x01\x41\x0a\x00"),
    MALFORMED_MODEL("a name is no string", NODE, "\x20\x01"),
    MALFORMED_MODEL("a name is no string", NODE, "\x08\x01\x22\x01\x41"),
    MALFORMED_MODEL("a name is no string", NODE, "\x10\x01\x22\x01\x41"),
    MALFORMED_MODEL("a name is no string", NODE, "\x38\x01\x22\x01\x41"),
    MALFORMED_MODEL("an attribute is no message", NODE, "\x22\x01\x41\x28\x01"),
    MALFORMED_MODEL("a field has an unknown wire type", NODE, "\x22\x01\x41\x2b"),
    MALFORMED_MODEL("an attribute has no name", ATTRIBUTE, ""),
    MALFORMED_MODEL("an attribute has no name", ATTRIBUTE, "\x15\0\0\0\x40\xa0\x01\x01"),
    MALFORMED_MODEL("an attribute has no type", ATTRIBUTE, "\x0a\x01k\x15\0\0\0\x40"),
    MALFORMED_MODEL("a name is no string", ATTRIBUTE, "\x08\x01"),
    MALFORMED_MODEL("an attribute's number is no float", ATTRIBUTE, "\x0a\x01k\x10\x01"),
    MALFORMED_MODEL("an attribute's type is no integer", ATTRIBUTE, "\xa2\x01\x01\x01"),
    MALFORMED_MODEL("an attribute's value is not of its type", ATTRIBUTE, "\x0a\x01k\xa0\x01\x01"),
    MALFORMED_MODEL("an attribute's value is not of its type", ATTRIBUTE, "\x0a\x01k\xa0\x01\x03"),
    MALFORMED_MODEL("an attribute's value is not of its type", ATTRIBUTE,
                    "\x0a\x01k\x15\0\0\0\x40\xa0\x01\x02"),
    MALFORMED_MODEL("an attribute's value is not of its type", ATTRIBUTE,
                    "\x0a\x01k\x22\x01s\x15\0\0\0\x40\xa0\x01\x01"),
    MALFORMED_MODEL("a field reaches past the end", ATTRIBUTE, "\x0a\x01k\x15\0\0\x40"),
#undef MALFORMED_MODEL
};

static void malformed_models_are_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed_models / sizeof malformed_models[0]; i++) {
        const struct malformed_model *row = &malformed_models[i];
        char text[128];
        char *bytes;
        struct onnx_model model;
        size_t size = wrap(row->level, row->body, row->size, text);
        const char *wrong = parse_model(text, size, &bytes, &model);
        if (wrong == NULL)
            fail_msg("row %zu was accepted: %s", i, row->why);
        if (strcmp(wrong, row->why) != 0)
            fail_msg("row %zu: \"%s\" and not \"%s\"", i, wrong, row->why);
        free(bytes);
    }
}

static void a_node_with_too_many_attributes_is_refused(void **state)
{
    (void)state;
    enum {
        ATTRIBUTE_SIZE = 10,
        MOST = ONNX_MOST_ATTRIBUTES,
        SIZE = 3 + (MOST + 1) * ATTRIBUTE_SIZE
    };
    for (int extra = 0; extra <= 1; extra++) {
        char text[SIZE + 6];
        char *bytes;
        struct onnx_model model;
        int node = 3 + (MOST + extra) * ATTRIBUTE_SIZE;
        int graph = node + 3;
        char *next = text;
        *next++ = '\x3a';
        *next++ = (char)(graph | 0x80);
        *next++ = (char)(graph >> 7);
        *next++ = '\x0a';
        *next++ = (char)(node | 0x80);
        *next++ = (char)(node >> 7);
        memcpy(next, "\x22\x01\x41", 3);
        for (next += 3; next < text + 6 + node; next += ATTRIBUTE_SIZE)
            memcpy(next, "\x2a\x08\x0a\x01k\x18\x01\xa0\x01\x02", ATTRIBUTE_SIZE);
        const char *wrong = parse_model(text, (size_t)(next - text), &bytes, &model);
        if (extra == 0)
            assert_null(wrong);
        else
            assert_string_equal(wrong, "a node has too many attributes");
        free(bytes);
    }
}

/* Only the last four bytes, the version of the operators, can be missing. */
static void a_model_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(GOOD_MODEL) - 1; size++) {
        char *bytes;
        struct onnx_model model;
        const char *wrong = parse_model(GOOD_MODEL, size, &bytes, &model);
        if (wrong == NULL && size != sizeof(GOOD_MODEL) - 1 - 4)
            fail_msg("the first %zu bytes were accepted", size);
        free(bytes);
    }
}

/* As for tensors. The texts of what is accepted are read too. */
static void a_changed_byte_gives_no_text_from_elsewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD_MODEL) - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[] = GOOD_MODEL;
            char *bytes;
            struct onnx_model model;
            text[i] = (char)byte;
            if (parse_model(text, sizeof text - 1, &bytes, &model) == NULL) {
                const struct onnx_text *type = &model.node.op_type;
                assert_true(type->length == 0 ||
                            (type->start >= bytes &&
                             type->start + type->length <= bytes + sizeof text - 1));
            }
            free(bytes);
        }
    }
}

static void a_model_is_read_from_its_path(void **state)
{
    (void)state;
    char path[] = "/tmp/clact-onnx-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, GOOD_MODEL, sizeof(GOOD_MODEL) - 1), sizeof(GOOD_MODEL) - 1);
    assert_int_equal(close(descriptor), 0);
    struct onnx_model model;
    const char *wrong = onnx_model_read(path, &model);
    assert_int_equal(unlink(path), 0);
    assert_good_model(wrong, &model);
    onnx_model_free(&model);
    assert_string_equal(onnx_model_read(path, &model), "the file cannot be opened");
    assert_null(model.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_tells_its_operator_and_attributes),
        cmocka_unit_test(only_operators_of_onnx_itself_have_a_name),
        cmocka_unit_test(nodes_are_counted_and_other_attributes_named),
        cmocka_unit_test(malformed_models_are_refused_with_the_reason),
        cmocka_unit_test(a_node_with_too_many_attributes_is_refused),
        cmocka_unit_test(a_model_that_is_cut_off_is_refused),
        cmocka_unit_test(a_changed_byte_gives_no_text_from_elsewhere),
        cmocka_unit_test(a_model_is_read_from_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
