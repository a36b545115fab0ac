/* Makes one kind of system call fail with EIO while the file named in FAILING_DISK names it, and of the writes of meta pages that which
   has the number in FAILING_META. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(const char *call) {
  const char *path = getenv("FAILING_DISK");
  char named[32] = {0};
  int file, length;
  if (!path || (file = open(path, O_RDONLY)) < 0) return 0;
  length = read(file, named, sizeof named - 1);
  close(file);
  if (length <= 0 || strcmp(named, call)) return 0;
  errno = EIO;
  return 1;
}

static int isFailingMeta(void) {
  static int writes;
  const char *number = getenv("FAILING_META");
  if (__sync_add_and_fetch(&writes, 1) != (number ? atoi(number) : 0)) return fails("meta");
  errno = EIO;
  return 1;
}

int fdatasync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return fails("fdatasync") ? -1 : real(file);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  ssize_t (*real)(int, const void *, size_t, off64_t) =
      (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  /* A meta page is written with the header of its page left out. LMDB writes it through a descriptor that waits for the disk, and
     after a failure puts old numbers back through one that does not: that write reaches the file of a disk that fails now and then. */
  if (offset < 8192 ? (fcntl(file, F_GETFL) & O_DSYNC) && isFailingMeta() : fails("pwrite")) return -1;
  return real(file, bytes, length, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return pwrite64(file, bytes, length, offset);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  ssize_t (*real)(int, const struct iovec *, int) =
      (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  return fails("pwrite") ? -1 : real(file, parts, count);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  ssize_t (*real)(int, const struct iovec *, int, off_t) =
      (ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "pwritev");
  return fails("pwrite") ? -1 : real(file, parts, count, offset);
}
