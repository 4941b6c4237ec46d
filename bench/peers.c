/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

/* A program and its first argument: that of a Python script is the library. */
static const struct known {
    const char *name;
    const char *program; /* NULL: it was not there when the benchmark was built, */
    bool is_python;      /* or Python */
} known[] = {
#ifdef CLACT_BENCH_xnnpack
    {"xnnpack", CLACT_BENCH_xnnpack, false},
#else
    {"xnnpack", NULL, false},
#endif
#ifdef CLACT_BENCH_onednn
    {"onednn", CLACT_BENCH_onednn, false},
#else
    {"onednn", NULL, false},
#endif
    {"pytorch", NULL, true},
    {"onnxruntime", NULL, true},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static bool is_in(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool is_known(const char *name, size_t length)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strlen(known[i].name) == length && strncmp(known[i].name, name, length) == 0)
            return true;
    return false;
}

static void check_names(const char *list)
{
    for (const char *at = list; *at != '\0'; at += *at == ',') {
        const size_t length = strcspn(at, ",");
        if (!is_known(at, length))
            die("no peer has the name '%.*s'; known: xnnpack, onednn, pytorch, onnxruntime",
                (int)length, at);
        at += length;
    }
}

static bool start(struct peer *peer, const struct known *row, char *python, char *threads)
{
    static char script[] = CLACT_BENCH_PEERS_SCRIPT;
    char name[24], program[4096];
    snprintf(name, sizeof name, "%s", row->name);
    snprintf(program, sizeof program, "%s", row->program == NULL ? "" : row->program);
    char *const with_python[] = {python, script, name, threads, NULL};
    char *const alone[] = {program, threads, NULL};
    if (row->program == NULL && !row->is_python) {
        snprintf(peer->version, sizeof peer->version,
                 "it was not found when this program was built");
        return false;
    }
    return peer_start(peer, row->name, row->is_python ? with_python : alone);
}

size_t peers_start(struct peer peers[MOST_PEERS], const char *wanted, const char *python,
                   unsigned threads)
{
    char number[16], interpreter[4096];
    size_t count = 0;
    if (wanted != NULL && strcmp(wanted, "none") == 0)
        return 0;
    if (wanted != NULL)
        check_names(wanted);
    if (python == NULL)
        python = getenv("CLACT_BENCH_PYTHON");
    snprintf(interpreter, sizeof interpreter, "%s", python == NULL ? "python3" : python);
    snprintf(number, sizeof number, "%u", threads);
    if (setenv("OMP_NUM_THREADS", number, 1) != 0)
        die("out of memory");
    for (size_t i = 0; i < KNOWN; i++) {
        if (wanted != NULL && !is_in(wanted, known[i].name))
            continue;
        if (start(&peers[count], &known[i], interpreter, number))
            count++;
        else if (wanted != NULL)
            die("%s: %s", known[i].name, peers[count].version);
        else
            printf("No %s: %s\n", known[i].name, peers[count].version);
    }
    return count;
}

void peers_end(struct peer *peers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        peer_end(&peers[i]);
}
