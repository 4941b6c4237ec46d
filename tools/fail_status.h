/* SPDX-License-Identifier: MIT */
#ifndef CLACT_TOOLS_FAIL_STATUS_H
#define CLACT_TOOLS_FAIL_STATUS_H

#include "failure.h"

#include <clact/clact.h>

/* What went wrong in a call on `context` (NULL: in making one) that returned `status`, as the
 * library tells it. Returns false, as fail() does. */
bool fail_status(struct failure *why, const clact_context *context, clact_status status);

#endif
