/* SPDX-License-Identifier: MIT */
/* The format of compiled programs: what is written is read, and nothing else is. */
#include "bundle_fixture.h"
#include "host_fixture.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char environment[] = "clact 0\na platform\na device\n";
static const clact__item items[] = {
    {"-DA", (const unsigned char *)"first", 5},
    {"", (const unsigned char *)"a\0b", 3},
    {"-DB -DC=1", (const unsigned char *)"", 0},
};

enum { ITEMS = sizeof(items) / sizeof(*items), CHECKSUM_AT = 24, CHECKSUM_END = 32 };

/* In a block of its own size, so that a sanitizer sees what reads past the end. */
static unsigned char *make(size_t *size)
{
    *size = clact__bundle_size(environment, items, ITEMS);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    clact__bundle_write(bytes, environment, items, ITEMS);
    return bytes;
}

static void test_round_trip(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    clact__bundle bundle;
    assert_true(clact__bundle_read(bytes, size, &bundle));
    assert_string_equal(bundle.environment, environment);
    assert_int_equal(bundle.count, ITEMS);
    clact__item item;
    for (int i = 0; i < ITEMS; i++) {
        assert_true(clact__bundle_find(bundle, items[i].options, &item));
        assert_int_equal(item.size, items[i].size);
        assert_memory_equal(item.binary, items[i].binary, item.size);
    }
    assert_false(clact__bundle_find(bundle, "-DB", &item));
    for (int i = 0; i < ITEMS; i++) {
        assert_true(clact__bundle_next(&bundle, &item));
        assert_string_equal(item.options, items[i].options);
    }
    assert_false(clact__bundle_next(&bundle, &item));
    free(bytes);
}

static void test_nothing(void **state)
{
    (void)state;
    unsigned char bytes[256];
    const size_t size = clact__bundle_size("", NULL, 0);
    assert_in_range(size, 1, sizeof(bytes));
    clact__bundle_write(bytes, "", NULL, 0);
    clact__bundle bundle;
    clact__item item;
    assert_true(clact__bundle_read(bytes, size, &bundle));
    assert_string_equal(bundle.environment, "");
    assert_int_equal(bundle.count, 0);
    assert_false(clact__bundle_next(&bundle, &item));
}

/* The format is fixed: files are read by other builds of the same version, on hosts of any byte
 * order. */
static void test_format(void **state)
{
    (void)state;
    static const unsigned char expected[] = {
        'c', 'l', 'a', 'c', 't', 'b', 'i', 'n',                  /* magic */
        1,   0,   0,   0,   0,   0,   0,   0,                    /* format */
        70,  0,   0,   0,   0,   0,   0,   0,                    /* bytes */
        0,   0,   0,   0,   0,   0,   0,   0,                    /* checksum */
        1,   0,   0,   0,   0,   0,   0,   0,                    /* programs */
        3,   0,   0,   0,   0,   0,   0,   0,   'e', 'n',  '\0', /* environment */
        2,   0,   0,   0,   0,   0,   0,   0,   'o', '\0',       /* options */
        1,   0,   0,   0,   0,   0,   0,   0,   'b',             /* binary */
    };
    size_t size = 0;
    unsigned char *bytes = bundle_make("en", "o", (const unsigned char *)"b", 1, &size);
    assert_int_equal(size, sizeof(expected));
    /* FNV-1a, from its definition, of all but the checksum. */
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        if (i < CHECKSUM_AT || i >= CHECKSUM_END)
            sum = (sum ^ expected[i]) * UINT64_C(1099511628211);
    for (int i = 0; i < 8; i++)
        assert_int_equal(bytes[CHECKSUM_AT + i], sum >> 8 * i & 0xff);
    memset(bytes + CHECKSUM_AT, 0, 8);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

static void test_every_truncation(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    clact__bundle bundle;
    assert_false(clact__bundle_read(NULL, 0, &bundle));
    for (size_t length = 0; length < size; length++) {
        unsigned char *part = malloc(length ? length : 1);
        assert_non_null(part);
        memcpy(part, bytes, length);
        assert_false(clact__bundle_read(part, length, &bundle));
        free(part);
    }
    unsigned char *longer = calloc(size + 1, 1);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    assert_false(clact__bundle_read(longer, size + 1, &bundle));
    assert_true(clact__bundle_read(longer, size, &bundle));
    free(longer);
    free(bytes);
}

static void test_every_changed_byte(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    clact__bundle bundle;
    for (size_t i = 0; i < size; i++)
        for (unsigned change = 1; change < 256; change++) {
            bytes[i] ^= (unsigned char)change;
            assert_false(clact__bundle_read(bytes, size, &bundle));
            bytes[i] ^= (unsigned char)change;
        }
    assert_true(clact__bundle_read(bytes, size, &bundle));
    free(bytes);
}

/* Behind a checksum that is right. */

static void repair_checksum(unsigned char *bytes, size_t size)
{
    const uint64_t front = clact__hash(CLACT__HASH_OF_NOTHING, bytes, CHECKSUM_AT);
    const uint64_t sum = clact__hash(front, bytes + CHECKSUM_END, size - CHECKSUM_END);
    for (int i = 0; i < 8; i++)
        bytes[CHECKSUM_AT + i] = (unsigned char)(sum >> 8 * i);
}

static bool is_inside(const unsigned char *bytes, size_t size, const void *at, size_t length)
{
    const unsigned char *p = at;
    return p >= bytes && length <= size && p <= bytes + (size - length);
}

/* Either it is refused, or all that it gives is inside it. */
static bool is_sound(const unsigned char *bytes, size_t size)
{
    clact__bundle bundle;
    clact__item item;
    if (!clact__bundle_read(bytes, size, &bundle))
        return false;
    assert_true(is_inside(bytes, size, bundle.environment, strlen(bundle.environment) + 1));
    size_t count = 0;
    for (; clact__bundle_next(&bundle, &item); count++) {
        assert_true(is_inside(bytes, size, item.options, strlen(item.options) + 1));
        assert_true(is_inside(bytes, size, item.binary, item.size));
    }
    assert_in_range(count, 0, size);
    return true;
}

/* Marks a range, which is followed by `skip` bytes of another kind, and steps over both. */
static void mark(bool *marks, size_t *at, size_t length, size_t skip)
{
    memset(marks + *at, true, length);
    *at += length + skip;
}

/* Which bytes are those of a text or a binary: not lengths, counts or the ends of texts. */
static bool *mark_contents(size_t size)
{
    bool *marks = calloc(size, sizeof(*marks));
    assert_non_null(marks);
    size_t at = CHECKSUM_END + 8 + 8;
    mark(marks, &at, strlen(environment), 1 + 8);
    for (int i = 0; i < ITEMS; i++) {
        mark(marks, &at, strlen(items[i].options), 1 + 8);
        mark(marks, &at, items[i].size, 8);
    }
    assert_int_equal(at, size + 8);
    return marks;
}

/* Other contents make another bundle, unless a text would end in its middle; anything else is
 * refused. */
static void test_every_changed_byte_with_a_right_checksum(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    bool *is_content = mark_contents(size);
    for (size_t i = 0; i < size; i++) {
        if (i >= CHECKSUM_AT && i < CHECKSUM_END)
            continue;
        for (unsigned change = 1; change < 256; change++) {
            bytes[i] ^= (unsigned char)change;
            repair_checksum(bytes, size);
            const bool is_text_cut = is_content[i] && bytes[i] == 0;
            if (!is_text_cut)
                assert_int_equal(is_sound(bytes, size), is_content[i]);
            bytes[i] ^= (unsigned char)change;
        }
    }
    free(is_content);
    free(bytes);
}

/* A text of its length, but with its end in the middle, would be taken for a shorter one. */
static void test_text_that_ends_early(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    const size_t start = CHECKSUM_END + 8 + 8;
    for (size_t i = 0; i < strlen(environment); i++) {
        const unsigned char kept = bytes[start + i];
        bytes[start + i] = '\0';
        repair_checksum(bytes, size);
        assert_false(is_sound(bytes, size));
        bytes[start + i] = kept;
    }
    free(bytes);
}

/* The size that it tells of itself is the one that it has, and nothing follows the last program. */
static void test_more_behind(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    unsigned char *longer = calloc(size + 1, 1);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    repair_checksum(longer, size + 1);
    assert_false(is_sound(longer, size + 1));
    longer[16]++; /* the size */
    repair_checksum(longer, size + 1);
    assert_false(is_sound(longer, size + 1));
    free(longer);
    free(bytes);
}

/* Lengths that overflow, wherever one can stand. */
static void test_huge_numbers(void **state)
{
    (void)state;
    size_t size = 0;
    unsigned char *bytes = make(&size);
    for (size_t at = CHECKSUM_END; at + 8 <= size; at++) {
        unsigned char kept[8];
        memcpy(kept, bytes + at, 8);
        for (int bits = 0; bits < 4; bits++) {
            memset(bytes + at, 0xff, 8);
            bytes[at] = (unsigned char)(0xff - bits);
            bytes[at + 7] = bits & 1 ? 0x7f : 0xff;
            repair_checksum(bytes, size);
            is_sound(bytes, size);
        }
        memcpy(bytes + at, kept, 8);
    }
    repair_checksum(bytes, size);
    assert_true(is_sound(bytes, size));
    free(bytes);
}

static void test_sizes_that_overflow(void **state)
{
    (void)state;
    const clact__item huge[] = {{"", NULL, SIZE_MAX / 2}, {"", NULL, SIZE_MAX / 2}};
    assert_int_equal(clact__bundle_size("", huge, 2), 0);
    const clact__item largest = {"", NULL, SIZE_MAX};
    assert_int_equal(clact__bundle_size("", &largest, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_changed_byte),
        cmocka_unit_test(test_every_changed_byte_with_a_right_checksum),
        cmocka_unit_test(test_text_that_ends_early),
        cmocka_unit_test(test_more_behind),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_sizes_that_overflow),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
