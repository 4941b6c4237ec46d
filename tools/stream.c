/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include "fail_status.h"
#include "progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The elements of one piece. The result goes to data[0] too, but labels to LABELS, as they may not
 * overlap their logits. */
enum { LABELS = STREAM_MAX_INPUTS, ARRAYS };

struct slot {
    unsigned char *data[ARRAYS];
    size_t bytes; /* of each operand; 0: nothing in it */
};

/*
 * Two slots take turns: while the device computes on one, the other's result is written and its
 * next piece read.
 */
struct pipeline {
    const struct stream *stream;
    struct slot slots[2];
    struct slot *spare; /* what read_and_write works on */
    size_t piece_bytes;
    uint64_t to_read;
    uint64_t written;
    bool good;
    struct failure why; /* if not good */
};

static bool write_slot(struct pipeline *pipeline, struct slot *slot)
{
    const struct stream *stream = pipeline->stream;
    size_t bytes = slot->bytes;
    bool good;
    if (stream->predicts) {
        size_t labels = bytes / clact_dtype_size(stream->dtype);
        good = output_write(stream->output, slot->data[LABELS], labels, &pipeline->why);
    } else {
        swap_if_foreign(&stream->inputs[0]->header, slot->data[0], bytes);
        good = output_write(stream->output, slot->data[0], bytes, &pipeline->why);
    }
    if (!good)
        return false;
    slot->bytes = 0;
    pipeline->written += bytes;
    return true;
}

static bool read_slot(struct pipeline *pipeline, struct slot *slot)
{
    const struct stream *stream = pipeline->stream;
    size_t bytes = pipeline->to_read < pipeline->piece_bytes ? (size_t)pipeline->to_read
                                                             : pipeline->piece_bytes;
    for (size_t i = 0; i < stream->input_count; i++) {
        if (!input_read(stream->inputs[i], slot->data[i], bytes, &pipeline->why))
            return false;
    }
    slot->bytes = bytes;
    pipeline->to_read -= bytes;
    return true;
}

/* A thread's body. */
static void *read_and_write(void *argument)
{
    struct pipeline *pipeline = argument;
    struct slot *slot = pipeline->spare;
    pipeline->good = (slot->bytes == 0 || write_slot(pipeline, slot)) &&
                     (pipeline->to_read == 0 || read_slot(pipeline, slot));
    return NULL;
}

static clact_status compute_rows(const struct stream *stream, const struct slot *slot, size_t count)
{
    size_t rows = stream->cols > 0 ? count / stream->cols : 0;
    return stream->input_count == 1
               ? stream->rows->forward(stream->context, stream->dtype, rows, stream->cols,
                                       slot->data[0], slot->data[0])
               : stream->rows->backward(stream->context, stream->dtype, rows, stream->cols,
                                        slot->data[0], slot->data[1], slot->data[0]);
}

static bool compute(const struct stream *stream, const struct slot *slot, struct failure *why)
{
    size_t count = slot->bytes / clact_dtype_size(stream->dtype);
    clact_status status =
        stream->rows != NULL ? compute_rows(stream, slot, count)
        : stream->predicts ? clact_predict(stream->context, stream->dtype, stream->threshold, count,
                                           slot->data[0], slot->data[LABELS])
        : stream->input_count == 1
            ? clact_forward(stream->context, stream->operation, &stream->params, stream->dtype,
                            count, slot->data[0], slot->data[0])
            : clact_backward(stream->context, stream->operation, &stream->params, stream->dtype,
                             stream->saved, count, slot->data[0], slot->data[1], slot->data[0]);
    return status == CLACT_SUCCESS || fail_status(why, stream->context, status);
}

bool stream_check(const struct stream *stream, struct failure *why)
{
    const struct slot empty = {.bytes = 0};
    return compute(stream, &empty, why);
}

static bool compute_beside_io(struct pipeline *pipeline, struct slot *slot, struct failure *why)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, read_and_write, pipeline);
    if (error != 0)
        return fail(why, "cannot start a thread: %s", strerror(error));
    bool computed = compute(pipeline->stream, slot, why);
    pthread_join(thread, NULL);
    if (computed && !pipeline->good)
        *why = pipeline->why;
    return computed && pipeline->good;
}

static bool run_pipeline(struct pipeline *pipeline, struct failure *why)
{
    struct slot *current = &pipeline->slots[0];
    pipeline->spare = current;
    read_and_write(pipeline);
    while (pipeline->good && current->bytes > 0) {
        struct slot *spare =
            current == &pipeline->slots[0] ? &pipeline->slots[1] : &pipeline->slots[0];
        pipeline->spare = spare;
        if (!compute_beside_io(pipeline, current, why))
            return false;
        progress_update(pipeline->written);
        pipeline->spare = current;
        current = spare;
    }
    /* The last result is still there. */
    if (pipeline->good)
        read_and_write(pipeline);
    if (!pipeline->good)
        *why = pipeline->why;
    return pipeline->good;
}

/* Pages, so that a device that shares memory with the host can work on the arrays as they are. */
static bool allocate_slots(struct pipeline *pipeline, size_t slot_count, struct failure *why)
{
    enum { PAGE = 4096 };
    for (size_t s = 0; s < slot_count; s++) {
        for (size_t i = 0; i < ARRAYS; i++) {
            void *data = NULL;
            if (i < LABELS ? i >= pipeline->stream->input_count : !pipeline->stream->predicts)
                continue;
            if (posix_memalign(&data, PAGE, pipeline->piece_bytes) != 0)
                return fail(why, "out of memory for pieces of %zu bytes", pipeline->piece_bytes);
            pipeline->slots[s].data[i] = data;
        }
    }
    return true;
}

static void free_slots(struct pipeline *pipeline)
{
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < ARRAYS; i++)
            free(pipeline->slots[s].data[i]);
    }
}

bool stream_run(const struct stream *stream, struct failure *why)
{
    const struct npy_header *header = &stream->inputs[0]->header;
    uint64_t total = header->count * header->item_size;
    struct pipeline pipeline = {.stream = stream, .to_read = total, .good = true};
    size_t unit = header->item_size * (stream->rows != NULL && total > 0 ? stream->cols : 1);
    pipeline.piece_bytes =
        stream->piece_bytes < unit ? unit : stream->piece_bytes - stream->piece_bytes % unit;
    if (total < pipeline.piece_bytes)
        pipeline.piece_bytes = (size_t)total;
    progress_start(total);
    bool good =
        total == 0 || (allocate_slots(&pipeline, total > pipeline.piece_bytes ? 2 : 1, why) &&
                       run_pipeline(&pipeline, why));
    progress_erase();
    free_slots(&pipeline);
    return good;
}
