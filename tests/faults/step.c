/* Lets the wall clock of a process stand elsewhere: by as many seconds as the file STEP_FILE says.
   The monotonic clock goes on, as it does when a machine's clock is set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    char text[32] = {0};
    int file, status;
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    status = real(id, now);
    if (id != CLOCK_REALTIME || status) return status;
    file = open(getenv("STEP_FILE") ? getenv("STEP_FILE") : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (file < 0) return status;
    if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
    close(file);
    return status;
}
