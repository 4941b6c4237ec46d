/* SPDX-License-Identifier: MIT */
/* XNNPACK as a peer, with the pool of threads that is given as the argument: its operators on f32. */
#include "peer_worker.h"
#include "samples.h"

#include <math.h>
#include <pthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

static pthreadpool_t threads;
static xnn_operator_t operation;

/* Its operators want a batch of rows. Rows that lie one behind the other are one array to it, which it
 * cuts as it likes. */
enum { CHANNELS = SAMPLES_UNIT };

typedef enum xnn_status create(const struct worker_job *job);
typedef enum xnn_status setup(xnn_operator_t op, size_t batch, const float *x, float *y,
                              pthreadpool_t threads);

static enum xnn_status create_sigmoid(const struct worker_job *job)
{
    (void)job;
    return xnn_create_sigmoid_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, &operation);
}

static enum xnn_status create_relu(const struct worker_job *job)
{
    (void)job;
    return xnn_create_clamp_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, INFINITY, 0, &operation);
}

static enum xnn_status create_leaky_relu(const struct worker_job *job)
{
    return xnn_create_leaky_relu_nc_f32(CHANNELS, CHANNELS, CHANNELS, (float)job->alpha, 0,
                                        &operation);
}

static enum xnn_status create_elu(const struct worker_job *job)
{
    return xnn_create_elu_nc_f32(CHANNELS, CHANNELS, CHANNELS, (float)job->alpha, 0, &operation);
}

static enum xnn_status create_hard_swish(const struct worker_job *job)
{
    (void)job;
    return xnn_create_hardswish_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, &operation);
}

static const struct entry {
    const char *op;
    create *create;
    setup *setup;
    const char *way;
} entries[] = {
    {"sigmoid", create_sigmoid, xnn_setup_sigmoid_nc_f32, "xnn_sigmoid_nc_f32"},
    {"relu", create_relu, xnn_setup_clamp_nc_f32, "xnn_clamp_nc_f32"},
    {"leaky_relu", create_leaky_relu, xnn_setup_leaky_relu_nc_f32, "xnn_leaky_relu_nc_f32"},
    {"elu", create_elu, xnn_setup_elu_nc_f32, "xnn_elu_nc_f32"},
    {"hard_swish", create_hard_swish, xnn_setup_hardswish_nc_f32, "xnn_hardswish_nc_f32"},
};
static const struct entry *current;

static const char *enter(const struct worker_job *job)
{
    if (strcmp(job->direction, "forward") != 0 || strcmp(job->dtype, "f32") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        current = &entries[i];
        if (strcmp(job->op, current->op) == 0)
            return current->create(job) == xnn_status_success ? current->way : NULL;
    }
    return NULL;
}

static int run(const struct worker_job *job, size_t slice)
{
    return current->setup(operation, job->n / CHANNELS, worker_slice(job, 0, slice),
                          worker_slice(job, 1, slice), threads) != xnn_status_success ||
           xnn_run_operator(operation, threads) != xnn_status_success;
}

static void leave(void)
{
    xnn_delete_operator(operation);
}

int main(int argc, char **argv)
{
    static const struct worker_library library = {"XNNPACK", enter, run, leave};
    if (argc != 2 || xnn_initialize(NULL) != xnn_status_success) {
        puts("none it does not work on this machine");
        return 1;
    }
    threads = pthreadpool_create(strtoul(argv[1], NULL, 10));
    const int status = worker_serve(&library);
    pthreadpool_destroy(threads);
    return status;
}
