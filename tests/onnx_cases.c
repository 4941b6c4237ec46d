/* SPDX-License-Identifier: MIT */
#include "onnx_cases.h"

#include "onnx_model.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const op_names[] = {
#define CLACT_OPERATOR(value, NAME, name, ...) #name,
#include <clact/ops.def>
#undef CLACT_OPERATOR
};

const char *onnx_data(void)
{
    const char *folder = getenv("CLACT_ONNX_DATA");
    return folder != NULL ? folder : "/usr/share/libonnx-testdata/data";
}

bool onnx_data_is_there(void)
{
    return access(onnx_data(), F_OK) == 0;
}

bool onnx_path(char path[ONNX_PATH], const char *folder, const char *name)
{
    int length = snprintf(path, ONNX_PATH, "%s/%s/%s", onnx_data(), folder, name);
    return length > 0 && length < ONNX_PATH;
}

/* Whether two names differ at most in upper and lower case and in underscores: LeakyRelu is
 * leaky_relu. */
static bool same_name(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, "_");
        b += strspn(b, "_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
}

static bool find_operator(const char *name, clact_operator *op)
{
    for (size_t i = 0; i < sizeof op_names / sizeof op_names[0]; i++)
        if (same_name(name, op_names[i]))
            return clact_operator_from_name(op_names[i], op) == CLACT_SUCCESS;
    return false;
}

/*
 * The name of a node's function: that of its operator and then the values of its attributes that are
 * words, but for "none": a Gelu whose `approximate` is "tanh" is gelu_tanh. Empty if it is longer
 * than any of ours.
 */
static void name_of_node(const struct onnx_node *node, char name[64])
{
    int length = snprintf(name, 64, "%.*s", (int)node->op_type.length, node->op_type.start);
    for (size_t i = 0; i < node->attribute_count && length < 64; i++) {
        const struct onnx_attribute *a = &node->attributes[i];
        if (a->kind == ONNX_STRING && !onnx_text_equals(a->text, "none"))
            length += snprintf(name + length, (size_t)(64 - length), "_%.*s", (int)a->text.length,
                               a->text.start);
    }
    if (length >= 64)
        name[0] = '\0';
}

/* Where the value of an attribute goes; NULL if the operator has no such parameter. */
static double *find_parameter(clact_operator op, struct onnx_text name, clact_params *params)
{
    const struct parameter {
        const char *name;
        unsigned which;
        double *value;
    } parameters[] = {
        {"alpha", CLACT_ALPHA, &params->alpha},
        {"beta", CLACT_BETA, &params->beta},
        {"gamma", CLACT_GAMMA, &params->gamma},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (onnx_text_equals(name, parameters[i].name) &&
            (clact_operator_parameters(op) & parameters[i].which) != 0)
            return parameters[i].value;
    return NULL;
}

/* An attribute that is not there has ONNX's default, which has to be that of ops.def. */
static void take_node(const struct onnx_node *node, struct onnx_case *c)
{
    if (node->inputs != 1 || node->outputs != 1)
        c->wrong = "the node has not one input and one output";
    if (clact_params_default(c->op, &c->params) != CLACT_SUCCESS)
        c->wrong = "the operator's defaults are not to be had";
    for (size_t i = 0; i < node->attribute_count; i++) {
        const struct onnx_attribute *a = &node->attributes[i];
        double *value = find_parameter(c->op, a->name, &c->params);
        if (a->kind == ONNX_STRING)
            continue;
        if (a->kind != ONNX_FLOAT || value == NULL) {
            c->wrong = "the node has an attribute that is no parameter of the operator";
            return;
        }
        *value = (double)a->number;
        c->own_params = true;
    }
}

/*
 * Whether the folder is a test of one of our operators, and which. A model of one node says so
 * itself. One of several nodes, whose formula is spelled out in other operators, is taken by the
 * folder's name if the operator it names has no parameters, which could be anywhere in the graph.
 */
static bool recognise(const char *folder, const struct onnx_model *model, struct onnx_case *c)
{
    char name[64];
    if (model->node_count == 1) {
        name_of_node(&model->node, name);
        if (!find_operator(name, &c->op))
            return false;
        take_node(&model->node, c);
        return true;
    }
    const char *test = strstr(folder, "/test_");
    return test != NULL && find_operator(test + strlen("/test_"), &c->op) &&
           clact_operator_parameters(c->op) == 0;
}

/* What is being found, passed down from folder to folder. */
struct scan {
    struct onnx_cases *cases;
    struct onnx_case found; /* what the data sets of the present folder are of */
};

/* Calls visit with each entry of a folder below onnx_data(), such as "node/test_elu", whose name
 * starts with `prefix`, in the order of their names. */
static void each_entry(const char *folder, const char *prefix,
                       void (*visit)(const char *folder, struct scan *scan), struct scan *scan)
{
    char path[ONNX_PATH];
    struct dirent **entries = NULL;
    int count = onnx_path(path, folder, "") ? scandir(path, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        int length =
            snprintf(path, sizeof path, "%s%s%s", folder, *folder != '\0' ? "/" : "", name);
        if (name[0] != '.' && strncmp(name, prefix, strlen(prefix)) == 0 && length > 0 &&
            (size_t)length < sizeof path)
            visit(path, scan);
        free(entries[i]);
    }
    free(entries);
}

static void add_case(const char *folder, struct scan *scan)
{
    struct onnx_cases *cases = scan->cases;
    struct onnx_case c = scan->found;
    int length = snprintf(c.data_set, sizeof c.data_set, "%s", folder);
    if (length < 0 || (size_t)length >= sizeof c.data_set)
        c.wrong = "the folder's name is too long";
    snprintf(c.name, sizeof c.name, "onnx %.100s", folder);
    if (cases->count == ONNX_MOST_CASES)
        cases->items[ONNX_MOST_CASES - 1].wrong = "there are more cases than there is room for";
    else
        cases->items[cases->count++] = c;
}

/* The folder whose model tells what a test is of. ONNX makes test_NAME_expanded from the node of
 * test_NAME, with the same data and the attributes somewhere in the graph. */
static bool find_model(const char *folder, char path[ONNX_PATH])
{
    char original[ONNX_PATH];
    const char *suffix = strstr(folder, "_expanded");
    if (suffix != NULL) {
        snprintf(original, sizeof original, "%.*s", (int)(suffix - folder), folder);
        if (onnx_path(path, original, "model.onnx") && access(path, F_OK) == 0)
            return true;
    }
    return onnx_path(path, folder, "model.onnx") && access(path, F_OK) == 0;
}

static void scan_test(const char *folder, struct scan *scan)
{
    char path[ONNX_PATH];
    struct onnx_model model;
    if (!find_model(folder, path))
        return;
    scan->found = (struct onnx_case){.wrong = onnx_model_read(path, &model)};
    if (scan->found.wrong != NULL)
        add_case(folder, scan);
    else if (recognise(folder, &model, &scan->found))
        each_entry(folder, "test_data_set_", add_case, scan);
    onnx_model_free(&model);
}

static void scan_group(const char *folder, struct scan *scan)
{
    each_entry(folder, "test_", scan_test, scan);
}

void onnx_find_cases(struct onnx_cases *cases)
{
    struct scan scan = {.cases = cases};
    cases->count = 0;
    each_entry("", "", scan_group, &scan);
}
