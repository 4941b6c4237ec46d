/* SPDX-License-Identifier: MIT */
#include "verify_cells.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL = sizeof(((verify_cells *)0)[0][0]) };

const char *const verify_titles[CELLS] = {
    "operator",          "direction", "dtype",   "operands", "normal results", "at x",
    "subnormal results", "at x",      "rounded", "any grad", "special",        "verdict",
};

static void put(char *cell, const char *text)
{
    snprintf(cell, CELL, "%s", text);
}

/* "elu", or "elu(1.7)" where the parameters are not the defaults. */
static void put_operator(char *cell, const struct op_case *c)
{
    const unsigned has = clact_operator_parameters(c->op);
    const struct {
        clact_parameter parameter;
        double value;
    } parameters[] = {{CLACT_ALPHA, c->params.alpha},
                      {CLACT_BETA, c->params.beta},
                      {CLACT_GAMMA, c->params.gamma}};
    char list[CELL] = "";
    size_t used = 0;
    put(cell, clact_operator_name(c->op));
    if (!c->own_params)
        return;
    for (size_t i = 0; i < 3; i++)
        if ((has & parameters[i].parameter) != 0 && used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.4g",
                                     used == 0 ? "" : ", ", parameters[i].value);
    used = strlen(cell);
    snprintf(cell + used, CELL - used, "(%s)", list);
}

static void put_error(char *cell, const struct ulp_class *class, double allowed)
{
    if (class->count == 0)
        put(cell, "-");
    else
        snprintf(cell, CELL, "%.4f (%g)", class->worst.error, allowed);
}

static void put_class(char *error, char *at, const struct accuracy *row, bool subnormal)
{
    const struct ulp_class *class = subnormal ? &row->stats.subnormal : &row->stats.normal;
    put_error(error, class, accuracy_allowed(row->c, subnormal, false));
    put(at, "-");
    if (class->count != 0)
        snprintf(at, CELL, "%.9g", class->worst.x);
}

/* The largest error of a class as a multiple of what is allowed, which may be 0; of an empty class less
 * than that of any other. */
static double part_of_allowed(const struct ulp_class *class, double allowed)
{
    if (class->count == 0)
        return -1;
    return class->worst.error == 0 ? 0 : class->worst.error / allowed;
}

/* Of the two classes, the one that is nearer to its bound. */
static void put_any_grad(char *cell, const struct accuracy *row)
{
    const double normal = accuracy_allowed(row->c, false, true);
    const double subnormal = accuracy_allowed(row->c, true, true);
    const struct ulp_stats *stats = &row->any_grad;
    if (part_of_allowed(&stats->subnormal, subnormal) > part_of_allowed(&stats->normal, normal))
        put_error(cell, &stats->subnormal, subnormal);
    else
        put_error(cell, &stats->normal, normal);
}

void verify_fill_cells(const struct accuracy *row, verify_cells cells)
{
    const struct op_case *c = row->c;
    const struct ulp_stats *stats = &row->stats;
    const uint64_t count = stats->normal.count + stats->subnormal.count;
    const uint64_t rounded = stats->normal.rounded + stats->subnormal.rounded;
    put_operator(cells[CELL_OPERATOR], c);
    put(cells[CELL_DIRECTION], direction_name(c->direction));
    put(cells[CELL_DTYPE], clact_dtype_name(c->dtype));
    snprintf(cells[CELL_OPERANDS], CELL, "%s%" PRIu64, row->all ? "all " : "", count);
    put_class(cells[CELL_NORMAL], cells[CELL_NORMAL_AT], row, false);
    put_class(cells[CELL_SUBNORMAL], cells[CELL_SUBNORMAL_AT], row, true);
    snprintf(cells[CELL_ROUNDED], CELL, "%.3f%%", 100 * (double)rounded / (double)count);
    put_any_grad(cells[CELL_ANY_GRAD], row);
    put(cells[CELL_SPECIAL], "right");
    if (row->special.wrong != 0)
        snprintf(cells[CELL_SPECIAL], CELL, "%zu wrong", row->special.wrong);
    put(cells[CELL_VERDICT], accuracy_holds(row) ? "pass" : "FAIL");
}

bool verify_shows_special(const struct accuracy *row)
{
    return row->c->dtype == CLACT_F32 && !row->c->own_params;
}

void verify_fill_special(const struct special_value *value, char cell[48])
{
    if (isnan(value->got))
        snprintf(cell, CELL, "nan%s", value->right ? "" : "!");
    else
        snprintf(cell, CELL, "%.4g%s", value->got, value->right ? "" : "!");
}
