/* SPDX-License-Identifier: MIT */
/* Which peers there are on this machine. */
#ifndef CLACT_BENCH_PEERS_H
#define CLACT_BENCH_PEERS_H

#include "peer.h"

#include <stddef.h>

/* Starts those that `wanted` names, separated by commas, and says on stdout which were not found;
 * NULL stands for all that are found, "none" for none. One that is named must be there. python is
 * the interpreter for PyTorch and ONNX Runtime; if it is NULL, CLACT_BENCH_PYTHON or python3. Each
 * uses that many threads. Returns how many have started. */
size_t peers_start(struct peer peers[MOST_PEERS], const char *wanted, const char *python,
                   unsigned threads);
void peers_end(struct peer *peers, size_t count);

#endif
