/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "check.h"
#include "device_sorts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Long enough for any answer: at most 64 numbers. */
enum { ANSWER_SIZE = 4096 };

/* A peer that is stopped reads nothing, so it is woken first. */
static void ask(struct peer *peer, const char *format, ...)
{
    va_list arguments;
    kill(peer->process, SIGCONT);
    va_start(arguments, format);
    vfprintf(peer->requests, format, arguments);
    va_end(arguments);
    fputc('\n', peer->requests);
}

/* False at the end of the peer's answers. */
static bool read_answer(struct peer *peer, char answer[ANSWER_SIZE])
{
    fflush(peer->requests); /* if that fails, so does reading */
    if (fgets(answer, ANSWER_SIZE, peer->answers) == NULL)
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    kill(peer->process, SIGSTOP);
    return true;
}

static void wait_answer(struct peer *peer, char answer[ANSWER_SIZE])
{
    if (!read_answer(peer, answer))
        die("%s ended before it had answered", peer->name);
}

/* Starting and ending. */

/* In the new process, which has one thread: only calls that are safe there. */
static void become(char *const *arguments, int to, int from)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG,
          SIGKILL); /* else it would stay stopped for ever if the bench is killed */
#endif
    if (dup2(to, STDIN_FILENO) >= 0 && dup2(from, STDOUT_FILENO) >= 0)
        execvp(arguments[0], arguments);
    _exit(127);
}

/* Neither end is handed on to other peers, which would keep it open. */
static void open_pipe(int ends[2])
{
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)
        die("no pipe: %s", strerror(errno));
}

static void spawn(struct peer *peer, char *const *arguments)
{
    int to[2], from[2];
    signal(SIGPIPE, SIG_IGN);
    fflush(stdout);
    open_pipe(to);
    open_pipe(from);
    peer->process = fork();
    if (peer->process < 0)
        die("no process for %s: %s", peer->name, strerror(errno));
    if (peer->process == 0)
        become(arguments, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    peer->requests = fdopen(to[1], "w");
    peer->answers = fdopen(from[0], "r");
    if (peer->requests == NULL || peer->answers == NULL)
        die("out of memory");
}

bool peer_start(struct peer *peer, const char *name, char *const *arguments)
{
    char answer[ANSWER_SIZE];
    *peer = (struct peer){.process = -1};
    snprintf(peer->name, sizeof peer->name, "%s", name);
    spawn(peer, arguments);
    const bool answers = read_answer(peer, answer);
    const bool is_there = answers && strncmp(answer, "peer ", 5) == 0;
    const char *text = is_there  ? answer + 5
                       : answers ? answer + strcspn(answer, " ") + (strchr(answer, ' ') != NULL)
                                 : "it cannot be started";
    snprintf(peer->version, sizeof peer->version, "%.127s", text);
    if (!is_there)
        peer_end(peer);
    return is_there;
}

void peer_end(struct peer *peer)
{
    fclose(peer->requests);
    fclose(peer->answers);
    kill(peer->process, SIGKILL);
    waitpid(peer->process, NULL, 0);
}

/* Taking part. */

static void run_peer(struct contestant *self, struct field *field, size_t slice,
                     struct times *times, size_t count)
{
    char answer[ANSWER_SIZE];
    (void)field;
    ask(self->peer, "run %zu %zu", slice, count);
    wait_answer(self->peer, answer);
    char *at = answer;
    for (size_t i = 0; i < count; i++) {
        char *end = at;
        times[i] = (struct times){strtod(at, &end), NAN};
        if (end == at)
            die("%s did not say how long a run took, but '%s'", self->peer->name, answer);
        at = end;
    }
}

static void poison_peer(struct contestant *self, struct field *field, size_t slice)
{
    char answer[ANSWER_SIZE];
    (void)field;
    ask(self->peer, "poison %zu", slice);
    wait_answer(self->peer, answer);
}

static void sample_peer(struct contestant *self, struct field *field, size_t slice,
                        uint64_t samples[SAMPLES])
{
    char answer[ANSWER_SIZE];
    (void)field;
    ask(self->peer, "sample %zu", slice);
    wait_answer(self->peer, answer);
    char *at = answer;
    for (size_t k = 0; k < SAMPLES; k++) {
        char *end = at;
        samples[k] = strtoull(at, &end, 16);
        if (end == at)
            die("%s did not say what it computed, but '%s'", self->peer->name, answer);
        at = end;
    }
}

/* Peers promise less than clact, and the work is to be seen to be done, not judged: the last digit or
 * two of 16-bit results, five digits of the others. */
static bool is_right_for_peer(const struct contestant *self, const struct field *field, size_t i,
                              uint64_t bits)
{
    const clact_dtype dtype = field->job->dtype;
    const double tolerance = dtype == CLACT_BF16 ? 0x1p-6 : dtype == CLACT_F16 ? 0x1p-9 : 1e-5;
    return is_roughly_right(self, field, i, bits, tolerance);
}

static const struct contestant_sort peer_sort = {run_peer, poison_peer, sample_peer,
                                                 is_right_for_peer};

bool peer_enter(struct peer *peer, const struct field *field, struct contestant *contestant)
{
    char answer[ANSWER_SIZE];
    const struct job *job = field->job;
    const unsigned inputs = job_inputs(job);
    const size_t bytes = SAMPLES_PATTERN * clact_dtype_size(job->dtype);
    clact_params params = job_params(job);
    ask(peer, "job %s %s %s %zu %zu %.17g %.17g %.17g %zu", clact_operator_name(job->op),
        job_direction_name(job), clact_dtype_name(job->dtype), field->n, field->slices,
        params.alpha, params.beta, params.gamma, inputs * bytes);
    for (unsigned i = 0; i < inputs; i++)
        fwrite(field->patterns[i], 1, bytes, peer->requests);
    wait_answer(peer, answer);
    if (strcmp(answer, "no") == 0)
        return false;
    int start = 0;
    if (sscanf(answer, "yes %lf %lf %lf %n", &params.alpha, &params.beta, &params.gamma, &start) !=
            3 ||
        start == 0)
        die("%s did not say whether it takes part, but '%s'", peer->name, answer);
    *contestant = (struct contestant){.sort = &peer_sort, .params = params, .peer = peer};
    snprintf(contestant->name, sizeof contestant->name, "%s", peer->name);
    snprintf(contestant->way, sizeof contestant->way, "%s", answer + start);
    for (char *at = contestant->way; (at = strchr(at, ',')) != NULL;)
        *at = ' '; /* it goes into comma-separated values */
    return true;
}

void peer_leave(struct peer *peer)
{
    char answer[ANSWER_SIZE];
    ask(peer, "leave");
    wait_answer(peer, answer);
}
