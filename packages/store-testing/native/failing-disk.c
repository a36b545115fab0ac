/*
 * Makes one kind of system call fail with EIO while the file named in FAILING_DISK names it:
 *   sync    fsync, fdatasync, msync
 *   write   every write into a file
 *   pwrite  those of LMDB into its data file behind the meta pages
 *   meta    those of LMDB into a meta page; of these also that which has the number in FAILING_META
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int fails(const char *call) {
  const char *path = getenv("FAILING_DISK");
  char named[32] = {0};
  int file, length;
  if (!path || (file = open(path, O_RDONLY)) < 0) return 0;
  length = syscall(SYS_read, file, named, sizeof named - 1);
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

/* A failing disk lets whoever writes still say so. */
static int writeFails(int file) {
  struct stat found;
  return fstat(file, &found) == 0 && S_ISREG(found.st_mode) && fails("write");
}

int fsync(int file) { return fails("sync") ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails("sync") ? -1 : REAL(fdatasync)(file); }
int msync(void *at, size_t length, int flags) { return fails("sync") ? -1 : REAL(msync)(at, length, flags); }

ssize_t write(int file, const void *bytes, size_t length) {
  return writeFails(file) ? -1 : REAL(write)(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  /* A meta page is written with the header of its page left out. LMDB writes it through a descriptor that waits for the disk, and
     after a failure puts old numbers back through one that does not: that write reaches the file of a disk that fails now and then. */
  if (offset < 8192 ? (fcntl(file, F_GETFL) & O_DSYNC) && isFailingMeta() : fails("pwrite")) return -1;
  return writeFails(file) ? -1 : REAL(pwrite64)(file, bytes, length, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return pwrite64(file, bytes, length, offset);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  return fails("pwrite") || writeFails(file) ? -1 : REAL(writev)(file, parts, count);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  return fails("pwrite") || writeFails(file) ? -1 : REAL(pwritev)(file, parts, count, offset);
}
