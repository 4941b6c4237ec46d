/* SPDX-License-Identifier: MIT */
#include "fail_status.h"

bool fail_status(struct failure *why, const clact_context *context, clact_status status)
{
    const clact_error *error = clact_last_error(context);
    if (error->status == status && error->message[0] != '\0')
        return fail(why, "%s", error->message);
    return fail(why, "%s", clact_status_string(status));
}
