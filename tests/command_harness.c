/* SPDX-License-Identifier: MIT */
#include "command_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The working folder is inside of this one, which gets what the programs print. */
static char scratch[PATH_MAX];

int enter_folder(void **state)
{
    const char *parent = getenv("TMPDIR");
    (void)state;
    snprintf(scratch, sizeof scratch, "%s/clact-test-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(scratch));
    assert_int_equal(chdir(scratch), 0);
    assert_int_equal(mkdir("work", 0777), 0);
    assert_int_equal(chdir("work"), 0);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

int leave_folder(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(scratch, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    return 0;
}

static pid_t start(const char *const *arguments, int out, int err)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0), 0);
    if (out >= 0)
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out, 1), 0);
    if (err >= 0)
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, err, 2), 0);
    /* posix_spawn does not change the strings; its type is older than const. */
    int error =
        posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    assert_int_equal(error, 0);
    assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
    return child;
}

int wait_for(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

struct result run_program(const char *const *arguments)
{
    int out = open("../out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int err = open("../err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(out >= 0 && err >= 0);
    struct result result = {.status = wait_for(start(arguments, out, err))};
    assert_int_equal(close(out), 0);
    assert_int_equal(close(err), 0);
    result.out = read_whole("../out");
    result.err = read_whole("../err");
    return result;
}

/* The arguments with the path of the command before them. */
static void add_command(const char *const *arguments, const char *all[MAX_ARGUMENTS + 2])
{
    size_t count = 0;
    all[0] = CLACT_COMMAND;
    do {
        assert_true(count <= MAX_ARGUMENTS);
        all[count + 1] = arguments[count];
    } while (arguments[count++] != NULL);
}

struct result run_clact(const char *const *arguments)
{
    const char *all[MAX_ARGUMENTS + 2];
    add_command(arguments, all);
    return run_program(all);
}

pid_t start_clact(const char *const *arguments, int err)
{
    const char *all[MAX_ARGUMENTS + 2];
    add_command(arguments, all);
    return start(all, -1, err);
}

void free_result(struct result *result)
{
    free(result->out.data);
    free(result->err.data);
}

void expect_success(struct result result)
{
    assert_string_equal((char *)result.err.data, "");
    assert_int_equal(result.status, 0);
    free_result(&result);
}

void expect_failure(struct result result, int status, const char *part)
{
    const char *err = (const char *)result.err.data;
    const char *end = strchr(err, '\n');
    if (strstr(err, part) == NULL || strncmp(err, "clact: ", 7) != 0 || end == NULL ||
        end[1] != '\0')
        fail_msg("wanted one line with '%s', got '%s'", part, err);
    assert_int_equal(result.status, status);
    assert_int_equal(result.out.size, 0);
    free_result(&result);
}

void expect_unwritable(const char *command, const char *option)
{
    EXPECT_FAILURE(1, "nowhere/a.csv", command, "relu", "--csv", "nowhere/a.csv");
    EXPECT_FAILURE(1, "nowhere/b", command, "relu", "--csv", "a.csv", option, "nowhere/b");
    EXPECT_FAILURE(1, "device", command, "relu", "--csv", "a.csv", "-d", "no such device");
    EXPECT_FILES(NULL);
}

void expect_files(const char *const *names)
{
    bool seen[16] = {false};
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], entry->d_name) != 0)
            i++;
        if (names[i] == NULL)
            fail_msg("'%s' was left behind", entry->d_name);
        seen[i] = true;
    }
    assert_int_equal(closedir(folder), 0);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (!seen[i])
            fail_msg("'%s' is gone", names[i]);
    }
}

struct bytes read_whole(const char *path)
{
    struct bytes bytes = {NULL, 0};
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    bytes.size = (size_t)status.st_size;
    bytes.data = malloc(bytes.size + 1);
    assert_non_null(bytes.data);
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    bytes.data[bytes.size] = '\0';
    assert_int_equal(fclose(file), 0);
    return bytes;
}

void write_whole(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void expect_content(const char *path, const void *data, size_t size)
{
    struct bytes bytes = read_whole(path);
    assert_int_equal(bytes.size, size);
    assert_memory_equal(bytes.data, data, size);
    free(bytes.data);
}

struct bytes make_npy(int version, const char *dict, const void *data, size_t size)
{
    size_t prefix = version == 1 ? 10 : 12;
    size_t length = strlen(dict);
    size_t header = (prefix + length + 1 + 63) / 64 * 64;
    size_t text = header - prefix;
    struct bytes npy = {malloc(header + size), header + size};
    assert_non_null(npy.data);
    memset(npy.data, ' ', header);
    memcpy(npy.data, "\x93NUMPY", 6);
    npy.data[6] = (unsigned char)version;
    npy.data[7] = 0;
    for (size_t i = 8; i < prefix; i++)
        npy.data[i] = (unsigned char)(text >> (8 * (i - 8)));
    memcpy(npy.data + prefix, dict, length);
    npy.data[header - 1] = '\n';
    if (size > 0)
        memcpy(npy.data + header, data, size);
    return npy;
}

void write_npy(const char *path, int version, const char *dict, const void *data, size_t size)
{
    struct bytes npy = make_npy(version, dict, data, size);
    write_whole(path, npy.data, npy.size);
    free(npy.data);
}

void *read_npy(const char *path, const char *dict, size_t size)
{
    struct bytes file = read_whole(path);
    /* What follows the dict is padding; make_npy says how much. */
    struct bytes wanted = make_npy(1, dict, NULL, 0);
    assert_int_equal(file.size, wanted.size + size);
    assert_memory_equal(file.data, wanted.data, wanted.size);
    void *elements = malloc(size + 1);
    assert_non_null(elements);
    memcpy(elements, file.data + wanted.size, size);
    free(wanted.data);
    free(file.data);
    return elements;
}
