/*
 * Descriptors come in a control message beside the bytes. The kernel puts as many into the process as the
 * room given for them holds and lets the rest go (MSG_CTRUNC); so the room is the bound, whatever the sender
 * does, and it is kept small.
 */

#include "sys/socket-data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"

#define DESCRIPTORS_MAX 64U

int socket_pair(int ret[static 2])
{
        _cleanup_close_ int a = -EBADF, b = -EBADF;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        a = fds[0];
        b = fds[1];
        ret[0] = TAKE_FD(a);
        ret[1] = TAKE_FD(b);
        return 0;
}

ssize_t socket_peek(int fd, void *buf, size_t size)
{
        ssize_t n = recv(fd, buf, size, MSG_PEEK | MSG_DONTWAIT);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n;
}

void socket_forget_linger(int fd)
{
        const struct linger none = {.l_onoff = 0};

        (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)); /* ENOTSOCK: nor does it wait */
}

/* The descriptors of all control messages, into fds as far as there is room, the rest closed. How many there
 * were. */
static size_t collect(struct msghdr *mh, int *fds, size_t room)
{
        size_t total = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n; i++, total++) {
                        int one;

                        memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(one));
                        socket_forget_linger(one);
                        if (total < room)
                                fds[total] = one;
                        else
                                fd_close(one);
                }
        }
        return total;
}

ssize_t socket_receive(int fd, void *buf, size_t size, int *fds, size_t *n_fds)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
        } control;
        struct iovec iov = {.iov_base = buf, .iov_len = size};
        size_t room = MIN(*n_fds, (size_t) DESCRIPTORS_MAX), total;
        struct msghdr mh = {
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = CMSG_SPACE(sizeof(int) * room),
        };
        ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        total = collect(&mh, fds, room);
        if (total > room || (mh.msg_flags & MSG_CTRUNC)) {
                for (size_t i = 0; i < MIN(total, room); i++)
                        fd_close(fds[i]);
                return -ENOBUFS;
        }
        *n_fds = total;
        return n;
}

ssize_t socket_send(int fd, const void *buf, size_t size, const int *fds, size_t n_fds)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
        } control;
        struct iovec iov = {.iov_base = (void *) buf, .iov_len = size};
        struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;

        if (n_fds > DESCRIPTORS_MAX)
                return -EINVAL;
        if (n_fds > 0) {
                struct cmsghdr *c;

                memset(&control, 0, sizeof(control));
                mh.msg_control = &control;
                mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                c = CMSG_FIRSTHDR(&mh);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
        }
        n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n;
}

int socket_is_taken(int fd)
{
        int n = 0;

        if (ioctl(fd, SIOCOUTQ, &n) < 0)
                return -errno;
        return n == 0;
}

size_t descriptor_foresee(int *ret, size_t n)
{
        size_t i = 0;

        /* Of descriptor 0, which is always there; what they are of does not matter. */
        for (; i < n; i++) {
                ret[i] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
                if (ret[i] < 0)
                        break;
        }
        for (size_t j = 0; j < i; j++)
                fd_close(ret[j]);
        return i;
}
