/* SPDX-License-Identifier: MIT */
/* A .npy file (or pipe) that is read from front to back. */
#ifndef CLACT_TOOLS_INPUT_H
#define CLACT_TOOLS_INPUT_H

#include "failure.h"
#include "npy.h"

struct input {
    const char *path;
    int descriptor;
    struct npy_header header;
};

/* Whether the path means standard input. */
bool input_is_standard(const char *path);

/* Opens the file and reads the header. Where the file's length is known, it has to be that which
 * the header promises. On failure nothing is left open. */
bool input_open(struct input *input, const char *path, struct failure *why);

/* Reads the next elements, all of them or it is a failure, into the host's byte order. */
bool input_read(struct input *input, void *elements, size_t bytes, struct failure *why);

/* After the last element: checks that nothing follows. */
bool input_finish(struct input *input, struct failure *why);

void input_close(struct input *input);

/* Turns elements from the host's byte order into the header's, or back. */
void swap_if_foreign(const struct npy_header *header, void *elements, size_t bytes);

#endif
