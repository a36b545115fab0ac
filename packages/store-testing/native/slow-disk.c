/* Makes each fsync and fdatasync take as many milliseconds longer as SLOW_DISK_MS says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void wait_longer(void) {
  const char *milliseconds = getenv("SLOW_DISK_MS");
  if (milliseconds) usleep(1000 * atoi(milliseconds));
}

int fsync(int file) {
  wait_longer();
  return REAL(fsync)(file);
}

int fdatasync(int file) {
  wait_longer();
  return REAL(fdatasync)(file);
}
