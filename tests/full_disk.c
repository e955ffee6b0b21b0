/* Makes a disk look full at random: preloaded into a process, lets every Nth write or so below a folder fail with ENOSPC.
   FULL_DISK is the folder, FULL_DISK_ONE_IN is N, FULL_DISK_SEED makes the same run fail in the same places. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int state;
static int one_in;

static int is_full(int fd) {
    const char *folder = getenv("FULL_DISK");
    char link[64], path[4096];
    ssize_t length;
    int failing;
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    pthread_mutex_lock(&lock);
    if (!one_in) {
        one_in = atoi(getenv("FULL_DISK_ONE_IN"));
        state = (unsigned int)atoi(getenv("FULL_DISK_SEED"));
    }
    failing = rand_r(&state) % one_in == 0;
    pthread_mutex_unlock(&lock);
    if (failing) errno = ENOSPC;
    return failing;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t count) {
    return is_full(fd) ? -1 : REAL(write)(fd, data, count);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) {
    return is_full(fd) ? -1 : REAL(pwrite)(fd, data, count, at);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
    return is_full(fd) ? -1 : REAL(pwrite64)(fd, data, count, at);
}

int fsync(int fd) {
    return is_full(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd) {
    return is_full(fd) ? -1 : REAL(fdatasync)(fd);
}
