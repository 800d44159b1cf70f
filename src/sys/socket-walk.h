#pragma once

/* Which sockets the processes of a scope hold: their descriptors, one a step, so that who walks decides how
 * many are looked at in one go. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Scope Scope;

typedef struct SocketWalk {
        pid_t *pids; /* of the scope, as it was at the start */
        size_t n_pids, next;
        void *folder; /* /proc/PID/fd of the one before next; NULL: none is open */
        uid_t uid;    /* whom it is looked at as; (uid_t) -1: reeve itself */
        gid_t gid;
} SocketWalk;

#define SOCKET_WALK_NULL ((SocketWalk){0})

/* 0 or negative errno, and then there is nothing to end. */
int socket_walk_start(SocketWalk *w, const Scope *scope);
/* One descriptor: 1 for a socket, *ret_inode says which; 0 for anything else; -ENODATA: that was all;
 * another negative errno: there is no memory, or no descriptor, to look on. What went away meanwhile is
 * passed over, and so is a process that may not be looked into. */
int socket_walk_step(SocketWalk *w, uint64_t *ret_inode);
void socket_walk_done(SocketWalk *w);
