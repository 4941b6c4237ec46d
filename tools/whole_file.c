/* SPDX-License-Identifier: MIT */
#include "whole_file.h"

#include <stdint.h>
#include <stdlib.h>

bool inputs_open(struct input *inputs, const char *const *paths, size_t count, struct failure *why)
{
    size_t standard = 0;
    for (size_t i = 0; i < count; i++)
        standard += paths[i] != NULL && input_is_standard(paths[i]);
    if (standard > 1)
        return fail_usage(why, "only one file can be standard input");
    for (size_t i = 0; i < count; i++)
        if (paths[i] != NULL && !input_open(&inputs[i], paths[i], why)) {
            inputs_close(inputs, paths, i);
            return false;
        }
    return true;
}

void inputs_close(struct input *inputs, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i] != NULL)
            input_close(&inputs[i]);
}

void *whole_allocate(const char *path, size_t bytes, struct failure *why)
{
    void *elements = malloc(bytes ? bytes : 1);
    if (!elements)
        fail(why, "%s: there is no memory for %zu bytes", path, bytes);
    return elements;
}

void *whole_read(struct input *input, struct failure *why)
{
    const struct npy_header *header = &input->header;
    if (header->count > SIZE_MAX / header->item_size) {
        fail(why, "%s: larger than memory", input->path);
        return NULL;
    }
    const size_t bytes = (size_t)header->count * header->item_size;
    void *elements = whole_allocate(input->path, bytes, why);
    if (elements && input_read(input, elements, bytes, why) && input_finish(input, why))
        return elements;
    free(elements);
    return NULL;
}

bool whole_open(struct whole_output *files, size_t count, struct failure *why)
{
    size_t opened = 0;
    while (opened < count && output_open(&files[opened].output, files[opened].path, why))
        opened++;
    return opened == count || whole_close(files, opened, false, why);
}

static bool write_elements(struct whole_output *file, struct failure *why)
{
    unsigned char text[NPY_MAX_FORMATTED];
    const size_t bytes = (size_t)file->header->count * file->header->item_size;
    swap_if_foreign(file->header, file->elements, bytes);
    return output_write(&file->output, text, npy_format(file->header, text), why) &&
           output_write(&file->output, file->elements, bytes, why);
}

bool whole_close(struct whole_output *files, size_t count, bool good, struct failure *why)
{
    for (size_t i = 0; good && i < count; i++)
        good = write_elements(&files[i], why);
    for (size_t i = 0; i < count; i++) {
        if (good)
            good = output_commit(&files[i].output, why);
        else
            output_abandon(&files[i].output);
    }
    return good;
}
