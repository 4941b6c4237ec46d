/* SPDX-License-Identifier: MIT */
/* Losses: binary cross-entropy with logits, its gradient, and reductions. Included by clact.h. */
#ifndef CLACT_LOSS_H
#define CLACT_LOSS_H

#endif /* CLACT_LOSS_H */
