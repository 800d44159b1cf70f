/*
 * A datagram is taken whole or not at all, so there is nothing to be kept between two calls.
 *
 * Descriptors that come along are closed at once, whatever they are: who sent one to be told that it was
 * closed (BARRIER=1) is told so when all before it was taken. A TCP socket may be set to linger, and then
 * the last close(2) of it waits for its data to be sent; so that is taken back first.
 */

#include "sys/notify-socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/cgroup.h"
#include "sys/entropy.h"
#include "sys/pidref.h"
#include "sys/socket-data.h"

#ifndef SO_PASSPIDFD /* Linux 6.5; glibc 2.39 */
#define SO_PASSPIDFD 76
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/* ioctl(2) of a pidfd; linux/pidfd.h of 6.15 has all of it. */
typedef struct PidfdInfo {
        uint64_t mask, cgroup_id;
        uint32_t rest[12];
} PidfdInfo;
#define PIDFD_INFO_IOCTL _IOWR(0xff, 11, PidfdInfo)
#define PIDFD_INFO_HAS_CGROUP_ID (UINT64_C(1) << 2)
#define PIDFD_INFO_HAS_EXIT (UINT64_C(1) << 3) /* what was kept of a process that is gone */

#define FDS_MAX 253U /* SCM_MAX_FD, the most that the kernel lets into one message */

typedef union Control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
                   CMSG_SPACE(FDS_MAX * sizeof(int))];
} Control;

int notify_socket_open(char ret_address[static NOTIFY_ADDRESS_SIZE], int *ret_fd)
{
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        char address[NOTIFY_ADDRESS_SIZE];
        uint64_t name[2];
        const int on = 1;
        size_t n;

        random_bytes(name, sizeof(name));
        n = (size_t) snprintf(address, sizeof(address), "@reeve-notify-%016" PRIx64 "%016" PRIx64, name[0],
                              name[1]);
        memcpy(sa.sun_path + 1, address + 1, n - 1); /* with a NUL for the "@", and none at its end */

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *) &sa,
                 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)) < 0)
                return -errno;
        memcpy(ret_address, address, sizeof(address));
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void close_all(const struct cmsghdr *c, unsigned *n_fds)
{
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < n; i++) {
                int fd;

                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
                socket_forget_linger(fd);
                fd_close(fd);
                (*n_fds)++;
        }
}

static void read_control(struct msghdr *m, NotifyDatagram *d)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_RIGHTS) {
                        close_all(c, &d->n_fds);
                } else if (c->cmsg_type == SCM_CREDENTIALS &&
                           c->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
                        struct ucred uc;

                        memcpy(&uc, CMSG_DATA(c), sizeof(uc));
                        d->pid = uc.pid;
                } else if (c->cmsg_type == SCM_PIDFD && c->cmsg_len == CMSG_LEN(sizeof(int))) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
                        /* Before Linux 6.16 there is none of a process that was reaped. */
                        d->is_gone = fd < 0 && fd != -EMFILE && fd != -ENFILE && fd != -ENOMEM;
                        d->pidfd = fd >= 0 ? fd : -EBADF;
                }
        }
}

int notify_socket_receive(int fd, NotifyDatagram *ret)
{
        Control control;
        struct iovec iov = {.iov_base = ret->text, .iov_len = sizeof(ret->text)};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
        ssize_t n;

        n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        ret->size = (size_t) n;
        ret->truncated = m.msg_flags & MSG_TRUNC;
        ret->n_fds = 0;
        ret->pid = 0;
        ret->pidfd = -EBADF;
        ret->is_gone = false;
        /* What did not fit of the control data (MSG_CTRUNC), for want of descriptors say, the kernel has
         * closed. */
        read_control(&m, ret);
        return 0;
}

void notify_datagram_done(NotifyDatagram *d)
{
        d->pidfd = fd_close(d->pidfd);
}

int notify_sender_cgroup(const NotifyDatagram *d, char **ret)
{
        const PidRef sender = {.pid = d->pid, .fd = d->pidfd};
        char *path;
        int r;

        if (d->pid <= 0 || d->is_gone)
                return -ESRCH;
        r = cgroup_of_pid(d->pid, &path);
        if (r < 0)
                return r;
        /* Where it was reaped meanwhile the number may have been another's. A signal of 0 is as good for a
         * zombie. */
        if (d->pidfd >= 0 && pidref_signal(&sender, 0) == -ESRCH) {
                free(path);
                return -ESRCH;
        }
        *ret = path;
        return 0;
}

int notify_sender_cgroup_id(const NotifyDatagram *d, uint64_t *ret)
{
        PidfdInfo info = {.mask = PIDFD_INFO_HAS_CGROUP_ID | PIDFD_INFO_HAS_EXIT};

        if (d->pidfd < 0 || ioctl(d->pidfd, PIDFD_INFO_IOCTL, &info) < 0 ||
            !(info.mask & PIDFD_INFO_HAS_CGROUP_ID))
                return -ESRCH;
        *ret = info.cgroup_id;
        return 0;
}

int notify_send(const char *address, const char *text)
{
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        size_t n = strlen(address);
        bool abstract = address[0] == '@';

        if ((address[0] != '/' && !abstract) || n < 2 || n + !abstract > sizeof(sa.sun_path))
                return -EINVAL;
        memcpy(sa.sun_path + abstract, address + abstract, n - abstract);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *) &sa,
                   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + !abstract)) < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return 0;
}
