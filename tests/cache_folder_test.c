/* SPDX-License-Identifier: MIT */
/* Where compiled programs are kept, where they are not, and several processes that keep them in the
 * same place. */
#include "cache_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 6 };

static const char *program;
static char scratch[PATH_SIZE];

/* Sets a variable, or unsets it where the value is NULL. */
static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void set_environment(const char *cache_dir, const char *xdg, const char *home)
{
    set("CLACT_CACHE_DIR", cache_dir);
    set("XDG_CACHE_HOME", xdg);
    set("HOME", home);
}

static void below(char path[PATH_SIZE], const char *name)
{
    path_join(path, scratch, name);
}

static void expect_mode(const char *path, mode_t mode)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
}

/* A context with the default options compiles, and leaves that in this folder alone. */
static void expect_kept(const char *folder)
{
    assert_int_equal(files_in(folder, NULL), 0);
    assert_int_equal(compilations_of(NULL), 1);
    assert_int_equal(files_in(folder, NULL), 1);
    expect_mode(folder, 0700);
    assert_int_equal(compilations_of(NULL), 0);
}

/* A context with these options compiles each time, and leaves nothing in the scratch folder but the
 * `count` files of before. */
static void expect_not_kept(const clact_options *options, int count)
{
    assert_int_equal(compilations_of(options), 1);
    assert_int_equal(compilations_of(options), 1);
    assert_int_equal(files_in(scratch, NULL), count);
}

static void test_variable(void **state)
{
    (void)state;
    char named[PATH_SIZE], other[PATH_SIZE];
    below(named, "a/b/c");
    below(other, "other");
    set_environment(named, other, other);
    expect_kept(named);
    assert_int_equal(files_in(scratch, NULL), 1);
    below(named, "a");
    expect_mode(named, 0700);
    below(named, "a/b");
    expect_mode(named, 0700);
}

static void test_xdg(void **state)
{
    (void)state;
    char xdg[PATH_SIZE], home[PATH_SIZE], folder[PATH_SIZE];
    below(xdg, "xdg");
    below(home, "home");
    below(folder, "xdg/clact");
    set_environment(NULL, xdg, home);
    expect_kept(folder);
    assert_int_equal(files_in(scratch, NULL), 1);
}

static void test_home(void **state)
{
    (void)state;
    char home[PATH_SIZE], folder[PATH_SIZE];
    below(home, "home");
    below(folder, "home/.cache/clact");
    assert_int_equal(mkdir(home, 0755), 0);
    set_environment(NULL, "relative", home); /* which is not valid in XDG_CACHE_HOME */
    expect_kept(folder);
    expect_mode(home, 0755);
    assert_int_equal(files_in("relative", NULL), 0);
}

static void test_no_home(void **state)
{
    (void)state;
    set_environment(NULL, NULL, NULL);
    expect_not_kept(NULL, 0);
    set_environment(NULL, "", "");
    expect_not_kept(NULL, 0);
    set_environment(NULL, NULL, "relative");
    expect_not_kept(NULL, 0);
    assert_int_equal(access("relative", F_OK), -1);
}

/* As where root has kept the user's HOME. */
static void test_home_of_another(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a folder away */
    char home[PATH_SIZE];
    below(home, "home");
    assert_int_equal(mkdir(home, 0755), 0);
    assert_int_equal(chown(home, 65534, (gid_t)-1), 0);
    set_environment(NULL, NULL, home);
    expect_not_kept(NULL, 1);
    assert_int_equal(files_in(home, NULL), 0);
}

static void test_off(void **state)
{
    (void)state;
    char named[PATH_SIZE];
    below(named, "named");
    set_environment("", named, named);
    expect_not_kept(NULL, 0);
    set_environment(named, named, named);
    expect_not_kept(&(clact_options){.cache_dir = ""}, 0);
}

static void test_option_before_variable(void **state)
{
    (void)state;
    char named[PATH_SIZE], wanted[PATH_SIZE];
    below(named, "named");
    below(wanted, "wanted");
    set_environment(named, named, named);
    assert_int_equal(compilations_with(wanted), 1);
    assert_int_equal(compilations_with(wanted), 0);
    set_environment("", NULL, NULL);
    assert_int_equal(compilations_with(wanted), 0);
    assert_int_equal(files_in(scratch, NULL), 1);
}

/* A relative path is one of the folder where the context was made. */
static void test_relative(void **state)
{
    (void)state;
    char folder[PATH_SIZE], kept[4096];
    below(folder, "here/clact");
    assert_non_null(getcwd(kept, sizeof(kept)));
    assert_int_equal(chdir(scratch), 0);
    float x[4] = {0}, y[4];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = "here/clact"});
    assert_int_equal(chdir("/"), 0);
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, 4, x, y));
    fixture_close(&f);
    assert_int_equal(chdir(kept), 0);
    assert_int_equal(files_in(folder, NULL), 1);
}

/* A folder that is not safe, with a sound program in it: it is neither used nor added to. */
static void expect_refused(const char *folder)
{
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(compilations_of(&(clact_options){.cache_dir = folder, .vector_width = 1}), 1);
    assert_int_equal(files_in(folder, NULL), 1);
}

static void test_writable_by_others(void **state)
{
    (void)state;
    static const mode_t modes[] = {0777, 0775, 01777, 0702};
    char folder[PATH_SIZE];
    below(folder, "folder");
    assert_int_equal(compilations_with(folder), 1);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(chmod(folder, modes[i]), 0);
        expect_refused(folder);
        expect_mode(folder, modes[i]);
    }
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(compilations_with(folder), 0);
}

static void test_owned_by_another(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a folder away */
    char folder[PATH_SIZE];
    below(folder, "folder");
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(chown(folder, 65534, (gid_t)-1), 0);
    expect_refused(folder);
    assert_int_equal(chown(folder, 0, (gid_t)-1), 0);
    assert_int_equal(compilations_with(folder), 0);
}

/* A link leads to a folder, which then has to be safe. */
static void test_link(void **state)
{
    (void)state;
    char folder[PATH_SIZE], name[PATH_SIZE];
    below(folder, "folder");
    below(name, "link");
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(symlink(folder, name), 0);
    assert_int_equal(compilations_with(name), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    expect_refused(name);
}

static void test_unusable(void **state)
{
    (void)state;
    char file[PATH_SIZE], folder[PATH_SIZE];
    below(file, "file");
    file_write(file, "text", 4);
    expect_not_kept(&(clact_options){.cache_dir = file}, 1);
    path_join(folder, file, "folder");
    expect_not_kept(&(clact_options){.cache_dir = folder}, 1);
    expect_not_kept(&(clact_options){.cache_dir = "/dev/null/folder"}, 1);
    char longer[6000];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    expect_not_kept(&(clact_options){.cache_dir = longer}, 1);
}

static void test_read_only(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root may write everywhere */
    char folder[PATH_SIZE];
    below(folder, "folder");
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(chmod(folder, 0500), 0);
    assert_int_equal(compilations_with(folder), 0);
    assert_int_equal(compilations_of(&(clact_options){.cache_dir = folder, .vector_width = 1}), 1);
    assert_int_equal(files_in(folder, NULL), 1);
    assert_int_equal(chmod(folder, 0700), 0);
}

/* It may be deleted while it is in use. */
static void test_deleted(void **state)
{
    (void)state;
    char folder[PATH_SIZE];
    below(folder, "folder");
    float x[4] = {0}, y[4], dx[4];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = folder});
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, 4, x, y));
    assert_int_equal(files_in(folder, NULL), 1);
    scratch_remove(folder);
    assert_ok(clact_backward(f.ctx, any_operator(), NULL, CLACT_F32, any_kind(), 4, x, y, dx));
    assert_int_equal(files_in(folder, NULL), 1);
    fixture_close(&f);
}

/* Processes. */

/* What most of them do: exit with the number of programs that it compiled, above 1 for an error. */
static int run_child(const char *folder)
{
    float x[64], y[64];
    fill_operands(CLACT_F32, x, 64, 1);
    const struct fault_layer *layer = fault_layer_find();
    clact_context *ctx = NULL;
    const bool worked =
        clact_context_create(&(clact_options){.cache_dir = folder}, &ctx) == CLACT_SUCCESS &&
        clact_forward(ctx, any_operator(), NULL, CLACT_F32, 64, x, y) == CLACT_SUCCESS;
    clact_context_destroy(ctx);
    if (!worked || !layer)
        return 99;
    assert_forward(CLACT_F32, 64, x, y);
    return (int)layer->compilations();
}

/* How many bytes the programs of a context have that has run its one kernel. */
static size_t size_after_use(void)
{
    float x[64] = {0}, y[64];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = ""});
    assert_ok(clact_forward(f.ctx, any_operator(), NULL, CLACT_F32, 64, x, y));
    size_t size = 0;
    assert_ok(clact_programs_export(f.ctx, 0, NULL, &size));
    fixture_close(&f);
    return size;
}

/* Enqueues a call that cannot begin, and looks at what has been kept. */
static int run_gated_child(const char *folder)
{
    char file[PATH_SIZE];
    struct fixture f;
    fixture_open(&f, &(clact_options){.cache_dir = folder});
    clact_buffer *buffer = NULL;
    assert_ok(clact_buffer_create(f.ctx, 64 * sizeof(float), &buffer));
    const clact_view view = clact_buffer_view(buffer, CLACT_F32, 0, 64);
    cl_event gate = make_user_event(f.ctx), done = NULL;
    assert_ok(
        clact_enqueue_forward(f.ctx, NULL, any_operator(), NULL, view, view, 1, &gate, &done));
    assert_int_not_equal(event_state(done), CL_COMPLETE);
    assert_int_equal(files_in(folder, file), 1);
    size_t size = 0;
    free(file_read(file, &size));
    complete_user_event(gate);
    await(done);
    clact_buffer_destroy(buffer);
    fixture_close(&f);
    /* The names of the compiler's temporary files make a difference of some bytes. */
    const size_t complete = size_after_use();
    return size + 500 > complete ? 0 : 97;
}

/* PoCL's own cache is not safe to share between processes, and would hide who has compiled. */
static pid_t start(const char *option, const char *folder, int index)
{
    char pocl[PATH_SIZE], name[16];
    snprintf(name, sizeof(name), "pocl-%d", index);
    below(pocl, name);
    mkdir(pocl, 0700);
    set("POCL_CACHE_DIR", pocl); /* this process has read it already */
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        execl(program, program, option, folder, (char *)NULL);
        _exit(98);
    }
    return process;
}

/* How many programs they compiled in all, if none fails. */
static int run_processes(const char *folder, int count)
{
    pid_t processes[PROCESSES];
    int compiled = 0;
    for (int i = 0; i < count; i++)
        processes[i] = start("--child", folder, i);
    for (int i = 0; i < count; i++) {
        int status = 0;
        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        assert_true(WIFEXITED(status));
        assert_in_range(WEXITSTATUS(status), 0, 1);
        compiled += WEXITSTATUS(status);
    }
    return compiled;
}

/* All of them at once, into a folder that is not there: one file comes of it, which is sound, also
 * where there was a damaged one. */
static void test_processes(void **state)
{
    (void)state;
    char folder[PATH_SIZE], entry[PATH_SIZE];
    below(folder, "folder");
    assert_in_range(run_processes(folder, PROCESSES), 1, PROCESSES);
    assert_int_equal(files_in(folder, entry), 1);
    assert_int_equal(run_processes(folder, PROCESSES), 0);
    file_write(entry, "damaged", 7);
    assert_in_range(run_processes(folder, PROCESSES), 1, PROCESSES);
    assert_int_equal(files_in(folder, NULL), 1);
    assert_int_equal(run_processes(folder, 1), 0);
}

/* A driver may compile when a kernel is launched. What is kept has that too, although the launch
 * has not even begun and the call has not waited for it. */
static void test_complete(void **state)
{
    (void)state;
    char folder[PATH_SIZE];
    below(folder, "folder");
    const pid_t process = start("--gated", folder, 0);
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
}

/* What a process that was killed while it wrote leaves behind does not stand in anybody's way. */
static void test_left_behind(void **state)
{
    (void)state;
    char folder[PATH_SIZE], temporary[PATH_SIZE];
    below(folder, "folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    path_join(temporary, folder, "1-1-1-0.tmp");
    file_write(temporary, "half", 4);
    assert_int_equal(compilations_with(folder), 1);
    assert_int_equal(compilations_with(folder), 0);
    assert_int_equal(files_in(folder, NULL), 2);
}

static int open_scratch(void **state)
{
    (void)state;
    scratch_make(scratch);
    set_environment("", NULL, NULL);
    return 0;
}

static int close_scratch(void **state)
{
    (void)state;
    scratch_remove(scratch);
    return 0;
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, open_scratch, close_scratch)

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return run_child(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--gated") == 0)
        return run_gated_child(argv[2]);
    if (!can_count())
        return SKIPPED;
    program = argv[0];
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(test_variable),
        WITH_SCRATCH(test_xdg),
        WITH_SCRATCH(test_home),
        WITH_SCRATCH(test_no_home),
        WITH_SCRATCH(test_home_of_another),
        WITH_SCRATCH(test_off),
        WITH_SCRATCH(test_option_before_variable),
        WITH_SCRATCH(test_relative),
        WITH_SCRATCH(test_writable_by_others),
        WITH_SCRATCH(test_owned_by_another),
        WITH_SCRATCH(test_link),
        WITH_SCRATCH(test_unusable),
        WITH_SCRATCH(test_read_only),
        WITH_SCRATCH(test_deleted),
        WITH_SCRATCH(test_processes),
        WITH_SCRATCH(test_complete),
        WITH_SCRATCH(test_left_behind),
    };
    return cmocka_run_group_tests_name("cache folder", tests, NULL, NULL);
}
