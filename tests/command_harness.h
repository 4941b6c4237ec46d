/* SPDX-License-Identifier: MIT */
/*
 * Runs the clact command as a user would, in an empty folder, and looks at what it leaves there:
 * exit status, output and files. What fails here fails the cmocka test that is running.
 */
#ifndef CLACT_TESTS_COMMAND_HARNESS_H
#define CLACT_TESTS_COMMAND_HARNESS_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/types.h>

/* A cmocka setup and teardown: a new working folder, and away with it. */
int enter_folder(void **state);
int leave_folder(void **state);

/* A file's bytes, or a program's. There is a NUL after them. */
struct bytes {
    unsigned char *data;
    size_t size;
};

struct result {
    int status; /* the exit status, or the negative signal that ended it */
    struct bytes out;
    struct bytes err;
};

enum { MAX_ARGUMENTS = 16 };

/* Runs a program to its end. The arguments end in NULL; the first is the program. */
struct result run_program(const char *const *arguments);
/* Runs clact with up to MAX_ARGUMENTS arguments. */
#define RUN_CLACT(...) run_clact((const char *const[]){__VA_ARGS__, NULL})
struct result run_clact(const char *const *arguments);

/* Starts clact and does not wait; standard error goes to `err` if that is not -1. */
pid_t start_clact(const char *const *arguments, int err);
/* Waits for its end, and gives its status as in struct result. */
int wait_for(pid_t child);

void free_result(struct result *result);

/* Exit status 0 and nothing on stderr. Frees the result. */
#define EXPECT_SUCCESS(...) expect_success(RUN_CLACT(__VA_ARGS__))
void expect_success(struct result result);

/* That exit status, nothing on stdout and on stderr one line: "clact: ", somewhere in it `part`.
 * Frees the result. */
#define EXPECT_FAILURE(status, part, ...) expect_failure(RUN_CLACT(__VA_ARGS__), status, part)
void expect_failure(struct result result, int status, const char *part);

/* That `clact COMMAND relu`, which writes files with --csv and with `option`, opens both and the device
 * before it begins: nothing is printed, and a file that could be written is gone. */
void expect_unwritable(const char *command, const char *option);

/* The folder has these files, hidden ones included, and no others. At most 16. */
#define EXPECT_FILES(...) expect_files((const char *const[]){__VA_ARGS__, NULL})
void expect_files(const char *const *names);

struct bytes read_whole(const char *path);
void write_whole(const char *path, const void *data, size_t size);
void expect_content(const char *path, const void *data, size_t size);

/* A .npy file: version 1, 2 or 3 with that dict, padded as NumPy does it. */
struct bytes make_npy(int version, const char *dict, const void *data, size_t size);
void write_npy(const char *path, int version, const char *dict, const void *data, size_t size);

/* The elements of the .npy file: its header must have this dict and `size` bytes must follow. The
 * caller frees what is returned. */
void *read_npy(const char *path, const char *dict, size_t size);

/* {'descr': TYPE, 'fortran_order': ORDER, 'shape': SHAPE, } as the command writes it. */
#define DICT(type, order, shape)                                                                   \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }"

#endif
