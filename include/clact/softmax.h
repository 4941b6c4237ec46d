/* SPDX-License-Identifier: MIT */
/* Softmax and log-softmax over rows, and their gradients. Included by clact.h. */
#ifndef CLACT_SOFTMAX_H
#define CLACT_SOFTMAX_H

#endif /* CLACT_SOFTMAX_H */
