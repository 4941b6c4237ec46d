/* SPDX-License-Identifier: MIT */
/*
 * Where the elements lie changes nothing: for every size, offset, stride and sharing of memory each
 * element of the output is what a host-array call on the same operands gives, and no other byte of
 * any buffer changes. How results are stored and the size of a group are arguments, so that each
 * way to write has all the layouts.
 */
#include "cases.h"
#include "device.h"
#include "dtype.h"
#include "operands.h"

#include <getopt.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Elements behind the output, of which none may change, beside as many as it has columns: a group
 * that is not full could reach so far. */
enum { GUARD = 67 };

/* Elements that the host-array call has more than are compared: what is at the end of one call,
 * where a vector is cut short, is in the middle of the other. */
enum { MORE = 33 };

static bool quick;

/* Where a formula's results go is the same for all, so that others than the first of a shape are to show
 * only that theirs go there too. */
static bool is_brief(const struct op_case *c)
{
    return quick || !case_is_first_of_shape(c);
}

/* What is tested. Nothing is kept in the pool, so that a buffer ends where it is said to end: a
 * simulator then sees what is read behind an input. */
static clact_options tested = {.stores = CLACT_STORES_PLAIN, .pool_bytes = 1};

/* What tells the right results. */
static const clact_options plain = {.stores = CLACT_STORES_PLAIN, .work_group_size = 1};

struct place {
    unsigned buffer; /* operands with the same one share its memory */
    size_t offset;
    size_t stride;
};

struct layout {
    size_t rows;
    size_t cols;
    struct place places[OPERANDS];
};

/* One buffer of a layout: before, as it must be after, and on the device. */
struct image {
    size_t bytes;
    unsigned char *before;
    unsigned char *after;
    clact_buffer *buffer;
};

/* One layout. */

static size_t address(const struct layout *layout, size_t operand, size_t i)
{
    const struct place *place = &layout->places[operand];
    return place->offset + i / layout->cols * place->stride + i % layout->cols;
}

static size_t first_operand(const struct op_case *c)
{
    return c->direction == FORWARD ? SAVED : GRAD;
}

/* Numbers between -8 and 8: no NaN, whose bits may differ, and few results that are alike. */
static double sample(uint64_t i)
{
    return ldexp((double)(int64_t)operands_hash(i), -60);
}

/* The buffers that inputs are in hold numbers everywhere, so that a wrong one which is read shows;
 * those that only the output is in hold NaN. */
static void make_image(const struct op_case *c, const struct layout *layout, unsigned buffer,
                       struct image *image)
{
    size_t size = dtype_format(c->dtype)->size;
    size_t elements = 0;
    bool has_input = false;
    for (size_t k = first_operand(c); k < OPERANDS; k++) {
        const struct place *place = &layout->places[k];
        if (place->buffer != buffer)
            continue;
        size_t rows = layout->rows == 0 ? 0 : layout->rows - 1;
        size_t guard = k == OUTPUT ? GUARD + layout->cols : 0;
        size_t end = place->offset + rows * place->stride + layout->cols + guard;
        elements = end > elements ? end : elements;
        has_input |= k != OUTPUT;
    }
    image->bytes = elements * size;
    image->before = device_allocate(image->bytes);
    image->after = device_allocate(image->bytes);
    memset(image->before, 0xff, image->bytes);
    for (size_t i = 0; i < elements && has_input; i++)
        dtype_store(c->dtype, image->before, i, sample(i * OPERANDS + buffer));
    memcpy(image->after, image->before, image->bytes);
}

/* Puts the results of a host-array call on the same operands where they belong. */
static void expect(const struct op_case *c, const struct layout *layout,
                   struct image images[OPERANDS])
{
    size_t n = layout->rows * layout->cols;
    size_t size = dtype_format(c->dtype)->size;
    void *arrays[OPERANDS];
    for (size_t k = 0; k < OPERANDS; k++)
        arrays[k] = device_allocate((n + MORE) * size);
    for (size_t k = first_operand(c); k < OUTPUT; k++) {
        const void *from = images[layout->places[k].buffer].before;
        for (size_t i = 0; i < n; i++)
            dtype_store_bits(c->dtype, arrays[k], i,
                             dtype_load_bits(c->dtype, from, address(layout, k, i)));
        for (size_t i = n; i < n + MORE; i++)
            dtype_store(c->dtype, arrays[k], i, 1);
    }
    device_compute(device_context(c, &plain), c, n + MORE, arrays[GRAD], arrays[SAVED],
                   arrays[OUTPUT]);
    void *to = images[layout->places[OUTPUT].buffer].after;
    for (size_t i = 0; i < n; i++)
        dtype_store_bits(c->dtype, to, address(layout, OUTPUT, i),
                         dtype_load_bits(c->dtype, arrays[OUTPUT], i));
    for (size_t k = 0; k < OPERANDS; k++)
        free(arrays[k]);
}

static void compare(const struct op_case *c, const struct layout *layout, unsigned buffer,
                    const struct image *image, const unsigned char *got)
{
    size_t i = 0;
    if (memcmp(got, image->after, image->bytes) == 0)
        return;
    while (got[i] == image->after[i])
        i++;
    i /= dtype_format(c->dtype)->size;
    for (size_t k = first_operand(c); k < OPERANDS; k++)
        print_message("operand %zu: buffer %u, offset %zu, stride %zu\n", k,
                      layout->places[k].buffer, layout->places[k].offset, layout->places[k].stride);
    fail_msg("%zu rows of %zu: element %zu of buffer %u is %a and not %a", layout->rows,
             layout->cols, i, buffer, dtype_load(c->dtype, got, i),
             dtype_load(c->dtype, image->after, i));
}

/* Runs the layout and returns the status. All memory must be as it is to be if that is a success,
 * and as it was if not. */
static clact_status run(const struct op_case *c, const struct layout *layout)
{
    clact_context *ctx = device_context(c, &tested);
    struct image images[OPERANDS] = {0};
    clact_view views[OPERANDS] = {0};
    for (size_t k = first_operand(c); k < OPERANDS; k++) {
        const struct place *place = &layout->places[k];
        struct image *image = &images[place->buffer];
        if (image->before == NULL) {
            make_image(c, layout, place->buffer, image);
            assert_int_equal(clact_buffer_create(ctx, image->bytes, &image->buffer), CLACT_SUCCESS);
            assert_int_equal(clact_buffer_write(image->buffer, 0, image->bytes, image->before),
                             CLACT_SUCCESS);
        }
        views[k] = clact_view_2d(clact_buffer_mem(image->buffer), c->dtype, place->offset,
                                 layout->rows, layout->cols, place->stride);
    }
    cl_event event = NULL;
    clact_status status = device_enqueue(ctx, c, views, &event);
    if (status == CLACT_SUCCESS) {
        assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
        assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
        if (layout->rows * layout->cols != 0)
            expect(c, layout, images);
    }
    for (unsigned buffer = 0; buffer < OPERANDS; buffer++) {
        struct image *image = &images[buffer];
        if (image->before == NULL)
            continue;
        unsigned char *got = device_allocate(image->bytes);
        assert_int_equal(clact_buffer_read(image->buffer, 0, image->bytes, got), CLACT_SUCCESS);
        compare(c, layout, buffer, image, got);
        clact_buffer_destroy(image->buffer);
        free(image->before);
        free(image->after);
        free(got);
    }
    return status;
}

static void check(const struct op_case *c, struct layout layout)
{
    if (run(c, &layout) != CLACT_SUCCESS)
        fail_msg("%zu rows of %zu: %s", layout.rows, layout.cols, clact_last_error(NULL)->message);
}

/* An array of n elements in each of three buffers. */
static void check_array(const struct op_case *c, size_t n, size_t grad, size_t saved, size_t output)
{
    check(c, (struct layout){1, n, {{0, grad, n}, {1, saved, n}, {2, output, n}}});
}

/* The layouts. */

/* All sizes up to two vectors of any width and one more, then some that many work-items share. */
static void sizes(void **state)
{
    const struct op_case *c = *state;
    bool brief = is_brief(c);
    for (size_t n = 0; n <= 33; n += brief && n > 5 ? 11 : 1)
        check_array(c, n, 0, 0, 0);
    static const size_t large[] = {1009, 2047, 2048, 2049, 4097, 65521, 1000003};
    for (size_t i = 0; i < (brief ? 1 : sizeof large / sizeof large[0]); i++)
        check_array(c, large[i], i % 2, 3 * i % 5, 2 * i % 3);
}

static void offsets(void **state)
{
    static const size_t numbers[] = {1, 3, 16, 37, 1009};
    const struct op_case *c = *state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        size_t n = numbers[i];
        for (size_t offset = 0; offset <= 16 && (!quick || n == 37); offset += quick ? 5 : 1) {
            check_array(c, n, offset, 0, 0);
            check_array(c, n, 0, offset, 0);
            check_array(c, n, 0, 0, offset);
            check_array(c, n, offset, 5 * offset % 17, 3 * offset % 17);
            check_array(c, n, 7 * offset % 17, offset, offset);
        }
    }
}

/* Several items of a CPU, of a number that is no multiple of any group, and every alignment of the
 * output, with elements before it that may not change. */
static void groups_that_are_not_full(void **state)
{
    const struct op_case *c = *state;
    size_t cols = quick ? 4100 : 10244;
    for (size_t offset = quick ? 5 : 0; offset <= (quick ? 5 : 16); offset++) {
        size_t output = 64 + offset;
        check_array(c, cols, 5 * offset % 17, 3 * offset % 17, output);
        check(c, (struct layout){3,
                                 cols,
                                 {{0, 7 * offset % 17, cols + 1},
                                  {1, 11 * offset % 17, cols + 10},
                                  {2, output, cols + 3}}});
    }
    check(c, (struct layout){quick ? 5 : 37, 3001, {{0, 4, 3002}, {1, 2, 3007}, {2, 67, 3004}}});
}

static void strides(void **state)
{
    static const struct layout layouts[] = {
        {17, 23, {{0, 0, 23}, {1, 0, 23}, {2, 0, 23}}},
        {19, 17, {{0, 0, 23}, {1, 0, 23}, {2, 0, 23}}},
        {19, 17, {{0, 3, 23}, {1, 5, 17}, {2, 7, 40}}},
        {5, 1, {{0, 1, 1}, {1, 2, 2}, {2, 0, 3}}},
        {21, 9, {{0, 1, 11}, {1, 0, 9}, {2, 3, 13}}},
        {300, 1, {{0, 2, 1}, {1, 0, 7}, {2, 3, 1}}},
        {569, 30, {{0, 0, 30}, {1, 1, 30}, {2, 2, 31}}},
        {569, 30, {{0, 0, 32}, {1, 9, 64}, {2, 1, 30}}},
        {3, 1009, {{0, 4, 1013}, {1, 2, 1009}, {2, 1, 1024}}},
        {2, 70001, {{0, 4, 70001}, {1, 2, 70017}, {2, 1, 70003}}},
        {1, 37, {{0, 4, 0}, {1, 2, 5}, {2, 1, 1}}},
        {2100, 3, {{0, 1, 5}, {1, 0, 4}, {2, 2, 3}}},
        {40, 4, {{0, 1, 6}, {1, 0, 4}, {2, 3, 5}}},
        {41, 15, {{0, 1, 17}, {1, 0, 16}, {2, 3, 16}}},
    };
    const struct op_case *c = *state;
    size_t count = sizeof layouts / sizeof layouts[0];
    if (is_brief(c)) /* short rows have a kernel of their own, which is one more to compile */
        count = case_is_first_of_shape(c) ? 5 : 3;
    for (size_t i = 0; i < count; i++)
        check(c, layouts[i]);
}

/* The rows of an input may overlap: one row for all, or a window that slides. */
static void inputs_repeat(void **state)
{
    static const struct layout layouts[] = {
        {29, 33, {{0, 0, 0}, {1, 3, 0}, {2, 0, 33}}},
        {29, 33, {{0, 5, 33}, {1, 1, 0}, {2, 3, 35}}},
        {29, 33, {{0, 2, 0}, {1, 1, 33}, {2, 0, 33}}},
        {41, 17, {{0, 1, 5}, {1, 2, 1}, {2, 3, 23}}},
        {7, 1, {{0, 1, 0}, {1, 2, 0}, {2, 3, 1}}},
    };
    const struct op_case *c = *state;
    for (size_t i = 0; i < (quick ? 1 : sizeof layouts / sizeof layouts[0]); i++)
        check(c, layouts[i]);
}

/* The output in the place of each input in turn. */
static void in_place(void **state)
{
    const struct op_case *c = *state;
    static const size_t shapes[][2] = {{1, 1}, {1, 37}, {19, 17}, {1, 1009}, {569, 30}};
    for (size_t input = first_operand(c); input < OUTPUT; input++) {
        for (size_t i = 0; i < (is_brief(c) ? 3 : sizeof shapes / sizeof shapes[0]); i++) {
            for (size_t gap = 0; gap < 8; gap += 7) {
                size_t cols = shapes[i][1];
                struct layout layout = {
                    shapes[i][0], cols, {{0, 1, cols + 2}, {1, 3, cols + gap}, {2, 0, 0}}};
                layout.places[OUTPUT] = layout.places[input];
                check(c, layout);
            }
        }
    }
    /* One array for all three. */
    check(c, (struct layout){19, 17, {{0, 5, 20}, {0, 5, 20}, {0, 5, 20}}});
}

/* Different columns of one matrix, and arrays that follow each other without a gap. */
static void operands_share_a_buffer(void **state)
{
    const struct op_case *c = *state;
    check(c, (struct layout){19, 17, {{0, 2, 60}, {0, 21, 60}, {0, 40, 60}}});
    check(c, (struct layout){19, 17, {{0, 34, 51}, {0, 17, 51}, {0, 0, 51}}});
    check(c, (struct layout){64, 1, {{0, 0, 3}, {0, 2, 3}, {0, 1, 3}}});
    check(c, (struct layout){1, 101, {{0, 0, 101}, {0, 202, 101}, {0, 101, 101}}});
    check(c, (struct layout){9, 11, {{0, 0, 11}, {0, 99, 11}, {0, 198, 11}}});
}

static void nothing_is_written_where_there_is_nothing(void **state)
{
    const struct op_case *c = *state;
    check(c, (struct layout){0, 17, {{0, 1, 17}, {1, 2, 17}, {2, 3, 17}}});
    check(c, (struct layout){17, 0, {{0, 1, 5}, {1, 2, 5}, {2, 3, 5}}});
    check(c, (struct layout){0, 0, {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}});
}

static void rows_of_an_output_may_not_overlap(void **state)
{
    const struct op_case *c = *state;
    static const size_t bad[] = {0, 1, 16};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct layout layout = {19, 17, {{0, 0, 17}, {1, 0, 17}, {2, 0, bad[i]}}};
        assert_int_equal(run(c, &layout), CLACT_OVERLAP);
    }
}

static _Noreturn void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--quick] [--stores plain|stream] [--group ITEMS] [--property NAME]\n",
            program);
    exit(2);
}

static clact_stores parse_stores(const char *program, const char *name)
{
    if (strcmp(name, "plain") == 0)
        return CLACT_STORES_PLAIN;
    if (strcmp(name, "stream") == 0)
        return CLACT_STORES_STREAM;
    usage(program);
}

/* Only tests of the property: a compiler may take its time for each size of a group that comes up. */
static void select_property(const char *program, const char *name)
{
    static char pattern[128];
    if (snprintf(pattern, sizeof pattern, "*: %s", name) >= (int)sizeof pattern)
        usage(program);
    cmocka_set_test_filter(pattern);
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
                                          {"stores", required_argument, NULL, 's'},
                                          {"group", required_argument, NULL, 'g'},
                                          {"property", required_argument, NULL, 'p'},
                                          {0}};
    quick = device_quick_environment();
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'q':
            quick = true;
            break;
        case 's':
            tested.stores = parse_stores(argv[0], optarg);
            break;
        case 'g':
            tested.work_group_size = strtoul(optarg, NULL, 10);
            break;
        case 'p':
            select_property(argv[0], optarg);
            break;
        default:
            usage(argv[0]);
        }
    }
    if (optind != argc)
        usage(argv[0]);
}

/* The values of parameters matter for nothing here. */
static bool has_defaults(const struct op_case *c)
{
    return !c->own_params;
}

int main(int argc, char **argv)
{
    static const struct property properties[] = {
        {"sizes", has_defaults, sizes},
        {"strides", has_defaults, strides},
        {"in place", has_defaults, in_place},
        {"offsets", case_is_first_of_shape, offsets},
        {"groups that are not full", case_is_first_of_shape, groups_that_are_not_full},
        {"inputs repeat", case_is_first_of_shape, inputs_repeat},
        {"operands share a buffer", case_is_first_of_shape, operands_share_a_buffer},
        {"no elements", case_is_first_of_shape, nothing_is_written_where_there_is_nothing},
        {"rows of an output may not overlap", case_is_first_of_shape,
         rows_of_an_output_may_not_overlap},
    };
    parse(argc, argv);
    int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    device_close();
    return failed;
}
