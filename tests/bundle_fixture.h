/* SPDX-License-Identifier: MIT */
/* Files that verify, but are not what they should be: made with the library's own code, which is
 * linked into the tests for that. */
#ifndef CLACT_TESTS_BUNDLE_FIXTURE_H
#define CLACT_TESTS_BUNDLE_FIXTURE_H

#include <stddef.h>

/* What is in a bundle whose first program it is; it points into the bytes. */
struct bundle_parts {
    const char *environment;
    size_t count;
    const char *options;
    const unsigned char *binary;
    size_t size;
};

void bundle_take_apart(const void *bytes, size_t size, struct bundle_parts *parts);

/* A bundle of one program, which the caller frees. */
unsigned char *bundle_make(const char *environment, const char *options,
                           const unsigned char *binary, size_t binary_size, size_t *size);
void bundle_write_file(const char *path, const char *environment, const char *options,
                       const unsigned char *binary, size_t size);

#endif
