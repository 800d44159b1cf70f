/*
 * A process number means somebody else once its process was reaped; a pidfd never does. So whoever wants to
 * signal a process that is not surely its own unreaped child holds one of these. The system calls are raw:
 * glibc has had wrappers only since 2.36. Where a kernel (before 5.3) or a seccomp filter has no pidfds, the
 * number has to do.
 */

#include "sys/pidref.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"

int pidref_open(pid_t pid, PidRef *ret)
{
        int fd;

        if (pid <= 0)
                return -ESRCH;

        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0) {
                /* EPERM is no answer of pidfd_open(2): it is a filter's. */
                if (errno != ENOSYS && errno != EPERM)
                        return -errno;
                if (kill(pid, 0) < 0 && errno == ESRCH)
                        return -ESRCH;
                fd = -EBADF;
        }

        *ret = (PidRef){.pid = pid, .fd = fd};
        return 0;
}

void pidref_done(PidRef *p)
{
        fd_close(p->fd);
        *p = PIDREF_NULL;
}

int pidref_signal(const PidRef *p, int sig)
{
        if (!pidref_is_set(p))
                return -ESRCH;

        if (p->fd >= 0) {
                if (syscall(SYS_pidfd_send_signal, p->fd, sig, NULL, 0) >= 0)
                        return 0;
                /* EPERM is the process's or a filter's: kill(2) gives the same answer for the former. */
                if (errno != ENOSYS && errno != EPERM)
                        return -errno;
        }

        return kill(p->pid, sig) < 0 ? -errno : 0;
}

int pidref_signal_group(const PidRef *p, int sig)
{
        if (!pidref_is_set(p) || getpgid(p->pid) != p->pid)
                return -ESRCH;
        return kill(-p->pid, sig) < 0 ? -errno : 0;
}
