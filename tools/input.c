/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool input_is_standard(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
}

/* Reads until `bytes` are there or the file ends; *got says how many came. */
static bool read_fully(const struct input *input, void *data, size_t bytes, size_t *got,
                       struct failure *why)
{
    *got = 0;
    while (*got < bytes) {
        ssize_t count = read(input->descriptor, (unsigned char *)data + *got, bytes - *got);
        if (count == 0)
            return true;
        if (count > 0)
            *got += (size_t)count;
        else if (errno != EINTR)
            return fail_errno(why, input->path);
    }
    return true;
}

static bool read_header_bytes(const struct input *input, void *data, size_t bytes,
                              struct failure *why)
{
    size_t got;
    if (!read_fully(input, data, bytes, &got, why))
        return false;
    return got == bytes || fail(why, "%s: the file ends within its header", input->path);
}

static bool read_header(struct input *input, struct failure *why)
{
    unsigned char prefix[NPY_VERSION_BYTES + NPY_MAX_LENGTH_BYTES];
    char text[NPY_MAX_TEXT];
    size_t got, length_bytes, text_bytes;
    if (!read_fully(input, prefix, NPY_VERSION_BYTES, &got, why))
        return false;
    if (got < NPY_VERSION_BYTES)
        return fail(why, "%s: not a .npy file", input->path);
    if (!npy_parse_version(prefix, &length_bytes, why))
        return fail_in(why, input->path);
    if (!read_header_bytes(input, prefix + NPY_VERSION_BYTES, length_bytes, why))
        return false;
    if (!npy_parse_length(prefix + NPY_VERSION_BYTES, length_bytes, &text_bytes, why))
        return fail_in(why, input->path);
    if (!read_header_bytes(input, text, text_bytes, why))
        return false;
    return npy_parse_text(text, text_bytes, &input->header, why) || fail_in(why, input->path);
}

static bool fail_short(const struct input *input, struct failure *why)
{
    return fail(why, "%s: cut short: the header promises %" PRIu64 " elements of %zu bytes",
                input->path, input->header.count, input->header.item_size);
}

static bool fail_long(const struct input *input, struct failure *why)
{
    return fail(why, "%s: there is more after the %" PRIu64 " elements that the header promises",
                input->path, input->header.count);
}

/* Better to know before an hour's work than after it; pipes cannot be asked. */
static bool check_length(const struct input *input, struct failure *why)
{
    struct stat status;
    if (fstat(input->descriptor, &status) != 0)
        return fail_errno(why, input->path);
    if (!S_ISREG(status.st_mode))
        return true;
    off_t position = lseek(input->descriptor, 0, SEEK_CUR);
    if (position < 0)
        return fail_errno(why, input->path);
    uint64_t promised = input->header.count * input->header.item_size;
    uint64_t there = status.st_size > position ? (uint64_t)(status.st_size - position) : 0;
    if (there < promised)
        return fail_short(input, why);
    if (there > promised)
        return fail_long(input, why);
    return true;
}

bool input_open(struct input *input, const char *path, struct failure *why)
{
    input->path = path;
    input->descriptor = input_is_standard(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                                : open(path, O_RDONLY | O_CLOEXEC);
    if (input->descriptor < 0)
        return fail_errno(why, path);
    if (read_header(input, why) && check_length(input, why))
        return true;
    input_close(input);
    return false;
}

bool input_read(struct input *input, void *elements, size_t bytes, struct failure *why)
{
    size_t got;
    if (!read_fully(input, elements, bytes, &got, why))
        return false;
    if (got < bytes)
        return fail_short(input, why);
    swap_if_foreign(&input->header, elements, bytes);
    return true;
}

bool input_finish(struct input *input, struct failure *why)
{
    unsigned char extra;
    size_t got;
    if (!read_fully(input, &extra, 1, &got, why))
        return false;
    return got == 0 || fail_long(input, why);
}

void input_close(struct input *input)
{
    /* Nothing was written, so there is nothing that a failing close could lose. */
    (void)close(input->descriptor);
    input->descriptor = -1;
}

void swap_if_foreign(const struct npy_header *header, void *elements, size_t bytes)
{
    if (header->big_endian == npy_host_is_big_endian())
        return;
    unsigned char *item = elements;
    unsigned char *end = item + bytes;
    for (; item < end; item += header->item_size) {
        for (size_t i = 0; i < header->item_size / 2; i++) {
            unsigned char byte = item[i];
            item[i] = item[header->item_size - 1 - i];
            item[header->item_size - 1 - i] = byte;
        }
    }
}
