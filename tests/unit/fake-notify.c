/* Notify sockets of the fake: pairs of real ones, with the sender's number before each message. */

#include "fake-sys.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fake-internal.h"
#include "sys/cgroup.h"
#include "sys/notify-socket.h"

typedef struct Head {
        pid_t pid;
        bool truncated;
} Head;

int notify_socket_open(char ret_address[static NOTIFY_ADDRESS_SIZE], int *ret_fd)
{
        int fds[2];

        if (fake.notify_error)
                return fake.notify_error;
        ck_assert_uint_lt(fake_world.n_notify_fds, ELEMENTSOF(fake_world.notify_fds));
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        snprintf(ret_address, NOTIFY_ADDRESS_SIZE, "@fake-%u", fake_world.n_notify_fds);
        fake_world.notify_fds[fake_world.n_notify_fds++] = fds[1];
        *ret_fd = fds[0];
        return 0;
}

int fake_notify_raw(const FakeProcess *sender, const char *address, const void *data, size_t size,
                    bool truncated)
{
        char buffer[sizeof(Head) + NOTIFY_MESSAGE_MAX];
        const Head head = {.pid = sender ? sender->pid : 0, .truncated = truncated};
        unsigned number = (unsigned) strtoul(address + strlen("@fake-"), NULL, 10);

        ck_assert(startswith(address, "@fake-") && number < fake_world.n_notify_fds);
        ck_assert_uint_le(size, NOTIFY_MESSAGE_MAX);
        memcpy(buffer, &head, sizeof(head));
        memcpy(buffer + sizeof(head), data, size);
        return send(fake_world.notify_fds[number], buffer, sizeof(head) + size, MSG_NOSIGNAL) < 0 ? -errno
                                                                                                  : 0;
}

void fake_notify(const FakeProcess *sender, const char *address, const char *text)
{
        ck_assert_int_eq(fake_notify_raw(sender, address, text, strlen(text), false), 0);
}

int notify_socket_receive(int fd, NotifyDatagram *ret)
{
        char buffer[sizeof(Head) + NOTIFY_MESSAGE_MAX];
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
        Head head;

        if (n < 0)
                return -errno;
        memcpy(&head, buffer, sizeof(head));
        ret->size = (size_t) n - sizeof(head);
        memcpy(ret->text, buffer + sizeof(head), ret->size);
        ret->pid = head.pid;
        ret->truncated = head.truncated;
        ret->n_fds = 0;
        ret->pidfd = -EBADF;
        ret->is_gone = false;
        return 0;
}

void notify_datagram_done(NotifyDatagram *d)
{
}

int notify_sender_cgroup(const NotifyDatagram *d, char **ret)
{
        return cgroup_of_pid(d->pid, ret);
}

int notify_sender_cgroup_id(const NotifyDatagram *d, uint64_t *ret)
{
        const FakeProcess *p = fake_process(d->pid);

        if (!fake.gone_are_known || !p || !p->scope)
                return -ESRCH;
        *ret = (uint64_t) (uintptr_t) p->scope;
        return 0;
}

int notify_send(const char *address, const char *text)
{
        size_t n = strlen(fake_world.told);

        if (fake.notify_send_error)
                return fake.notify_send_error;
        ck_assert_uint_lt(n + strlen(text) + 2, sizeof(fake_world.told));
        snprintf(fake_world.told + n, sizeof(fake_world.told) - n, "%s|", text);
        return 0;
}

const char *fake_told(void)
{
        return fake_world.told;
}
