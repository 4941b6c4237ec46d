/* SPDX-License-Identifier: MIT */
/* What the elements of files are to the library, and whether two files go together. */
#ifndef CLACT_TOOLS_INPUT_TYPES_H
#define CLACT_TOOLS_INPUT_TYPES_H

#include "failure.h"
#include "input.h"

#include <clact/clact.h>

/* `bf16`: the file holds bfloat16 numbers, which NumPy has no type for. */
bool input_find_dtype(const struct input *input, bool bf16, clact_dtype *dtype,
                      struct failure *why);

/* Whether two inputs have the same type; the same shape and order; and both, so that they go
 * together element by element, in the order of the files. */
bool inputs_match_types(const struct input *grad, const struct input *saved, struct failure *why);
bool inputs_match_shapes(const struct input *grad, const struct input *saved, struct failure *why);
bool inputs_match(const struct input *grad, const struct input *saved, struct failure *why);

#endif
