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

static bool write_elements(struct output *output, const struct whole_output *file,
                           struct failure *why)
{
    unsigned char text[NPY_MAX_FORMATTED];
    const size_t bytes = (size_t)file->header->count * file->header->item_size;
    swap_if_foreign(file->header, file->elements, bytes);
    return output_write(output, text, npy_format(file->header, text), why) &&
           output_write(output, file->elements, bytes, why);
}

bool whole_write(const struct whole_output *files, size_t count, struct failure *why)
{
    struct output outputs[OUTPUTS];
    size_t opened = 0, done = 0;
    while (opened < count && output_open(&outputs[opened], files[opened].path, why))
        opened++;
    while (opened == count && done < count && write_elements(&outputs[done], &files[done], why))
        done++;
    bool good = done == count;
    for (size_t i = 0; i < opened; i++) {
        if (good)
            good = output_commit(&outputs[i], why);
        else
            output_abandon(&outputs[i]);
    }
    return good;
}
