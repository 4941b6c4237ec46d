/* SPDX-License-Identifier: MIT */
/* The parameters of each operator of ops.def: every call takes those that the operator has,
 * and refuses the others, and values that it does not work with, by name and before it does
 * anything. */
#include "host_fixture.h"
#include "op_rows.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 8, BYTES = N * 8 /* of the largest dtype */, POISON = 0xa5 };

static struct fixture shared;

/* The ways to a kernel. */
enum way { FORWARD, BACKWARD, ENQUEUE_FORWARD, ENQUEUE_BACKWARD, WAYS };

static const struct parameter {
    clact_parameter bit;
    const char *name;
    size_t place; /* in clact_params */
} parameters[] = {
    {CLACT_ALPHA, "alpha", offsetof(clact_params, alpha)},
    {CLACT_BETA, "beta", offsetof(clact_params, beta)},
    {CLACT_GAMMA, "gamma", offsetof(clact_params, gamma)},
};

enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

/* A value for a parameter. */
struct value {
    double value;
    bool works;    /* as a parameter in f64 */
    bool works32;  /* and in the other dtypes, for which it is rounded to f32 */
    bool positive; /* greater than 0, for those that have to be, in f64 */
    bool positive32;
};

static const struct value values[] = {
    {(double)NAN, false, false, false, false},
    {(double)INFINITY, false, false, false, false},
    {-(double)INFINITY, false, false, false, false},
    {1e300, true, false, true, false},
    {-DBL_MAX, true, false, false, false},
    {0x1.ffffffp127, true, false, true,
     false}, /* half-way from the largest f32 to what is beyond */
    {0x1.fffffefffffffp127, true, true, true, true},
    {1, true, true, true, true},
    {-0.5, true, true, false, false},
    {0, true, true, false, false},
    {-0.0, true, true, false, false},
    {0x1p-149, true, true, true, true},
    {0x1.0000000000001p-150, true, true, true, true}, /* rounds up to it */
    {0x1p-150, true, true, true, false},              /* half of it: rounds to 0 */
    {0x1p-1074, true, true, true, false},
    {-0x1p-1074, true, true, false, false},
};

enum { VALUES = sizeof values / sizeof values[0] };

/* The operands of all calls, on the host and on the device. */
static _Alignas(8) unsigned char arrays[3][BYTES];
static cl_mem mems[3];

static clact_status call(enum way way, const struct op_row *row, clact_dtype dtype, size_t n,
                         const clact_params *params, cl_event *event)
{
    const clact_saved kind =
        row->saved & CLACT_SAVED_OUTPUT ? CLACT_SAVED_OUTPUT : CLACT_SAVED_INPUT;
    clact_view views[3];
    for (int i = 0; i < 3; i++)
        views[i] = clact_view_1d(mems[i], dtype, 0, n);
    switch (way) {
    case FORWARD:
        return clact_forward(shared.ctx, row->op, params, dtype, n, arrays[0], arrays[2]);
    case BACKWARD:
        return clact_backward(shared.ctx, row->op, params, dtype, kind, n, arrays[0], arrays[1],
                              arrays[2]);
    case ENQUEUE_FORWARD:
        return clact_enqueue_forward(shared.ctx, NULL, row->op, params, views[0], views[2], 0, NULL,
                                     event);
    default:
        return clact_enqueue_backward(shared.ctx, NULL, row->op, params, kind, views[0], views[1],
                                      views[2], 0, NULL, event);
    }
}

static void assert_poisoned(const unsigned char bytes[BYTES])
{
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(bytes[i], POISON);
}

static void assert_untouched(void)
{
    for (int i = 0; i < 3; i++) {
        unsigned char bytes[BYTES];
        assert_poisoned(arrays[i]);
        read_mem(shared.ctx, mems[i], BYTES, bytes);
        assert_poisoned(bytes);
    }
}

/* Refused, also where there is nothing to compute, with a message that says what is wrong. */
static void expect_refused(enum way way, const struct op_row *row, clact_dtype dtype,
                           const clact_params *params, const char *parameter)
{
    static const size_t counts[] = {N, 0};
    for (int i = 0; i < 2; i++) {
        cl_event event = UNTOUCHED_EVENT;
        assert_error(&shared, CLACT_INVALID_ARGUMENT,
                     call(way, row, dtype, counts[i], params, &event));
        assert_ptr_equal(event, UNTOUCHED_EVENT);
        assert_non_null(strstr(shared.log.message, parameter));
        assert_non_null(strstr(shared.log.message, row->name));
    }
}

/* On no elements, as what is computed is for other tests. */
static void expect_taken(enum way way, const struct op_row *row, clact_dtype dtype,
                         const clact_params *params)
{
    assert_ok(call(way, row, dtype, 0, params, NULL));
}

/* Whether a call is to take the value. */
static bool is_right(const struct op_row *row, const struct parameter *p, clact_dtype dtype,
                     const struct value *v)
{
    if (!(row->used & p->bit))
        return v->value == 0;
    if (dtype == CLACT_F64)
        return row->positive & p->bit ? v->positive : v->works;
    return row->positive & p->bit ? v->positive32 : v->works32;
}

static void check_value(const struct op_row *row, const struct parameter *p, const struct value *v)
{
    static const clact_dtype dtypes[] = {CLACT_F32, CLACT_F16, CLACT_BF16, CLACT_F64};
    clact_params params = row->defaults;
    memcpy((char *)&params + p->place, &v->value, sizeof(v->value));
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++) {
        if (!dtype_works(shared.ctx, dtypes[i]))
            continue;
        for (int way = 0; way < WAYS; way++) {
            if (is_right(row, p, dtypes[i], v))
                expect_taken((enum way)way, row, dtypes[i], &params);
            else
                expect_refused((enum way)way, row, dtypes[i], &params, p->name);
        }
    }
}

struct test_case {
    char name[64];
    const struct op_row *row;
    const struct parameter *parameter;
};

static void run_case(void **state)
{
    const struct test_case *c = *state;
    const struct live_objects before = live_objects();
    for (size_t i = 0; i < VALUES; i++)
        check_value(c->row, c->parameter, &values[i]);
    assert_live(before);
    assert_untouched();
}

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    memset(arrays, POISON, sizeof(arrays));
    for (int i = 0; i < 3; i++)
        mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, BYTES, arrays[i]);
    return 0;
}

static int close_shared(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        clReleaseMemObject(mems[i]);
    fixture_close(&shared);
    return 0;
}

int main(void)
{
    static struct test_case cases[OP_ROWS * PARAMETERS];
    static struct CMUnitTest tests[OP_ROWS * PARAMETERS];
    for (size_t i = 0; i < OP_ROWS * PARAMETERS; i++) {
        struct test_case *c = &cases[i];
        c->row = &op_rows[i / PARAMETERS];
        c->parameter = &parameters[i % PARAMETERS];
        snprintf(c->name, sizeof(c->name), "%s: %s %s", c->row->name,
                 c->row->used & c->parameter->bit ? "values of" : "has no", c->parameter->name);
        tests[i] = (struct CMUnitTest){.name = c->name, .test_func = run_case, .initial_state = c};
    }
    return cmocka_run_group_tests_name("params", tests, open_shared, close_shared);
}
