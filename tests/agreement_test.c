/* SPDX-License-Identifier: MIT */
/*
 * One arithmetic gives one result: whatever the vector width, the size of a work-group, the way the
 * data goes, how it is cut, where it lies and how it is stored, the bits are the same.
 */
#include "cases.h"
#include "device.h"
#include "dtype.h"
#include "operands.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Not a multiple of anything that work is cut into. */
static size_t elements = 1000003;

/* Past the cache, which needs an output apart from the inputs, as in arrays that are shared. */
#define STREAM .stores = CLACT_STORES_STREAM, .transfer = CLACT_TRANSFER_SHARE

/* The cases that a way is tested on. Scalars, short vectors, long ones and loops over work-items compile
 * each formula in their own manner; how data goes and is cut is the same for all. */
enum extent { FIRST_OF_SHAPES, EVERY_F32, EVERY };

/* All ways on all cases: an hour. */
static bool all;

/* Ways to do the same; pieces are of a number of elements that is no multiple of a vector. */
static const struct way {
    const char *name;
    enum extent extent;
    clact_options options;
    size_t offset; /* of the output from what malloc gives, in elements */
} ways[] = {
    {"by default", EVERY, {.stores = CLACT_STORES_AUTO}, 0},
    {"width 1", EVERY, {.vector_width = 1}, 0},
    {"width 2", FIRST_OF_SHAPES, {.vector_width = 2}, 0},
    {"width 4", EVERY_F32, {.vector_width = 4}, 0},
    {"width 8", FIRST_OF_SHAPES, {.vector_width = 8}, 0},
    {"width 16", EVERY, {.vector_width = 16}, 0},
    {"groups of 1", FIRST_OF_SHAPES, {.work_group_size = 1}, 0},
    {"groups of 7", FIRST_OF_SHAPES, {.work_group_size = 7}, 0},
    {"groups of 64", EVERY_F32, {.work_group_size = 64}, 0},
    {"groups of 256", FIRST_OF_SHAPES, {.work_group_size = 256}, 0},
    {"shared", FIRST_OF_SHAPES, {.transfer = CLACT_TRANSFER_SHARE}, 0},
    {"shared, offset", FIRST_OF_SHAPES, {.transfer = CLACT_TRANSFER_SHARE}, 5},
    {"copied", FIRST_OF_SHAPES, {.transfer = CLACT_TRANSFER_COPY}, 0},
    {"shared in pieces",
     FIRST_OF_SHAPES,
     {.transfer = CLACT_TRANSFER_SHARE, .piece_bytes = 8 * 12347},
     0},
    {"copied in pieces",
     FIRST_OF_SHAPES,
     {.transfer = CLACT_TRANSFER_COPY, .piece_bytes = 8 * 12347},
     0},
    {"copied in pieces, width 4, groups of 64",
     FIRST_OF_SHAPES,
     {.transfer = CLACT_TRANSFER_COPY,
      .piece_bytes = 8 * 10007,
      .vector_width = 4,
      .work_group_size = 64},
     0},
    {"past the cache", FIRST_OF_SHAPES, {STREAM}, 0},
    {"past the cache, offset 1", FIRST_OF_SHAPES, {STREAM}, 1},
    {"past the cache, offset 11", FIRST_OF_SHAPES, {STREAM}, 11},
    {"past the cache in groups of 64", FIRST_OF_SHAPES, {STREAM, .work_group_size = 64}, 0},
    {"past the cache in groups of 64, offset 7",
     FIRST_OF_SHAPES,
     {STREAM, .work_group_size = 64},
     7},
    {"past the cache in pieces", FIRST_OF_SHAPES, {STREAM, .piece_bytes = 8 * 12347}, 3},
};

enum { WAYS = sizeof ways / sizeof ways[0], MOST_OFFSET = 16 };

static bool has_way(const struct op_case *c, const struct way *way)
{
    return all || way->extent == EVERY || (way->extent == EVERY_F32 && c->dtype == CLACT_F32) ||
           case_is_first_of_shape(c);
}

/* What the others must agree with. */
static const clact_options plain = {.stores = CLACT_STORES_PLAIN, .work_group_size = 1};

/* Each way's context of one arithmetic, kept because most of the time goes into compiling. */
static clact_context *contexts[WAYS];
static clact_arithmetic arithmetic_of_contexts;

static void close_contexts(void)
{
    for (size_t i = 0; i < WAYS; i++) {
        clact_context_destroy(contexts[i]);
        contexts[i] = NULL;
    }
}

static clact_context *open_way(const struct op_case *c, size_t way)
{
    if (arithmetic_of_contexts != c->arithmetic)
        close_contexts();
    arithmetic_of_contexts = c->arithmetic;
    if (contexts[way] == NULL) {
        clact_options options = ways[way].options;
        options.arithmetic = c->arithmetic;
        contexts[way] = device_open(&options);
    }
    return contexts[way];
}

/* Special values, then any bit patterns, then numbers at which the operators are not flat. */
static void fill(clact_dtype dtype, uint64_t seed, void *array)
{
    static const double special[] = {0,   -0.0, INFINITY, -INFINITY, (double)NAN, 1,
                                     -1,  0.5,  17,       -17,       88.5,        -88.5,
                                     104, -104, 746,      -746,      0x1p-149,    0x1.fffffep127};
    size_t specials = sizeof special / sizeof special[0];
    for (size_t i = 0; i < elements; i++) {
        uint64_t hash = operands_hash(seed * elements + i);
        if (i < 4 * specials)
            dtype_store(dtype, array, i, special[(i * (seed + 1) + seed * i / 7) % specials]);
        else if (i < elements / 2)
            dtype_store_bits(dtype, array, i, hash);
        else
            dtype_store(dtype, array, i, ldexp((double)(int64_t)hash, -57));
    }
}

/* NaN payloads follow the order in which a compiler takes operands, and are nobody's result. */
static bool same(clact_dtype dtype, const void *a, const void *b, size_t i)
{
    return dtype_load_bits(dtype, a, i) == dtype_load_bits(dtype, b, i) ||
           (isnan(dtype_load(dtype, a, i)) && isnan(dtype_load(dtype, b, i)));
}

static bool all_same(clact_dtype dtype, const void *a, const void *b, size_t *first)
{
    if (memcmp(a, b, elements * dtype_format(dtype)->size) == 0)
        return true;
    for (*first = 0; *first < elements; (*first)++)
        if (!same(dtype, a, b, *first))
            return false;
    return true;
}

/* The operands of each dtype, made when first wanted and kept. */
static void *operands[CLACT_F64 + 1][2];

static const void *operands_of(clact_dtype dtype, unsigned seed)
{
    if (operands[dtype][seed] == NULL) {
        operands[dtype][seed] = device_allocate(elements * dtype_format(dtype)->size);
        fill(dtype, seed, operands[dtype][seed]);
    }
    return operands[dtype][seed];
}

static void free_operands(void)
{
    for (size_t dtype = 0; dtype <= CLACT_F64; dtype++)
        for (unsigned seed = 0; seed < 2; seed++)
            free(operands[dtype][seed]);
}

struct arrays {
    const void *grad;
    const void *saved;
    void *expected;
    void *output;
};

static struct arrays make_arrays(clact_dtype dtype)
{
    size_t size = dtype_format(dtype)->size;
    return (struct arrays){operands_of(dtype, 0), operands_of(dtype, 1),
                           device_allocate(elements * size),
                           device_allocate((elements + MOST_OFFSET) * size)};
}

static void free_arrays(struct arrays *a)
{
    free(a->expected);
    free(a->output);
}

static void all_ways_agree(void **state)
{
    const struct op_case *c = *state;
    clact_context *ctx = device_context(c, &plain);
    struct arrays a = make_arrays(c->dtype);
    size_t bytes = elements * dtype_format(c->dtype)->size;
    device_compute(ctx, c, elements, a.grad, a.saved, a.expected);
    for (size_t way = 0; way < WAYS; way++) {
        if (!has_way(c, &ways[way]))
            continue;
        void *output = (char *)a.output + ways[way].offset * dtype_format(c->dtype)->size;
        memset(output, 0xa5, bytes);
        device_compute(open_way(c, way), c, elements, a.grad, a.saved, output);
        size_t i;
        if (!all_same(c->dtype, a.expected, output, &i))
            fail_msg("%s: element %zu of saved %a, grad %a is %a and not %a", ways[way].name, i,
                     dtype_load(c->dtype, a.saved, i), dtype_load(c->dtype, a.grad, i),
                     dtype_load(c->dtype, output, i), dtype_load(c->dtype, a.expected, i));
    }
    free_arrays(&a);
}

/* Neighbours are asked together whether one of them needs care. Enough for some such groups. */
enum { NEIGHBOURS = 3001, EXTREMES_EVERY = 701 };

/* Numbers that need none, or such that mostly do. */
static void fill_neighbours(clact_dtype dtype, uint64_t seed, bool extreme, void *array)
{
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        const uint64_t hash = operands_hash(seed * NEIGHBOURS + i);
        if (extreme)
            dtype_store_bits(dtype, array, i, hash);
        else
            dtype_store(dtype, array, i, ldexp((double)(int64_t)hash, -61));
    }
}

/* An extreme number every so often, at another place in each group. */
static bool stays_extreme(size_t i)
{
    return i % EXTREMES_EVERY == EXTREMES_EVERY / 2;
}

struct neighbours {
    void *grad;
    void *saved;
    void *output;
};

static struct neighbours make_neighbours(clact_dtype dtype, bool extreme)
{
    const size_t bytes = NEIGHBOURS * dtype_format(dtype)->size;
    const struct neighbours n = {device_allocate(bytes), device_allocate(bytes),
                                 device_allocate(bytes)};
    fill_neighbours(dtype, 0, extreme, n.grad);
    fill_neighbours(dtype, 1, extreme, n.saved);
    return n;
}

static void free_neighbours(struct neighbours *n)
{
    free(n->grad);
    free(n->saved);
    free(n->output);
}

/* `output` has to be what each element was among its like. */
static void expect_as_among_their_like(clact_dtype dtype, const struct neighbours *ordinary,
                                       const struct neighbours *extreme, const void *output,
                                       const char *where)
{
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        const struct neighbours *like = stays_extreme(i) ? extreme : ordinary;
        if (!same(dtype, like->output, output, i))
            fail_msg("%s: element %zu of saved %a, grad %a is %a and not %a", where, i,
                     dtype_load(dtype, like->saved, i), dtype_load(dtype, like->grad, i),
                     dtype_load(dtype, output, i), dtype_load(dtype, like->output, i));
    }
}

/* Nor does it change an element that its result takes the place of an operand. */
static void neighbours_change_nothing(void **state)
{
    const struct op_case *c = *state;
    const size_t size = dtype_format(c->dtype)->size;
    clact_context *ctx = device_context(c, &plain);
    struct neighbours ordinary = make_neighbours(c->dtype, false);
    struct neighbours extreme = make_neighbours(c->dtype, true);
    struct neighbours mixed = make_neighbours(c->dtype, false);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        if (stays_extreme(i)) {
            memcpy((char *)mixed.grad + i * size, (char *)extreme.grad + i * size, size);
            memcpy((char *)mixed.saved + i * size, (char *)extreme.saved + i * size, size);
        }
    }
    device_compute(ctx, c, NEIGHBOURS, ordinary.grad, ordinary.saved, ordinary.output);
    device_compute(ctx, c, NEIGHBOURS, extreme.grad, extreme.saved, extreme.output);

    device_compute(ctx, c, NEIGHBOURS, mixed.grad, mixed.saved, mixed.output);
    expect_as_among_their_like(c->dtype, &ordinary, &extreme, mixed.output, "apart");
    memcpy(mixed.output, mixed.saved, NEIGHBOURS * size);
    device_compute(ctx, c, NEIGHBOURS, mixed.grad, mixed.output, mixed.output);
    expect_as_among_their_like(c->dtype, &ordinary, &extreme, mixed.output, "in place of saved");
    if (c->direction != FORWARD) {
        device_compute(ctx, c, NEIGHBOURS, mixed.grad, mixed.saved, mixed.grad);
        expect_as_among_their_like(c->dtype, &ordinary, &extreme, mixed.grad, "in place of grad");
    }
    free_neighbours(&ordinary);
    free_neighbours(&extreme);
    free_neighbours(&mixed);
}

/* So what is proven of the two arithmetics holds for what a program gets that asks for none. */
static void auto_is_one_of_the_arithmetics(void **state)
{
    struct op_case c = *(const struct op_case *)*state;
    struct arrays a = make_arrays(c.dtype);
    device_compute(device_context(&c, &plain), &c, elements, a.grad, a.saved, a.expected);
    c.arithmetic = CLACT_ARITHMETIC_AUTO;
    device_compute(device_context(&c, &plain), &c, elements, a.grad, a.saved, a.output);
    size_t i;
    if (!all_same(c.dtype, a.expected, a.output, &i)) {
        c.arithmetic = CLACT_ARITHMETIC_DOUBLES;
        device_compute(device_context(&c, &plain), &c, elements, a.grad, a.saved, a.expected);
        if (!all_same(c.dtype, a.expected, a.output, &i))
            fail_msg("element %zu is that of neither arithmetic", i);
    }
    free_arrays(&a);
}

/* Computes with parameters given by the caller; they have to do the same as the case's. */
static void expect_same_with(const struct op_case *c, const clact_params *params)
{
    struct op_case given = *c;
    given.own_params = true;
    given.params = *params;
    clact_context *ctx = device_context(c, &plain);
    struct arrays a = make_arrays(c->dtype);
    device_compute(ctx, c, elements, a.grad, a.saved, a.expected);
    device_compute(ctx, &given, elements, a.grad, a.saved, a.output);
    size_t i;
    if (!all_same(c->dtype, a.expected, a.output, &i))
        fail_msg("element %zu of saved %a, grad %a is %a and not %a", i,
                 dtype_load(c->dtype, a.saved, i), dtype_load(c->dtype, a.grad, i),
                 dtype_load(c->dtype, a.output, i), dtype_load(c->dtype, a.expected, i));
    free_arrays(&a);
}

static void no_parameters_are_the_defaults(void **state)
{
    const struct op_case *c = *state;
    clact_params defaults;
    assert_int_equal(clact_params_default(c->op, &defaults), CLACT_SUCCESS);
    expect_same_with(c, &defaults);
}

/* Also where the results are computed in f64. */
static void parameters_are_rounded_to_f32(void **state)
{
    const struct op_case *c = *state;
    const double within_half_an_ulp = 1 + 0x1p-26;
    const clact_params unrounded = {c->params.alpha * within_half_an_ulp,
                                    c->params.beta * within_half_an_ulp,
                                    c->params.gamma * within_half_an_ulp};
    expect_same_with(c, &unrounded);
}

static bool has_defaults(const struct op_case *c)
{
    return clact_operator_parameters(c->op) != 0 && !c->own_params;
}

static bool rounds_parameters(const struct op_case *c)
{
    return clact_operator_parameters(c->op) != 0 && c->dtype != CLACT_F64;
}

static bool is_pairs(const struct op_case *c)
{
    return c->arithmetic == CLACT_ARITHMETIC_PAIRS;
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"quick", no_argument, NULL, 'q'}, {"all", no_argument, NULL, 'a'}, {0}};
    bool quick = device_quick_environment();
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == '?') {
            fprintf(stderr, "usage: %s [--quick] [--all]\n", argv[0]);
            exit(2);
        }
        quick |= option == 'q';
        all |= option == 'a';
    }
    if (quick)
        elements = 1003;
}

int main(int argc, char **argv)
{
    static const struct property properties[] = {
        {"all ways agree", NULL, all_ways_agree},
        {"neighbours change nothing", NULL, neighbours_change_nothing},
        {"auto is one of the arithmetics", is_pairs, auto_is_one_of_the_arithmetics},
        {"no parameters are the defaults", has_defaults, no_parameters_are_the_defaults},
        {"parameters are rounded to f32", rounds_parameters, parameters_are_rounded_to_f32},
    };
    parse(argc, argv);
    int failed = cases_run(properties, sizeof properties / sizeof properties[0]);
    free_operands();
    close_contexts();
    device_close();
    return failed;
}
