/* SPDX-License-Identifier: MIT */
#include "cache_fixture.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool can_count(void)
{
    if (fault_layer_find())
        return true;
    print_message("skipped: this OpenCL loader has no layers\n");
    return false;
}

void scratch_make(char path[PATH_SIZE])
{
    const char *base = getenv("TMPDIR");
    path_join(path, base && *base ? base : "/tmp", "clact-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void path_join(char path[PATH_SIZE], const char *folder, const char *name)
{
    const int length = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    assert_in_range(length, 1, PATH_SIZE - 1);
}

int files_in(const char *folder, char only[PATH_SIZE])
{
    DIR *open = opendir(folder);
    if (!open)
        return 0;
    int count = 0;
    for (const struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (only)
            path_join(only, folder, entry->d_name);
    }
    closedir(open);
    return count;
}

unsigned char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, S_IRUSR | S_IWUSR), 0);
}

unsigned long compilations_of(const clact_options *options)
{
    enum { N = 100 };
    float x[N], y[N];
    fill_operands(CLACT_F32, x, N, 1);
    const struct fault_layer *layer = fault_layer_find();
    const unsigned long before = layer->compilations();
    struct fixture f;
    fixture_open(&f, options);
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, N, x, y));
    assert_forward(CLACT_F32, N, x, y);
    assert_int_equal(f.log.count, 0);
    assert_int_equal(clact_last_error(f.ctx)->status, CLACT_SUCCESS);
    fixture_close(&f);
    return layer->compilations() - before;
}

unsigned long compilations_with(const char *cache_dir)
{
    return compilations_of(&(clact_options){.cache_dir = cache_dir});
}
