#pragma once

/* Descriptors as owned values: -EBADF when unset, CLOEXEC at birth, closed by scope. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/macro.h"

/* Closes fd when it is >= 0, keeps errno, returns -EBADF. */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
        fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/* Another descriptor of the same open file, CLOEXEC, above 2. Negative errno. */
int fd_dup(int fd);

/* Reads a small file of procfs, sysfs or cgroupfs whole, relative to dir_fd (AT_FDCWD allowed), with a NUL
 * after it and a trailing newline taken off. *ret is given to free(). -E2BIG when it has more than max
 * bytes. */
int read_small_file(int dir_fd, const char *path, size_t max, char **ret);

/* Opens path (never creating it), writes all of text in one write(2), closes. 0 or negative errno. */
int write_small_file(int dir_fd, const char *path, const char *text);
