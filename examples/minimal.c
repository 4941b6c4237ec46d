/* SPDX-License-Identifier: MIT */
#include <clact/clact.h>
#include <stdio.h>

int main(void)
{
    const float x[] = {-2.0F, 0.0F, 2.0F};
    float y[3];
    clact_context *ctx = NULL;
    clact_status status = clact_context_create(NULL, &ctx);
    if (status == CLACT_SUCCESS)
        status = clact_forward(ctx, CLACT_SIGMOID, NULL, CLACT_F32, 3, x, y);
    clact_context_destroy(ctx);
    if (status != CLACT_SUCCESS) {
        fprintf(stderr, "%s\n", clact_status_string(status));
        return 1;
    }
    printf("%.4g %.4g %.4g\n", (double)y[0], (double)y[1], (double)y[2]);
    return 0;
}
