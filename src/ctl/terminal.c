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

int terminal_set_raw(Terminal *t)
{
        struct termios raw;

        if (!terminal_has_keys(t) || t->is_raw)
                return 0;
        if (tcgetattr(t->fd, &t->saved) < 0)
                return fail_errno(-errno, "cannot read the settings of the terminal");
        raw = t->saved;
        cfmakeraw(&raw);
        if (tcsetattr(t->fd, TCSANOW, &raw) < 0)
                return fail_errno(-errno, "cannot change the settings of the terminal");
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
        else if (info.ssi_signo == SIGCONT && t->is_raw) {
                /* Whoever had it meanwhile may have left it in another mode, which is not what is to be put
                 * back. */
                struct termios raw = t->saved;

                cfmakeraw(&raw);
                (void) tcsetattr(t->fd, TCSANOW, &raw);
        }
        return (int) info.ssi_signo;
}
