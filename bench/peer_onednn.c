/* SPDX-License-Identifier: MIT */
/* oneDNN as a peer: its eltwise primitives, forward and backward. The number of threads is that of
 * OMP_NUM_THREADS. */
#include "peer_worker.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The parameter that oneDNN calls alpha, of those of the job. */
enum alpha { ZERO, ALPHA, BETA };

static const struct entry {
    const char *op, *direction;
    dnnl_alg_kind_t kind;
    enum alpha alpha;
    const char *way;
} entries[] = {
    {"sigmoid", "forward", dnnl_eltwise_logistic, ZERO, "logistic"},
    {"sigmoid", "from_input", dnnl_eltwise_logistic, ZERO, "logistic"},
    {"sigmoid", "from_output", dnnl_eltwise_logistic_use_dst_for_bwd, ZERO, "logistic from dst"},
    {"tanh", "forward", dnnl_eltwise_tanh, ZERO, "tanh"},
    {"tanh", "from_input", dnnl_eltwise_tanh, ZERO, "tanh"},
    {"tanh", "from_output", dnnl_eltwise_tanh_use_dst_for_bwd, ZERO, "tanh from dst"},
    {"log_sigmoid", "forward", dnnl_eltwise_logsigmoid, ZERO, "logsigmoid"},
    {"log_sigmoid", "from_input", dnnl_eltwise_logsigmoid, ZERO, "logsigmoid"},
    {"softplus", "forward", dnnl_eltwise_soft_relu, ZERO, "soft_relu"},
    {"softplus", "from_input", dnnl_eltwise_soft_relu, ZERO, "soft_relu"},
    {"silu", "forward", dnnl_eltwise_swish, BETA, "swish"},
    {"silu", "from_input", dnnl_eltwise_swish, BETA, "swish"},
    {"gelu", "forward", dnnl_eltwise_gelu_erf, ZERO, "gelu_erf"},
    {"gelu", "from_input", dnnl_eltwise_gelu_erf, ZERO, "gelu_erf"},
    {"gelu_tanh", "forward", dnnl_eltwise_gelu_tanh, ZERO, "gelu_tanh"},
    {"gelu_tanh", "from_input", dnnl_eltwise_gelu_tanh, ZERO, "gelu_tanh"},
    {"relu", "forward", dnnl_eltwise_relu, ZERO, "relu"},
    {"relu", "from_input", dnnl_eltwise_relu, ZERO, "relu"},
    {"relu", "from_output", dnnl_eltwise_relu_use_dst_for_bwd, ZERO, "relu from dst"},
    {"leaky_relu", "forward", dnnl_eltwise_relu, ALPHA, "relu with alpha"},
    {"leaky_relu", "from_input", dnnl_eltwise_relu, ALPHA, "relu with alpha"},
    {"elu", "forward", dnnl_eltwise_elu, ALPHA, "elu"},
    {"elu", "from_input", dnnl_eltwise_elu, ALPHA, "elu"},
    {"hard_swish", "forward", dnnl_eltwise_hardswish, ZERO, "hardswish"},
    {"hard_swish", "from_input", dnnl_eltwise_hardswish, ZERO, "hardswish"},
    {"mish", "forward", dnnl_eltwise_mish, ZERO, "mish"},
    {"mish", "from_input", dnnl_eltwise_mish, ZERO, "mish"},
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_primitive_t primitive;
static dnnl_memory_t memories[3]; /* the job's inputs and its output; set to a slice in each run */

static bool good(dnnl_status_t status)
{
    return status == dnnl_success;
}

static float alpha_of(const struct entry *entry, const struct worker_job *job)
{
    switch (entry->alpha) {
    case ALPHA:
        return (float)job->alpha;
    case BETA:
        return (float)job->beta;
    default:
        return 0;
    }
}

/* A gradient is described by the forward pass that belongs to it, too. */
static bool describe(const struct entry *entry, const struct worker_job *job,
                     const dnnl_memory_desc_t *data, dnnl_primitive_desc_t *description)
{
    const bool is_forward = job->inputs == 1;
    const float alpha = alpha_of(entry, job);
    dnnl_eltwise_desc_t forward, backward;
    dnnl_primitive_desc_t forward_description = NULL;
    if (!good(dnnl_eltwise_forward_desc_init(
            &forward, is_forward ? dnnl_forward_inference : dnnl_forward_training, entry->kind,
            data, alpha, 0)) ||
        !good(dnnl_primitive_desc_create(&forward_description, &forward, NULL, engine, NULL)))
        return false;
    *description = forward_description;
    if (is_forward)
        return true;
    const bool is_there =
        good(dnnl_eltwise_backward_desc_init(&backward, entry->kind, data, data, alpha, 0)) &&
        good(dnnl_primitive_desc_create(description, &backward, NULL, engine, forward_description));
    dnnl_primitive_desc_destroy(forward_description);
    return is_there;
}

static bool create(const struct entry *entry, const struct worker_job *job)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)job->n};
    const dnnl_data_type_t type = strcmp(job->dtype, "f32") == 0    ? dnnl_f32
                                  : strcmp(job->dtype, "bf16") == 0 ? dnnl_bf16
                                  : strcmp(job->dtype, "f16") == 0  ? dnnl_f16
                                                                    : dnnl_data_type_undef;
    dnnl_memory_desc_t data;
    dnnl_primitive_desc_t description = NULL;
    if (type == dnnl_data_type_undef ||
        !good(dnnl_memory_desc_init_by_tag(&data, 1, dims, type, dnnl_a)) ||
        !describe(entry, job, &data, &description))
        return false;
    bool is_there = good(dnnl_primitive_create(&primitive, description));
    dnnl_primitive_desc_destroy(description);
    for (unsigned i = 0; i <= job->inputs && is_there; i++)
        is_there = good(dnnl_memory_create(&memories[i], &data, engine, DNNL_MEMORY_NONE));
    return is_there;
}

static const char *enter(const struct worker_job *job)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct entry *entry = &entries[i];
        if (strcmp(job->op, entry->op) == 0 && strcmp(job->direction, entry->direction) == 0)
            return create(entry, job) ? entry->way : NULL;
    }
    return NULL;
}

static int run(const struct worker_job *job, size_t slice)
{
    static const int forward[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
    static const int backward[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC};
    const bool from_output = strcmp(job->direction, "from_output") == 0;
    dnnl_exec_arg_t arguments[3];
    for (unsigned i = 0; i <= job->inputs; i++) {
        if (!good(dnnl_memory_set_data_handle(memories[i], worker_slice(job, i, slice))))
            return 1;
        arguments[i] = (dnnl_exec_arg_t){job->inputs == 1 ? forward[i] : backward[i], memories[i]};
    }
    if (from_output)
        arguments[1].arg = DNNL_ARG_DST;
    return !good(dnnl_primitive_execute(primitive, stream, (int)job->inputs + 1, arguments)) ||
           !good(dnnl_stream_wait(stream));
}

static void leave(void)
{
    dnnl_primitive_destroy(primitive);
    for (unsigned i = 0; i < 3; i++) {
        if (memories[i] != NULL)
            dnnl_memory_destroy(memories[i]);
        memories[i] = NULL;
    }
}

int main(void)
{
    char version[64];
    const dnnl_version_t *v = dnnl_version();
    snprintf(version, sizeof version, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    const struct worker_library library = {version, enter, run, leave};
    if (!good(dnnl_engine_create(&engine, dnnl_cpu, 0)) ||
        !good(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))) {
        puts("none it does not work on this machine");
        return 1;
    }
    return worker_serve(&library);
}
