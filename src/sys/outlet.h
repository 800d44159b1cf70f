#pragma once

/* A pipe that reeve writes and a caller reads, pipe(7). */

#include <stddef.h>
#include <sys/types.h>

/* ret[0], the reader's, blocks; ret[1], ours, does not. Both are CLOEXEC. */
int outlet_pipe(int ret[static 2]);
/* write(2): > 0 bytes; -EAGAIN: it is full (or EINTR); -EPIPE: nobody reads it any more. */
ssize_t outlet_write(int fd, const void *data, size_t size);
