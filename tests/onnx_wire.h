/* SPDX-License-Identifier: MIT */
/*
 * Protobuf's wire format, which serves for any message. What can go wrong is returned as one line
 * in static storage, NULL if all went well.
 */
#ifndef CLACT_TESTS_ONNX_WIRE_H
#define CLACT_TESTS_ONNX_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64_BITS = 1, WIRE_BYTES = 2, WIRE_32_BITS = 5 };

/* What is left to read of a message. */
struct wire {
    const unsigned char *next;
    size_t left;
};

/* One field. A number is in `number`, bytes (a string, a message or packed numbers) in `bytes`. */
struct wire_field {
    uint64_t id;
    enum wire_type type;
    uint64_t number;
    struct wire bytes;
};

/* Each takes what it reads off the front of the message. */
const char *wire_read_field(struct wire *wire, struct wire_field *field);
const char *wire_read_varint(struct wire *wire, uint64_t *value);

/* The number whose bytes these are, the lowest first. */
uint64_t wire_little_endian(const unsigned char *bytes, size_t size);

/* All of a file, in memory that is the caller's to free. */
const char *wire_read_file(const char *path, unsigned char **bytes, size_t *size);

#endif
