/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <math.h>
#include <stddef.h>

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static float sigmoid_gradient(float x)
{
    const float y = sigmoid(x);
    return y * (1.0f - y);
}

static const struct plain formulas[] = {
    {CLACT_SIGMOID, sigmoid, sigmoid_gradient},
};

const struct plain *plain_of(clact_operator op)
{
    for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
        if (formulas[i].op == op)
            return &formulas[i];
    return NULL;
}
