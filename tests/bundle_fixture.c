/* SPDX-License-Identifier: MIT */
#include "bundle_fixture.h"

#include "cache_fixture.h"
#include "internal.h"

#include <stdlib.h>

void bundle_take_apart(const void *bytes, size_t size, struct bundle_parts *parts)
{
    clact__bundle bundle;
    clact__item item;
    assert_true(clact__bundle_read(bytes, size, &bundle));
    parts->environment = bundle.environment;
    parts->count = bundle.count;
    assert_true(clact__bundle_next(&bundle, &item));
    parts->options = item.options;
    parts->binary = item.binary;
    parts->size = item.size;
}

unsigned char *bundle_make(const char *environment, const char *options,
                           const unsigned char *binary, size_t binary_size, size_t *size)
{
    const clact__item item = {options, binary, binary_size};
    *size = clact__bundle_size(environment, &item, 1);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    clact__bundle_write(bytes, environment, &item, 1);
    return bytes;
}

void bundle_write_file(const char *path, const char *environment, const char *options,
                       const unsigned char *binary, size_t size)
{
    size_t all = 0;
    unsigned char *bytes = bundle_make(environment, options, binary, size, &all);
    file_write(path, bytes, all);
    free(bytes);
}
