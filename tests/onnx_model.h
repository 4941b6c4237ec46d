/* SPDX-License-Identifier: MIT */
/*
 * Reads of ONNX's models what tells which function a node test is of: a ModelProto in protobuf's
 * wire format, as in onnx.proto. Fields that say nothing about that are passed over; those that do
 * are read strictly.
 */
#ifndef CLACT_TESTS_ONNX_MODEL_H
#define CLACT_TESTS_ONNX_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text in the bytes of a model; no zero follows it. */
struct onnx_text {
    const char *start;
    size_t length;
};

bool onnx_text_equals(struct onnx_text text, const char *string);

enum onnx_attribute_kind { ONNX_FLOAT, ONNX_STRING, ONNX_INTEGER, ONNX_OTHER };

struct onnx_attribute {
    struct onnx_text name;
    enum onnx_attribute_kind kind;
    float number;          /* of ONNX_FLOAT */
    struct onnx_text text; /* of ONNX_STRING */
    int64_t integer;       /* of ONNX_INTEGER */
};

enum { ONNX_MOST_ATTRIBUTES = 32 };

/* `op_type` is the operator's name, empty where it is none of ONNX's own set of operators. */
struct onnx_node {
    struct onnx_text op_type;
    size_t inputs;
    size_t outputs;
    size_t attribute_count;
    struct onnx_attribute attributes[ONNX_MOST_ATTRIBUTES];
};

/* The number of nodes in the graph, and the first of them. */
struct onnx_model {
    size_t node_count;
    struct onnx_node node;
    uint64_t opset;      /* the version of ONNX's own set of operators; 0 if it is not said */
    unsigned char *file; /* what was read, for onnx_model_free */
};

/*
 * Both return NULL if all went well, else one line that says what is wrong, in static storage. The
 * texts of a model that was parsed lie in `bytes`; one that was read is to be freed.
 */
const char *onnx_model_parse(const void *bytes, size_t size, struct onnx_model *model);
const char *onnx_model_read(const char *path, struct onnx_model *model);

/* Frees a model that was read, with its texts. One that holds nothing may be freed again. */
void onnx_model_free(struct onnx_model *model);

#endif
