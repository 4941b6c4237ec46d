/* SPDX-License-Identifier: MIT */
/* The clact command on files that are right: what comes out, in which form. */
#include "command_harness.h"
#include "dtype.h"
#include "reference.h"
#include "ulp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The command hands arrays to the library, whose accuracy other tests measure. */
static const double allowed_ulp = 2.5;

enum { COUNT = 24 };

/* Operands of every size that matters, from saturated to nearly linear. */
static double operand(size_t i)
{
    static const double some[] = {-40.0, -9.5, -2.0, -0.75, -0.0078125, 0.0,
                                  0.5,   1.25, 3.0,  6.5,   11.0,       2000.0};
    return some[i % (sizeof some / sizeof some[0])] / (double)(1 + i / 12);
}

static void reverse_bytes(void *elements, size_t count, size_t size)
{
    unsigned char *bytes = elements;
    for (size_t i = 0; i < count; i++) {
        for (size_t b = 0; b < size / 2; b++) {
            unsigned char kept = bytes[i * size + b];
            bytes[i * size + b] = bytes[i * size + size - 1 - b];
            bytes[i * size + size - 1 - b] = kept;
        }
    }
}

static void *make_operands(clact_dtype dtype, size_t count)
{
    void *elements = calloc(count + 1, clact_dtype_size(dtype));
    assert_non_null(elements);
    for (size_t i = 0; i < count; i++)
        dtype_store(dtype, elements, i, operand(i));
    return elements;
}

static void expect_sigmoid(clact_dtype dtype, const void *x, const void *y, size_t count)
{
    const struct reference *reference = reference_of(CLACT_SIGMOID);
    const clact_params none = {0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        double exact = reference->forward(dtype_load(dtype, x, i), &none);
        assert_true(ulp_error(dtype, dtype_load(dtype, y, i), exact) <= allowed_ulp);
    }
}

struct form {
    clact_dtype dtype;
    bool big_endian;
    const char *bf16; /* "--bf16", or an option that changes nothing */
    const char *dict;
};

/* Forward through a file of this form; the result has to have the same form. */
static void check_form(const struct form *form)
{
    size_t size = clact_dtype_size(form->dtype);
    void *x = make_operands(form->dtype, COUNT);
    void *stored = make_operands(form->dtype, COUNT);
    if (form->big_endian)
        reverse_bytes(stored, COUNT, size);
    write_npy("x.npy", 1, form->dict, stored, COUNT * size);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", form->bf16, "-o", "y.npy");
    void *y = read_npy("y.npy", form->dict, COUNT * size);
    if (form->big_endian)
        reverse_bytes(y, COUNT, size);
    expect_sigmoid(form->dtype, x, y, COUNT);
    free(x);
    free(stored);
    free(y);
}

static void test_types_and_orders(void **state)
{
    static const char *const none = "--piece-bytes=4096";
    const struct form forms[] = {
        {CLACT_F16, false, none, DICT("<f2", "False", "(24,)")},
        {CLACT_F32, false, none, DICT("<f4", "False", "(2, 3, 4)")},
        {CLACT_F16, true, none, DICT(">f2", "False", "(2, 3, 4)")},
        {CLACT_F32, true, none, DICT(">f4", "True", "(4, 6)")},
        {CLACT_F32, false, none, DICT("<f4", "True", "(2, 3, 4)")},
        {CLACT_F32, false, none, DICT("<f4", "False", "(1, 24, 1)")},
        {CLACT_BF16, false, "--bf16", DICT("<u2", "False", "(24,)")},
        {CLACT_BF16, true, "--bf16", DICT(">u2", "True", "(6, 4)")},
        {CLACT_BF16, false, "--bf16", DICT("<V2", "False", "(24,)")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check_form(&forms[i]);
    EXPECT_FILES("x.npy", "y.npy");
}

/* The device that the command uses when it is not told which. */
static clact_device_info default_device(void)
{
    clact_device_info info;
    clact_context *context = NULL;
    assert_int_equal(clact_context_create(NULL, &context), CLACT_SUCCESS);
    assert_int_equal(clact_context_info(context, &info), CLACT_SUCCESS);
    clact_context_destroy(context);
    return info;
}

/* A device without f64 has to say so, and leave nothing. */
static void test_f64(void **state)
{
    const struct form form = {CLACT_F64, true, "--piece-bytes=64", DICT(">f8", "False", "(24,)")};
    clact_device_info info = default_device();
    (void)state;
    if (info.has_f64) {
        check_form(&form);
        return;
    }
    write_npy("x.npy", 1, DICT("<f8", "False", "(1,)"), "\0\0\0\0\0\0\0", 8);
    EXPECT_FAILURE(1, "f64", "forward", "sigmoid", "x.npy", "-o", "y.npy");
    EXPECT_FILES("x.npy");
}

struct layout {
    const char *dict;
    size_t count;
};

static void test_shapes(void **state)
{
    static const struct layout layouts[] = {
        {DICT("<f4", "False", "()"), 1},
        {DICT("<f4", "False", "(1,)"), 1},
        {DICT("<f4", "False", "(0,)"), 0},
        {DICT("<f4", "True", "(3, 0, 9223372036854775)"), 0},
        {DICT("<f4", "False",
              "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
              "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
              "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3)"),
         3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        size_t count = layouts[i].count;
        float *x = make_operands(CLACT_F32, count);
        write_npy("x.npy", 1, layouts[i].dict, x, count * sizeof *x);
        EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "--output", "y.npy");
        void *y = read_npy("y.npy", layouts[i].dict, count * sizeof *x);
        expect_sigmoid(CLACT_F32, x, y, count);
        free(x);
        free(y);
    }
}

/* Spellings of a header that NumPy reads. */
static void test_header_spellings(void **state)
{
    static const struct {
        int version;
        const char *dict;
        const char *written;
    } spellings[] = {
        {1, "{'descr':'<f4','fortran_order':False,'shape':(3,)}", DICT("<f4", "False", "(3,)")},
        {2, DICT("<f4", "False", "(3,)"), DICT("<f4", "False", "(3,)")},
        {3, DICT("<f4", "False", "(3,)"), DICT("<f4", "False", "(3,)")},
        {1, " { \"shape\" : ( 3 , 1 , ) ,\n 'fortran_order'\t: True , 'descr': \"<f4\" } \t\r\n",
         DICT("<f4", "True", "(3, 1)")},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 1L), }",
         DICT("<f4", "False", "(3, 1)")},
    };
    (void)state;
    float *x = make_operands(CLACT_F32, 3);
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        write_npy("x.npy", spellings[i].version, spellings[i].dict, x, 3 * sizeof *x);
        EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "y.npy");
        void *y = read_npy("y.npy", spellings[i].written, 3 * sizeof *x);
        expect_sigmoid(CLACT_F32, x, y, 3);
        free(y);
    }
    free(x);
}

/* '=' and '|' stand for the byte order of the machine. */
static void test_native_byte_order(void **state)
{
    static const char *const types[] = {"=f4", "|f4", "f4"};
    const uint16_t one = 1;
    bool little = *(const unsigned char *)&one == 1;
    const char *written = little ? DICT("<f4", "False", "(5,)") : DICT(">f4", "False", "(5,)");
    float *x = make_operands(CLACT_F32, 5);
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char dict[128];
        snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (5,), }",
                 types[i]);
        write_npy("x.npy", 1, dict, x, 5 * sizeof *x);
        EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "y.npy");
        void *y = read_npy("y.npy", written, 5 * sizeof *x);
        expect_sigmoid(CLACT_F32, x, y, 5);
        free(y);
    }
    free(x);
}

static void check_backward(clact_saved kind, const char *saved_word)
{
    const struct reference *reference = reference_of(CLACT_SIGMOID);
    const clact_params none = {0, 0, 0};
    /* The second file may be in the other byte order. */
    const char *grad_dict = DICT("<f4", "True", "(4, 6)");
    const char *saved_dict = DICT(">f4", "True", "(4, 6)");
    float grad[COUNT], saved[COUNT], stored[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        grad[i] = (float)i - 7.5f;
        saved[i] = kind == CLACT_SAVED_INPUT ? (float)operand(i) : (float)i / (float)(COUNT - 1);
    }
    memcpy(stored, saved, sizeof stored);
    reverse_bytes(stored, COUNT, sizeof stored[0]);
    write_npy("grad.npy", 1, grad_dict, grad, sizeof grad);
    write_npy("saved.npy", 2, saved_dict, stored, sizeof stored);
    EXPECT_SUCCESS("backward", "sigmoid", "grad.npy", "saved.npy", "--saved", saved_word, "-o",
                   "dx.npy", "--piece-bytes", "40");
    void *dx = read_npy("dx.npy", grad_dict, sizeof grad);
    for (size_t i = 0; i < COUNT; i++) {
        double exact = kind == CLACT_SAVED_INPUT ? reference->from_input(grad[i], saved[i], &none)
                                                 : reference->from_output(grad[i], saved[i], &none);
        assert_true(ulp_error(CLACT_F32, dtype_load(CLACT_F32, dx, i), exact) <= allowed_ulp);
    }
    free(dx);
}

static void test_backward(void **state)
{
    (void)state;
    check_backward(CLACT_SAVED_OUTPUT, "output");
    check_backward(CLACT_SAVED_INPUT, "input");
    EXPECT_FILES("grad.npy", "saved.npy", "dx.npy");
}

/* Pieces of any size, the last one shorter or not, give the same file. */
static void test_pieces(void **state)
{
    enum { ELEMENTS = 3001 };
    static const char *const sizes[] = {"8", "13", "4000", "6002", "12004", "67108864"};
    const char *dict = DICT("<f4", "False", "(3001,)");
    float *x = make_operands(CLACT_F32, ELEMENTS);
    (void)state;
    write_npy("x.npy", 1, dict, x, ELEMENTS * sizeof *x);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "y.npy", "--piece-bytes", sizes[i]);
        void *y = read_npy("y.npy", dict, ELEMENTS * sizeof *x);
        expect_sigmoid(CLACT_F32, x, y, ELEMENTS);
        free(y);
    }
    free(x);
}

static void test_output_replaces_an_input(void **state)
{
    const char *dict = DICT("<f4", "False", "(24,)");
    float *x = make_operands(CLACT_F32, COUNT);
    (void)state;
    write_npy("x.npy", 1, dict, x, COUNT * sizeof *x);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "x.npy", "--piece-bytes", "16");
    void *y = read_npy("x.npy", dict, COUNT * sizeof *x);
    expect_sigmoid(CLACT_F32, x, y, COUNT);
    EXPECT_FILES("x.npy");
    free(x);
    free(y);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void test_permissions(void **state)
{
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "()"), "\0\0\0", 4);
    mode_t before = umask(027);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "new.npy");
    umask(before);
    assert_int_equal(mode_of("new.npy"), 0640);
    assert_int_equal(chmod("new.npy", 0604), 0);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "new.npy");
    assert_int_equal(mode_of("new.npy"), 0604);
}

static void test_output_behind_a_link(void **state)
{
    struct stat status;
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "()"), "\0\0\0", 4);
    write_whole("y.npy", "old", 3);
    assert_int_equal(symlink("y.npy", "link.npy"), 0);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", "link.npy");
    assert_int_equal(lstat("link.npy", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    float *y = read_npy("y.npy", DICT("<f4", "False", "()"), sizeof *y);
    assert_true(*y == 0.5f);
    free(y);
    EXPECT_FILES("x.npy", "y.npy", "link.npy");
}

static void test_help_and_version(void **state)
{
    char version[64];
    (void)state;
    snprintf(version, sizeof version, "clact %s\n", clact_version_string());
    struct result result = RUN_CLACT("--version");
    assert_int_equal(result.status, 0);
    assert_string_equal((char *)result.out.data, version);
    free_result(&result);
    static const char *const commands[] = {"forward", "backward"};
    for (size_t i = 0; i < 2; i++) {
        result = RUN_CLACT(commands[i], "--help");
        assert_int_equal(result.status, 0);
        assert_non_null(strstr((char *)result.out.data, commands[i]));
#define CLACT_OPERATOR(value, NAME, name, ...)                                                     \
    assert_non_null(strstr((char *)result.out.data, "\n  " #name " "));
#include <clact/ops.def>
#undef CLACT_OPERATOR
        free_result(&result);
    }
    result = RUN_CLACT("-h");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr((char *)result.out.data, "devices"));
    free_result(&result);
}

/* The table marks the device that a program would get, and no other. */
static void test_devices(void **state)
{
    clact_device_info info = default_device();
    (void)state;
    struct result result = RUN_CLACT("devices");
    assert_int_equal(result.status, 0);
    assert_string_equal((char *)result.err.data, "");
    char *mark = strstr((char *)result.out.data, "\n* ");
    assert_non_null(mark);
    char *name = strstr(mark, info.name);
    assert_non_null(name);
    assert_null(memchr(mark + 1, '\n', (size_t)(name - mark - 1)));
    free_result(&result);
    struct result other = RUN_CLACT("devices", "--device", "no such device");
    assert_int_equal(other.status, 1);
    assert_null(strstr((char *)other.out.data, "\n* "));
    assert_non_null(strstr((char *)other.out.data, info.name));
    free_result(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_types_and_orders),
        TEST(test_f64),
        TEST(test_shapes),
        TEST(test_header_spellings),
        TEST(test_native_byte_order),
        TEST(test_backward),
        TEST(test_pieces),
        TEST(test_output_replaces_an_input),
        TEST(test_permissions),
        TEST(test_output_behind_a_link),
        TEST(test_help_and_version),
        TEST(test_devices),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
