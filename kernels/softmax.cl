/* SPDX-License-Identifier: MIT */
/*
 * Softmax and log-softmax over rows, and their gradients.
 */
