/* SPDX-License-Identifier: MIT */
/* The node tests of ONNX's LSTM and GRU (onnx_test_data.md): found by their names, read from their
 * models and their tensors. */
#ifndef CLACT_TESTS_ONNX_CELLS_H
#define CLACT_TESTS_ONNX_CELLS_H

#include "onnx_tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { ONNX_CELL_OPERANDS = 8, ONNX_CELL_NAME = 128, ONNX_MOST_CELLS = 64 };

/* The inputs, as ONNX orders them; the GRU has no more than INITIAL_H. */
enum { CELL_X, CELL_W, CELL_R, CELL_B, SEQUENCE_LENS, INITIAL_H, INITIAL_C, CELL_P };
/* The outputs. */
enum { CELL_Y, CELL_Y_H, CELL_Y_C };

/* What is not there has no data. */
struct onnx_operand {
    struct onnx_tensor tensor; /* but for sequence_lens */
    size_t dims[4];
    size_t rank;
    int *integers; /* of sequence_lens */
};

struct onnx_cell {
    bool is_lstm;
    size_t hidden_size;
    bool batch_first;         /* layout is 1 */
    bool linear_before_reset; /* of the GRU */
    struct onnx_operand inputs[ONNX_CELL_OPERANDS];
    struct onnx_operand outputs[ONNX_CELL_OPERANDS];
};

/* The folders of the tests, below onnx_data(), in the order of their names; returns how many. */
size_t onnx_find_cells(char folders[ONNX_MOST_CELLS][ONNX_CELL_NAME]);

/* Both return NULL if all went well, and then the cell is to be freed; else what is wrong. */
const char *onnx_cell_read(const char *folder, struct onnx_cell *cell);
void onnx_cell_free(struct onnx_cell *cell);

#endif
