/* SPDX-License-Identifier: MIT */
/* Recurrent cells: the pointwise part of LSTM and GRU. Included by clact.h. */
#ifndef CLACT_RECURRENT_H
#define CLACT_RECURRENT_H

#endif /* CLACT_RECURRENT_H */
