/*
 * The one place that waits for children, in two moves. While a process is a zombie its number is its own and
 * /proc still says which cgroup it was in (even when the folder is gone), so the caller peeks, finds out
 * whose it was, and reaps only then. Nothing else in reeve calls wait: a second waiter would take the end of
 * a process from under the first, and sd_event's own child source ends the event loop with -ECHILD when that
 * happens.
 */

#include "sys/reaper.h"

#include <errno.h>
#include <sys/wait.h>

static int reaper_wait(idtype_t type, pid_t pid, siginfo_t *si, int flags)
{
        for (;;) {
                *si = (siginfo_t){0};
                if (waitid(type, (id_t) pid, si, WEXITED | WNOHANG | flags) >= 0)
                        return si->si_pid > 0;
                if (errno != EINTR)
                        return -errno;
        }
}

int reaper_peek(pid_t pid, ProcessEnd *ret)
{
        siginfo_t si;
        int r;

        r = reaper_wait(pid > 0 ? P_PID : P_ALL, pid, &si, WNOWAIT);
        if (r <= 0)
                return r;

        *ret = (ProcessEnd){.pid = si.si_pid};
        if (si.si_code == CLD_EXITED) {
                ret->exit_code = si.si_status & 0xff;
                return 1;
        }
        ret->exit_code = -1;
        ret->signal = si.si_status;
        ret->core_dumped = si.si_code == CLD_DUMPED;
        return 1;
}

int reaper_stopped(pid_t pid)
{
        siginfo_t si = {0};

        if (pid <= 0 || waitid(P_PID, (id_t) pid, &si, WSTOPPED | WNOHANG) < 0)
                return 0;
        return si.si_pid == pid && si.si_code == CLD_STOPPED ? si.si_status : 0;
}

int reaper_reap(pid_t pid)
{
        siginfo_t si;
        int r;

        if (pid <= 0)
                return -ECHILD;
        r = reaper_wait(P_PID, pid, &si, 0);
        if (r < 0)
                return r;
        return r > 0 ? 0 : -EAGAIN;
}
