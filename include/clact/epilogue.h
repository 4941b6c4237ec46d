/* SPDX-License-Identifier: MIT */
/* Fused epilogues: act(x + bias), and gradients that accumulate. Included by clact.h. */
#ifndef CLACT_EPILOGUE_H
#define CLACT_EPILOGUE_H

#endif /* CLACT_EPILOGUE_H */
