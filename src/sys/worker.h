#pragma once

/*
 * Short-lived processes for what PID 1 must not wait for: a copy of it that does one piece of work, writes
 * what came of it into a pipe, and is gone. It never execs. It has nothing of PID 1's but its memory,
 * /dev/null as 0, 1 and 2, and the pipe; all signals stay blocked, so that only SIGKILL ends it.
 */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct PidRef PidRef;

/* In the copy: fd is where its answer goes, a pipe. It may allocate, for PID 1 has no threads, and may wait.
 * Negative: it exits with 1. */
typedef int WorkerFunction(int fd, void *userdata);

/* *ret_fd: our end of the pipe, non-blocking. It is a child of ours, to be reaped. 0 or negative errno. */
int worker_start(const char *name, WorkerFunction *work, void *userdata, PidRef *ret, int *ret_fd);
/* For us: bytes; 0 at the end; -EAGAIN. */
ssize_t worker_read(int fd, void *buffer, size_t size);
/* For workers: all of it. */
int worker_write(int fd, const void *data, size_t size);

/* Everything that PID 1 has open from that number on. signal-safety(7). */
void worker_close_from(unsigned first);
