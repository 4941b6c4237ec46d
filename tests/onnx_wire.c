/* SPDX-License-Identifier: MIT */
#include "onnx_wire.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Seven bits per byte, the lowest first; the top bit says that there are more. */
const char *wire_read_varint(struct wire *wire, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (wire->left == 0)
            return "a number is cut off";
        uint64_t byte = *wire->next++;
        wire->left--;
        if (shift == 63 && byte > 1)
            return "a number has more than 64 bits";
        *value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return NULL;
    }
    return "a number has more than 64 bits";
}

static const char *read_bytes(struct wire *wire, uint64_t size, struct wire *bytes)
{
    if (size > wire->left)
        return "a field reaches past the end";
    bytes->next = wire->next;
    bytes->left = (size_t)size;
    wire->next += bytes->left;
    wire->left -= bytes->left;
    return NULL;
}

uint64_t wire_little_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

static const char *read_fixed(struct wire *wire, size_t size, uint64_t *value)
{
    struct wire bytes;
    const char *wrong = read_bytes(wire, size, &bytes);
    if (wrong == NULL)
        *value = wire_little_endian(bytes.next, size);
    return wrong;
}

const char *wire_read_field(struct wire *wire, struct wire_field *field)
{
    uint64_t tag;
    uint64_t size;
    const char *wrong = wire_read_varint(wire, &tag);
    if (wrong != NULL)
        return wrong;
    field->id = tag >> 3;
    field->type = (enum wire_type)(tag & 7);
    if (field->id == 0)
        return "a field has the number 0";
    switch (field->type) {
    case WIRE_VARINT:
        return wire_read_varint(wire, &field->number);
    case WIRE_64_BITS:
        return read_fixed(wire, 8, &field->number);
    case WIRE_32_BITS:
        return read_fixed(wire, 4, &field->number);
    case WIRE_BYTES:
        wrong = wire_read_varint(wire, &size);
        return wrong != NULL ? wrong : read_bytes(wire, size, &field->bytes);
    default:
        return "a field has an unknown wire type";
    }
}

/* All of a stream, in memory that is the caller's; NULL if it cannot be read or held. */
static unsigned char *read_all(FILE *file, size_t *size)
{
    size_t capacity = 4096;
    unsigned char *bytes = malloc(capacity);
    *size = 0;
    while (bytes != NULL) {
        *size += fread(bytes + *size, 1, capacity - *size, file);
        if (*size < capacity)
            break;
        unsigned char *larger = capacity <= SIZE_MAX / 2 ? realloc(bytes, 2 * capacity) : NULL;
        if (larger == NULL)
            free(bytes);
        bytes = larger;
        capacity *= 2;
    }
    if (bytes != NULL && ferror(file)) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

const char *wire_read_file(const char *path, unsigned char **bytes, size_t *size)
{
    *bytes = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return "the file cannot be opened";
    *bytes = read_all(file, size);
    if (fclose(file) == 0 && *bytes != NULL)
        return NULL;
    free(*bytes);
    *bytes = NULL;
    return "the file cannot be read";
}
