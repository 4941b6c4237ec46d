/* SPDX-License-Identifier: MIT */
/* The report as files. */
#include "verify_cells.h"
#include "verify_report.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

/* A number with as many digits as say which one it is. */
static void write_number(long double value, FILE *file)
{
    if (isnan(value))
        fputs("nan", file);
    else if ((long double)(double)value == value)
        fprintf(file, "%.17g", (double)value);
    else
        fprintf(file, "%.21Lg", value);
    fputc(',', file);
}

static void write_parameter(const struct op_case *c, clact_parameter parameter, double value,
                            FILE *file)
{
    if ((clact_operator_parameters(c->op) & parameter) != 0)
        write_number(value, file);
    else
        fputc(',', file);
}

/* What all lines about a case begin with. */
static void write_case(const struct op_case *c, FILE *file)
{
    fprintf(file, "%s,%s,%s,%s,", clact_operator_name(c->op), direction_name(c->direction),
            clact_dtype_name(c->dtype),
            c->arithmetic == CLACT_ARITHMETIC_DOUBLES ? "doubles"
            : c->arithmetic == CLACT_ARITHMETIC_PAIRS ? "pairs"
                                                      : "");
    write_parameter(c, CLACT_ALPHA, c->params.alpha, file);
    write_parameter(c, CLACT_BETA, c->params.beta, file);
    write_parameter(c, CLACT_GAMMA, c->params.gamma, file);
}

static const char *grad_name(const struct op_case *c, bool any_grad)
{
    return c->direction == FORWARD ? "" : any_grad ? "any" : "1";
}

static void write_class(const struct accuracy *row, bool subnormal, bool any_grad, FILE *file)
{
    const struct ulp_stats *stats = any_grad ? &row->any_grad : &row->stats;
    const struct ulp_class *class = subnormal ? &stats->subnormal : &stats->normal;
    const double allowed = accuracy_allowed(row->c, subnormal, any_grad);
    if (class->count == 0)
        return;
    write_case(row->c, file);
    fprintf(file, "%s,%s,%" PRIu64 ",%d,%" PRIu64 ",", grad_name(row->c, any_grad),
            subnormal ? "subnormal" : "normal", class->count, row->all && !any_grad,
            class->rounded);
    write_number(class->worst.error, file);
    write_number(allowed, file);
    write_number(class->worst.x, file);
    write_number(class->worst.grad, file);
    write_number(class->worst.got, file);
    write_number(class->worst.exact, file);
    fprintf(file, "%d\n", class->worst.error <= allowed);
}

static void write_special(const struct accuracy *row, FILE *file)
{
    for (size_t i = 0; i < SPECIAL_VALUES; i++) {
        const struct special_value *value = &row->special.at[i];
        write_case(row->c, file);
        fprintf(file, "%s,special,1,0,,,,", grad_name(row->c, false));
        write_number(value->x, file);
        write_number(row->c->direction == FORWARD ? ULP_NO_GRAD : 1, file);
        write_number(value->got, file);
        write_number(value->wanted, file);
        fprintf(file, "%d\n", value->right);
    }
}

void verify_write_csv(const struct verify_report *report, FILE *file)
{
    fputs("operator,direction,dtype,arithmetic,alpha,beta,gamma,grad,results,operands,all,rounded,"
          "max_ulp,allowed_ulp,x,grad_at_x,got,exact,right\n",
          file);
    for (size_t i = 0; i < report->row_count; i++) {
        const struct accuracy *row = &report->rows[i];
        for (int any_grad = 0; any_grad <= 1; any_grad++)
            for (int subnormal = 0; subnormal <= 1; subnormal++)
                write_class(row, subnormal, any_grad, file);
        write_special(row, file);
    }
}

static void write_about(const struct verify_report *report, FILE *file)
{
    char date[32] = "";
    const time_t now = time(NULL);
    const struct tm *utc = gmtime(&now);
    if (utc != NULL)
        strftime(date, sizeof date, "%Y-%m-%d", utc);
    fprintf(
        file,
        "# Accuracy\n"
        "\n"
        "Written by `clact verify%s --markdown FILE`, which you can run on a device of your own.\n"
        "\n"
        "| | |\n|---|---|\n"
        "| device | %s |\n| platform | %s, %s |\n| driver | %s |\n"
        "| subnormal numbers | %s |\n"
        "| clact | %s, f32 computed in %s |\n| date | %s |\n",
        report->exhaustive ? " --exhaustive" : "", report->device.name,
        report->device.platform_name, report->device.version, report->device.driver,
        report->device.has_subnormals ? "kept" : "flushed to 0", clact_version_string(),
        report->doubles ? "doubles" : "pairs of f32", date);
}

static void write_errors(const struct verify_report *report, FILE *file)
{
    fputs("\n## Errors\n"
          "\n"
          "The largest errors in units in the last place (ULP) of the exact result, and in\n"
          "parentheses the bounds that the library promises. Subnormal results have a bound of "
          "their\n"
          "own. Gradients are those of an incoming gradient of 1; \"any grad\" has the largest "
          "error\n"
          "with random ones. Numbers after an operator's name are parameters other than the\n"
          "defaults.\n"
          "\n",
          file);
    for (size_t i = 0; i < CELLS; i++)
        fprintf(file, "| %s ", verify_titles[i]);
    fputs("|\n", file);
    for (size_t i = 0; i < CELLS; i++)
        fputs("|---", file);
    fputs("|\n", file);
    for (size_t i = 0; i < report->row_count; i++) {
        verify_cells cells;
        verify_fill_cells(&report->rows[i], cells);
        for (size_t cell = 0; cell < CELLS; cell++)
            fprintf(file, "| %s ", cells[cell]);
        fputs("|\n", file);
    }
}

static void write_special_table(const struct verify_report *report, FILE *file)
{
    char cell[48];
    fputs("\n## Special values\n"
          "\n"
          "f32 results, gradients with an incoming gradient of 1, at infinities, at the largest\n"
          "numbers (max), at the smallest normal ones (min) and at the smallest of all (tiny).\n"
          "\n"
          "| operator | direction ",
          file);
    for (size_t i = 0; i < SPECIAL_VALUES; i++)
        fprintf(file, "| %s ", special_value_name(i));
    fputs("|\n|---|---", file);
    for (size_t i = 0; i < SPECIAL_VALUES; i++)
        fputs("|---", file);
    fputs("|\n", file);
    for (size_t i = 0; i < report->row_count; i++) {
        const struct accuracy *row = &report->rows[i];
        if (!verify_shows_special(row))
            continue;
        fprintf(file, "| %s | %s ", clact_operator_name(row->c->op),
                direction_name(row->c->direction));
        for (size_t k = 0; k < SPECIAL_VALUES; k++) {
            verify_fill_special(&row->special.at[k], cell);
            fprintf(file, "| %s ", cell);
        }
        fputs("|\n", file);
    }
}

void verify_write_markdown(const struct verify_report *report, FILE *file)
{
    write_about(report, file);
    write_errors(report, file);
    write_special_table(report, file);
}
