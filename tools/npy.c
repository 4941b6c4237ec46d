/* SPDX-License-Identifier: MIT */
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A position in the header's text, which is one Python dict literal. */
struct scanner {
    const char *at;
    const char *end;
};

enum { KEY_TYPE = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEY_ALL = 7 };

bool npy_host_is_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

bool npy_parse_version(const unsigned char *bytes, size_t *length_bytes, struct failure *why)
{
    if (memcmp(bytes, "\x93NUMPY", 6) != 0)
        return fail(why, "not a .npy file");
    unsigned major = bytes[6];
    unsigned minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return fail(why, "version %u.%u of the .npy format is not known (1.0, 2.0 and 3.0 are)",
                    major, minor);
    *length_bytes = major == 1 ? 2 : 4;
    return true;
}

bool npy_parse_length(const unsigned char *bytes, size_t length_bytes, size_t *text_bytes,
                      struct failure *why)
{
    uint32_t length = 0;
    for (size_t i = 0; i < length_bytes; i++)
        length |= (uint32_t)bytes[i] << (8 * i);
    if (length > NPY_MAX_TEXT)
        return fail(why, "malformed header: it claims to be %" PRIu32 " bytes long", length);
    *text_bytes = length;
    return true;
}

static void skip_space(struct scanner *scanner)
{
    while (scanner->at < scanner->end && *scanner->at != '\0' && strchr(" \t\n\r\f", *scanner->at))
        scanner->at++;
}

/* Both skip white space first. */
static bool next_is(struct scanner *scanner, char wanted)
{
    skip_space(scanner);
    return scanner->at < scanner->end && *scanner->at == wanted;
}

static bool take(struct scanner *scanner, char wanted)
{
    if (!next_is(scanner, wanted))
        return false;
    scanner->at++;
    return true;
}

static bool take_word(struct scanner *scanner, const char *word)
{
    size_t length = strlen(word);
    skip_space(scanner);
    if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

/* A string of fewer than `capacity` bytes in single or double quotes, without escapes. */
static bool take_string(struct scanner *scanner, char *text, size_t capacity)
{
    char quote = '"';
    if (!take(scanner, quote)) {
        quote = '\'';
        if (!take(scanner, quote))
            return false;
    }
    size_t length = 0;
    for (; scanner->at < scanner->end && *scanner->at != quote; scanner->at++) {
        char byte = *scanner->at;
        if (byte == '\\' || byte == '\n' || byte == '\0' || length + 1 >= capacity)
            return false;
        text[length++] = byte;
    }
    text[length] = '\0';
    return take(scanner, quote);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* A size: decimal digits. Python 2 wrote some with an L behind. */
static bool take_size(struct scanner *scanner, uint64_t *size, struct failure *why)
{
    if (next_is(scanner, '-'))
        return fail(why, "malformed header: the shape has a negative size");
    const char *first = scanner->at;
    uint64_t value = 0;
    for (; scanner->at < scanner->end && is_digit(*scanner->at); scanner->at++) {
        uint64_t digit = (uint64_t)(*scanner->at - '0');
        if (value > (INT64_MAX - digit) / 10)
            return fail(why, "malformed header: a size in the shape is too large");
        value = value * 10 + digit;
    }
    if (scanner->at == first || (*first == '0' && value != 0))
        return fail(why, "malformed header: the shape is not a tuple of whole numbers");
    if (scanner->at < scanner->end && *scanner->at == 'L')
        scanner->at++;
    *size = value;
    return true;
}

static bool parse_shape(struct scanner *scanner, struct npy_header *header, struct failure *why)
{
    bool comma = true;
    if (!take(scanner, '('))
        return fail(why, "malformed header: the shape is not a tuple");
    header->dimensions = 0;
    while (!next_is(scanner, ')')) {
        if (!comma)
            return fail(why, "malformed header: the shape is not a tuple of whole numbers");
        if (header->dimensions == NPY_MAX_DIMENSIONS)
            return fail(why, "more than %d dimensions", NPY_MAX_DIMENSIONS);
        if (!take_size(scanner, &header->shape[header->dimensions], why))
            return false;
        header->dimensions++;
        comma = take(scanner, ',');
    }
    /* In Python (3) is a number; the tuple is (3,). */
    if (header->dimensions == 1 && !comma)
        return fail(why, "malformed header: the shape is not a tuple");
    return take(scanner, ')');
}

static bool parse_type(struct scanner *scanner, struct npy_header *header, struct failure *why)
{
    char text[32];
    if (next_is(scanner, '['))
        return fail(why, "an array of structures is not supported");
    if (!take_string(scanner, text, sizeof text))
        return fail(why, "malformed header: the element type is not a short string");
    const char *type = text;
    header->big_endian = npy_host_is_big_endian();
    if (*type == '<' || *type == '>')
        header->big_endian = *type++ == '>';
    else if (*type == '=' || *type == '|')
        type++;
    if (*type == 'O')
        return fail(why, "an array of Python objects (pickled) is not supported");
    static const char *const known[] = {"f2", "f4", "f8", "u2", "V2", "u1", "b1"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(type, known[i]) == 0) {
            header->kind = type[0];
            header->item_size = (size_t)(type[1] - '0');
            return true;
        }
    }
    return fail(why,
                "elements of type '%s' are not supported: use f2, f4 or f8, u2 with --bf16, or "
                "u1 or bool for the targets of a loss",
                text);
}

static bool parse_order(struct scanner *scanner, struct npy_header *header, struct failure *why)
{
    header->fortran_order = take_word(scanner, "True");
    if (!header->fortran_order && !take_word(scanner, "False"))
        return fail(why, "malformed header: 'fortran_order' is neither True nor False");
    return true;
}

/* One "key: value" of the dict; *seen gathers the keys. */
static bool parse_item(struct scanner *scanner, struct npy_header *header, int *seen,
                       struct failure *why)
{
    static const struct {
        const char *name;
        int bit;
        bool (*parse)(struct scanner *, struct npy_header *, struct failure *);
    } keys[] = {
        {"descr", KEY_TYPE, parse_type},
        {"fortran_order", KEY_ORDER, parse_order},
        {"shape", KEY_SHAPE, parse_shape},
    };
    char name[32];
    if (!take_string(scanner, name, sizeof name) || !take(scanner, ':'))
        return fail(why, "malformed header: not a Python dict");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(name, keys[i].name) == 0) {
            if (*seen & keys[i].bit)
                return fail(why, "malformed header: '%s' is there twice", name);
            *seen |= keys[i].bit;
            return keys[i].parse(scanner, header, why);
        }
    }
    return fail(why, "malformed header: the key '%s' is not known", name);
}

/* The number of elements. As in NumPy, the product of the sizes that are not 0 has to fit too. */
static bool count_elements(struct npy_header *header, struct failure *why)
{
    uint64_t product = header->item_size;
    bool empty = false;
    for (size_t i = 0; i < header->dimensions; i++) {
        uint64_t size = header->shape[i];
        if (size == 0) {
            empty = true;
            continue;
        }
        if (product > INT64_MAX / size)
            return fail(why, "malformed header: the shape has too many elements");
        product *= size;
    }
    header->count = empty ? 0 : product / header->item_size;
    return true;
}

bool npy_parse_text(const char *text, size_t text_bytes, struct npy_header *header,
                    struct failure *why)
{
    struct scanner scanner = {text, text + text_bytes};
    int seen = 0;
    bool comma = true;
    if (!take(&scanner, '{'))
        return fail(why, "malformed header: not a Python dict");
    while (!next_is(&scanner, '}')) {
        if (!comma)
            return fail(why, "malformed header: not a Python dict");
        if (!parse_item(&scanner, header, &seen, why))
            return false;
        comma = take(&scanner, ',');
    }
    scanner.at++;
    skip_space(&scanner);
    if (scanner.at != scanner.end)
        return fail(why, "malformed header: there is more after the dict");
    if (seen != KEY_ALL)
        return fail(why, "malformed header: '%s' is missing",
                    !(seen & KEY_TYPE)    ? "descr"
                    : !(seen & KEY_ORDER) ? "fortran_order"
                                          : "shape");
    return count_elements(header, why);
}

void npy_format_type(const struct npy_header *header, char text[8])
{
    char order = header->item_size == 1 ? '|' : header->big_endian ? '>' : '<';
    snprintf(text, 8, "%c%c%u", order, header->kind, (unsigned)header->item_size % 10);
}

void npy_format_shape(const struct npy_header *header, char *text, size_t capacity)
{
    size_t used = 0;
    text[used++] = '(';
    for (size_t i = 0; i < header->dimensions; i++) {
        int length = snprintf(text + used, capacity - used, "%s%" PRIu64, i == 0 ? "" : ", ",
                              header->shape[i]);
        if (length < 0 || (size_t)length >= capacity - used)
            return;
        used += (size_t)length;
    }
    snprintf(text + used, capacity - used, "%s", header->dimensions == 1 ? ",)" : ")");
}

size_t npy_format(const struct npy_header *header, unsigned char bytes[NPY_MAX_FORMATTED])
{
    enum { ALIGNMENT = 64, PREFIX = 10 };
    char type[8];
    char shape[NPY_MAX_DIMENSIONS * 22];
    char text[NPY_MAX_FORMATTED - PREFIX];
    npy_format_type(header, type);
    npy_format_shape(header, shape, sizeof shape);
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                          type, header->fortran_order ? "True" : "False", shape);
    size_t used = PREFIX + (size_t)length;
    size_t total = (used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memcpy(bytes, "\x93NUMPY\x01", 8);
    bytes[8] = (unsigned char)((total - PREFIX) & 0xff);
    bytes[9] = (unsigned char)((total - PREFIX) >> 8);
    memcpy(bytes + PREFIX, text, (size_t)length);
    memset(bytes + used, ' ', total - used - 1);
    bytes[total - 1] = '\n';
    return total;
}
