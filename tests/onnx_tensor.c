/* SPDX-License-Identifier: MIT */
#include "onnx_tensor.h"

#include "dtype.h"
#include "onnx_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum tensor_field {
    TENSOR_DIMS = 1,
    TENSOR_DATA_TYPE = 2,
    TENSOR_FLOAT_DATA = 4,
    TENSOR_INT32_DATA = 5,
    TENSOR_NAME = 8,
    TENSOR_RAW_DATA = 9,
    TENSOR_DOUBLE_DATA = 10,
    TENSOR_DOC_STRING = 12,
};

/* The parts of a tensor, not yet checked against each other. */
struct tensor_parts {
    uint64_t count;
    size_t dimensions;
    size_t shape[ONNX_MOST_DIMENSIONS];
    uint64_t data_type;
    uint64_t data_id; /* the field that the elements are in; 0: none yet */
    struct wire data;
};

static const char *multiply_dimension(struct tensor_parts *parts, uint64_t dimension)
{
    if (dimension > INT64_MAX)
        return "a dimension is negative";
    if (dimension != 0 && parts->count > SIZE_MAX / dimension)
        return "the dimensions are too large";
    if (parts->dimensions == ONNX_MOST_DIMENSIONS)
        return "there are too many dimensions";
    parts->shape[parts->dimensions++] = (size_t)dimension;
    parts->count *= dimension;
    return NULL;
}

/* The dimensions come one per field or, from newer writers, packed in one. */
static const char *read_dimensions(struct wire_field *field, struct tensor_parts *parts)
{
    if (field->type == WIRE_VARINT)
        return multiply_dimension(parts, field->number);
    if (field->type != WIRE_BYTES)
        return "a dimension is no integer";
    while (field->bytes.left > 0) {
        uint64_t dimension;
        const char *wrong = wire_read_varint(&field->bytes, &dimension);
        if (wrong == NULL)
            wrong = multiply_dimension(parts, dimension);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *read_tensor_field(struct wire_field *field, struct tensor_parts *parts)
{
    switch (field->id) {
    case TENSOR_DIMS:
        return read_dimensions(field, parts);
    case TENSOR_DATA_TYPE:
        if (field->type != WIRE_VARINT)
            return "the data type is no integer";
        parts->data_type = field->number;
        return NULL;
    case TENSOR_FLOAT_DATA:
    case TENSOR_INT32_DATA:
    case TENSOR_RAW_DATA:
    case TENSOR_DOUBLE_DATA:
        if (field->type != WIRE_BYTES)
            return "the elements are not packed";
        if (parts->data_id != 0)
            return "the elements are there twice";
        parts->data_id = field->id;
        parts->data = field->bytes;
        return NULL;
    case TENSOR_NAME:
    case TENSOR_DOC_STRING:
        return NULL;
    default:
        return "a field is none of a plain floating point tensor";
    }
}

/* What TensorProto.DataType calls a dtype, and the field, besides raw_data, for its elements. */
static const struct data_type {
    uint64_t value;
    clact_dtype dtype;
    uint64_t data_id;
} data_types[] = {
    {1, CLACT_F32, TENSOR_FLOAT_DATA},
    {10, CLACT_F16, TENSOR_INT32_DATA},
    {11, CLACT_F64, TENSOR_DOUBLE_DATA},
    {16, CLACT_BF16, TENSOR_INT32_DATA},
};

static const struct data_type *find_data_type(uint64_t value)
{
    for (size_t i = 0; i < sizeof data_types / sizeof data_types[0]; i++)
        if (data_types[i].value == value)
            return &data_types[i];
    return NULL;
}

/* Elements at their own size, one after the other, lowest byte first: raw_data, float_data and
 * double_data all are. */
static const char *copy_elements(struct wire data, struct onnx_tensor *tensor)
{
    size_t size = dtype_format(tensor->dtype)->size;
    if (data.left % size != 0 || data.left / size != tensor->count)
        return "the number of elements is not that of the dimensions";
    for (size_t i = 0; i < tensor->count; i++)
        dtype_store_bits(tensor->dtype, tensor->data, i,
                         wire_little_endian(data.next + i * size, size));
    return NULL;
}

/* Halves in int32_data: the bits of each are an integer. */
static const char *copy_integers(struct wire data, struct onnx_tensor *tensor)
{
    for (size_t i = 0; i < tensor->count; i++) {
        uint64_t bits;
        const char *wrong = wire_read_varint(&data, &bits);
        if (wrong != NULL)
            return wrong;
        if (bits > UINT16_MAX)
            return "an element has more than 16 bits";
        dtype_store_bits(tensor->dtype, tensor->data, i, bits);
    }
    return data.left == 0 ? NULL : "the number of elements is not that of the dimensions";
}

static const char *make_tensor(const struct tensor_parts *parts, struct onnx_tensor *tensor)
{
    const struct data_type *type = find_data_type(parts->data_type);
    if (type == NULL)
        return "the data type is none of f32, f16, bf16 and f64";
    if (parts->data_id != 0 && parts->data_id != TENSOR_RAW_DATA && parts->data_id != type->data_id)
        return "the elements are in the field of another type";
    /* Every element takes a byte at least, so a file cannot ask for much more memory than its own
     * size. */
    if (parts->count > parts->data.left)
        return "the number of elements is not that of the dimensions";
    tensor->dtype = type->dtype;
    tensor->count = (size_t)parts->count;
    tensor->dimensions = parts->dimensions;
    memcpy(tensor->shape, parts->shape, sizeof tensor->shape);
    tensor->data = calloc(tensor->count + 1, dtype_format(type->dtype)->size);
    if (tensor->data == NULL)
        return "out of memory";
    return parts->data_id == TENSOR_INT32_DATA ? copy_integers(parts->data, tensor)
                                               : copy_elements(parts->data, tensor);
}

const char *onnx_tensor_parse(const void *bytes, size_t size, struct onnx_tensor *tensor)
{
    struct wire wire = {bytes, size};
    struct tensor_parts parts = {.count = 1};
    *tensor = (struct onnx_tensor){.data = NULL};
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL)
            wrong = read_tensor_field(&field, &parts);
        if (wrong != NULL)
            return wrong;
    }
    const char *wrong = make_tensor(&parts, tensor);
    if (wrong != NULL)
        onnx_tensor_free(tensor);
    return wrong;
}

void onnx_tensor_free(struct onnx_tensor *tensor)
{
    free(tensor->data);
    *tensor = (struct onnx_tensor){.data = NULL};
}

const char *onnx_tensor_read(const char *path, struct onnx_tensor *tensor)
{
    unsigned char *bytes;
    size_t size;
    *tensor = (struct onnx_tensor){.data = NULL};
    const char *wrong = wire_read_file(path, &bytes, &size);
    if (wrong == NULL)
        wrong = onnx_tensor_parse(bytes, size, tensor);
    free(bytes);
    return wrong;
}
