/* SPDX-License-Identifier: MIT */
#include "onnx_model.h"

#include "onnx_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1 };

enum node_field {
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_OPERATOR = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
};

enum attribute_field {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INTEGER = 3,
    ATTRIBUTE_STRING = 4,
    ATTRIBUTE_TYPE = 20,
};

/* What AttributeProto.AttributeType calls the kinds that have a meaning here. */
enum { TYPE_UNDEFINED = 0, TYPE_FLOAT = 1, TYPE_INTEGER = 2, TYPE_STRING = 3 };

bool onnx_text_equals(struct onnx_text text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.start, string, text.length) == 0;
}

/* A field that must be a string. */
static const char *read_text(const struct wire_field *field, struct onnx_text *text)
{
    if (field->type != WIRE_BYTES)
        return "a name is no string";
    *text = (struct onnx_text){(const char *)field->bytes.next, field->bytes.left};
    return NULL;
}

static const char *read_float(const struct wire_field *field, float *number)
{
    const uint32_t bits = (uint32_t)field->number;
    if (field->type != WIRE_32_BITS)
        return "an attribute's number is no float";
    memcpy(number, &bits, sizeof bits);
    return NULL;
}

/* An attribute as its fields have it, and which of the fields were there. */
struct attribute_parts {
    struct onnx_attribute attribute;
    uint64_t type;
    bool has_number;
    bool has_text;
};

static const char *read_attribute_field(const struct wire_field *field,
                                        struct attribute_parts *parts)
{
    switch (field->id) {
    case ATTRIBUTE_NAME:
        return read_text(field, &parts->attribute.name);
    case ATTRIBUTE_FLOAT:
        parts->has_number = true;
        return read_float(field, &parts->attribute.number);
    case ATTRIBUTE_INTEGER:
        if (field->type != WIRE_VARINT)
            return "an attribute's number is no integer";
        parts->attribute.integer = (int64_t)field->number;
        return NULL;
    case ATTRIBUTE_STRING:
        parts->has_text = true;
        return read_text(field, &parts->attribute.text);
    case ATTRIBUTE_TYPE:
        if (field->type != WIRE_VARINT)
            return "an attribute's type is no integer";
        parts->type = field->number;
        return NULL;
    default:
        return NULL;
    }
}

static const char *read_attribute(struct wire wire, struct onnx_attribute *attribute)
{
    struct attribute_parts parts = {.type = TYPE_UNDEFINED};
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL)
            wrong = read_attribute_field(&field, &parts);
        if (wrong != NULL)
            return wrong;
    }
    if (parts.attribute.name.length == 0)
        return "an attribute has no name";
    if (parts.type == TYPE_UNDEFINED)
        return "an attribute has no type";
    if (parts.has_number != (parts.type == TYPE_FLOAT) ||
        parts.has_text != (parts.type == TYPE_STRING))
        return "an attribute's value is not of its type";
    *attribute = parts.attribute;
    attribute->kind = parts.type == TYPE_FLOAT     ? ONNX_FLOAT
                      : parts.type == TYPE_STRING  ? ONNX_STRING
                      : parts.type == TYPE_INTEGER ? ONNX_INTEGER
                                                   : ONNX_OTHER;
    return NULL;
}

static const char *read_node_field(const struct wire_field *field, struct onnx_node *node,
                                   struct onnx_text *domain)
{
    struct onnx_text name;
    switch (field->id) {
    case NODE_INPUT:
        node->inputs++;
        return read_text(field, &name);
    case NODE_OUTPUT:
        node->outputs++;
        return read_text(field, &name);
    case NODE_OPERATOR:
        return read_text(field, &node->op_type);
    case NODE_DOMAIN:
        return read_text(field, domain);
    case NODE_ATTRIBUTE:
        if (field->type != WIRE_BYTES)
            return "an attribute is no message";
        if (node->attribute_count == ONNX_MOST_ATTRIBUTES)
            return "a node has too many attributes";
        return read_attribute(field->bytes, &node->attributes[node->attribute_count++]);
    default:
        return NULL;
    }
}

static const char *read_node(struct wire wire, struct onnx_node *node)
{
    struct onnx_text domain = {"", 0};
    *node = (struct onnx_node){.op_type = {"", 0}};
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL)
            wrong = read_node_field(&field, node, &domain);
        if (wrong != NULL)
            return wrong;
    }
    if (node->op_type.length == 0)
        return "a node has no operator";
    if (domain.length != 0 && !onnx_text_equals(domain, "ai.onnx"))
        node->op_type.length = 0;
    return NULL;
}

/* Every node is read, so that a mistake in any is found, but only the first is kept. */
static const char *read_graph(struct wire wire, struct onnx_model *model)
{
    while (wire.left > 0) {
        struct wire_field field;
        struct onnx_node other;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong != NULL)
            return wrong;
        if (field.id != GRAPH_NODE)
            continue;
        if (field.type != WIRE_BYTES)
            return "a node is no message";
        wrong = read_node(field.bytes, model->node_count == 0 ? &model->node : &other);
        if (wrong != NULL)
            return wrong;
        model->node_count++;
    }
    return model->node_count > 0 ? NULL : "the graph has no nodes";
}

/* The version of one set of operators, kept if it is ONNX's own. */
static const char *read_opset(struct wire wire, struct onnx_model *model)
{
    struct onnx_text domain = {"", 0};
    uint64_t version = 0;
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL && field.id == OPSET_DOMAIN)
            wrong = read_text(&field, &domain);
        if (wrong != NULL)
            return wrong;
        if (field.id == OPSET_VERSION)
            version = field.number;
    }
    if (domain.length == 0 || onnx_text_equals(domain, "ai.onnx"))
        model->opset = version;
    return NULL;
}

const char *onnx_model_parse(const void *bytes, size_t size, struct onnx_model *model)
{
    struct wire wire = {bytes, size};
    struct wire graph = {NULL, 0};
    *model = (struct onnx_model){.file = NULL};
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL && field.id == MODEL_OPSET && field.type == WIRE_BYTES)
            wrong = read_opset(field.bytes, model);
        if (wrong != NULL)
            return wrong;
        if (field.id != MODEL_GRAPH)
            continue;
        if (field.type != WIRE_BYTES)
            return "the graph is no message";
        if (graph.next != NULL)
            return "the graph is there twice";
        graph = field.bytes;
    }
    return graph.next != NULL ? read_graph(graph, model) : "there is no graph";
}

const char *onnx_model_read(const char *path, struct onnx_model *model)
{
    unsigned char *bytes;
    size_t size;
    *model = (struct onnx_model){.file = NULL};
    const char *wrong = wire_read_file(path, &bytes, &size);
    if (wrong != NULL)
        return wrong;
    wrong = onnx_model_parse(bytes, size, model);
    if (wrong != NULL)
        free(bytes);
    else
        model->file = bytes;
    return wrong;
}

void onnx_model_free(struct onnx_model *model)
{
    free(model->file);
    *model = (struct onnx_model){.file = NULL};
}
