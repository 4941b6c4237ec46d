/* SPDX-License-Identifier: MIT */
/*
 * Losses: binary cross-entropy with logits, its gradient, and reductions.
 */
