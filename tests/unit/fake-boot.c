/* What the manager needs beside its jobs: the tree, and signals to reeve itself. */

#include "fake-sys.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "fake-internal.h"
#include "sys/crash.h"
#include "sys/cgroup.h"
#include "sys/signals.h"
#include "sys/unix-socket.h"

int cgroup_tree_open(CgroupTree *ret, bool is_pid1)
{
        *ret = (CgroupTree){.fd = -EBADF};
        if (fake.no_tree)
                return 0;
        ret->path = str_copy("/");
        if (!ret->path)
                return -ENOMEM;
        ret->fd = eventfd(0, EFD_CLOEXEC);
        ret->controllers = (1U << _CGROUP_CONTROLLER_MAX) - 1;
        return 0;
}

void cgroup_tree_close(CgroupTree *t)
{
        free(t->path);
        fd_close(t->fd);
        *t = (CgroupTree){.fd = -EBADF};
}

bool cgroup_tree_holds_job(const CgroupTree *t, const char *path)
{
        return t->fd >= 0 && strstr(path, ".slice");
}

uint64_t cgroup_memory_limit(const CgroupTree *t)
{
        return UINT64_C(1024) * 1024 * 1024;
}

int signals_open(void)
{
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        fake_world.signal_fd = fds[1];
        return fds[0];
}

void fake_send_signal(int sig, pid_t sender, bool by_process)
{
        SignalInfo info;

        memset(&info, 0, sizeof(info)); /* all that is written, also between the fields */
        info.signal = sig;
        info.sender = sender;
        info.by_us = by_process && sender == 1;
        info.by_process = info.sender_is_known = by_process;
        ck_assert_int_eq(write(fake_world.signal_fd, &info, sizeof(info)), sizeof(info));
}

int signals_read(int fd, SignalInfo *ret)
{
        return read(fd, ret, sizeof(*ret)) == sizeof(*ret);
}

/* sys/unix-socket.h: there are no sockets here. */

int socket_listen(const char *address, mode_t mode, int *ret_fd)
{
        return -EAFNOSUPPORT;
}

int socket_accept(int listen_fd, int *ret_fd, PeerCredentials *ret)
{
        return -EAGAIN;
}

void socket_unlink(const char *address)
{
}

void crash_set_tree(const char *path)
{
}
