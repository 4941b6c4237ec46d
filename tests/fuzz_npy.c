/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target for the .npy header: whatever the bytes, parsing ends, and what it accepts
 * survives being written and parsed again.
 */
#include "npy.h"

#include <stdlib.h>
#include <string.h>

static bool parse(const unsigned char *bytes, size_t size, struct npy_header *header,
                  struct failure *why)
{
    size_t length_bytes, text_bytes;
    if (size < NPY_VERSION_BYTES || !npy_parse_version(bytes, &length_bytes, why))
        return false;
    size_t prefix = NPY_VERSION_BYTES + length_bytes;
    if (size < prefix ||
        !npy_parse_length(bytes + NPY_VERSION_BYTES, length_bytes, &text_bytes, why))
        return false;
    return size - prefix >= text_bytes &&
           npy_parse_text((const char *)bytes + prefix, text_bytes, header, why);
}

static bool same(const struct npy_header *a, const struct npy_header *b)
{
    return a->kind == b->kind && a->item_size == b->item_size && a->big_endian == b->big_endian &&
           a->fortran_order == b->fortran_order && a->dimensions == b->dimensions &&
           a->count == b->count &&
           memcmp(a->shape, b->shape, a->dimensions * sizeof a->shape[0]) == 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct npy_header header, again;
    struct failure why;
    if (!parse(bytes, size, &header, &why))
        return 0;
    unsigned char formatted[NPY_MAX_FORMATTED];
    size_t length = npy_format(&header, formatted);
    if (length % 64 != 0 || !parse(formatted, length, &again, &why) || !same(&header, &again))
        abort();
    return 0;
}
