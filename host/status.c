/* SPDX-License-Identifier: MIT */
/* Statuses and the record of the last error, one per thread, as errno is: so threads that share a
 * context cannot overwrite each other's. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct {
    clact_error error;
    uintmax_t context; /* the id of the context, 0 for none: its address may be used again */
    char message[4000];
} last;

const char *clact_status_string(clact_status status)
{
    switch (status) {
#define XX(value, name, text)                                                                      \
    case CLACT_##name:                                                                             \
        return text;
        CLACT_STATUS_MAP(XX)
#undef XX
    }
    return "unknown status";
}

clact_status clact__fail_text(const clact_context *ctx, clact_status status, cl_int code,
                              const char *text)
{
    snprintf(last.message, sizeof(last.message), "%s", text);
    last.context = ctx ? ctx->id : 0;
    last.error.status = status;
    last.error.code = code;
    last.error.message = last.message;
    if (ctx && ctx->log)
        ctx->log(ctx->log_user, status, code, text);
    return status;
}

clact_status clact__fail(const clact_context *ctx, clact_status status, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return clact__fail_text(ctx, status, CL_SUCCESS, text);
}

static clact_status status_of(cl_int code)
{
    switch (code) {
    case CL_OUT_OF_HOST_MEMORY:
    case CL_OUT_OF_RESOURCES:
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
        return CLACT_OUT_OF_MEMORY;
    case CL_INVALID_CONTEXT:
        return CLACT_WRONG_CONTEXT;
    case CL_INVALID_COMMAND_QUEUE:
    case CL_INVALID_MEM_OBJECT:
    case CL_INVALID_EVENT:
    case CL_INVALID_EVENT_WAIT_LIST:
    case CL_INVALID_BUILD_OPTIONS:
        return CLACT_INVALID_ARGUMENT;
    case CL_DEVICE_NOT_FOUND:
    case CL_DEVICE_NOT_AVAILABLE:
        return CLACT_NO_DEVICE;
    case CL_BUILD_PROGRAM_FAILURE:
        return CLACT_BUILD_FAILED;
    default:
        return CLACT_OPENCL_ERROR;
    }
}

clact_status clact__fail_cl(const clact_context *ctx, cl_int code, const char *call)
{
    char text[128];
    snprintf(text, sizeof(text), "%s returned %d", call, (int)code);
    return clact__fail_text(ctx, status_of(code), code, text);
}

const clact_error *clact_last_error(const clact_context *ctx)
{
    static const clact_error none = {CLACT_SUCCESS, CL_SUCCESS, ""};
    if (!last.error.message || (ctx && ctx->id != last.context))
        return &none;
    return &last.error;
}
