#pragma once

/* Bytes and descriptors over stream sockets, unix(7), SCM_RIGHTS. Nothing here waits. */

#include <stddef.h>
#include <sys/types.h>

/* A pair of connected sockets, CLOEXEC and above 2; ret[0] and ret[1] are non-blocking. */
int socket_pair(int ret[static 2]);

/* What can be read, without taking it; descriptors that come with it are not looked at. 0: the end;
 * -EAGAIN. */
ssize_t socket_peek(int fd, void *buf, size_t size);

/* Takes at most size bytes, and the descriptors that came with them (CLOEXEC): *n_fds is the room there is
 * for them, and then how many came. More of them than that: -ENOBUFS, and all of them are closed. 0: the
 * end; -EAGAIN. Sockets among them do not linger any more. */
ssize_t socket_receive(int fd, void *buf, size_t size, int *fds, size_t *n_fds);

/* SO_LINGER off, socket(7): with it the close(2) of a socket whose other side takes nothing would wait.
 * Nothing where fd is no socket. */
void socket_forget_linger(int fd);

/* Gives bytes, and copies of descriptors with the first of them. May take fewer than size; -EAGAIN. */
ssize_t socket_send(int fd, const void *buf, size_t size, const int *fds, size_t n_fds);

/* Whether what was given to this end has been taken at the other. Negative errno. */
int socket_is_taken(int fd);

/* The numbers that the next n descriptors of this process will get, if nothing is closed before: the lowest
 * that are free, open(2). Returns how many there are, which may be fewer. */
size_t descriptor_foresee(int *ret, size_t n);
