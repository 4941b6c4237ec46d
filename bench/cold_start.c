/* SPDX-License-Identifier: MIT */
/*
 * clact_cold_start: from the start of a process to its first result, with the kernel compiled from
 * source, the same and the program kept, with the program that clact has kept, and with the same
 * program loaded by hand.
 *
 * Each figure is that of a process of its own, which this one starts: from before it is started
 * until it has the result. Drivers have caches of their own, so each is measured with an empty one
 * and with one that an earlier process has filled.
 */
#include "check.h"
#include "internal.h" /* to take the binary out of clact's file */

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 4096, PATH_SIZE = 512, MOST_REPEATS = 1000 };

extern char **environ;

enum way { FROM_SOURCE, AND_KEPT, FROM_CACHE, BY_HAND, WAYS };
static const char *const way_names[WAYS] = {"from source", "from source, and kept",
                                            "from clact's cache", "by hand"};

/* Everything is in one folder, which is deleted in the end. */
static char scratch[PATH_SIZE];

static void path_in_scratch(char path[PATH_SIZE], const char *name)
{
    if (snprintf(path, PATH_SIZE, "%s/%s", scratch, name) >= PATH_SIZE)
        die("the path of the temporary folder is too long");
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

/* The processes that are measured. */

static void check_result(const float *x, const float *y)
{
    for (int i = 0; i < N; i++)
        if (!(fabs(y[i] - 1 / (1 + exp(-x[i]))) < 1e-6))
            die("a result is wrong");
}

static void run_clact(const char *cache_dir, const float *x, float *y)
{
    clact_context *ctx = NULL;
    check_clact(NULL, clact_context_create(&(clact_options){.cache_dir = cache_dir}, &ctx));
    check_clact(ctx, clact_forward(ctx, CLACT_SIGMOID, NULL, CLACT_F32, N, x, y));
}

/* The first device of that name, on any platform. */
static cl_device_id find_device(const char *name)
{
    cl_platform_id platforms[16];
    cl_uint platform_count = 0, count = 0;
    check_cl(clGetPlatformIDs(16, platforms, &platform_count), "clGetPlatformIDs");
    for (cl_uint p = 0; p < platform_count && p < 16; p++) {
        cl_device_id devices[16];
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, devices, &count) != CL_SUCCESS)
            continue;
        for (cl_uint d = 0; d < count && d < 16; d++) {
            char its_name[256] = "";
            clGetDeviceInfo(devices[d], CL_DEVICE_NAME, sizeof(its_name) - 1, its_name, NULL);
            if (strcmp(its_name, name) == 0)
                return devices[d];
        }
    }
    die("there is no device %s", name);
}

static cl_program load_program(cl_context context, cl_device_id device, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0)
        die("cannot read %s", path);
    const size_t size = (size_t)status.st_size;
    unsigned char *bytes = check_allocate(size, 1);
    if (fread(bytes, 1, size, file) != size)
        die("cannot read %s", path);
    fclose(file);
    cl_int code = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(context, 1, &device, &size,
                                                   (const unsigned char *[]){bytes}, NULL, &code);
    check_cl(code, "clCreateProgramWithBinary");
    check_cl(clBuildProgram(program, 1, &device, "", NULL, NULL), "clBuildProgram");
    free(bytes);
    return program;
}

/* As kernels/elementwise.cl has them: one item does all of the N elements. */
static void set_arguments(cl_kernel kernel, const cl_mem *memory)
{
    const cl_ulong zero = 0, one = 1, n = N;
    const cl_ulong *const numbers[10] = {NULL, &zero, &n, NULL, &zero, &n, &one, &n, &one, &n};
    for (cl_uint i = 0; i < 10; i++)
        check_cl(numbers[i] ? clSetKernelArg(kernel, i, sizeof(cl_ulong), numbers[i])
                            : clSetKernelArg(kernel, i, sizeof(cl_mem), memory++),
                 "clSetKernelArg");
}

static void run_by_hand(const char *name, const char *path, const float *x, float *y)
{
    cl_int code = CL_SUCCESS;
    cl_device_id device = find_device(name);
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    check_cl(code, "clCreateContext");
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
    check_cl(code, "clCreateCommandQueue");
    cl_program program = load_program(context, device, path);
    cl_kernel kernel = clCreateKernel(program, "clact_sigmoid_forward", &code);
    check_cl(code, "clCreateKernel");
    cl_mem memory[2];
    for (int i = 0; i < 2; i++) {
        memory[i] = clCreateBuffer(context, CL_MEM_READ_WRITE, N * sizeof(float), NULL, &code);
        check_cl(code, "clCreateBuffer");
    }
    check_cl(
        clEnqueueWriteBuffer(queue, memory[0], CL_TRUE, 0, N * sizeof(float), x, 0, NULL, NULL),
        "clEnqueueWriteBuffer");
    set_arguments(kernel, memory);
    const size_t size[2] = {1, 1};
    check_cl(clEnqueueNDRangeKernel(queue, kernel, 2, NULL, size, size, 0, NULL, NULL),
             "clEnqueueNDRangeKernel");
    check_cl(clEnqueueReadBuffer(queue, memory[1], CL_TRUE, 0, N * sizeof(float), y, 0, NULL, NULL),
             "clEnqueueReadBuffer");
}

/* Prints the time when it has the result. What it has made goes with the process. */
static int run_child(char **arguments)
{
    float x[N], y[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - N / 2) / 64;
    switch (atoi(arguments[0])) {
    case FROM_SOURCE:
        run_clact("", x, y);
        break;
    case AND_KEPT:
    case FROM_CACHE:
        run_clact(arguments[1], x, y);
        break;
    default:
        run_by_hand(arguments[3], arguments[2], x, y);
    }
    const double done = now();
    check_result(x, y);
    printf("%.6f\n", done);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* The process that measures. */

struct session {
    const char *program;
    char cache[PATH_SIZE];  /* clact's */
    char binary[PATH_SIZE]; /* the program that is in there, as the driver gave it */
    clact_device_info device;
    size_t repeats;
    double require;                      /* milliseconds; 0: nothing is required */
    double times[WAYS][2][MOST_REPEATS]; /* the driver's cache empty, filled */
};

/* A folder of its own. */
static void make_folder(char path[PATH_SIZE])
{
    path_in_scratch(path, "XXXXXX");
    if (!mkdtemp(path))
        die("cannot write to %s", scratch);
}

/* Milliseconds to the first result. */
static double measure(const struct session *session, enum way way, const char *driver_cache)
{
    char own[PATH_SIZE];
    if (way == AND_KEPT)
        make_folder(own);
    char number[8];
    snprintf(number, sizeof(number), "%d", (int)way);
    setenv("POCL_CACHE_DIR", driver_cache, 1);
    setenv("CUDA_CACHE_PATH", driver_cache, 1);
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addclose(&actions, ends[0]) != 0)
        die("no pipe could be made");
    char *arguments[] = {(char *)session->program,
                         "--child",
                         number,
                         way == AND_KEPT ? own : (char *)session->cache,
                         (char *)session->binary,
                         (char *)session->device.name,
                         NULL};
    pid_t process = 0;
    const double start = now();
    if (posix_spawn(&process, session->program, &actions, NULL, arguments, environ) != 0)
        die("%s could not be started", session->program);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    double end = 0;
    FILE *answer = fdopen(ends[0], "r");
    const bool answered = answer && fscanf(answer, "%lf", &end) == 1;
    if (answer)
        fclose(answer);
    int status = 0;
    if (waitpid(process, &status, 0) != process || status != 0 || !answered)
        die("%s: the process failed", way_names[way]);
    return end - start;
}

/* Takes the binary out of the one file in clact's folder. */
static void extract_binary(const struct session *session)
{
    char path[PATH_SIZE] = "";
    DIR *folder = opendir(session->cache);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
        if (entry->d_name[0] != '.' &&
            snprintf(path, PATH_SIZE, "%s/%s", session->cache, entry->d_name) >= PATH_SIZE)
            die("the path of the temporary folder is too long");
    if (folder)
        closedir(folder);
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0)
        die("clact has kept no program: the driver gives none");
    const size_t size = (size_t)status.st_size;
    unsigned char *bytes = check_allocate(size, 1);
    clact__bundle bundle;
    clact__item item;
    if (fread(bytes, 1, size, file) != size || !clact__bundle_read(bytes, size, &bundle) ||
        !clact__bundle_next(&bundle, &item))
        die("%s is not sound", path);
    fclose(file);
    FILE *binary = fopen(session->binary, "wb");
    if (!binary || fwrite(item.binary, 1, item.size, binary) != item.size || fclose(binary) != 0)
        die("cannot write %s", session->binary);
    printf("clact's file has %zu bytes, the binary in it %zu\n", size, item.size);
    free(bytes);
}

static void measure_all(struct session *session)
{
    char filled[WAYS][PATH_SIZE];
    for (int way = 0; way < WAYS; way++) {
        make_folder(filled[way]);
        measure(session, (enum way)way, filled[way]);
    }
    for (size_t i = 0; i < session->repeats; i++)
        for (int way = 0; way < WAYS; way++) {
            char empty[PATH_SIZE];
            make_folder(empty);
            session->times[way][0][i] = measure(session, (enum way)way, empty);
            session->times[way][1][i] = measure(session, (enum way)way, filled[way]);
        }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(struct session *session)
{
    printf("%-22s %-22s %s\n", "ms to first result", "driver's cache empty", "filled");
    for (int way = 0; way < WAYS; way++) {
        printf("%-22s", way_names[way]);
        for (int filled = 0; filled < 2; filled++) {
            double *times = session->times[way][filled];
            qsort(times, session->repeats, sizeof(*times), compare);
            printf(" %8.1f (least %6.1f)", times[session->repeats / 2], times[0]);
        }
        printf("\n");
    }
}

/* The medians are what is compared. The times are sorted by now. */
static void check_required(const struct session *session)
{
    for (int filled = 0; filled < 2 && session->require > 0; filled++) {
        const size_t middle = session->repeats / 2;
        const double more =
            session->times[FROM_CACHE][filled][middle] - session->times[BY_HAND][filled][middle];
        if (more > session->require)
            die("clact's cache takes %.1f ms longer than loading by hand, not %g", more,
                session->require);
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/* Also where it ends by die(). */
static void remove_scratch(void)
{
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char usage[] =
    "Usage: clact_cold_start [--repeats R] [--require MS]\n"
    "\n"
    "Measures the time from the start of a process to the first result of the sigmoid, with the\n"
    "kernel compiled from source, the same where clact keeps the program, with the program that\n"
    "clact has kept, and with the same binary loaded by hand, R times each (default: 11). The\n"
    "figures are medians. With --require it fails if clact's cache takes MS milliseconds longer\n"
    "than loading by hand.\n";

static void parse(struct session *session, int argc, char **argv)
{
    static const struct option options[] = {{"repeats", required_argument, NULL, 'r'},
                                            {"require", required_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, CHECK_HELP},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = check_option(argc, argv, options, usage)) != -1) {
        if (option == 'r')
            session->repeats = check_size("repeats", optarg, 1, MOST_REPEATS);
        else
            session->require = check_number("require", optarg, 0.001, 1e6);
    }
}

int main(int argc, char **argv)
{
    static struct session session = {.repeats = 11};
    check_program = "clact_cold_start";
    if (argc == 6 && strcmp(argv[1], "--child") == 0)
        return run_child(argv + 2);
    session.program = argv[0];
    parse(&session, argc, argv);

    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof(scratch), "%s/clact-cold-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(scratch))
        die("cannot write to %s", base && *base ? base : "/tmp");
    atexit(remove_scratch);
    path_in_scratch(session.cache, "clact");
    path_in_scratch(session.binary, "binary");
    clact_context *ctx = NULL;
    check_clact(NULL, clact_context_create(&(clact_options){.cache_dir = ""}, &ctx));
    check_clact(ctx, clact_context_info(ctx, &session.device));
    clact_context_destroy(ctx);
    printf("%s, %s\n", session.device.name, session.device.version);

    char driver_cache[PATH_SIZE];
    make_folder(driver_cache);
    measure(&session, FROM_CACHE, driver_cache);
    extract_binary(&session);
    measure_all(&session);
    report(&session);
    check_required(&session);
    return 0;
}
