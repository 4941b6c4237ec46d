/* SPDX-License-Identifier: MIT */
/* The references in double and long double against those in quad, with operands and parameters of all
 * sizes: what overflows or underflows in them must not be what results are judged by. */
#include "extremes.h"
#include "reference.h"
#include "reference_error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct row {
    clact_operator op;
    const char *name;
} rows[] = {
#define CLACT_OPERATOR(value, NAME, name, ...) {CLACT_##NAME, #name},
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

enum { ROWS = sizeof rows / sizeof rows[0], TYPES = 2 };

/* An operator, and the dtype whose results are judged by the type that is tested. */
struct subject {
    const struct row *row;
    clact_dtype dtype;
};

#if REFERENCE_HAS_QUAD

static void check(const struct subject *s, const clact_params *p, double grad, double x,
                  const char *what, long double got, reference_quad exact)
{
    const double error =
        reference_error(s->dtype, got, (long double)exact, (long double)(got - exact));
    if (!(error <= reference_bound(s->dtype)))
        fail_msg("alpha = %g, beta = %g, gamma = %g, grad = %g, x = %a: %s is %Lg and not %Lg",
                 p->alpha, p->beta, p->gamma, grad, x, what, got, (long double)exact);
}

static void check_forward(const struct subject *s, const clact_params *p, double x)
{
    const struct reference *reference = reference_of(s->row->op);
    const long double got = s->dtype == CLACT_F64 ? reference->forward_long(x, p)
                                                  : (long double)reference->forward(x, p);
    check(s, p, 1, x, "the result", got, reference->forward_quad(x, p));
}

static void check_gradient(const struct subject *s, const clact_params *p, double grad, double x)
{
    const struct reference *reference = reference_of(s->row->op);
    if (reference->from_input == NULL)
        return;
    const long double got = s->dtype == CLACT_F64 ? reference->from_input_long(grad, x, p)
                                                  : (long double)reference->from_input(grad, x, p);
    check(s, p, grad, x, "the gradient", got, reference->from_input_quad(grad, x, p));
}

static void is_as_good_as_it_says(void **state)
{
    const struct subject *s = *state;
    struct extreme_operands inputs, grads;
    if (s->dtype == CLACT_F64 && !REFERENCE_JUDGES_F64) {
        print_message("long double is no wider than double: there is nothing to judge f64 by\n");
        skip();
    }
    extreme_grads(s->dtype, &grads);
    for (size_t set = 0; set < extreme_params_count(s->row->op, s->dtype); set++) {
        const clact_params p = extreme_params(s->row->op, s->dtype, set);
        extreme_inputs(s->row->op, s->dtype, &p, &inputs);
        for (size_t i = 0; i < inputs.count; i++) {
            check_forward(s, &p, inputs.at[i]);
            for (size_t k = 0; k < grads.count; k++)
                check_gradient(s, &p, grads.at[k], inputs.at[i]);
        }
    }
}

#else

static void is_as_good_as_it_says(void **state)
{
    (void)state;
    print_message("the compiler has no functions for _Float128 to judge the references by\n");
    skip();
}

#endif

int main(void)
{
    static const clact_dtype dtypes[TYPES] = {CLACT_F32, CLACT_F64};
    static const char *const type_names[TYPES] = {"double", "long double"};
    static struct subject subjects[ROWS * TYPES];
    static struct CMUnitTest tests[ROWS * TYPES];
    static char names[ROWS * TYPES][80];
    for (size_t i = 0; i < ROWS * TYPES; i++) {
        subjects[i] = (struct subject){&rows[i / TYPES], dtypes[i % TYPES]};
        snprintf(names[i], sizeof names[i], "%s: in %s", rows[i / TYPES].name,
                 type_names[i % TYPES]);
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = is_as_good_as_it_says, .initial_state = &subjects[i]};
    }
    return cmocka_run_group_tests_name("reference with extremes", tests, NULL, NULL);
}
