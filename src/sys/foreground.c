/*
 * Job control, from the side of who is controlled. The main job has a process group of its own, so that
 * what a terminal sends comes to it once, from the terminal alone; a shell above reeve, however, knows only
 * the group that it has made itself, in which reeve is. So reeve stands between: in front of the terminal it
 * puts the main job's group in the place of its own, and when the main job is stopped, it stops its own,
 * too.
 *
 * Whether somebody could let it go on again is for the kernel to say: it stops no process for a terminal's
 * sake whose group is orphaned (POSIX, "orphaned process group"), nor PID 1 of a namespace.
 */

#include "sys/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"

void foreground_open(Foreground *ret)
{
        *ret = FOREGROUND_NULL;
        /* Not by stdin alone: that may be a file, and the terminal be there all the same. */
        ret->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        for (int fd = STDIN_FILENO; ret->fd < 0 && fd <= STDERR_FILENO; fd++)
                if (tcgetpgrp(fd) >= 0)
                        ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (ret->fd < 0)
                ret->fd = -EBADF;
}

void foreground_close(Foreground *f)
{
        f->fd = fd_close(f->fd);
}

bool foreground_is(const Foreground *f, pid_t group)
{
        return f->fd >= 0 && tcgetpgrp(f->fd) == group;
}

bool foreground_is_ours(const Foreground *f)
{
        /* Both 0 where the group is one of another PID namespace. */
        return foreground_is(f, getpgrp());
}

void foreground_give(const Foreground *f, pid_t group)
{
        if (f->fd >= 0 && group > 0)
                (void) tcsetpgrp(f->fd, group);
}

void foreground_take_back(const Foreground *f)
{
        foreground_give(f, getpgrp());
}

bool foreground_stop(int sig)
{
        sigset_t set, pending;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, sig);
        (void) kill(0, sig); /* its own is pending now, as it is blocked */
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        return sigpending(&pending) >= 0 && sigismember(&pending, SIGCONT) > 0;
}
