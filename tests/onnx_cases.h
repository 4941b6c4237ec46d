/* SPDX-License-Identifier: MIT */
/*
 * The cases in ONNX's test data that are of an operator of ops.def: see onnx_test_data.md. They are
 * found by what the models say, so that another row in ops.def needs nothing here.
 */
#ifndef CLACT_TESTS_ONNX_CASES_H
#define CLACT_TESTS_ONNX_CASES_H

#include <clact/clact.h>

#include <stdbool.h>
#include <stddef.h>

enum { ONNX_PATH = 4096, ONNX_MOST_CASES = 256 };

/* One set of an input and an output. */
struct onnx_case {
    char name[128];     /* for reports: "onnx node/test_elu/test_data_set_0" */
    char data_set[128]; /* the folder, below onnx_data() */
    clact_operator op;
    bool own_params; /* else the operator's defaults */
    clact_params params;
    const char *wrong; /* why the case cannot be used, which is to fail a test; else NULL */
};

struct onnx_cases {
    size_t count;
    struct onnx_case items[ONNX_MOST_CASES];
};

/* The folder of the data, which CLACT_ONNX_DATA names, and whether there is one. */
const char *onnx_data(void);
bool onnx_data_is_there(void);

/* A path in the folder of the data, below `folder` there. False if it is too long. */
bool onnx_path(char path[ONNX_PATH], const char *folder, const char *name);

/* All cases, in the order of their names; none if there is no data. A model that cannot be read is a
 * case too, one that is wrong. */
void onnx_find_cases(struct onnx_cases *cases);

#endif
