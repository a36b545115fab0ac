/*
 * Preloaded into a process, writes down every change that it and its children make below one directory, and what they say on
 * standard output, in order: RECORDED_DIRECTORY is the directory, RECORD the file that gets the records.
 * A record is a line of text; `write` and `say` are followed by as many bytes as they name. It is written in one call,
 * so that those of several processes do not mix.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FILES 65536
#define MAX_PARTS 1024

static int record = -1;
static const char *directory;
static const char *values[3];
static unsigned long inodes[MAX_FILES];
static char synchronous[MAX_FILES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void put(const struct iovec *parts, int count) {
  long length = 0;
  for (int part = 0; part < count; part += 1) length += parts[part].iov_len;
  pthread_mutex_lock(&mutex);
  if (syscall(SYS_writev, record, parts, count) != length) abort();
  pthread_mutex_unlock(&mutex);
}

static void note(const char *format, ...) {
  char line[2 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  put(&(struct iovec){line, length}, 1);
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("RECORD");
  directory = getenv("RECORDED_DIRECTORY");
  values[0] = getenv("LD_PRELOAD");
  values[1] = path;
  values[2] = directory;
  if (path != NULL && directory != NULL)
    record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* A supervisor gets an environment without what is not its own; it is recorded all the same. */
int execvp(const char *file, char *const arguments[]) {
  const char *names[] = {"LD_PRELOAD", "RECORD", "RECORDED_DIRECTORY"};
  for (int at = 0; at < 3; at += 1)
    if (values[at] != NULL) setenv(names[at], values[at], 0);
  return REAL(execvp)(file, arguments);
}

/* Returns where a path lies below the directory, `.` for the directory itself, NULL for all that is elsewhere. */
static const char *below(int at, const char *path, char *buffer) {
  if (record < 0 || path == NULL) return NULL;
  const char *whole = path;
  if (path[0] != '/') {
    char link[64], base[PATH_MAX];
    if (at == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length <= 0) return NULL;
    base[length] = 0;
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    whole = buffer;
  }
  size_t length = strlen(directory);
  if (length == 0 || strncmp(whole, directory, length) != 0) return NULL;
  if (whole[length] == 0) return ".";
  return whole[length] == '/' ? whole + length + 1 : NULL;
}

static int opened(int file, int at, const char *path, int flags) {
  char buffer[PATH_MAX];
  if (file < 0 || file >= MAX_FILES) return file;
  inodes[file] = 0;
  const char *name = below(at, path, buffer);
  struct stat found;
  if (name == NULL || fstat(file, &found) != 0) return file;
  if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) return file;
  inodes[file] = found.st_ino;
  synchronous[file] = (flags & O_DSYNC) != 0;
  note("open %lu %s\n", (unsigned long)found.st_ino, name);
  if (flags & O_TRUNC) note("truncate %lu 0\n", (unsigned long)found.st_ino);
  return file;
}

#define OPENING(at, call)                               \
  mode_t mode = 0;                                      \
  if (flags & O_CREAT) {                                \
    va_list arguments;                                  \
    va_start(arguments, flags);                         \
    mode = va_arg(arguments, mode_t);                   \
    va_end(arguments);                                  \
  }                                                     \
  return opened(call, at, path, flags);

int open(const char *path, int flags, ...) { OPENING(AT_FDCWD, REAL(open)(path, flags, mode)) }
int open64(const char *path, int flags, ...) { OPENING(AT_FDCWD, REAL(open64)(path, flags, mode)) }
int openat(int at, const char *path, int flags, ...) { OPENING(at, REAL(openat)(at, path, flags, mode)) }
int openat64(int at, const char *path, int flags, ...) { OPENING(at, REAL(openat64)(at, path, flags, mode)) }

/* A descriptor may have been closed, by a call that cannot be caught, and be that of something else by now. */
static int is_recorded(int file) {
  struct stat found;
  return record >= 0 && file >= 0 && file < MAX_FILES && inodes[file] != 0 && fstat(file, &found) == 0 &&
         found.st_ino == inodes[file] && (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode));
}

static void wrote(int file, const struct iovec *parts, int count, long at, long done) {
  if (record < 0 || done <= 0 || count >= MAX_PARTS) return;
  int said = file == 1;
  if (!said && !is_recorded(file)) return;
  char line[128];
  struct iovec all[MAX_PARTS + 1];
  int length = said ? snprintf(line, sizeof line, "say %ld\n", done)
                    : snprintf(line, sizeof line, "write %lu %ld %ld %d\n", inodes[file], at, done, synchronous[file]);
  all[0] = (struct iovec){line, length};
  int used = 1;
  for (int part = 0; part < count && done > 0; part += 1) {
    long taken = (long)parts[part].iov_len < done ? (long)parts[part].iov_len : done;
    all[used++] = (struct iovec){parts[part].iov_base, taken};
    done -= taken;
  }
  put(all, used);
}

static long position(int file) {
  struct stat found;
  if (file == 1) return 0;
  if (record >= 0 && (fcntl(file, F_GETFL) & O_APPEND) && fstat(file, &found) == 0) return found.st_size;
  return lseek(file, 0, SEEK_CUR);
}

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
  if (result == 0 && is_recorded(file)) note("%s %lu %ld\n", what, inodes[file], length);
  return result;
}

int fsync(int file) { return changed(file, REAL(fsync)(file), "sync", 0); }
int fdatasync(int file) { return changed(file, REAL(fdatasync)(file), "sync", 0); }

/* Shared mappings of recorded files, which msync hands over; more than these are not followed. */
#define MAX_MAPS 1024
static struct { char *at; size_t length; long offset; unsigned long inode; } maps[MAX_MAPS];

static void *mapped(void *made, size_t length, int protection, int flags, int file, long offset) {
  if (made == MAP_FAILED || !(flags & MAP_SHARED) || !(protection & PROT_WRITE) || !is_recorded(file)) return made;
  pthread_mutex_lock(&mutex);
  for (int map = 0; map < MAX_MAPS; map += 1) {
    if (maps[map].at != NULL && maps[map].at != made) continue;
    maps[map].length = length;
    maps[map].offset = offset;
    maps[map].inode = inodes[file];
    maps[map].at = made;
    break;
  }
  pthread_mutex_unlock(&mutex);
  return made;
}

void *mmap(void *at, size_t length, int protection, int flags, int file, off_t offset) {
  return mapped(REAL(mmap)(at, length, protection, flags, file, offset), length, protection, flags, file, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int file, off64_t offset) {
  return mapped(REAL(mmap64)(at, length, protection, flags, file, offset), length, protection, flags, file, offset);
}

int munmap(void *at, size_t length) {
  for (int map = 0; map < MAX_MAPS; map += 1)
    if (maps[map].at == at) maps[map].at = NULL;
  return REAL(munmap)(at, length);
}

int msync(void *at, size_t length, int flags) {
  int result = REAL(msync)(at, length, flags);
  if (result != 0 || record < 0 || !(flags & MS_SYNC)) return result;
  for (int map = 0; map < MAX_MAPS; map += 1) {
    char *first = maps[map].at;
    if (first == NULL || (char *)at < first || (char *)at >= first + maps[map].length) continue;
    size_t rest = first + maps[map].length - (char *)at;
    size_t done = length < rest ? length : rest;
    char line[128];
    int head = snprintf(line, sizeof line, "write %lu %ld %zu 1\n", maps[map].inode,
                        maps[map].offset + (long)((char *)at - first), done);
    put((struct iovec[]){{line, head}, {at, done}}, 2);
    note("sync %lu 0\n", maps[map].inode);
    break;
  }
  return result;
}

int ftruncate(int file, off_t length) { return changed(file, REAL(ftruncate)(file, length), "truncate", length); }
int ftruncate64(int file, off64_t length) { return changed(file, REAL(ftruncate64)(file, length), "truncate", length); }

static int named(int result, const char *what, int at, const char *path) {
  char buffer[PATH_MAX];
  const char *name = result == 0 ? below(at, path, buffer) : NULL;
  if (name != NULL) note("%s %s\n", what, name);
  return result;
}

static int moved(int result, const char *what, const char *from, const char *to) {
  char buffers[2][PATH_MAX];
  const char *old = result == 0 ? below(AT_FDCWD, from, buffers[0]) : NULL;
  const char *new = result == 0 ? below(AT_FDCWD, to, buffers[1]) : NULL;
  if (old != NULL && new != NULL) note("%s %s %s\n", what, old, new);
  return result;
}

int link(const char *from, const char *to) { return moved(REAL(link)(from, to), "link", from, to); }
int rename(const char *from, const char *to) { return moved(REAL(rename)(from, to), "rename", from, to); }
int unlink(const char *path) { return named(REAL(unlink)(path), "unlink", AT_FDCWD, path); }
int unlinkat(int at, const char *path, int flags) { return named(REAL(unlinkat)(at, path, flags), "unlink", at, path); }
int rmdir(const char *path) { return named(REAL(rmdir)(path), "unlink", AT_FDCWD, path); }
int mkdir(const char *path, mode_t mode) { return named(REAL(mkdir)(path, mode), "mkdir", AT_FDCWD, path); }
