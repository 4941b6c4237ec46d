/* SPDX-License-Identifier: MIT */
/* The reader of ONNX tensors, on files made here byte by byte. */
#include "onnx_tensor.h"

#include "dtype.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* dims 2 and 3 as two fields, f32, named "x", six elements as raw_data: 1, -2, 0.5, 0, -0, inf. */
#define GOOD                                                                                       \
    "\x08\x02\x08\x03\x10\x01\x42\x01x\x4a\x18"                                                    \
    "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f"                                             \
    "\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x80\x7f"

/* A copy of exactly that size, so that an address sanitizer sees a read past its end. */
static const char *parse(const char *text, size_t size, struct onnx_tensor *tensor)
{
    char *bytes = malloc(size + (size == 0));
    assert_non_null(bytes);
    memcpy(bytes, text, size);
    const char *wrong = onnx_tensor_parse(bytes, size, tensor);
    free(bytes);
    return wrong;
}

#define PARSE(text, tensor) parse(text, sizeof(text) - 1, tensor)

static void assert_elements(const char *wrong, struct onnx_tensor *tensor, clact_dtype dtype,
                            size_t count, const double *expected)
{
    if (wrong != NULL)
        fail_msg("refused: %s", wrong);
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(dtype_load_bits(dtype, tensor->data, i),
                         dtype_to_bits(dtype, expected[i]));
    onnx_tensor_free(tensor);
    assert_null(tensor->data);
}

static void raw_elements_are_read(void **state)
{
    (void)state;
    static const double expected[] = {1, -2, 0.5, 0, -0.0, INFINITY};
    struct onnx_tensor tensor;
    assert_elements(PARSE(GOOD, &tensor), &tensor, CLACT_F32, 6, expected);
}

static void every_dtype_and_place_of_elements_is_read(void **state)
{
    (void)state;
    static const double expected[] = {1, -2};
    struct onnx_tensor tensor;
    assert_elements(PARSE("\x0a\x02\x01\x02\x10\x01\x22\x08\0\0\x80\x3f\0\0\0\xc0", &tensor),
                    &tensor, CLACT_F32, 2, expected);
    assert_elements(PARSE("\x08\x02\x10\x0a\x4a\x04\0\x3c\0\xc0", &tensor), &tensor, CLACT_F16, 2,
                    expected);
    assert_elements(PARSE("\x08\x02\x10\x0a\x2a\x05\x80\x78\x80\x80\x03", &tensor), &tensor,
                    CLACT_F16, 2, expected);
    assert_elements(PARSE("\x08\x02\x10\x10\x4a\x04\x80\x3f\0\xc0", &tensor), &tensor, CLACT_BF16,
                    2, expected);
    assert_elements(PARSE("\x08\x02\x10\x10\x2a\x05\x80\x7f\x80\x80\x03", &tensor), &tensor,
                    CLACT_BF16, 2, expected);
    assert_elements(
        PARSE("\x08\x02\x10\x0b\x4a\x10\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0", &tensor), &tensor,
        CLACT_F64, 2, expected);
    assert_elements(
        PARSE("\x08\x02\x10\x0b\x52\x10\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0", &tensor), &tensor,
        CLACT_F64, 2, expected);
}

static void a_scalar_has_one_element_and_an_empty_tensor_none(void **state)
{
    (void)state;
    static const double expected[] = {1};
    struct onnx_tensor tensor;
    assert_elements(PARSE("\x10\x01\x4a\x04\0\0\x80\x3f", &tensor), &tensor, CLACT_F32, 1,
                    expected);
    assert_elements(PARSE("\x08\x00\x08\x03\x10\x01", &tensor), &tensor, CLACT_F32, 0, expected);
    assert_elements(PARSE("\x08\x00\x10\x01\x4a\x00", &tensor), &tensor, CLACT_F32, 0, expected);
}

struct malformed {
    const char *why;
    const char *bytes;
    size_t size;
};

#define MALFORMED(why, text)                                                                       \
    {                                                                                              \
        why, text, sizeof(text) - 1                                                                \
    }

static const struct malformed malformed[] = {
    MALFORMED("the data type is none of f32, f16, bf16 and f64", ""),
    MALFORMED("the data type is none of f32, f16, bf16 and f64", "\x08\x01\x10\x07\x4a\x01\0"),
    MALFORMED("the data type is no integer", "\x12\x01\x01"),
    MALFORMED("a number is cut off", "\x08"),
    MALFORMED("a number is cut off", "\x08\x80"),
    MALFORMED("a number has more than 64 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
    MALFORMED("a number has more than 64 bits", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00"),
    MALFORMED("a field has the number 0", "\x00\x01"),
    MALFORMED("a field has an unknown wire type", "\x0b\x01"),
    MALFORMED("a field has an unknown wire type", "\x0f\x01"),
    MALFORMED("a field reaches past the end", "\x10\x01\x4a\x05\0\0\0\0"),
    MALFORMED("a field reaches past the end",
              "\x10\x01\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0\0"),
    MALFORMED("a field reaches past the end", "\x0d\0\0\0"),
    MALFORMED("a field reaches past the end", "\x09\0\0\0\0\0\0\0"),
    MALFORMED("a dimension is negative",
              "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x01\x4a\x04\0\0\0\0"),
    MALFORMED("a dimension is no integer", "\x0d\0\0\0\0"),
    /* 2^62 times 4 would be 0 in 64 bits. */
    MALFORMED("the dimensions are too large",
              "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40\x08\x04\x10\x01\x4a\x00"),
    /* 2^62 elements of 4 bytes would be 0 bytes in 64 bits. */
    MALFORMED("the number of elements is not that of the dimensions",
              "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40\x10\x01\x4a\x00"),
    MALFORMED("the number of elements is not that of the dimensions", "\x10\x01"),
    MALFORMED("the number of elements is not that of the dimensions",
              "\x08\x02\x10\x01\x4a\x04\0\0\0\0"),
    MALFORMED("the number of elements is not that of the dimensions",
              "\x08\x01\x10\x01\x4a\x08\0\0\0\0\0\0\0\0"),
    MALFORMED("the number of elements is not that of the dimensions",
              "\x08\x01\x10\x01\x4a\x05\0\0\0\0\0"),
    MALFORMED("the number of elements is not that of the dimensions",
              "\x08\x01\x10\x0a\x2a\x02\x01\x02"),
    MALFORMED("a number is cut off", "\x08\x02\x10\x0a\x2a\x02\x01\x80"),
    MALFORMED("an element has more than 16 bits", "\x08\x01\x10\x0a\x2a\x03\x80\x80\x04"),
    MALFORMED("the elements are there twice", "\x10\x01\x4a\x04\0\0\0\0\x22\x04\0\0\0\0"),
    MALFORMED("the elements are not packed", "\x10\x01\x25\0\0\0\0"),
    MALFORMED("the elements are in the field of another type", "\x10\x01\x52\x08\0\0\0\0\0\0\0\0"),
    /* data_location = EXTERNAL: the elements would be in another file. */
    MALFORMED("a field is none of a plain floating point tensor", "\x10\x01\x70\x01"),
};

static void malformed_files_are_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct onnx_tensor tensor;
        const char *wrong = parse(malformed[i].bytes, malformed[i].size, &tensor);
        if (wrong == NULL)
            fail_msg("row %zu was accepted: %s", i, malformed[i].why);
        if (strcmp(wrong, malformed[i].why) != 0)
            fail_msg("row %zu: \"%s\" and not \"%s\"", i, wrong, malformed[i].why);
        assert_null(tensor.data);
    }
}

static void a_file_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(GOOD) - 1; size++) {
        struct onnx_tensor tensor;
        if (parse(GOOD, size, &tensor) == NULL)
            fail_msg("the first %zu bytes were accepted", size);
    }
}

/* Mostly for the sanitizers: whatever a byte is changed to, nothing outside the file is read. */
static void a_changed_byte_gives_no_elements_from_elsewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD) - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[] = GOOD;
            struct onnx_tensor tensor;
            text[i] = (char)byte;
            if (parse(text, sizeof text - 1, &tensor) == NULL)
                assert_true(tensor.count * dtype_format(tensor.dtype)->size <= sizeof text - 1);
            onnx_tensor_free(&tensor);
        }
    }
}

static void a_file_is_read_from_its_path(void **state)
{
    (void)state;
    /* More than the reader takes at once. */
    enum { COUNT = 5000, HEADER = 9 };
    static const char header[] = "\x08\x88\x27\x10\x01\x4a\xa0\x9c\x01";
    static const float element = 0.25F;
    char path[] = "/tmp/clact-onnx-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(header, 1, HEADER, file), HEADER);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(fwrite(&element, sizeof element, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    struct onnx_tensor tensor;
    const char *wrong = onnx_tensor_read(path, &tensor);
    assert_int_equal(unlink(path), 0);
    if (wrong != NULL)
        fail_msg("refused: %s", wrong);
    assert_int_equal(tensor.count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(dtype_load(CLACT_F32, tensor.data, i) == 0.25);
    onnx_tensor_free(&tensor);
    assert_string_equal(onnx_tensor_read(path, &tensor), "the file cannot be opened");
    assert_string_equal(onnx_tensor_read("/", &tensor), "the file cannot be read");
    assert_null(tensor.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_elements_are_read),
        cmocka_unit_test(every_dtype_and_place_of_elements_is_read),
        cmocka_unit_test(a_scalar_has_one_element_and_an_empty_tensor_none),
        cmocka_unit_test(malformed_files_are_refused_with_the_reason),
        cmocka_unit_test(a_file_that_is_cut_off_is_refused),
        cmocka_unit_test(a_changed_byte_gives_no_elements_from_elsewhere),
        cmocka_unit_test(a_file_is_read_from_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
