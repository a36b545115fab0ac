/* Lets locks that belong to an open file fail, as on a file system that has none. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#define LOCKS(name)                                                                    \
  int name(int file, int command, ...) {                                               \
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name);      \
    va_list rest;                                                                      \
    void *argument;                                                                    \
    va_start(rest, command);                                                           \
    argument = va_arg(rest, void *);                                                   \
    va_end(rest);                                                                      \
    if (command != F_OFD_SETLK) return real(file, command, argument);                  \
    errno = ENOLCK;                                                                    \
    return -1;                                                                         \
  }

LOCKS(fcntl)
LOCKS(fcntl64)
