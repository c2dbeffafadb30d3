// A slow disk, as LD_PRELOAD: each write takes SLOW_WRITE and each sync SLOW_SYNC milliseconds longer, of files whose
// name holds ".rnnviz" (SQLite opens them by name and then speaks of numbers).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".rnnviz") != NULL;
}

static void wait_for(const char *name) {
    const char *text = getenv(name);
    long milliseconds = text ? atol(text) : 0;
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

#define SLOW_WRITER(name, offset_type)                                                        \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) {                 \
        static ssize_t (*real)(int, const void *, size_t, offset_type);                       \
        if (!real) real = dlsym(RTLD_NEXT, #name);                                            \
        if (ours(fd)) wait_for("SLOW_WRITE");                                                 \
        return real(fd, data, size, offset);                                                  \
    }
SLOW_WRITER(pwrite, off_t)
SLOW_WRITER(pwrite64, off64_t)

#define SLOW_SYNCER(name)                                                                     \
    int name(int fd) {                                                                        \
        static int (*real)(int);                                                              \
        if (!real) real = dlsym(RTLD_NEXT, #name);                                            \
        if (ours(fd)) wait_for("SLOW_SYNC");                                                  \
        return real(fd);                                                                      \
    }
SLOW_SYNCER(fsync)
SLOW_SYNCER(fdatasync)
