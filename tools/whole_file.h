/* SPDX-License-Identifier: MIT */
/* Files that are in memory as a whole. */
#ifndef CLACT_TOOLS_WHOLE_FILE_H
#define CLACT_TOOLS_WHOLE_FILE_H

#include "failure.h"
#include "input.h"
#include "output.h"

#include <stddef.h>

/* Opens the files of those paths that are not NULL, of which one at most can be standard input.
 * Either all of them are open then or none. */
bool inputs_open(struct input *inputs, const char *const *paths, size_t count, struct failure *why);
void inputs_close(struct input *inputs, const char *const *paths, size_t count);

/* Room for that many bytes, which the caller frees, or NULL. `path` says for which file. */
void *whole_allocate(const char *path, size_t bytes, struct failure *why);

/* All elements of a file, in the host's byte order. The caller frees them. NULL on failure. */
void *whole_read(struct input *input, struct failure *why);

/* A file to write: its elements are in the host's byte order before, and in the header's after. */
struct whole_output {
    const char *path;
    const struct npy_header *header;
    void *elements;
    struct output output; /* between the calls below */
};

/* Opens at most OUTPUTS files, all of them or none, before the program has a second thread, and
 * before an hour's work. */
bool whole_open(struct whole_output *files, size_t count, struct failure *why);

/* Writes them if all went well so far, else leaves all as it was. None of them is there before all of
 * them could be written. Whether they were. */
bool whole_close(struct whole_output *files, size_t count, bool good, struct failure *why);

#endif
