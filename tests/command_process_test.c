/* SPDX-License-Identifier: MIT */
/* The clact command among other programs: pipes, devices, signals and terminals. */
#include "command_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char old_output[] = "what was there before";

static void wait_milliseconds(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void expect_halves(const float *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(y[i] == 0.5f);
}

/* sigmoid(sigmoid(0)) through pipes, and a result that the shell appends to a file. */
static void test_standard_streams(void **state)
{
    const char *dict = DICT("<f4", "False", "(1000,)");
    static float x[1000];
    (void)state;
    write_npy("x.npy", 1, dict, x, sizeof x);
    expect_success(run_program((const char *const[]){
        "sh", "-c",
        "cat x.npy | \"$0\" forward sigmoid - -o - --piece-bytes 100 | cat >once.npy &&"
        "\"$0\" forward sigmoid /dev/stdin -o y.npy <once.npy && printf before >z &&"
        "\"$0\" forward sigmoid - -o /dev/stdout <x.npy >>z",
        CLACT_COMMAND, NULL}));
    float *y = read_npy("y.npy", dict, sizeof x);
    for (size_t i = 0; i < 1000; i++)
        assert_true(y[i] > 0.6224f && y[i] < 0.6225f);
    free(y);
    /* A cut at the right place makes a .npy file of it. */
    struct bytes z = read_whole("z");
    assert_memory_equal(z.data, "before", 6);
    write_whole("z.npy", z.data + 6, z.size - 6);
    y = read_npy("z.npy", dict, sizeof x);
    expect_halves(y, 1000);
    free(y);
    free(z.data);
    EXPECT_FILES("x.npy", "once.npy", "y.npy", "z", "z.npy");
}

static void test_output_to_a_fifo(void **state)
{
    const char *dict = DICT("<f4", "False", "(3,)");
    static const float x[3];
    struct stat status;
    (void)state;
    write_npy("x.npy", 1, dict, x, sizeof x);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    expect_success(run_program((const char *const[]){
        "sh", "-c", "cat fifo >y.npy & \"$0\" forward sigmoid x.npy -o fifo && wait", CLACT_COMMAND,
        NULL}));
    float *y = read_npy("y.npy", dict, sizeof x);
    expect_halves(y, 3);
    free(y);
    assert_int_equal(stat("fifo", &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    EXPECT_FILES("x.npy", "fifo", "y.npy");
}

/* How many files there are whose names start so. */
static size_t count_files(const char *start)
{
    size_t count = 0;
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strncmp(entry->d_name, start, strlen(start)) == 0;
    assert_int_equal(closedir(folder), 0);
    return count;
}

static void wait_for_temporary(void)
{
    for (int i = 0; i < 1000 && count_files(".clact") == 0; i++)
        wait_milliseconds(10);
    assert_int_equal(count_files(".clact"), 1);
}

/* Starts a forward pass that waits for its input, and returns what to write the rest of it to. */
static int start_on_fifo(pid_t *child, const struct bytes *npy, size_t first, int err)
{
    assert_int_equal(mkfifo("fifo", 0666), 0);
    const char *const arguments[] = {"forward", "sigmoid",       "fifo", "-o",
                                     "old.npy", "--piece-bytes", "4096", NULL};
    *child = start_clact(arguments, err);
    int fifo = open("fifo", O_WRONLY | O_CLOEXEC);
    assert_true(fifo >= 0);
    assert_int_equal(write(fifo, npy->data, first), first);
    return fifo;
}

static void check_signal(int number)
{
    static const unsigned char zeros[40000];
    struct bytes npy = make_npy(1, DICT("<f4", "False", "(10000,)"), zeros, sizeof zeros);
    pid_t child;
    write_whole("old.npy", old_output, sizeof old_output);
    int fifo = start_on_fifo(&child, &npy, npy.size / 2, -1);
    wait_for_temporary();
    assert_int_equal(kill(child, number), 0);
    assert_int_equal(wait_for(child), -number);
    assert_int_equal(close(fifo), 0);
    expect_content("old.npy", old_output, sizeof old_output);
    EXPECT_FILES("old.npy", "fifo");
    assert_int_equal(unlink("fifo"), 0);
    free(npy.data);
}

static void test_signals(void **state)
{
    (void)state;
    check_signal(SIGINT);
    check_signal(SIGTERM);
    check_signal(SIGHUP);
}

/* The last step, the rename, fails: the output's name has become that of a folder. */
static void test_target_that_turns_into_a_folder(void **state)
{
    static const unsigned char zeros[40000];
    struct bytes npy = make_npy(1, DICT("<f4", "False", "(10000,)"), zeros, sizeof zeros);
    size_t half = npy.size / 2;
    pid_t child;
    (void)state;
    int err = open("../rename", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_true(err >= 0);
    int fifo = start_on_fifo(&child, &npy, half, err);
    wait_for_temporary();
    assert_int_equal(mkdir("old.npy", 0777), 0);
    assert_int_equal(write(fifo, npy.data + half, npy.size - half), npy.size - half);
    assert_int_equal(close(fifo), 0);
    assert_int_equal(close(err), 0);
    struct result result = {.status = wait_for(child), .err = read_whole("../rename")};
    expect_failure(result, 1, "old.npy: Is a directory");
    EXPECT_FILES("old.npy", "fifo");
    free(npy.data);
}

/* A pseudo-terminal: what the command writes to *slave can be read from what is returned. */
static int open_terminal(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) {
        print_message("skipped: there are no pseudo-terminals, as in a bare chroot\n");
        skip();
    }
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*slave >= 0);
    return master;
}

/* What has come on the terminal so far. */
static void read_terminal(int master, char *text, size_t capacity)
{
    struct pollfd ready = {.fd = master, .events = POLLIN};
    size_t used = 0;
    while (used + 1 < capacity && poll(&ready, 1, 200) == 1 && (ready.revents & POLLIN)) {
        ssize_t count = read(master, text + used, capacity - 1 - used);
        if (count <= 0)
            break;
        used += (size_t)count;
    }
    text[used] = '\0';
}

/* A terminal is a device that not even root can replace by mistake, as it can /dev/null. */
static void test_output_to_a_device(void **state)
{
    char text[1024];
    int slave;
    int master = open_terminal(&slave);
    (void)state;
    write_npy("x.npy", 1, DICT("<f4", "False", "()"), "\0\0\0", 4);
    EXPECT_SUCCESS("forward", "sigmoid", "x.npy", "-o", ptsname(master));
    read_terminal(master, text, sizeof text);
    assert_memory_equal(text, "\x93NUMPY", 6);
    assert_int_equal(close(slave), 0);
    assert_int_equal(close(master), 0);
    EXPECT_FILES("x.npy");
}

/* A forward pass whose input pauses for so long; *text gets what came on its terminal. */
static void run_on_terminal(long pause, char *text, size_t capacity)
{
    static const unsigned char zeros[400000];
    const char *dict = DICT("<f4", "False", "(100000,)");
    struct bytes npy = make_npy(1, dict, zeros, sizeof zeros);
    int slave;
    int master = open_terminal(&slave);
    pid_t child;
    int fifo = start_on_fifo(&child, &npy, npy.size / 2, slave);
    wait_milliseconds(pause);
    assert_int_equal(write(fifo, npy.data + npy.size / 2, npy.size - npy.size / 2),
                     npy.size - npy.size / 2);
    assert_int_equal(close(fifo), 0);
    assert_int_equal(wait_for(child), 0);
    read_terminal(master, text, capacity);
    assert_int_equal(close(slave), 0);
    assert_int_equal(close(master), 0);
    float *y = read_npy("old.npy", dict, sizeof zeros);
    expect_halves(y, 100000);
    free(y);
    free(npy.data);
    assert_int_equal(unlink("fifo"), 0);
}

/* A terminal shows a bar when the work takes more than a second, and is clean at the end. */
static void test_progress_bar(void **state)
{
    static const char erase[] = "\r\x1b[K";
    char text[65536];
    (void)state;
    run_on_terminal(1300, text, sizeof text);
    assert_non_null(strstr(text, "[####"));
    assert_non_null(strstr(text, "%"));
    assert_null(strchr(text, '\n'));
    assert_string_equal(text + strlen(text) - strlen(erase), erase);
}

static void test_no_bar_off_a_terminal(void **state)
{
    static const unsigned char zeros[400000];
    struct bytes npy = make_npy(1, DICT("<f4", "False", "(100000,)"), zeros, sizeof zeros);
    (void)state;
    write_whole("x.npy", npy.data, npy.size);
    expect_success(run_program(
        (const char *const[]){"sh", "-c",
                              "(head -c 200000 x.npy; sleep 1.3; tail -c +200001 x.npy) |"
                              "\"$0\" forward sigmoid - -o y.npy --piece-bytes 4096",
                              CLACT_COMMAND, NULL}));
    EXPECT_FILES("x.npy", "y.npy");
    free(npy.data);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_standard_streams),
        TEST(test_output_to_a_fifo),
        TEST(test_output_to_a_device),
        TEST(test_signals),
        TEST(test_target_that_turns_into_a_folder),
        TEST(test_progress_bar),
        TEST(test_no_bar_off_a_terminal),
    };
    return cmocka_run_group_tests_name("command processes", tests, NULL, NULL);
}
