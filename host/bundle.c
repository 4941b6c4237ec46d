/* SPDX-License-Identifier: MIT */
/*
 * Compiled programs as bytes: the files of the cache, and what clact_programs_export gives.
 *
 *     8 bytes   "clactbin"
 *     u64       the version of this format
 *     u64       the number of bytes in all
 *     u64       the checksum of all other bytes
 *     u64       the number of programs
 *     text      the environment: what they are made of and for
 *     and for each program:
 *     text      the options of the device's compiler
 *     u64       the number of bytes of the binary
 *               the binary
 *
 * A u64 has its least byte first. A text is a u64, its number of bytes, and then these; the last of
 * them, and no other, is 0.
 *
 * The checksum is there to find damage, not malice, which no checksum keeps out: a binary is code,
 * and whoever may write it may do anything. FNV-1a is enough for that: it changes with any change
 * of a single byte, and misses any other with a probability of 2^-64. Programs are told apart by
 * their whole environment and options, never by a hash of them.
 */
#include "internal.h"

#include <string.h>

static const char magic[8] = {'c', 'l', 'a', 'c', 't', 'b', 'i', 'n'};

enum { FORMAT = 1, U64 = 8, CHECKSUM_AT = sizeof(magic) + 2 * U64 };

uint64_t clact__hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t checksum(const unsigned char *bytes, size_t size)
{
    const size_t behind = CHECKSUM_AT + U64;
    const uint64_t front = clact__hash(CLACT__HASH_OF_NOTHING, bytes, CHECKSUM_AT);
    return clact__hash(front, bytes + behind, size - behind);
}

/* Writing. */

static void put_u64(unsigned char **at, uint64_t value)
{
    for (int i = 0; i < U64; i++)
        *(*at)++ = (unsigned char)(value >> 8 * i);
}

static void put_bytes(unsigned char **at, const void *bytes, size_t size)
{
    memcpy(*at, bytes, size);
    *at += size;
}

static void put_text(unsigned char **at, const char *text)
{
    const size_t size = strlen(text) + 1;
    put_u64(at, size);
    put_bytes(at, text, size);
}

size_t clact__bundle_size(const char *environment, const clact__item *items, size_t count)
{
    size_t size = CHECKSUM_AT + 3 * U64 + strlen(environment) + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t more = 2 * U64 + strlen(items[i].options) + 1;
        if (items[i].size > SIZE_MAX - more || size > SIZE_MAX - more - items[i].size)
            return 0;
        size += more + items[i].size;
    }
    return size;
}

void clact__bundle_write(void *bytes, const char *environment, const clact__item *items,
                         size_t count)
{
    const size_t size = clact__bundle_size(environment, items, count);
    unsigned char *at = bytes;
    put_bytes(&at, magic, sizeof(magic));
    put_u64(&at, FORMAT);
    put_u64(&at, size);
    unsigned char *sum = at;
    at += U64;
    put_u64(&at, count);
    put_text(&at, environment);
    for (size_t i = 0; i < count; i++) {
        put_text(&at, items[i].options);
        put_u64(&at, items[i].size);
        put_bytes(&at, items[i].binary, items[i].size);
    }
    put_u64(&sum, checksum(bytes, size));
}

/* Reading. What is not there is not read: each of these says whether there was so much left. */

typedef struct reader {
    const unsigned char *at;
    size_t left;
} reader;

static bool get_bytes(reader *r, uint64_t size, const unsigned char **bytes)
{
    if (size > r->left)
        return false;
    *bytes = r->at;
    r->at += size;
    r->left -= (size_t)size;
    return true;
}

static bool get_u64(reader *r, uint64_t *value)
{
    const unsigned char *bytes = NULL;
    if (!get_bytes(r, U64, &bytes))
        return false;
    *value = 0;
    for (int i = 0; i < U64; i++)
        *value |= (uint64_t)bytes[i] << 8 * i;
    return true;
}

static bool get_text(reader *r, const char **text)
{
    uint64_t size = 0;
    const unsigned char *bytes = NULL;
    if (!get_u64(r, &size) || size == 0 || !get_bytes(r, size, &bytes))
        return false;
    *text = (const char *)bytes;
    return memchr(bytes, '\0', (size_t)size) == bytes + size - 1;
}

static bool get_item(reader *r, clact__item *item)
{
    uint64_t size = 0;
    if (!get_text(r, &item->options) || !get_u64(r, &size) || !get_bytes(r, size, &item->binary))
        return false;
    item->size = (size_t)size;
    return true;
}

bool clact__bundle_read(const void *bytes, size_t size, clact__bundle *bundle)
{
    reader r = {bytes, size};
    const unsigned char *start = NULL;
    uint64_t format = 0, told_size = 0, sum = 0, count = 0;
    if (!get_bytes(&r, sizeof(magic), &start) || memcmp(start, magic, sizeof(magic)) != 0 ||
        !get_u64(&r, &format) || format != FORMAT || !get_u64(&r, &told_size) ||
        told_size != size || !get_u64(&r, &sum) || sum != checksum(bytes, size) ||
        !get_u64(&r, &count) || !get_text(&r, &bundle->environment))
        return false;
    bundle->items = r.at;
    bundle->size = r.left;
    bundle->count = 0;
    clact__item item;
    for (; bundle->count < count; bundle->count++)
        if (!get_item(&r, &item))
            return false;
    return r.left == 0;
}

bool clact__bundle_next(clact__bundle *bundle, clact__item *item)
{
    if (bundle->count == 0)
        return false;
    reader r = {bundle->items, bundle->size};
    if (!get_item(&r, item))
        return false;
    bundle->items = r.at;
    bundle->size = r.left;
    bundle->count--;
    return true;
}

bool clact__bundle_find(clact__bundle bundle, const char *options, clact__item *item)
{
    while (clact__bundle_next(&bundle, item))
        if (strcmp(item->options, options) == 0)
            return true;
    return false;
}
