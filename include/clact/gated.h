/* SPDX-License-Identifier: MIT */
/* Gated linear units: act(a) * b, forward and gradients. Included by clact.h. */
#ifndef CLACT_GATED_H
#define CLACT_GATED_H

#endif /* CLACT_GATED_H */
