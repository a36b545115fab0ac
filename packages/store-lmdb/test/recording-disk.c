/*
 * Preloaded into a process, writes down every change that it makes to the files of one directory, and what it says on
 * its standard output, in order: RECORDED_DIRECTORY is the directory, RECORD the file that gets the records.
 * A record is a line of text; `write` and `say` are followed by as many bytes as they name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FILES 4096

static int record = -1;
static const char *directory;
static unsigned long inodes[MAX_FILES];
static char synchronous[MAX_FILES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void put(const void *bytes, size_t count) {
  const char *from = bytes;
  while (count > 0) {
    long done = syscall(SYS_write, record, from, count);
    if (done <= 0) abort();
    from += done;
    count -= done;
  }
}

static void note(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  put(line, length);
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("RECORD");
  directory = getenv("RECORDED_DIRECTORY");
  if (path != NULL && directory != NULL) record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

static int within(const char *path) {
  size_t length = directory == NULL ? 0 : strlen(directory);
  return record >= 0 && length > 0 && strncmp(path, directory, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static const char *name(const char *path) {
  const char *rest = path + strlen(directory);
  return *rest == '/' ? rest + 1 : ".";
}

static int opened(int file, const char *path, int flags) {
  if (file < 0 || file >= MAX_FILES) return file;
  inodes[file] = 0;
  if (!within(path) || strchr(name(path), '/') != NULL) return file;
  struct stat found;
  if (fstat(file, &found) != 0) return file;
  pthread_mutex_lock(&mutex);
  inodes[file] = found.st_ino;
  synchronous[file] = (flags & O_DSYNC) != 0;
  note("open %lu %s\n", (unsigned long)found.st_ino, name(path));
  pthread_mutex_unlock(&mutex);
  return file;
}

#define OPENING(call)                                   \
  mode_t mode = 0;                                      \
  if (flags & O_CREAT) {                                \
    va_list arguments;                                  \
    va_start(arguments, flags);                         \
    mode = va_arg(arguments, mode_t);                   \
    va_end(arguments);                                  \
  }                                                     \
  return opened(call, path, flags);

int open(const char *path, int flags, ...) { OPENING(REAL(open)(path, flags, mode)) }
int open64(const char *path, int flags, ...) { OPENING(REAL(open64)(path, flags, mode)) }

static void wrote(int file, const struct iovec *parts, int count, long at, long done) {
  if (record < 0 || done <= 0 || file < 0 || file >= MAX_FILES) return;
  int said = file == 1;
  if (!said && inodes[file] == 0) return;
  pthread_mutex_lock(&mutex);
  if (said) note("say %ld\n", done);
  else note("write %lu %ld %ld %d\n", inodes[file], at, done, synchronous[file]);
  for (int part = 0; part < count && done > 0; part += 1) {
    long length = (long)parts[part].iov_len < done ? (long)parts[part].iov_len : done;
    put(parts[part].iov_base, length);
    done -= length;
  }
  pthread_mutex_unlock(&mutex);
}

static long position(int file) { return file == 1 ? 0 : lseek(file, 0, SEEK_CUR); }

ssize_t write(int file, const void *bytes, size_t count) {
  long at = position(file);
  ssize_t done = REAL(write)(file, bytes, count);
  wrote(file, &(struct iovec){(void *)bytes, count}, 1, at, done);
  return done;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  long at = position(file);
  ssize_t done = REAL(writev)(file, parts, count);
  wrote(file, parts, count, at, done);
  return done;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  ssize_t done = REAL(pwrite)(file, bytes, count, at);
  wrote(file, &(struct iovec){(void *)bytes, count}, 1, at, done);
  return done;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  ssize_t done = REAL(pwrite64)(file, bytes, count, at);
  wrote(file, &(struct iovec){(void *)bytes, count}, 1, at, done);
  return done;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  ssize_t done = REAL(pwritev)(file, parts, count, at);
  wrote(file, parts, count, at, done);
  return done;
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
  ssize_t done = REAL(pwritev64)(file, parts, count, at);
  wrote(file, parts, count, at, done);
  return done;
}

static int changed(int file, int result, const char *what, long length) {
  if (record < 0 || result != 0 || file < 0 || file >= MAX_FILES || inodes[file] == 0) return result;
  pthread_mutex_lock(&mutex);
  note("%s %lu %ld\n", what, inodes[file], length);
  pthread_mutex_unlock(&mutex);
  return result;
}

int fsync(int file) { return changed(file, REAL(fsync)(file), "sync", 0); }
int fdatasync(int file) { return changed(file, REAL(fdatasync)(file), "sync", 0); }
int ftruncate(int file, off_t length) { return changed(file, REAL(ftruncate)(file, length), "truncate", length); }
int ftruncate64(int file, off64_t length) { return changed(file, REAL(ftruncate64)(file, length), "truncate", length); }

static int moved(int result, const char *what, const char *from, const char *to) {
  if (result != 0 || !within(from) || strchr(name(from), '/') != NULL) return result;
  pthread_mutex_lock(&mutex);
  if (to == NULL) note("%s %s\n", what, name(from));
  else note("%s %s %s\n", what, name(from), name(to));
  pthread_mutex_unlock(&mutex);
  return result;
}

int link(const char *from, const char *to) { return moved(REAL(link)(from, to), "link", from, to); }
int rename(const char *from, const char *to) { return moved(REAL(rename)(from, to), "rename", from, to); }
int unlink(const char *path) { return moved(REAL(unlink)(path), "unlink", path, NULL); }
