/* SPDX-License-Identifier: MIT */
/*
 * Recurrent cells: the pointwise part of LSTM and GRU.
 */
