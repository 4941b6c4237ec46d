/* SPDX-License-Identifier: MIT */
#include "onnx_cells.h"

#include "onnx_cases.h"
#include "onnx_wire.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fields of onnx.proto that are looked at. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_INTEGER = 3 };
enum { TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_RAW_DATA = 9, TYPE_INT32 = 6 };

size_t onnx_find_cells(char folders[ONNX_MOST_CELLS][ONNX_CELL_NAME])
{
    static const char *const prefixes[] = {"test_gru_", "test_lstm_"};
    char path[ONNX_PATH];
    struct dirent **entries = NULL;
    size_t found = 0;
    const int count = onnx_path(path, "node", "") ? scandir(path, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        for (size_t p = 0; p < 2; p++)
            if (strncmp(entries[i]->d_name, prefixes[p], strlen(prefixes[p])) == 0 &&
                found < ONNX_MOST_CELLS)
                snprintf(folders[found++], ONNX_CELL_NAME, "node/%.100s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return found;
}

static bool equals(struct wire text, const char *string)
{
    return text.left == strlen(string) && memcmp(text.next, string, text.left) == 0;
}

/* The model. */

/* Which of the operands there are, in ONNX's order: those that are left out have no name. */
struct names {
    size_t count;
    bool there[ONNX_CELL_OPERANDS];
};

static const char *read_attribute(struct wire wire, struct onnx_cell *cell)
{
    struct wire name = {NULL, 0};
    uint64_t value = 0;
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong != NULL)
            return wrong;
        if (field.id == ATTRIBUTE_NAME)
            name = field.bytes;
        if (field.id == ATTRIBUTE_INTEGER)
            value = field.number;
    }
    if (equals(name, "hidden_size"))
        cell->hidden_size = (size_t)value;
    else if (equals(name, "layout"))
        cell->batch_first = value == 1;
    else if (equals(name, "linear_before_reset"))
        cell->linear_before_reset = value == 1;
    else
        return "the cell has an attribute that is not known here";
    return NULL;
}

static const char *read_node(struct wire wire, struct onnx_cell *cell, struct names names[2])
{
    const char *wrong = NULL;
    while (wire.left > 0 && wrong == NULL) {
        struct wire_field field;
        wrong = wire_read_field(&wire, &field);
        if (wrong != NULL)
            return wrong;
        struct names *list = &names[field.id == NODE_OUTPUT];
        if (field.id == NODE_INPUT || field.id == NODE_OUTPUT) {
            if (list->count == ONNX_CELL_OPERANDS)
                return "the cell has too many operands";
            list->there[list->count++] = field.bytes.left > 0;
        }
        if (field.id == NODE_OPERATOR && !equals(field.bytes, "LSTM") &&
            !equals(field.bytes, "GRU"))
            wrong = "the node is neither an LSTM nor a GRU";
        if (field.id == NODE_OPERATOR)
            cell->is_lstm = equals(field.bytes, "LSTM");
        if (field.id == NODE_ATTRIBUTE)
            wrong = read_attribute(field.bytes, cell);
    }
    return wrong;
}

/* The bytes of the first field of this kind. */
static struct wire find_field(struct wire wire, uint64_t id)
{
    struct wire_field field;
    while (wire.left > 0 && wire_read_field(&wire, &field) == NULL)
        if (field.id == id && field.type == WIRE_BYTES)
            return field.bytes;
    return (struct wire){NULL, 0};
}

static const char *read_model(const char *folder, struct onnx_cell *cell, struct names names[2])
{
    char path[ONNX_PATH];
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!onnx_path(path, folder, "model.onnx"))
        return "the path is too long";
    const char *wrong = wire_read_file(path, &bytes, &size);
    if (wrong == NULL)
        wrong =
            read_node(find_field(find_field((struct wire){bytes, size}, MODEL_GRAPH), GRAPH_NODE),
                      cell, names);
    free(bytes);
    return wrong;
}

/* The tensors. */

static const char *read_dimension(const struct wire_field *field, struct onnx_operand *operand)
{
    if (field->type != WIRE_VARINT || operand->rank == 4)
        return "the dimensions are not up to four integers";
    operand->dims[operand->rank++] = (size_t)field->number;
    return NULL;
}

static const char *read_integers(struct wire data, struct onnx_operand *operand)
{
    const size_t count = data.left / 4;
    if (operand->rank != 1 || count != operand->dims[0])
        return "the integers are not as many as they should be";
    operand->integers = malloc((count + 1) * sizeof *operand->integers);
    if (operand->integers == NULL)
        return "out of memory";
    for (size_t i = 0; i < count; i++)
        operand->integers[i] = (int)(int32_t)wire_little_endian(data.next + 4 * i, 4);
    return NULL;
}

/* The dimensions, and what is no floating point number. */
static const char *read_shape(struct wire wire, struct onnx_operand *operand)
{
    struct wire data = {NULL, 0};
    uint64_t type = 0;
    while (wire.left > 0) {
        struct wire_field field;
        const char *wrong = wire_read_field(&wire, &field);
        if (wrong == NULL && field.id == TENSOR_DIMS)
            wrong = read_dimension(&field, operand);
        if (wrong != NULL)
            return wrong;
        if (field.id == TENSOR_DATA_TYPE)
            type = field.number;
        if (field.id == TENSOR_RAW_DATA)
            data = field.bytes;
    }
    return type == TYPE_INT32 ? read_integers(data, operand) : NULL;
}

static const char *read_operand(const char *path, struct onnx_operand *operand)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    const char *wrong = wire_read_file(path, &bytes, &size);
    if (wrong == NULL)
        wrong = read_shape((struct wire){bytes, size}, operand);
    if (wrong == NULL && operand->integers == NULL)
        wrong = onnx_tensor_parse(bytes, size, &operand->tensor);
    free(bytes);
    return wrong;
}

/* Files are numbered without what is left out. */
static const char *read_operands(const char *folder, const char *kind, const struct names *names,
                                 struct onnx_operand operands[ONNX_CELL_OPERANDS])
{
    int file = 0;
    for (size_t i = 0; i < names->count; i++) {
        char name[ONNX_CELL_NAME], path[ONNX_PATH];
        if (!names->there[i])
            continue;
        snprintf(name, sizeof name, "test_data_set_0/%s_%d.pb", kind, file++);
        const char *wrong = onnx_path(path, folder, name) ? read_operand(path, &operands[i])
                                                          : "the path is too long";
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

const char *onnx_cell_read(const char *folder, struct onnx_cell *cell)
{
    struct names names[2] = {{.count = 0}, {.count = 0}};
    memset(cell, 0, sizeof *cell);
    const char *wrong = read_model(folder, cell, names);
    if (wrong == NULL)
        wrong = read_operands(folder, "input", &names[0], cell->inputs);
    if (wrong == NULL)
        wrong = read_operands(folder, "output", &names[1], cell->outputs);
    if (wrong == NULL && (cell->inputs[CELL_X].rank != 3 || cell->inputs[CELL_W].rank != 3))
        wrong = "the inputs are not what a cell has";
    if (wrong != NULL)
        onnx_cell_free(cell);
    return wrong;
}

void onnx_cell_free(struct onnx_cell *cell)
{
    for (size_t i = 0; i < ONNX_CELL_OPERANDS; i++) {
        onnx_tensor_free(&cell->inputs[i].tensor);
        onnx_tensor_free(&cell->outputs[i].tensor);
        free(cell->inputs[i].integers);
        free(cell->outputs[i].integers);
    }
    memset(cell, 0, sizeof *cell);
}
