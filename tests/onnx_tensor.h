/* SPDX-License-Identifier: MIT */
/*
 * Reads the tensors of ONNX's node tests: a TensorProto in protobuf's wire format, as in
 * onnx.proto. Strict, and small: what a test file of a floating point tensor does not need is an
 * error.
 */
#ifndef CLACT_TESTS_ONNX_TENSOR_H
#define CLACT_TESTS_ONNX_TENSOR_H

#include <clact/clact.h>

#include <stddef.h>

enum { ONNX_MOST_DIMENSIONS = 8 };

/* `count` elements in the host's byte order, the product of the dimensions; a scalar has one. */
struct onnx_tensor {
    clact_dtype dtype;
    size_t count;
    size_t dimensions;
    size_t shape[ONNX_MOST_DIMENSIONS];
    void *data;
};

/*
 * Both return NULL if all went well, and then the tensor is to be freed; else one line that says
 * what is wrong, in static storage, and the tensor holds nothing.
 */
const char *onnx_tensor_parse(const void *bytes, size_t size, struct onnx_tensor *tensor);
const char *onnx_tensor_read(const char *path, struct onnx_tensor *tensor);

/* Frees the elements. A tensor that holds nothing may be freed again. */
void onnx_tensor_free(struct onnx_tensor *tensor);

#endif
