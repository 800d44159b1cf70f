#pragma once

/* Which TCP sockets listen in our network namespace, IPv4 and IPv6: sock_diag(7), or /proc/net/tcp and tcp6
 * where that is refused. */

#include <stddef.h>
#include <stdint.h>

#define NETLISTEN_MAX 65536U

typedef struct NetListener {
        uint64_t inode; /* of the socket, as in /proc/PID/fd: "socket:[12345]" */
        uint16_t port;
} NetListener;

/* port 0: all; else those of that port alone, where the kernel does the choosing. *ret is malloc'ed and
 * sorted by inode. -ENOMEM, -EMFILE, …; -E2BIG: there are more than NETLISTEN_MAX. Never waits. */
int netlisten_read(uint16_t port, NetListener **ret, size_t *ret_n);
/* The one with that inode; NULL. */
const NetListener *netlisten_find(const NetListener *listeners, size_t n, uint64_t inode);
