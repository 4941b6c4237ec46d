/* SPDX-License-Identifier: MIT */
/*
 * Other libraries that clact is compared with. Each runs in a process of its own, which answers the
 * bench over a pipe, on arrays of its own with the field's numbers in them. While another contestant
 * has its turn the process is stopped, so that none of its threads, which may spin for a while after
 * work, takes time from that one. The process times its runs itself: what the pipe costs does not count.
 *
 * Requests are lines, and each is answered by a line:
 *
 *   (at the start)                          peer VERSION          or: none REASON
 *   job OP DIRECTION DTYPE N SLICES ALPHA BETA GAMMA BYTES, and then BYTES bytes: the pattern of
 *   each input, in the host's byte order    yes ALPHA BETA GAMMA WAY, the parameters that it
 *                                           computes with and how it is called     or: no
 *   run SLICE COUNT                         the seconds of each of the runs, on slices in turn
 *   poison SLICE                            done
 *   sample SLICE                            the bits of each sample, in hexadecimal
 *   leave                                   done
 *
 * OP is as in ops.def, DIRECTION forward, from_output or from_input. A peer that is started by the
 * bench ends when its standard input does.
 */
#ifndef CLACT_BENCH_PEER_H
#define CLACT_BENCH_PEER_H

#include "contest.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct peer {
    char name[24];
    char version[128];
    pid_t process;
    FILE *requests;
    FILE *answers;
};

/* Starts `arguments`, a program and its arguments up to NULL. False if it cannot be started or says
 * that it has nothing to offer; the reason is in peer->version then. */
bool peer_start(struct peer *peer, const char *name, char *const *arguments);
void peer_end(struct peer *peer);

/* Makes `contestant` the peer's on the field; false if the peer has no such operator, direction or
 * dtype. */
bool peer_enter(struct peer *peer, const struct field *field, struct contestant *contestant);
void peer_leave(struct peer *peer);

#endif
