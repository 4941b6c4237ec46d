/* SPDX-License-Identifier: MIT */
/* Numbers of elements as the command line says them. */
#ifndef CLACT_BENCH_SIZES_H
#define CLACT_BENCH_SIZES_H

#include <stddef.h>

enum { MOST_SIZES = 32 };

struct sizes {
    size_t n[MOST_SIZES];
    size_t count;
};

/* What is wrong with a list that sizes_parse does not take; its argument is the list. */
#define SIZES_WRONG "--sizes must be up to 32 multiples of 1024, such as 4K,1M, not '%s'"

/* The sizes of a list such as "4K,1M", K and M being 2^10 and 2^20. 0 if it is not one, else 1. */
int sizes_parse(struct sizes *sizes, const char *list);

#endif
