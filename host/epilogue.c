/* SPDX-License-Identifier: MIT */
/* Fused epilogues: act(x + bias), and gradients that accumulate. */
#include "internal.h"
