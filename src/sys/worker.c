/*
 * fork(2) has one thread to copy, but its parent holds everything that PID 1 does.
 */

#include "sys/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/pidref.h"

void worker_close_from(unsigned first)
{
        long max;

#ifdef SYS_close_range
        if (syscall(SYS_close_range, first, UINT_MAX, 0U) >= 0)
                return;
#endif
        max = sysconf(_SC_OPEN_MAX);
        for (long fd = first; fd < max; fd++)
                (void) close((int) fd);
}

static _Noreturn void run(const char *name, WorkerFunction *work, void *userdata, int out)
{
        int null;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void) prctl(PR_SET_NAME, name, 0, 0, 0);
        if (out != 3 && dup2(out, 3) < 0)
                _exit(1);
        null = open("/dev/null", O_RDWR | O_NOCTTY);
        for (int fd = 0; fd <= 2; fd++)
                if (null < 0 || dup2(null, fd) < 0)
                        (void) close(fd);
        worker_close_from(4);
        _exit(work(3, userdata) < 0 ? 1 : 0);
}

int worker_start(const char *name, WorkerFunction *work, void *userdata, PidRef *ret, int *ret_fd)
{
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        in = fds[0];
        out = fds[1];
        if (fcntl(in, F_SETFL, O_RDONLY | O_NONBLOCK) < 0)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                run(name, work, userdata, out);
        *ret = (PidRef){.pid = pid, .fd = -EBADF};
        (void) pidref_open(pid, ret); /* it is not reaped before we return */
        *ret_fd = TAKE_FD(in);
        return 0;
}

ssize_t worker_read(int fd, void *buffer, size_t size)
{
        ssize_t n = read(fd, buffer, size);

        return n < 0 ? errno == EINTR ? -EAGAIN : -errno : n;
}

int worker_write(int fd, const void *data, size_t size)
{
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}
