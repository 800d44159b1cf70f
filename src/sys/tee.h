#pragma once

/*
 * Writing to a descriptor of somebody else's without ever waiting for it: a small process of its own writes,
 * and may wait as long as it likes. It says how much was taken. It lives until it is told that no more comes
 * and has written all, until the descriptor fails, or until it is killed.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct PidRef PidRef;

/* *ret_fd: a socket, non-blocking, to it; readable when it has something to say. -EBADF: target is not open
 * for writing. target stays the caller's, and may be closed. */
int tee_start(int target, PidRef *ret_worker, int *ret_fd);
/* How much of it is on its way; -EAGAIN, -EPIPE when the process is gone, other negative errno. */
ssize_t tee_send(int fd, const void *data, size_t size);
/* No more comes. */
void tee_send_end(int fd);
/* How many bytes were taken since it was asked last: 0, and *ret_taken; -EAGAIN: nothing new; -EPIPE: the
 * process has ended, all having been said. *ret_error, positive, is what the descriptor failed with, 0 for
 * nothing. */
int tee_receive(int fd, uint64_t *ret_taken, int *ret_error);
