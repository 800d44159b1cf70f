#pragma once

/* The sockets of the bus, listening and connected, unix(7). */

#include <stdint.h>
#include <sys/types.h>

#include "basic/macro.h"

typedef struct PeerCredentials {
        pid_t pid; /* 0: of another PID namespace */
        uid_t uid; /* 65534 when it does not exist in ours */
        gid_t gid;
} PeerCredentials;

/* address: "unix:path=/run/reeve/bus" or "unix:abstract=name", with %XX escapes as the D-Bus specification
 * has them. Makes the folder (0755) and takes a dead socket's place; -EADDRINUSE when somebody listens
 * there; -EINVAL: no such address. */
int socket_listen(const char *address, mode_t mode, int *ret_fd);
/* Removes the socket file. */
void socket_unlink(const char *address);
/* accept4(2), SO_PEERCRED. -EAGAIN: nobody there. */
int socket_accept(int listen_fd, int *ret_fd, PeerCredentials *ret);
/* Connects; wait: until there is room (not for PID 1), and the socket waits, too. The address may have a
 * guid behind it ("unix:path=/run/x,guid=00ff…"), which is not looked at. -ENOENT: no such socket;
 * -ECONNREFUSED: nobody listens there; -EAGAIN: those who do are too many calls behind; -EINVAL: no such
 * address. */
int socket_connect(const char *address, bool wait, int *ret_fd);
/* The path of such an address, to be freed; NULL: it is abstract, or (-EINVAL) none. */
int socket_address_path(const char *address, char **ret);
/* Bytes that can be read now (SIOCINQ). */
int socket_readable_bytes(int fd, size_t *ret);
