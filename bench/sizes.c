/* SPDX-License-Identifier: MIT */
#include "sizes.h"

#include "samples.h"

#include <stdlib.h>

int sizes_parse(struct sizes *sizes, const char *list)
{
    enum { MOST_BITS = 40 }; /* so that no number of bytes overflows */
    sizes->count = 0;
    for (const char *at = list;; at++) {
        char *end = NULL;
        if (*at < '0' || *at > '9' || sizes->count == MOST_SIZES)
            return 0;
        const unsigned long long number = strtoull(at, &end, 10);
        const unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
        if (number == 0 || number > 1ull << (MOST_BITS - shift) ||
            (number << shift) % SAMPLES_UNIT != 0)
            return 0;
        sizes->n[sizes->count++] = (size_t)number << shift;
        at = end + (shift != 0);
        if (*at != ',')
            return *at == '\0';
    }
}
