/* SPDX-License-Identifier: MIT */
/*
 * The header of NumPy's .npy files, versions 1.0, 2.0 and 3.0 (numpy.lib.format):
 *
 *   "\x93NUMPY"  major  minor  length of the text (2 bytes in version 1, else 4; little-endian)
 *   text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  padding  '\n'
 *   the elements
 *
 * Nothing here trusts a byte of the file or does any I/O.
 */
#ifndef CLACT_TOOLS_NPY_H
#define CLACT_TOOLS_NPY_H

#include "failure.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NPY_VERSION_BYTES = 8,        /* what npy_parse_version reads */
    NPY_MAX_LENGTH_BYTES = 4,     /* of the length that follows it */
    NPY_MAX_TEXT = 65535,         /* NumPy itself refuses more than 10000 */
    NPY_MAX_DIMENSIONS = 64,      /* as in NumPy */
    NPY_MAX_FORMATTED = 10 + 1536 /* fits NPY_MAX_DIMENSIONS sizes of 20 digits */
};

struct npy_header {
    char kind;        /* as in NumPy: 'f' float, 'u' unsigned integer, 'V' raw bytes, 'b' bool */
    size_t item_size; /* f: 2, 4 or 8; V: 2; u: 2, or of labels 1; b: 1 */
    bool big_endian;
    bool fortran_order;
    size_t dimensions; /* 0 for a scalar */
    uint64_t shape[NPY_MAX_DIMENSIONS];
    uint64_t count; /* of elements; count * item_size is at most INT64_MAX */
};

bool npy_host_is_big_endian(void);

/* Checks the first NPY_VERSION_BYTES bytes of a file and says how long the length that follows is:
 * 2 or 4 bytes. */
bool npy_parse_version(const unsigned char *bytes, size_t *length_bytes, struct failure *why);

/* The length of the text; at most NPY_MAX_TEXT. */
bool npy_parse_length(const unsigned char *bytes, size_t length_bytes, size_t *text_bytes,
                      struct failure *why);

/* The text, which need not end in a NUL. */
bool npy_parse_text(const char *text, size_t text_bytes, struct npy_header *header,
                    struct failure *why);

/* Writes a whole version 1.0 header to bytes and returns its length, a multiple of 64. */
size_t npy_format(const struct npy_header *header, unsigned char bytes[NPY_MAX_FORMATTED]);

/* "<f4", and "|u1" where there is no byte order */
void npy_format_type(const struct npy_header *header, char text[8]);

/* "(3, 4)", cut to fit. */
void npy_format_shape(const struct npy_header *header, char *text, size_t capacity);

#endif
