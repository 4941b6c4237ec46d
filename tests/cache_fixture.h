/* SPDX-License-Identifier: MIT */
/* What the tests of the cache share: folders of their own, the files in them, and whether a context
 * compiled. cmocka asserts on a failure. */
#ifndef CLACT_TESTS_CACHE_FIXTURE_H
#define CLACT_TESTS_CACHE_FIXTURE_H

#include "host_fixture.h"

enum { PATH_SIZE = 512 };

/* The exit status that the tests' registration takes for "skipped". */
enum { SKIPPED = 77 };

/* Whether compilations can be counted here; says so if they cannot. */
bool can_count(void);

/* A new folder that only this user may use, into `path`; and its end. */
void scratch_make(char path[PATH_SIZE]);
void scratch_remove(const char *path);

/* "folder/name" */
void path_join(char path[PATH_SIZE], const char *folder, const char *name);

/* How many files are in the folder, whatever they are called; 0 if it is not there. Where there is
 * just one, its path is written to `only`, which may be NULL. */
int files_in(const char *folder, char only[PATH_SIZE]);

/* All of a file, which the caller frees. */
unsigned char *file_read(const char *path, size_t *size);
/* Replaces or makes a file that its owner alone may write. */
void file_write(const char *path, const void *bytes, size_t size);

/* Makes a context with these options (NULL: the default ones), runs a kernel, checks its result,
 * and returns how many programs were compiled from source for that. */
unsigned long compilations_of(const clact_options *options);
/* The same with the default options but this folder. */
unsigned long compilations_with(const char *cache_dir);

#endif
