/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the signal handler has to remove. A name changes only while there is no file. */
struct temporary {
    char path[PATH_MAX];
    volatile sig_atomic_t exists;
};
static struct temporary temporaries[OUTPUTS];

static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

static void clean_up_and_end(int number)
{
    progress_erase();
    for (size_t i = 0; i < OUTPUTS; i++)
        if (temporaries[i].exists)
            unlink(temporaries[i].path);
    /* SA_RESETHAND has brought the default action back: end, and let the parent see of what. */
    raise(number);
}

static bool handle_signals(struct failure *why)
{
    struct sigaction action = {0};
    struct sigaction before;
    action.sa_handler = clean_up_and_end;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        if (sigaction(ending_signals[i], NULL, &before) != 0)
            return fail_errno(why, "cannot handle signals");
        /* nohup and a shell's background jobs ignore some of them. */
        if (before.sa_handler != SIG_IGN && sigaction(ending_signals[i], &action, NULL) != 0)
            return fail_errno(why, "cannot handle signals");
    }
    /* A write past the limit on file sizes is then an error like a full disk. */
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    return sigaction(SIGXFSZ, &action, NULL) == 0 || fail_errno(why, "cannot handle signals");
}

static struct temporary *find_unused(void)
{
    for (size_t i = 0; i < OUTPUTS; i++)
        if (!temporaries[i].exists)
            return &temporaries[i];
    return NULL;
}

/* Creates the output's temporary file in the folder of its target, with the permissions that the
 * user's mask and folder give to any new file (mkstemp would not). Its descriptor is -1 on failure. */
static void create_temporary(struct output *output)
{
    const char *target = output->target;
    const char *slash = strrchr(target, '/');
    int folder = slash == NULL ? 0 : (int)(slash - target) + 1;
    struct temporary *temporary = find_unused();
    if (temporary == NULL) {
        errno = EMFILE;
        return;
    }
    sigset_t ending, before;
    sigemptyset(&ending);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&ending, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &ending, &before);
    errno = EEXIST;
    for (unsigned attempt = 0; output->descriptor < 0 && errno == EEXIST && attempt < 1000;
         attempt++) {
        int length = snprintf(temporary->path, sizeof temporary->path, "%.*s.clact-%ld-%u", folder,
                              target, (long)getpid(), attempt);
        if (length < 0 || (size_t)length >= sizeof temporary->path)
            errno = ENAMETOOLONG;
        else
            output->descriptor =
                open(temporary->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    temporary->exists = output->descriptor >= 0;
    output->temporary = temporary->exists ? temporary : NULL;
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
}

static void remove_temporary(struct output *output)
{
    if (output->temporary == NULL)
        return;
    unlink(output->temporary->path);
    output->temporary->exists = 0;
}

/* The open descriptor that a path such as "-" names, or -1. Opening /dev/stdout anew would write
 * over what the shell's ">>" wants kept. */
static int named_descriptor(const char *path)
{
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    if (strncmp(path, "/dev/fd/", 8) != 0 || path[8] < '0' || path[8] > '9')
        return -1;
    char *end;
    unsigned long number = strtoul(path + 8, &end, 10);
    return *end == '\0' && number <= INT_MAX ? (int)number : -1;
}

static bool open_existing(struct output *output, const struct stat *status, struct failure *why)
{
    if (S_ISDIR(status->st_mode)) {
        errno = EISDIR;
        return fail_errno(why, output->path);
    }
    if (!S_ISREG(status->st_mode)) {
        output->descriptor = open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return output->descriptor >= 0 || fail_errno(why, output->path);
    }
    /* The rename would succeed on a file that the user has made read-only. */
    if (access(output->path, W_OK) != 0)
        return fail_errno(why, output->path);
    /* Where the path is a symbolic link, the file behind it is what changes. */
    output->target = realpath(output->path, NULL);
    if (output->target == NULL)
        return fail_errno(why, output->path);
    create_temporary(output);
    if (output->descriptor >= 0 && fchmod(output->descriptor, status->st_mode & 0777) == 0)
        return true;
    fail_errno(why, output->path);
    output_abandon(output);
    return false;
}

static bool open_new(struct output *output, struct failure *why)
{
    struct stat status;
    if (lstat(output->path, &status) == 0)
        return fail(why, "%s: a symbolic link to a file that does not exist", output->path);
    output->target = strdup(output->path);
    if (output->target != NULL)
        create_temporary(output);
    if (output->descriptor >= 0)
        return true;
    fail_errno(why, output->path);
    output_abandon(output);
    return false;
}

bool output_parse_path(const char *option, const char *text, const char **path, struct failure *why)
{
    *path = text;
    return text[0] != '\0' || fail_usage(why, "%s needs the name of a file", option);
}

bool output_is_standard(const char *path)
{
    return named_descriptor(path) == STDOUT_FILENO;
}

bool outputs_are_same(const char *one, const char *other)
{
    return strcmp(one, other) == 0 || (output_is_standard(one) && output_is_standard(other));
}

bool output_open(struct output *output, const char *path, struct failure *why)
{
    struct stat status;
    *output = (struct output){.path = path, .descriptor = -1};
    if (!handle_signals(why))
        return false;
    int named = named_descriptor(path);
    if (named >= 0) {
        output->descriptor = fcntl(named, F_DUPFD_CLOEXEC, 0);
        return output->descriptor >= 0 || fail_errno(why, path);
    }
    if (stat(path, &status) == 0)
        return open_existing(output, &status, why);
    return errno == ENOENT ? open_new(output, why) : fail_errno(why, path);
}

bool output_write(struct output *output, const void *data, size_t bytes, struct failure *why)
{
    const unsigned char *at = data;
    while (bytes > 0) {
        ssize_t count = write(output->descriptor, at, bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(why, output->path);
        at += count;
        bytes -= (size_t)count;
    }
    return true;
}

bool output_commit(struct output *output, struct failure *why)
{
    bool good = close(output->descriptor) == 0;
    output->descriptor = -1;
    if (good && output->target != NULL)
        good = rename(output->temporary->path, output->target) == 0;
    if (!good) {
        fail_errno(why, output->path);
    } else if (output->temporary != NULL) {
        output->temporary->exists = 0;
        output->temporary = NULL;
    }
    output_abandon(output);
    return good;
}

void output_abandon(struct output *output)
{
    if (output->descriptor >= 0)
        (void)close(output->descriptor);
    remove_temporary(output);
    free(output->target);
    *output = (struct output){.descriptor = -1};
}
