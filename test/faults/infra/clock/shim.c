/* Shifts the wall clock of a process by the nanoseconds that a shared file holds; monotonic clocks stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t none;
static _Atomic int64_t *offset = &none;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void start(void) {
  real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("DROVER_CLOCK_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) offset = page;
  close(file);
}

static void shift(struct timespec *at) {
  int64_t total = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + atomic_load_explicit(offset, memory_order_relaxed);
  at->tv_sec = total / 1000000000;
  at->tv_nsec = total % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  if (!real_clock_gettime) start();
  int result = real_clock_gettime(clock, at);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(at);
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  int result = clock_gettime(CLOCK_REALTIME, &exact);
  if (result == 0 && at) {
    at->tv_sec = exact.tv_sec;
    at->tv_usec = exact.tv_nsec / 1000;
  }
  return result;
}

time_t time(time_t *at) {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
  if (at) *at = exact.tv_sec;
  return exact.tv_sec;
}
