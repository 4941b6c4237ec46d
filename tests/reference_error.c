/* SPDX-License-Identifier: MIT */
#include "reference_error.h"

#include "dtype.h"

#include <math.h>
#include <stdbool.h>

double reference_bound(clact_dtype dtype)
{
    return dtype == CLACT_F64 ? 0x1p-8 : 0x1p-26;
}

double reference_error(clact_dtype dtype, long double got, long double exact,
                       long double difference)
{
    const struct dtype_format *format = dtype_format(dtype);
    if (isnan(got) || isnan(exact))
        return isnan(got) && isnan(exact) ? 0 : INFINITY;
    if (fabsl(exact) >= ldexpl(1, format->max_exponent + 1)) {
        bool beyond = fabsl(got) >= ldexpl(1, format->max_exponent + 1);
        return beyond && (got < 0) == (exact < 0) ? 0 : INFINITY;
    }
    int exponent = exact == 0 ? format->min_exponent : ilogbl(exact);
    if (exponent < format->min_exponent)
        exponent = format->min_exponent;
    return (double)ldexpl(fabsl(difference), format->precision - 1 - exponent);
}
