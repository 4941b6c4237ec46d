// SPDX-License-Identifier: MIT
// The header as a C++ program uses it: it compiles, and its functions link by their C names.
#include <clact/clact.h>

#include <cstdio>
#include <cstring>

int main()
{
    clact_options options = {};
    options.device = "no device has this name";
    clact_context *ctx = nullptr;
    const clact_status status = clact_context_create(&options, &ctx);
    const clact_view view = clact_view_1d(nullptr, CLACT_F32, 0, 0);
    clact_context_destroy(ctx);
    const bool right = status == CLACT_NO_DEVICE && ctx == nullptr && view.rows == 1 &&
                       std::strcmp(clact_dtype_name(CLACT_BF16), "bf16") == 0;
    if (!right)
        std::fprintf(stderr, "the library answers a C++ program wrongly: %s\n",
                     clact_last_error(nullptr)->message);
    return right ? 0 : 1;
}
