/* SPDX-License-Identifier: MIT */
/*
 * Gated linear units: act(a) * b, forward and gradients.
 */
