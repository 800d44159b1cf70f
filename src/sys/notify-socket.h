#pragma once

/*
 * The socket of sd_notify(3), both ends: what a job is heard at, and how reeve speaks to who started it.
 *
 * The kernel says who speaks (SCM_CREDENTIALS), and, since Linux 6.5, by a descriptor of that process, too
 * (SCM_PIDFD): a number alone may be another's by the time that it is read.
 */

#include <sys/types.h>

#include "basic/macro.h"

#define NOTIFY_ADDRESS_SIZE 64U
#define NOTIFY_MESSAGE_MAX 4096U /* as systemd's */

typedef struct NotifyDatagram {
        char text[NOTIFY_MESSAGE_MAX];
        size_t size;
        bool truncated; /* it was longer */
        unsigned n_fds; /* that came with it; closed already */
        pid_t pid;      /* of the sender; 0: of another PID namespace */
        int pidfd;      /* -EBADF: the kernel gives none */
        bool is_gone;   /* the kernel says that the sender was reaped already */
} NotifyDatagram;

/* An address that nobody can guess, "@…", in the abstract namespace (so that every user and mount namespace
 * of the job reaches it), as $NOTIFY_SOCKET has it; non-blocking. Negative errno. */
int notify_socket_open(char ret_address[static NOTIFY_ADDRESS_SIZE], int *ret_fd);
/* The next message, and who sent it: 0, then notify_datagram_done(); -EAGAIN: none is there; other negative
 * errno. */
int notify_socket_receive(int fd, NotifyDatagram *ret);
void notify_datagram_done(NotifyDatagram *d);
/* The sender's cgroup path, cgroup_of_pid(); -ESRCH: it is gone, and was reaped. */
int notify_sender_cgroup(const NotifyDatagram *d, char **ret);

/* The same by number, scope_id(); since Linux 6.16 also of one that is gone. -ESRCH: it cannot be known. */
int notify_sender_cgroup_id(const NotifyDatagram *d, uint64_t *ret);

/* One message to "/path" or "@abstract", without waiting. -EAGAIN: there is no room now; -EINVAL: no such
 * address. */
int notify_send(const char *address, const char *text);
