/* SPDX-License-Identifier: MIT */
/* The enqueue calls with every argument that a caller can get wrong: the status, what
 * clact_last_error and the log say, and that outputs and events are as they were. */
#include "host_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 64, COLS = 8, ROWS = 4, STRIDE = 10, POISON = 0xa5 };

static struct fixture shared;
static struct fixture other; /* on another cl_context */

/* A forward or backward call that is right, on f32 buffers of CAPACITY elements of their own. */
struct scene {
    bool backward;
    cl_mem mems[3]; /* of grad or x, of saved, and of the output */
    cl_mem bad_mem;
    cl_event bad_event;
    const char *impossible; /* why the device knows no such mistake; NULL if it does */
    struct call {
        clact_context *ctx;
        cl_command_queue queue;
        clact_operator op;
        clact_saved kind;
        clact_view views[3]; /* as mems; a forward call has no second */
        cl_uint n_wait;
        const cl_event *wait;
    } call;
};

enum victim {
    FIRST = 1,
    SAVED = 2,
    OUTPUT = 4,
    INPUTS = FIRST | SAVED,
    ANY = INPUTS | OUTPUT,
    ONCE = 8
};

/* One mistake: `change` makes it, in the view that is the victim where it is about a view. */
struct mistake {
    const char *name;
    unsigned victims; /* ONCE if it is not about one view */
    clact_status expected;
    void (*change)(struct scene *s, clact_view *victim);
};

/* Mistakes in a view. */

static void null_mem(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->mem = NULL;
}

static void offset_past_end(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->offset = CAPACITY - ((ROWS - 1) * STRIDE + COLS) + 1;
}

static void offset_far_away(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->offset = SIZE_MAX;
}

static void offset_wraps(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->offset = SIZE_MAX - ((ROWS - 1) * STRIDE + COLS) + 1;
}

/* offset * sizeof(float) is 0 modulo the size of the address space. */
static void offset_in_bytes_wraps(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->offset = SIZE_MAX / sizeof(float) + 1;
}

static void stride_past_end(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->stride = (CAPACITY - COLS) / (ROWS - 1) + 1;
}

static void stride_far_away(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->stride = SIZE_MAX;
}

static void stride_wraps(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->stride = SIZE_MAX / (ROWS - 1) + 1;
}

static void other_dtype(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->dtype = CLACT_F16;
}

static void unknown_dtype_of_one(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->dtype = (clact_dtype)99;
}

static void fewer_rows(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->rows--;
}

static void fewer_cols(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->cols--;
}

static void transposed(struct scene *s, clact_view *victim)
{
    (void)s;
    *victim = clact_view_2d(victim->mem, victim->dtype, 0, COLS, ROWS, ROWS);
}

static void empty_among_full(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->rows = 0;
}

static void mem_of_another_context(struct scene *s, clact_view *victim)
{
    s->bad_mem = make_mem(other.ctx, CL_MEM_READ_WRITE, CAPACITY * sizeof(float), NULL);
    victim->mem = s->bad_mem;
}

static void read_only_output(struct scene *s, clact_view *victim)
{
    s->bad_mem = make_mem(shared.ctx, CL_MEM_READ_ONLY, CAPACITY * sizeof(float), NULL);
    victim->mem = s->bad_mem;
}

static void write_only_input(struct scene *s, clact_view *victim)
{
    s->bad_mem = make_mem(shared.ctx, CL_MEM_WRITE_ONLY, CAPACITY * sizeof(float), NULL);
    victim->mem = s->bad_mem;
}

static void image_for_a_buffer(struct scene *s, clact_view *victim)
{
    cl_bool has_images = CL_FALSE;
    assert_int_equal(clGetDeviceInfo(clact_context_device(shared.ctx), CL_DEVICE_IMAGE_SUPPORT,
                                     sizeof(has_images), &has_images, NULL),
                     CL_SUCCESS);
    if (!has_images) {
        s->impossible = "the device has no images";
        return;
    }
    const cl_image_format format = {CL_RGBA, CL_FLOAT};
    const cl_image_desc size = {
        .image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = CAPACITY, .image_height = 1};
    cl_int code = CL_SUCCESS;
    s->bad_mem =
        clCreateImage(clact_context_cl(shared.ctx), CL_MEM_READ_WRITE, &format, &size, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    victim->mem = s->bad_mem;
}

static void overlapping_output_rows(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->stride = COLS - 1;
}

static void output_stride_zero(struct scene *s, clact_view *victim)
{
    (void)s;
    victim->stride = 0;
}

/* Mistakes in the rest. */

static void null_context(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.ctx = NULL;
}

static void unknown_operator(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.op = (clact_operator)9999;
}

static void unknown_dtype_of_all(struct scene *s, clact_view *victim)
{
    (void)victim;
    for (int i = 0; i < 3; i++)
        s->call.views[i].dtype = (clact_dtype)0;
}

static void rows_without_end(struct scene *s, clact_view *victim)
{
    (void)victim;
    for (int i = 0; i < 3; i++)
        s->call.views[i].rows = SIZE_MAX;
}

static void cols_without_end(struct scene *s, clact_view *victim)
{
    (void)victim;
    for (int i = 0; i < 3; i++)
        s->call.views[i] = clact_view_1d(s->mems[i], CLACT_F32, 1, SIZE_MAX);
}

static void queue_of_another_context(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.queue = clact_context_queue(other.ctx);
}

static void wait_list_missing(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.n_wait = 1;
}

static void null_event_in_wait(struct scene *s, clact_view *victim)
{
    static const cl_event nothing[1] = {NULL};
    (void)victim;
    s->call.n_wait = 1;
    s->call.wait = nothing;
}

static void event_of_another_context(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->bad_event = make_user_event(other.ctx);
    s->call.n_wait = 1;
    s->call.wait = &s->bad_event;
}

static void unsupported_dtype(struct scene *s, clact_view *victim)
{
    (void)victim;
    if (dtype_works(shared.ctx, CLACT_F64)) {
        s->impossible = "the device supports every dtype";
        return;
    }
    for (int i = 0; i < 3; i++)
        s->call.views[i].dtype = CLACT_F64;
}

static void kind_zero(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.kind = (clact_saved)0;
}

static void both_kinds(struct scene *s, clact_view *victim)
{
    (void)victim;
    s->call.kind = (clact_saved)(CLACT_SAVED_OUTPUT | CLACT_SAVED_INPUT);
}

#define INVALID CLACT_INVALID_ARGUMENT

static const struct mistake mistakes[] = {
    {"NULL mem", ANY, INVALID, null_mem},
    {"offset past the end", ANY, CLACT_OUT_OF_BOUNDS, offset_past_end},
    {"offset SIZE_MAX", ANY, CLACT_OUT_OF_BOUNDS, offset_far_away},
    {"offset that wraps", ANY, CLACT_OUT_OF_BOUNDS, offset_wraps},
    {"offset that wraps in bytes", ANY, CLACT_OUT_OF_BOUNDS, offset_in_bytes_wraps},
    {"stride past the end", ANY, CLACT_OUT_OF_BOUNDS, stride_past_end},
    {"stride SIZE_MAX", ANY, CLACT_OUT_OF_BOUNDS, stride_far_away},
    {"stride that wraps", ANY, CLACT_OUT_OF_BOUNDS, stride_wraps},
    {"another dtype", ANY, CLACT_DTYPE_MISMATCH, other_dtype},
    {"unknown dtype of x or grad", FIRST, INVALID, unknown_dtype_of_one},
    {"fewer rows", ANY, CLACT_SHAPE_MISMATCH, fewer_rows},
    {"fewer columns", ANY, CLACT_SHAPE_MISMATCH, fewer_cols},
    {"transposed", ANY, CLACT_SHAPE_MISMATCH, transposed},
    {"empty among full", ANY, CLACT_SHAPE_MISMATCH, empty_among_full},
    {"mem of another context", ANY, CLACT_WRONG_CONTEXT, mem_of_another_context},
    {"read-only output", OUTPUT, INVALID, read_only_output},
    {"write-only input", INPUTS, INVALID, write_only_input},
    {"image", ANY, INVALID, image_for_a_buffer},
    {"overlapping rows", OUTPUT, CLACT_OVERLAP, overlapping_output_rows},
    {"stride 0", OUTPUT, CLACT_OVERLAP, output_stride_zero},
    {"NULL context", ONCE, INVALID, null_context},
    {"unknown operator", ONCE, INVALID, unknown_operator},
    {"unknown dtype", ONCE, INVALID, unknown_dtype_of_all},
    {"unsupported dtype", ONCE, CLACT_UNSUPPORTED, unsupported_dtype},
    {"SIZE_MAX rows", ONCE, CLACT_OUT_OF_BOUNDS, rows_without_end},
    {"SIZE_MAX columns", ONCE, CLACT_OUT_OF_BOUNDS, cols_without_end},
    {"queue of another context", ONCE, CLACT_WRONG_CONTEXT, queue_of_another_context},
    {"wait list missing", ONCE, INVALID, wait_list_missing},
    {"NULL event in wait", ONCE, INVALID, null_event_in_wait},
    {"event of another context", ONCE, CLACT_WRONG_CONTEXT, event_of_another_context},
};

/* These are about the saved operand, which a forward call has none of. */
static const struct mistake backward_mistakes[] = {
    {"kind 0", ONCE, INVALID, kind_zero},
    {"both kinds", ONCE, INVALID, both_kinds},
};

/* The run of one case. */

static clact_status make_call(const struct scene *s, cl_event *event)
{
    const struct call *c = &s->call;
    if (s->backward)
        return clact_enqueue_backward(c->ctx, c->queue, c->op, NULL, c->kind, c->views[0],
                                      c->views[1], c->views[2], c->n_wait, c->wait, event);
    return clact_enqueue_forward(c->ctx, c->queue, c->op, NULL, c->views[0], c->views[2], c->n_wait,
                                 c->wait, event);
}

static void scene_open(struct scene *s, bool backward)
{
    memset(s, 0, sizeof(*s));
    s->backward = backward;
    s->call = (struct call){.ctx = shared.ctx, .op = any_operator(), .kind = any_kind()};
    unsigned char bytes[CAPACITY * sizeof(float)];
    memset(bytes, POISON, sizeof(bytes));
    for (int i = 0; i < 3; i++) {
        s->mems[i] = make_mem(shared.ctx, CL_MEM_READ_WRITE, sizeof(bytes), bytes);
        s->call.views[i] = clact_view_2d(s->mems[i], CLACT_F32, 0, ROWS, COLS, STRIDE);
    }
}

static void scene_close(struct scene *s)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(clReleaseMemObject(s->mems[i]), CL_SUCCESS);
    if (s->bad_mem)
        assert_int_equal(clReleaseMemObject(s->bad_mem), CL_SUCCESS);
    if (s->bad_event)
        complete_user_event(s->bad_event);
}

static void assert_untouched(const struct scene *s)
{
    unsigned char bytes[CAPACITY * sizeof(float)];
    for (int i = 0; i < 3; i++) {
        read_mem(shared.ctx, s->mems[i], sizeof(bytes), bytes);
        for (size_t b = 0; b < sizeof(bytes); b++)
            assert_int_equal(bytes[b], POISON);
    }
}

/* A wrong call is refused twice, so that what the first leaves behind shows; then, with the mistake
 * taken back, the call works. */
static void expect_refused(struct scene *s, const struct mistake *m, clact_view *victim)
{
    const struct call right = s->call;
    m->change(s, victim);
    if (s->impossible)
        return;
    const struct live_objects before = live_objects();
    struct fixture *logged = s->call.ctx ? &shared : NULL;
    for (int i = 0; i < 2; i++) {
        cl_event event = UNTOUCHED_EVENT;
        assert_error(logged, m->expected, make_call(s, &event));
        assert_ptr_equal(event, UNTOUCHED_EVENT);
    }
    assert_live(before);
    assert_untouched(s);
    s->call = right;
    cl_event event = NULL;
    assert_ok(make_call(s, &event));
    await(event);
}

struct test_case {
    char name[96];
    const struct mistake *mistake;
    int victim; /* index of the view, or -1 */
    bool backward;
};

static void run_case(void **state)
{
    const struct test_case *c = *state;
    struct scene s;
    scene_open(&s, c->backward);
    expect_refused(&s, c->mistake, c->victim < 0 ? NULL : &s.call.views[c->victim]);
    scene_close(&s);
    if (s.impossible) {
        print_message("%s\n", s.impossible);
        skip();
    }
}

/* Compiles ahead, so that the cases find nothing created but what their calls create. */
static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared, NULL);
    fixture_open(&other, NULL);
    assert_ok(clact_prepare(shared.ctx, any_operator(), CLACT_F32));
    return 0;
}

enum { MAX_CASES = 256 };

static struct test_case cases[MAX_CASES];
static struct CMUnitTest tests[MAX_CASES];
static size_t case_count;

static void add_case(const struct mistake *m, int victim, bool backward)
{
    static const char *const victims[2][3] = {{"x", "", "y"}, {"grad", "saved", "dx"}};
    if (case_count == MAX_CASES - 1)
        abort();
    struct test_case *c = &cases[case_count];
    *c = (struct test_case){.mistake = m, .victim = victim, .backward = backward};
    snprintf(c->name, sizeof(c->name), "%s: %s%s%s", backward ? "backward" : "forward", m->name,
             victim < 0 ? "" : ": ", victim < 0 ? "" : victims[backward][victim]);
    tests[case_count++] =
        (struct CMUnitTest){.name = c->name, .test_func = run_case, .initial_state = c};
}

static void add_cases(const struct mistake *list, size_t count, bool backward)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].victims & ONCE)
            add_case(&list[i], -1, backward);
        for (int victim = 0; victim < 3; victim++)
            if ((list[i].victims & 1U << victim) && (backward || victim != 1))
                add_case(&list[i], victim, backward);
    }
}

int main(void)
{
    add_cases(mistakes, sizeof(mistakes) / sizeof(*mistakes), false);
    add_cases(mistakes, sizeof(mistakes) / sizeof(*mistakes), true);
    add_cases(backward_mistakes, sizeof(backward_mistakes) / sizeof(*backward_mistakes), true);
    tests[case_count++] = (struct CMUnitTest)NOTHING_IS_LEFT(&shared, &other);
    return _cmocka_run_group_tests("errors", tests, case_count, open_shared, NULL);
}
