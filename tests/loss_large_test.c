/* SPDX-License-Identifier: MIT */
/* The sum and the mean of the losses of 10^8 logits: half a gigabyte, some seconds. */
#include "host_fixture.h"

#include "ulp.h"

#include <stdlib.h>

enum { COUNT = 100000000 };

/* The loss of a logit above 128 with target 0 is the logit itself in f32, to 2^-150, so that the sum of
 * multiples of 1/64 is known exactly. */
static void test_known_sum(void **state)
{
    (void)state;
    float *x = malloc(COUNT * sizeof(*x)), loss = 0;
    unsigned char *y = calloc(COUNT, 1);
    if (!x || !y) {
        free(x);
        free(y);
        print_message("there is no memory for it\n");
        skip();
    }
    double sum = 0; /* exact: below 2^53 / 64 */
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = 129 + (float)(i * 7919 % 60000) / 64;
        sum += x[i];
    }
    struct fixture f;
    fixture_open(&f, NULL);
    clact_bce_arrays options = {.reduction = CLACT_REDUCTION_SUM, .targets = CLACT_U8};
    assert_ok(clact_bce_with_logits(f.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true((double)loss == (double)(float)sum);
    options.reduction = CLACT_REDUCTION_MEAN;
    assert_ok(clact_bce_with_logits(f.ctx, &options, CLACT_F32, 1, COUNT, x, y, &loss));
    assert_true(ulp_error(CLACT_F32, loss, sum / COUNT) <= 0.51);
    fixture_close(&f);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_sum)};
    return cmocka_run_group_tests_name("loss_large", tests, NULL, NULL);
}
