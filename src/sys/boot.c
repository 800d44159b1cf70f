/*
 * What comes before everything else. PID 1 inherits whatever its maker had: SIGCHLD ignored would reap
 * children from under the reaper, a closed stdout would become the first socket, a stray descriptor would be
 * every job's. All of it is cured here once; what jobs are to have of it is remembered.
 *
 * Nothing here can fail but for memory: what a filter refuses is left as it is.
 */

#include "sys/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/parse.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define NO_PROC_FDS_MAX 65536 /* looked at one by one where there is no /proc */

static void cure_signals(void)
{
        /* What the processor raises is not blocked: the kernel would end us all the same, but with no
         * core. */
        static const int left[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
        sigset_t set;

        (void) sigfillset(&set);
        for (size_t i = 0; i < ELEMENTSOF(left); i++)
                (void) sigdelset(&set, left[i]);
        (void) sigprocmask(SIG_SETMASK, &set, NULL);

        for (int sig = 1; sig < _NSIG; sig++) {
                struct sigaction sa = {.sa_handler = sig == SIGPIPE ? SIG_IGN : SIG_DFL};

                /* Refused for KILL, STOP and glibc's own two; those a job gets cured in spawn-child.c. */
                (void) sigaction(sig, &sa, NULL);
        }
}

/* In place of a /dev/null that is not there: a pipe whose other end is closed, to read from or to write
 * to. */
static void broken_pipe(int fd)
{
        int fds[2];

        if (pipe2(fds, 0) < 0)
                return;
        (void) dup2(fds[fd == STDIN_FILENO ? 0 : 1], fd);
        for (int i = 0; i < 2; i++)
                if (fds[i] != fd)
                        (void) close(fds[i]);
}

static unsigned cure_stdio(void)
{
        unsigned closed = 0;

        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
                        continue;
                closed |= 1U << fd;
                /* The lowest free descriptor is this one: those below are open by now. */
                if (open("/dev/null", O_RDWR | O_NOCTTY) < 0)
                        broken_pipe(fd);
        }
        return closed;
}

static void set_cloexec(int fd)
{
        int flags = fcntl(fd, F_GETFD);

        if (flags >= 0)
                (void) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

static void cure_stray_fds(rlim_t nofile)
{
        struct dirent *de;
        DIR *dir;

        if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) >= 0)
                return;

        dir = opendir("/proc/self/fd");
        if (!dir) {
                for (int fd = 3; fd < (int) MIN(nofile, (rlim_t) NO_PROC_FDS_MAX); fd++)
                        set_cloexec(fd);
                return;
        }
        while ((de = readdir(dir))) {
                uint64_t fd;

                if (parse_u64(de->d_name, &fd) >= 0 && fd > 2 && fd <= INT32_MAX)
                        set_cloexec((int) fd);
        }
        (void) closedir(dir);
}

/* Where we were started, and away from there: PID 1 keeps no file system busy. NULL: no memory. */
static char *leave_working_directory(void)
{
        char *cwd = getcwd(NULL, 0);

        /* The kernel says "(unreachable)" of what lies outside of our root. */
        if (!cwd || cwd[0] != '/') {
                free(cwd);
                cwd = str_copy("/");
        }
        (void) chdir("/");
        return cwd;
}

static char *own_program(void)
{
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

        return n > 0 && n < (ssize_t) sizeof(path) ? str_copy_n(path, (size_t) n) : NULL;
}

/* Among a thousand busy processes of a job PID 1 must still get to stopping them. */
#define BOOT_NICE 10

int boot_cure(BootState *ret)
{
        BootState b = {.is_pid1 = getpid() == 1};
        struct rlimit limit;

        cure_signals();
        b.closed_stdio = cure_stdio();

        if (getrlimit(RLIMIT_NOFILE, &b.nofile) < 0)
                b.nofile = (struct rlimit){1024, 4096};
        cure_stray_fds(b.nofile.rlim_cur);
        limit = (struct rlimit){b.nofile.rlim_max, b.nofile.rlim_max};
        (void) setrlimit(RLIMIT_NOFILE, &limit);

        b.nice = getpriority(PRIO_PROCESS, 0);
        if (b.is_pid1)
                (void) setpriority(PRIO_PROCESS, 0, b.nice - BOOT_NICE);
        else
                b.is_subreaper = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) >= 0;
        b.umask = umask(022);
        (void) umask(b.umask);
        b.program = own_program();
        b.working_directory = leave_working_directory();
        if (!b.working_directory) {
                free(b.program);
                return -ENOMEM;
        }
        *ret = b;
        return 0;
}

void boot_state_done(BootState *b)
{
        free(b->working_directory);
        free(b->program);
        *b = (BootState){0};
}

int boot_parent_death(int sig)
{
        return prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) < 0 ? -errno : 0;
}
