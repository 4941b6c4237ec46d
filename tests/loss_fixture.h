/* SPDX-License-Identifier: MIT */
/* Binary cross-entropy with logits on views of any layout, for tests that compare bits. */
#ifndef CLACT_TESTS_LOSS_FIXTURE_H
#define CLACT_TESTS_LOSS_FIXTURE_H

#include "host_fixture.h"

/* How the operands lie: each at its own offset, the columns of each row followed by a gap. */
struct loss_layout {
    size_t rows, cols;
    size_t offset; /* of the first operand; the others come further in */
    size_t gap;    /* likewise */
};

/* What a call is made with, its arrays without gaps; NULL for what is not there. */
struct loss_data {
    clact_dtype dtype;
    clact_dtype targets_dtype; /* 0: the same */
    clact_reduction reduction;
    size_t rows, cols;
    void *logits, *targets, *weight, *pos_weight, *grad, *loss, *dx;
};

/* Allocates all of them but targets_dtype's kind, and fills the inputs; `seed` gives others. */
void loss_data_make(struct loss_data *d, unsigned seed);
void loss_data_free(struct loss_data *d);

/* Elements of the loss and of grad. */
size_t loss_data_losses(const struct loss_data *d);

enum loss_pass { LOSS_FORWARD, LOSS_BACKWARD, LOSS_BOTH };

/* The host-array call on the data; weights only where `weights`. */
clact_status loss_call(clact_context *ctx, const struct loss_data *d, enum loss_pass pass,
                       bool weights);

/* The call on views with this layout, from and to the data's arrays; asserts that no other element
 * of the outputs' buffers has changed. */
void loss_call_views(clact_context *ctx, const struct loss_data *d, enum loss_pass pass,
                     bool weights, const struct loss_layout *layout);

#endif
