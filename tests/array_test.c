/* SPDX-License-Identifier: MIT */
/* The host-array calls: through pieces, on shared and on copied memory, on every choice of arrays
 * that may be the same, from memory that cannot be written. */
#include "host_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N = 3001, GUARD = 64, BYTES = N * 8 + 2 * GUARD };

/* An array of N elements of any dtype between guard bytes. */
struct array {
    _Alignas(64) unsigned char bytes[BYTES];
};

static void *elements(struct array *a)
{
    return a->bytes + GUARD;
}

static void array_fill(struct array *a, clact_dtype dtype, unsigned seed)
{
    memset(a->bytes, 0xa5, sizeof(a->bytes));
    fill_operands(dtype, elements(a), N, seed);
}

/* Everything around the N elements is as array_fill left it. */
static void assert_guards(const struct array *a, clact_dtype dtype)
{
    const size_t end = GUARD + N * clact_dtype_size(dtype);
    for (size_t i = 0; i < sizeof(a->bytes); i++)
        if (i < GUARD || i >= end)
            assert_int_equal(a->bytes[i], 0xa5);
}

enum { DTYPES = 4 };

static const clact_dtype dtypes[DTYPES] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};

/* Pieces. */

/* Which of grad, saved and dx are one array. */
enum sharing { APART, DX_IS_GRAD, DX_IS_SAVED, GRAD_IS_SAVED, ALL_ONE, SHARINGS };

static void run_forward(clact_context *ctx, clact_dtype dtype)
{
    static struct array x, y, same;
    const size_t bytes = N * clact_dtype_size(dtype);
    array_fill(&x, dtype, 1);
    array_fill(&y, dtype, 2);
    same = x;
    assert_ok(clact_forward(ctx, any_operator(), NULL, dtype, N, elements(&x), elements(&y)));
    assert_memory_equal(x.bytes, same.bytes, sizeof(x.bytes));
    assert_forward(dtype, N, elements(&x), elements(&y));
    assert_guards(&y, dtype);
    assert_ok(clact_forward(ctx, any_operator(), NULL, dtype, N, elements(&x), elements(&x)));
    assert_memory_equal(elements(&x), elements(&y), bytes);
    assert_guards(&x, dtype);
}

static void run_backward(clact_context *ctx, clact_dtype dtype, enum sharing sharing)
{
    static struct array grad, saved, dx, grad_before, saved_before;
    array_fill(&grad, dtype, 3);
    array_fill(&saved, dtype, 4);
    array_fill(&dx, dtype, 5);
    struct array *g = &grad, *s = &saved, *d = &dx;
    if (sharing == GRAD_IS_SAVED || sharing == ALL_ONE)
        g = s;
    if (sharing == DX_IS_GRAD)
        d = g;
    if (sharing == DX_IS_SAVED || sharing == ALL_ONE)
        d = s;
    grad_before = *g;
    saved_before = *s;
    assert_ok(clact_backward(ctx, any_operator(), NULL, dtype, any_kind(), N, elements(g),
                             elements(s), elements(d)));
    assert_backward(dtype, any_kind(), N, elements(&grad_before), elements(&saved_before),
                    elements(d));
    assert_guards(d, dtype);
    if (d != g)
        assert_memory_equal(g->bytes, grad_before.bytes, sizeof(g->bytes));
    if (d != s)
        assert_memory_equal(s->bytes, saved_before.bytes, sizeof(s->bytes));
}

/* The first so many dtypes, with pieces of these bytes: N is no multiple of any, and the last piece
 * is short. */
static void run_pieces(size_t dtype_count, clact_transfer transfer, size_t piece_bytes)
{
    struct fixture f;
    fixture_open(&f, &(clact_options){.transfer = transfer, .piece_bytes = piece_bytes});
    for (size_t i = 0; i < dtype_count; i++) {
        if (!dtype_works(f.ctx, dtypes[i])) {
            print_message("no %s on this device\n", clact_dtype_name(dtypes[i]));
            continue;
        }
        run_forward(f.ctx, dtypes[i]);
        for (int sharing = 0; sharing < SHARINGS; sharing++)
            run_backward(f.ctx, dtypes[i], (enum sharing)sharing);
    }
    fixture_close(&f);
}

static void test_in_one_piece(void **state)
{
    (void)state;
    run_pieces(DTYPES, CLACT_TRANSFER_AUTO, 0);
}

static void test_one_piece_copied(void **state)
{
    (void)state;
    run_pieces(2, CLACT_TRANSFER_COPY, 0);
}

static void test_one_piece_shared(void **state)
{
    (void)state;
    run_pieces(2, CLACT_TRANSFER_SHARE, 0);
}

static void test_pieces_copied(void **state)
{
    (void)state;
    run_pieces(DTYPES, CLACT_TRANSFER_COPY, 1024);
}

static void test_pieces_shared(void **state)
{
    (void)state;
    run_pieces(DTYPES, CLACT_TRANSFER_SHARE, 1024);
}

/* 100 is a multiple of no size but 2 and 4: pieces are cut to whole elements. */
static void test_odd_pieces(void **state)
{
    (void)state;
    run_pieces(2, CLACT_TRANSFER_COPY, 100);
    run_pieces(2, CLACT_TRANSFER_SHARE, 4099);
}

/* Any n around the ends of the pieces, which are of eight elements. */
static void test_counts_around_pieces(void **state)
{
    (void)state;
    static const clact_transfer transfers[] = {CLACT_TRANSFER_COPY, CLACT_TRANSFER_SHARE};
    for (int t = 0; t < 2; t++) {
        struct fixture f;
        fixture_open(&f, &(clact_options){.transfer = transfers[t], .piece_bytes = 32});
        for (size_t n = 0; n <= 66; n++) {
            float x[67], y[67];
            fill_operands(CLACT_F32, x, 67, 1);
            fill_operands(CLACT_F32, y, 67, 2);
            const float behind = y[n];
            assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, n, x, y));
            assert_forward(CLACT_F32, n, x, y);
            assert_true(y[n] == behind);
        }
        fixture_close(&f);
    }
}

/* Arrays need the alignment of their elements and no more. */
static void test_any_element_may_be_the_first(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    for (size_t i = 0; i < DTYPES; i++) {
        if (!dtype_works(f.ctx, dtypes[i]))
            continue;
        static struct array x, y, before;
        const size_t size = clact_dtype_size(dtypes[i]);
        for (size_t offset = 0; offset < 9; offset++) {
            array_fill(&x, dtypes[i], 6);
            array_fill(&y, dtypes[i], 7);
            before = y;
            unsigned char *from = (unsigned char *)elements(&x) + offset * size;
            unsigned char *to = (unsigned char *)elements(&y) + (8 - offset) * size;
            assert_ok(clact_forward(f.ctx, any_operator(), NULL, dtypes[i], 50, from, to));
            assert_forward(dtypes[i], 50, from, to);
            memcpy(to, before.bytes + (to - y.bytes), 50 * size);
            assert_memory_equal(y.bytes, before.bytes, sizeof(y.bytes));
        }
    }
    fixture_close(&f);
}

/* Inputs that cannot be written. */

static const float constants[] = {-2.0f, -1.0f, -0.5f, 0.0f, 0.25f, 0.75f, 1.0f, 2.0f, 3.0f};

static void run_read_only(clact_transfer transfer)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = page / sizeof(float);
    void *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    fill_operands(CLACT_F32, pages, 2 * n, 8);
    assert_int_equal(mprotect(pages, 2 * page, PROT_READ), 0);
    float *y = malloc(2 * page);
    assert_non_null(y);
    struct fixture f;
    fixture_open(&f, &(clact_options){.transfer = transfer});
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, 2 * n, pages, y));
    assert_forward(CLACT_F32, 2 * n, pages, y);
    const float *second = (const float *)pages + n;
    assert_ok(
        clact_backward(f.ctx, any_operator(), NULL, CLACT_F32, any_kind(), n, pages, second, y));
    assert_backward(CLACT_F32, any_kind(), n, pages, second, y);
    const size_t count = sizeof(constants) / sizeof(*constants);
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, count, constants, y));
    assert_forward(CLACT_F32, count, constants, y);
    fixture_close(&f);
    free(y);
    assert_int_equal(munmap(pages, 2 * page), 0);
}

static void test_read_only_inputs(void **state)
{
    (void)state;
    run_read_only(CLACT_TRANSFER_AUTO);
    run_read_only(CLACT_TRANSFER_COPY);
    run_read_only(CLACT_TRANSFER_SHARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_one_piece),
        cmocka_unit_test(test_one_piece_copied),
        cmocka_unit_test(test_one_piece_shared),
        cmocka_unit_test(test_pieces_copied),
        cmocka_unit_test(test_pieces_shared),
        cmocka_unit_test(test_odd_pieces),
        cmocka_unit_test(test_counts_around_pieces),
        cmocka_unit_test(test_any_element_may_be_the_first),
        cmocka_unit_test(test_read_only_inputs),
    };
    return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
