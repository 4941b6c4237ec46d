/* SPDX-License-Identifier: MIT */
/* The pool of device memory: what is used again, what is kept, and what is freed. */
#include "host_fixture.h"

enum { MIB = 1 << 20 };

static cl_uint references(cl_mem mem)
{
    cl_uint count = 0;
    assert_int_equal(clGetMemObjectInfo(mem, CL_MEM_REFERENCE_COUNT, sizeof(count), &count, NULL),
                     CL_SUCCESS);
    return count;
}

/* The memory of a new buffer, retained, so that its count tells whether the pool has it. */
static clact_buffer *make_watched(clact_context *ctx, size_t bytes, cl_mem *mem)
{
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(ctx, bytes, &buffer));
    *mem = clact_buffer_mem(buffer);
    assert_int_equal(clRetainMemObject(*mem), CL_SUCCESS);
    assert_int_equal(references(*mem), 2);
    return buffer;
}

static void test_memory_is_used_again(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    cl_mem first = NULL;
    clact_buffer_destroy(make_watched(f.ctx, 100000, &first));
    assert_int_equal(references(first), 2);
    clact_buffer *again = NULL, *second = NULL;
    assert_ok(clact_buffer_create(f.ctx, 100000, &again));
    assert_ok(clact_buffer_create(f.ctx, 100000, &second));
    assert_ptr_equal(clact_buffer_mem(again), first);
    assert_ptr_not_equal(clact_buffer_mem(second), first);
    clact_buffer_destroy(again);
    clact_buffer_destroy(second);
    fixture_close(&f);
    assert_int_equal(references(first), 1);
    clReleaseMemObject(first);
}

/* Never a block that is too small, nor one that is far too large. */
static void test_other_sizes_get_other_memory(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    cl_mem large = NULL;
    clact_buffer_destroy(make_watched(f.ctx, MIB, &large));
    for (size_t bytes = 1; bytes < 2 * MIB; bytes = bytes * 3 + 1) {
        clact_buffer *buffer = NULL;
        assert_ok(clact_buffer_create(f.ctx, bytes, &buffer));
        size_t size = 0;
        assert_int_equal(
            clGetMemObjectInfo(clact_buffer_mem(buffer), CL_MEM_SIZE, sizeof(size), &size, NULL),
            CL_SUCCESS);
        assert_true(size >= bytes);
        assert_true(size <= bytes + bytes / 4 + 1024);
        clact_buffer_destroy(buffer);
    }
    fixture_close(&f);
    clReleaseMemObject(large);
}

static void test_trim(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    cl_mem idle = NULL, used = NULL;
    clact_buffer *kept = make_watched(f.ctx, MIB, &used);
    clact_buffer_destroy(make_watched(f.ctx, MIB, &idle));
    assert_int_equal(references(idle), 2);
    clact_context_trim(f.ctx);
    assert_int_equal(references(idle), 1);
    assert_int_equal(references(used), 2);
    clact_context_trim(f.ctx);
    clact_context_trim(NULL);
    clact_buffer_destroy(kept);
    fixture_close(&f);
    assert_int_equal(references(used), 1);
    clReleaseMemObject(idle);
    clReleaseMemObject(used);
}

/* Of four idle MiB the limit keeps two, those used last. */
static void test_limit(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, &(clact_options){.pool_bytes = 2 * MIB});
    clact_buffer *buffers[4];
    cl_mem mems[4];
    for (int i = 0; i < 4; i++)
        buffers[i] = make_watched(f.ctx, MIB, &mems[i]);
    for (int i = 0; i < 4; i++)
        clact_buffer_destroy(buffers[i]);
    assert_int_equal(references(mems[0]), 1);
    assert_int_equal(references(mems[1]), 1);
    assert_int_equal(references(mems[2]), 2);
    assert_int_equal(references(mems[3]), 2);
    fixture_close(&f);
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(mems[i]);
}

static void test_larger_than_the_limit(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, &(clact_options){.pool_bytes = 1});
    cl_mem mem = NULL;
    clact_buffer_destroy(make_watched(f.ctx, MIB, &mem));
    assert_int_equal(references(mem), 1);
    fixture_close(&f);
    clReleaseMemObject(mem);
}

/* How large a buffer is and what may be done with it is known of that very buffer, also where there are
 * many, and where one got the handle of another that is gone. */

enum { BUFFERS = 400 };

static void check_mem(struct fixture *f, cl_mem mem, size_t n)
{
    const clact_view all = clact_view_1d(mem, CLACT_F32, 0, n);
    const clact_view more = clact_view_1d(mem, CLACT_F32, 1, n);
    assert_ok(clact_enqueue_forward(f->ctx, NULL, any_operator(), NULL, all, all, 0, NULL, NULL));
    assert_error(
        f, CLACT_OUT_OF_BOUNDS,
        clact_enqueue_forward(f->ctx, NULL, any_operator(), NULL, more, more, 0, NULL, NULL));
}

static void refuse_output(struct fixture *f, cl_mem mem, size_t n)
{
    const clact_view all = clact_view_1d(mem, CLACT_F32, 0, n);
    assert_error(
        f, CLACT_INVALID_ARGUMENT,
        clact_enqueue_forward(f->ctx, NULL, any_operator(), NULL, all, all, 0, NULL, NULL));
}

static void test_buffers_are_told_apart(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, NULL);
    clact_buffer *buffers[BUFFERS];
    cl_mem mems[BUFFERS], gone[BUFFERS];
    for (size_t i = 0; i < BUFFERS; i++)
        assert_ok(clact_buffer_create(f.ctx, (i + 1) * sizeof(float), &buffers[i]));
    for (size_t i = 0; i < BUFFERS; i++) {
        gone[i] = clact_buffer_mem(buffers[i]);
        check_mem(&f, gone[i], i + 1);
    }
    assert_int_equal(clFinish(clact_context_queue(f.ctx)), CL_SUCCESS);
    for (size_t i = 0; i < BUFFERS; i++)
        clact_buffer_destroy(buffers[i]);
    clact_context_trim(f.ctx);
    size_t again = 0;
    for (size_t i = 0; i < BUFFERS; i++) {
        const cl_mem_flags flags = i % 2 ? CL_MEM_READ_ONLY : CL_MEM_READ_WRITE;
        mems[i] = make_mem(f.ctx, flags, (i + 3) * sizeof(float), NULL);
        for (size_t k = 0; k < BUFFERS; k++)
            again += mems[i] == gone[k];
    }
    print_message("%zu handles were those of others before\n", again);
    for (size_t i = 0; i < BUFFERS; i++) {
        if (i % 2)
            refuse_output(&f, mems[i], i + 3);
        else
            check_mem(&f, mems[i], i + 3);
    }
    assert_int_equal(clFinish(clact_context_queue(f.ctx)), CL_SUCCESS);
    for (size_t i = 0; i < BUFFERS; i++)
        assert_int_equal(clReleaseMemObject(mems[i]), CL_SUCCESS);
    fixture_close(&f);
}

/* A buffer that outlives its context works, and frees everything when it goes. */
static void test_buffer_outlives_context(void **state)
{
    (void)state;
    const struct live_objects before = live_objects();
    struct fixture f;
    fixture_open(&f, NULL);
    float in[100], out[100] = {0};
    fill_operands(CLACT_F32, in, 100, 1);
    clact_buffer *first = NULL, *second = NULL;
    assert_ok(clact_buffer_create(f.ctx, sizeof(in), &first));
    assert_ok(clact_buffer_create(f.ctx, sizeof(in), &second));
    fixture_close(&f);
    assert_ok(clact_buffer_write(first, 0, sizeof(in), in));
    clact_buffer_destroy(second);
    assert_ok(clact_buffer_read(first, 0, sizeof(in), out));
    assert_memory_equal(in, out, sizeof(in));
    clact_buffer_destroy(first);
    assert_live(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_used_again),
        cmocka_unit_test(test_other_sizes_get_other_memory),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_larger_than_the_limit),
        cmocka_unit_test(test_buffers_are_told_apart),
        cmocka_unit_test(test_buffer_outlives_context),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
