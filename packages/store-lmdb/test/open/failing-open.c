/*
 * Lets opening a file below FAILING_OPEN_UNDER fail with the error number FAILING_OPEN_ERROR, from the opening number
 * FAILING_OPEN_AT on, or only that one where FAILING_OPEN_ONCE is set. What LMDB itself opens is only counted: in the turn
 * before it, the same was opened by somebody else. At its end the process writes both counts to FAILING_OPEN_COUNTS.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int opened, native;

static int is_native(void *caller) {
  Dl_info info;
  return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "lmdb") != NULL;
}

static int fails(const char *path, void *caller) {
  const char *under = getenv("FAILING_OPEN_UNDER"), *at = getenv("FAILING_OPEN_AT");
  int number;
  if (!under || strncmp(path, under, strlen(under))) return 0;
  if (is_native(caller)) {
    __sync_add_and_fetch(&native, 1);
    return 0;
  }
  number = __sync_add_and_fetch(&opened, 1);
  if (!at || (getenv("FAILING_OPEN_ONCE") ? number != atoi(at) : number < atoi(at))) return 0;
  errno = atoi(getenv("FAILING_OPEN_ERROR"));
  return 1;
}

#define OPENS(name)                                                                     \
  int name(const char *path, int flags, ...) {                                          \
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
    va_list rest;                                                                       \
    int mode = 0;                                                                       \
    if (flags & O_CREAT) {                                                              \
      va_start(rest, flags);                                                            \
      mode = va_arg(rest, int);                                                         \
      va_end(rest);                                                                     \
    }                                                                                   \
    return fails(path, __builtin_return_address(0)) ? -1 : real(path, flags, mode);     \
  }

OPENS(open)
OPENS(open64)

__attribute__((destructor)) static void tell(void) {
  const char *path = getenv("FAILING_OPEN_COUNTS");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%d %d\n", opened, native);
  fclose(file);
}
