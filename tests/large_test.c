/* SPDX-License-Identifier: MIT */
/* More than 2^32 elements in one call, each of them checked: through a host array, and in one
 * buffer on a device that can hold it. f16, in place, as that takes the least memory. */
#include "host_fixture.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* No multiple of anything that work is cut by. */
static const size_t COUNT = ((size_t)1 << 32) + 1000003;

enum { VALUES = 1 << 16, CHUNK = 1 << 22 };

static struct fixture shared;
static uint16_t results[VALUES]; /* op of every f16 value */

/* Element i: every value comes, and elements 2^16 or 2^32 apart differ. */
static uint16_t pattern(size_t i)
{
    return (uint16_t)(i * 40503 + (i >> 16) * 7 + (i >> 32) * 13);
}

static void fill_pattern(uint16_t *to, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = pattern(first + i);
}

static void assert_results(const uint16_t *got, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (got[i] != results[pattern(first + i)]) {
            print_error("element %zu, op(0x%04" PRIx16 "), is 0x%04" PRIx16 "\n", first + i,
                        pattern(first + i), got[i]);
            fail();
        }
    }
}

/* The pattern has to tell an element from one that a 32-bit index would take for it. */
static void test_pattern(void **state)
{
    (void)state;
    size_t same = 0;
    for (size_t i = 0; i < 1000000; i++)
        same += pattern(i) == pattern(i + ((size_t)1 << 32));
    assert_int_equal(same, 0);
}

static void test_host_array(void **state)
{
    (void)state;
    const size_t bytes = COUNT * sizeof(uint16_t);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t free_bytes = (size_t)sysconf(_SC_AVPHYS_PAGES) * page;
    if (free_bytes < bytes + ((size_t)1 << 30)) {
        print_message("%zu bytes of memory are free, %zu are wanted\n", free_bytes,
                      bytes + ((size_t)1 << 30));
        skip();
    }
    uint16_t *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(array != MAP_FAILED);
    fill_pattern(array, 0, COUNT);
    assert_ok(clact_forward(shared.ctx, any_operator(), NULL, CLACT_F16, COUNT, array, array));
    assert_results(array, 0, COUNT);
    assert_int_equal(munmap(array, bytes), 0);
}

static void test_one_buffer(void **state)
{
    (void)state;
    static uint16_t chunk[CHUNK];
    const size_t bytes = COUNT * sizeof(uint16_t);
    clact_device_info info;
    assert_ok(clact_context_info(shared.ctx, &info));
    if (info.largest_allocation < bytes) {
        print_message("the device allocates %" PRIu64 " bytes at once, %zu are wanted\n",
                      (uint64_t)info.largest_allocation, bytes);
        skip();
    }
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(shared.ctx, bytes, &buffer));
    for (size_t first = 0; first < COUNT; first += CHUNK) {
        const size_t n = COUNT - first < CHUNK ? COUNT - first : CHUNK;
        fill_pattern(chunk, first, n);
        assert_ok(clact_buffer_write(buffer, first * sizeof(*chunk), n * sizeof(*chunk), chunk));
    }
    /* All of it but the first element and the last, which stay. */
    const clact_view view = clact_buffer_view(buffer, CLACT_F16, 1, COUNT - 2);
    cl_event done = NULL;
    assert_ok(
        clact_enqueue_forward(shared.ctx, NULL, any_operator(), NULL, view, view, 0, NULL, &done));
    await(done);
    for (size_t first = 0; first < COUNT; first += CHUNK) {
        const size_t n = COUNT - first < CHUNK ? COUNT - first : CHUNK;
        assert_ok(clact_buffer_read(buffer, first * sizeof(*chunk), n * sizeof(*chunk), chunk));
        if (first == 0) {
            assert_int_equal(chunk[0], pattern(0));
            chunk[0] = results[pattern(0)];
        }
        if (first + n == COUNT) {
            assert_int_equal(chunk[n - 1], pattern(COUNT - 1));
            chunk[n - 1] = results[pattern(COUNT - 1)];
        }
        assert_results(chunk, first, n);
    }
    clact_buffer_destroy(buffer);
}

/* The table comes from one small call, which is checked against the reference. */
static int begin(void **state)
{
    (void)state;
    static uint16_t values[VALUES];
    for (size_t i = 0; i < VALUES; i++)
        values[i] = (uint16_t)i;
    fixture_open(&shared, NULL);
    assert_ok(clact_forward(shared.ctx, any_operator(), NULL, CLACT_F16, VALUES, values, results));
    assert_forward(CLACT_F16, VALUES, values, results);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_close(&shared);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern),
        cmocka_unit_test(test_host_array),
        cmocka_unit_test(test_one_buffer),
    };
    return cmocka_run_group_tests_name("large", tests, begin, end);
}
