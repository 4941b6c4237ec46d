/* SPDX-License-Identifier: MIT */
/* The other end of the pipe of peer.h, for peers that are C libraries. */
#ifndef CLACT_BENCH_PEER_WORKER_H
#define CLACT_BENCH_PEER_WORKER_H

#include <stddef.h>

/* What is asked for, in the names and numbers of the request. Each array holds `slices` times n
 * elements: the inputs, and then the output. */
struct worker_job {
    char op[64], direction[64], dtype[64];
    size_t n, slices, inputs, size; /* bytes of an element */
    double alpha, beta, gamma;
    unsigned char *arrays[3];
};

/* What a library does. */
struct worker_library {
    const char *version; /* its name too */
    /* Makes ready for the job, whose arrays are not there yet; NULL if the library does not have it,
     * else how it is called. */
    const char *(*enter)(const struct worker_job *job);
    /* Computes on a slice and has the results when it returns; 0 on success. */
    int (*run)(const struct worker_job *job, size_t slice);
    void (*leave)(void); /* gives back what enter has made */
};

/* Answers requests until there are no more; returns the exit status. */
int worker_serve(const struct worker_library *library);

/* The start of a slice of one of the arrays. */
void *worker_slice(const struct worker_job *job, unsigned array, size_t slice);

#endif
