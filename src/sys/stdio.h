#pragma once

/* What becomes a job's 0, 1 and 2. All descriptors are CLOEXEC and above 2. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A pipe to take output from: ret[0], ours, is non-blocking; ret[1], the job's, blocks. */
int stdio_output_pipe(int ret[static 2]);
/* A pipe to give input by: ret[0], ours, is for writing and non-blocking; ret[1], the job's, blocks. */
int stdio_input_pipe(int ret[static 2]);
/* Best effort: a pipe of that many bytes (F_SETPIPE_SZ); fails without CAP_SYS_RESOURCE once the user's
 * share is used up. */
int stdio_enlarge_pipe(int fd, size_t size);
/* Makes uid the owner of a pipe: or it could not open /dev/stdout, which is a link to a file of ours.
 * fchown(2). */
int stdio_give(int fd, uid_t uid);
/* How many bytes a pipe can hold (F_GETPIPE_SZ); 0 for what is no pipe. */
size_t stdio_pipe_size(int fd);
/* How many bytes wait in a pipe (FIONREAD). */
size_t stdio_unread(int fd);
/* Whether both are the same file: a terminal, a pipe, a file. */
bool stdio_same_file(int a, int b);
/* /dev/null, read-write. */
int stdio_null(void);
/* A memfd with data, read from its beginning, sealed against every change. */
int stdio_data(const void *data, size_t size);
/* read(2) that takes EINTR as EAGAIN: > 0 bytes, 0 end of file, -EAGAIN nothing there now, other negative
 * errno. */
ssize_t stdio_read(int fd, void *buf, size_t size);
/* write(2), likewise: how much was taken, -EAGAIN for none now, other negative errno. */
ssize_t stdio_write(int fd, const void *data, size_t size);
