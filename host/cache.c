/* SPDX-License-Identifier: MIT */
/*
 * The folder of compiled programs that outlive the process.
 *
 * A binary is code that will run in this process. So the folder has to belong to the user whose
 * process it is, and nobody else may write to it; what it holds is then as good as the program
 * itself. It is checked through the descriptor that the file is opened from, so that nothing can be
 * exchanged in between.
 *
 * Any number of processes may use it at once: a file appears under its name when it is complete, or
 * not at all. Whatever goes wrong here is no error; the program is compiled instead.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
static const char home_folder[] = "Library/Caches";
#else
static const char home_folder[] = ".cache";
#endif

/* No binary of these kernels is near it; a file that is larger is not one of ours. */
enum { LARGEST_FILE = 64 << 20 };

/* The parts with a slash between them; the caller frees it. NULL if out of memory. */
static char *join(const char *a, const char *b, const char *c)
{
    const size_t size = strlen(a) + strlen(b) + strlen(c) + 3;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s%s%s", a, *b ? "/" : "", b, *c ? "/" : "", c);
    return path;
}

/* A process with the rights of another user than the one who started it must not be led by the
 * latter's environment. */
static bool has_borrowed_rights(void)
{
    return geteuid() != getuid() || getegid() != getgid();
}

static bool is_ours(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Root who has kept the user's HOME would leave a folder there that the user may not use. */
static char *default_folder(void)
{
    const char *home = getenv("HOME");
    const char *below = home_folder;
#ifndef __APPLE__
    const char *xdg = getenv("XDG_CACHE_HOME");
    if (xdg && *xdg == '/') { /* a relative path is not valid there */
        home = xdg;
        below = "";
    }
#endif
    struct stat status;
    if (!home || *home != '/')
        return NULL;
    /* A home that is not there, as users have who are not people, is not to be made. */
    if (stat(home, &status) == 0 ? status.st_uid != geteuid() : *below != '\0')
        return NULL;
    return join(home, below, "clact");
}

/* The program may go to another folder later. */
static char *absolute(const char *path)
{
    char here[4096];
    if (*path == '/')
        return join(path, "", "");
    return getcwd(here, sizeof(here)) ? join(here, path, "") : NULL;
}

char *clact__cache_folder(const char *option)
{
    if (!option) {
        if (has_borrowed_rights())
            return NULL;
        option = getenv("CLACT_CACHE_DIR");
    }
    if (!option)
        return default_folder();
    return *option ? absolute(option) : NULL;
}

/* Makes the folder and those that it is in, as far as they are missing. */
static void make_folders(const char *path)
{
    char *part = join(path, "", "");
    if (!part)
        return;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, S_IRWXU);
        *slash = '/';
    }
    mkdir(part, S_IRWXU);
    free(part);
}

/* The folder's descriptor; -1 if it is not there or not safe. */
static int open_folder(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (folder >= 0 && (fstat(folder, &status) != 0 || !is_ours(&status))) {
        close(folder);
        return -1;
    }
    return folder;
}

bool clact__cache_make(const clact_context *ctx)
{
    if (!ctx->cache_folder)
        return false;
    make_folders(ctx->cache_folder);
    const int folder = open_folder(ctx->cache_folder);
    if (folder < 0)
        return false;
    const bool writable = faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0;
    close(folder);
    return writable;
}

/* All that is in the file, `size` bytes; the caller frees it. NULL if that cannot be had. */
static void *read_all(int file, size_t size)
{
    unsigned char *bytes = malloc(size ? size : 1);
    size_t done = 0;
    while (bytes && done < size) {
        const ssize_t got = read(file, bytes + done, size - done);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            free(bytes);
            return NULL;
        }
    }
    return bytes;
}

void *clact__cache_read(const clact_context *ctx, const char *name, size_t *size)
{
    if (!ctx->cache_folder)
        return NULL;
    const int folder = open_folder(ctx->cache_folder);
    if (folder < 0)
        return NULL;
    /* Whatever has this name, opening it must neither wait nor lead elsewhere. */
    const int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(folder);
    if (file < 0)
        return NULL;
    struct stat status;
    void *bytes = NULL;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && is_ours(&status) &&
        status.st_size <= LARGEST_FILE) {
        *size = (size_t)status.st_size;
        bytes = read_all(file, *size);
    }
    close(file);
    return bytes;
}

static bool write_all(int file, const unsigned char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t got = write(file, bytes + done, size - done);
        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/* A name that no other file has: not this thread's, another's or another process's, nor that of a
 * process in another container with the same number. */
static void name_temporary(char *text, size_t space)
{
    static atomic_uint files_made;
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, space, "%ld-%lld-%ld-%u.tmp", (long)getpid(), (long long)now.tv_sec, now.tv_nsec,
             atomic_fetch_add(&files_made, 1));
}

void clact__cache_write(const clact_context *ctx, const char *name, const void *bytes, size_t size)
{
    if (size > LARGEST_FILE)
        return;
    const int folder = open_folder(ctx->cache_folder);
    if (folder < 0)
        return;
    char temporary[96];
    name_temporary(temporary, sizeof(temporary));
    const int file =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        const bool written = write_all(file, bytes, size);
        const bool closed = close(file) == 0;
        /* No fsync: what a crash of the machine leaves half written is found by its checksum. */
        if (!written || !closed || renameat(folder, temporary, folder, name) != 0)
            unlinkat(folder, temporary, 0);
    }
    close(folder);
}
