/*
 * Raw mode is a loan: a terminal that is left in it shows nothing of what is typed. So every signal that
 * would end reevectl is read instead of taken, and leads out by the way on which the terminal is given back;
 * when reevectl is stopped it is given back, too, and taken again when it goes on.
 */

#include "ctl/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "ctl/output.h"

static const int read_signals[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

void terminal_find(Terminal *ret)
{
        *ret = TERMINAL_NULL;
        for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--)
                if (isatty(fd))
                        ret->fd = fd;
}

int terminal_open(Terminal *t)
{
        sigset_t set, blocked;

        terminal_find(t);
        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(read_signals); i++)
                sigaddset(&set, read_signals[i]);
        blocked = set;
        /* Whoever reads our stdout may go, and write(2) is to say so. The settings are to be put back from
         * the background, too, tcsetattr(3). */
        sigaddset(&blocked, SIGPIPE);
        sigaddset(&blocked, SIGTTOU);
        if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
                return fail_errno(-errno, "cannot block signals");
        t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return t->signals < 0 ? fail_errno(-errno, "cannot read signals") : 0;
}

void terminal_close(Terminal *t)
{
        terminal_restore(t);
        t->signals = fd_close(t->signals);
}

bool terminal_has_keys(const Terminal *t)
{
        return t->fd == STDIN_FILENO;
}

bool terminal_size(const Terminal *t, unsigned *ret_rows, unsigned *ret_columns)
{
        struct winsize size;

        if (t->fd < 0 || ioctl(t->fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                return false;
        *ret_rows = size.ws_row;
        *ret_columns = size.ws_col;
        return true;
}

/* In the background we are stopped until the terminal is ours, as anybody is: its settings are those of who
 * is in front. */
static int come_to_front(const Terminal *t)
{
        pid_t front = tcgetpgrp(t->fd);
        sigset_t ttou, before;
        int r;

        if (front < 0 || front == getpgrp()) /* the former where it controls somebody else's session */
                return 0;
        sigemptyset(&ttou);
        sigaddset(&ttou, SIGTTOU);
        (void) sigprocmask(SIG_UNBLOCK, &ttou, &before);
        r = tcsetpgrp(t->fd, getpgrp()) < 0 ? -errno : 0; /* this stops, and goes on when it is so */
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}

static int make_raw(const Terminal *t)
{
        struct termios raw = t->saved;

        cfmakeraw(&raw);
        return tcsetattr(t->fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

int terminal_set_raw(Terminal *t)
{
        int r;

        if (!terminal_has_keys(t) || t->is_raw)
                return 0;
        r = come_to_front(t);
        if (r < 0)
                return fail_errno(r, "the terminal is not to be had from the background");
        if (tcgetattr(t->fd, &t->saved) < 0)
                return fail_errno(-errno, "cannot read the settings of the terminal");
        r = make_raw(t);
        if (r < 0)
                return fail_errno(r, "cannot change the settings of the terminal");
        t->is_raw = true;
        return 0;
}

void terminal_restore(Terminal *t)
{
        if (t->is_raw)
                (void) tcsetattr(t->fd, TCSANOW, &t->saved);
        t->is_raw = false;
}

static void stop(Terminal *t)
{
        bool was_raw = t->is_raw;

        terminal_restore(t);
        (void) raise(SIGSTOP); /* goes on here */
        if (was_raw)
                (void) terminal_set_raw(t);
}

int terminal_signal(Terminal *t)
{
        struct signalfd_siginfo info;

        if (read(t->signals, &info, sizeof(info)) != (ssize_t) sizeof(info))
                return 0;
        if (info.ssi_signo == SIGTSTP)
                stop(t);
        /* Whoever had it meanwhile may have left it in another mode, which is not what is to be put back. */
        else if (info.ssi_signo == SIGCONT && t->is_raw && come_to_front(t) >= 0)
                (void) make_raw(t);
        return (int) info.ssi_signo;
}
