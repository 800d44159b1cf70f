#pragma once

/* Pseudo-terminals, pty(7). */

#include <sys/types.h>

/* A new one: *ret_master, ours, is non-blocking; *ret_slave, the job's, blocks. Both are CLOEXEC and
 * above 2. The size is set. Negative errno; *ret_what (static) is the file that could not be opened, or the
 * ioctl that was refused. */
int pty_open(unsigned rows, unsigned columns, int *ret_master, int *ret_slave, const char **ret_what);
/* Makes uid the owner of the slave, and the only one who may open it by its name. */
int pty_give(int slave, uid_t uid);
/* Tells the foreground of it with SIGWINCH when it is another size than before. */
int pty_set_size(int fd, unsigned rows, unsigned columns);
/* The character that ends its input, as it is set now: -ENODATA when there is none. */
int pty_eof_character(int fd, char *ret);
