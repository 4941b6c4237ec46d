/* SPDX-License-Identifier: MIT */
/* A progress bar on stderr, if that is a terminal and once a second has passed. */
#ifndef CLACT_TOOLS_PROGRESS_H
#define CLACT_TOOLS_PROGRESS_H

#include <stdint.h>

/* `total` bytes are to be done. */
void progress_start(uint64_t total);

/* `total` units of any other work are. The bar then says what it is at, where a label was set; the
 * string must stay valid until the next one. */
void progress_start_work(uint64_t total);
void progress_label(const char *label);

void progress_update(uint64_t done);

/* Takes the bar off the screen until the next update. May be called at any time, also from a signal
 * handler. */
void progress_erase(void);

#endif
