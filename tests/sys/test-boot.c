/* Whatever is inherited is cured. Each in a child, which is spoilt first. */

#include "sys/boot.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static int signals_child(void *data)
{
        static const int raised[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
        struct sigaction sa;
        sigset_t blocked;
        BootState b;

        signal(SIGCHLD, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        RIG_CHECK(boot_cure(&b) == 0);

        for (int sig = 1; sig <= SIGRTMAX; sig++) {
                if (sigaction(sig, NULL, &sa) < 0)
                        continue;
                if (sig == SIGPIPE)
                        RIG_CHECK(sa.sa_handler == SIG_IGN);
                else
                        RIG_CHECK(sa.sa_handler == SIG_DFL);
        }
        sigprocmask(SIG_SETMASK, NULL, &blocked);
        for (size_t i = 0; i < ELEMENTSOF(raised); i++)
                RIG_CHECK(sigismember(&blocked, raised[i]) == 0);
        RIG_CHECK(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD) &&
                  sigismember(&blocked, SIGRTMIN) && sigismember(&blocked, SIGRTMAX));

        /* And so children are there to be reaped. */
        pid_t pid = fork();

        if (pid == 0)
                _exit(7);
        RIG_CHECK(rig_reap(pid).exit_code == 7);
        boot_state_done(&b);
        return 0;
}

START_TEST(signals)
{
        ck_assert_int_eq(rig_in_child(signals_child, NULL), 0);
}
END_TEST

static bool is_null_device(int fd)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && S_ISCHR(a.st_mode) &&
               a.st_rdev == b.st_rdev;
}

static int closed_child(void *data)
{
        unsigned mask = (unsigned) (uintptr_t) data;
        BootState b;
        int fd;

        for (fd = 0; fd < 3; fd++)
                if (mask & (1U << fd))
                        close(fd);
        RIG_CHECK(boot_cure(&b) == 0);
        if (b.closed_stdio != mask)
                return 1;
        for (fd = 0; fd < 3; fd++) {
                if (fcntl(fd, F_GETFD) != 0) /* there, and for jobs */
                        return 2;
                if ((mask & (1U << fd)) && !is_null_device(fd))
                        return 3;
        }
        boot_state_done(&b);
        return 0;
}

START_TEST(closed_stdio)
{
        for (uintptr_t mask = 0; mask < 8; mask++)
                ck_assert_int_eq(rig_in_child(closed_child, (void *) mask), 0);
}
END_TEST

/* Not even a /dev/null. */
static int bare_child(void *data)
{
        BootState b;
        char c;

        RIG_CHECK(unshare(CLONE_NEWNS) == 0);
        RIG_CHECK(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
        RIG_CHECK(mount("none", "/dev", "tmpfs", 0, NULL) == 0);
        close(0);
        close(1);
        close(2);
        if (boot_cure(&b) < 0 || b.closed_stdio != 7)
                return 2;
        if (read(0, &c, 1) != 0)
                return 3;
        for (int fd = 1; fd <= 2; fd++)
                if (write(fd, "x", 1) >= 0 || errno != EPIPE)
                        return 3 + fd;
        if (fcntl(3, F_GETFD) >= 0 && !(fcntl(3, F_GETFD) & FD_CLOEXEC))
                return 6;
        boot_state_done(&b);
        return 0;
}

START_TEST(no_null_device)
{
        if (geteuid() == 0 && !rig_is_emulated())
                ck_assert_int_eq(rig_in_child(bare_child, NULL), 0);
}
END_TEST

static int stray_child(void *data)
{
        BootState b;

        RIG_CHECK(dup2(2, 57) == 57 && dup2(2, 3) == 3);
        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(fcntl(57, F_GETFD) == FD_CLOEXEC && fcntl(3, F_GETFD) == FD_CLOEXEC);
        RIG_CHECK(fcntl(2, F_GETFD) == 0);
        boot_state_done(&b);
        return 0;
}

START_TEST(stray_descriptors)
{
        ck_assert_int_eq(rig_in_child(stray_child, NULL), 0);
}
END_TEST

static int limits_child(void *data)
{
        struct rlimit few = {64, 512}, now;
        BootState b;

        RIG_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(b.nofile.rlim_cur == 64 && b.nofile.rlim_max == 512);
        RIG_CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0);
        RIG_CHECK(now.rlim_cur == 512 && now.rlim_max == 512);
        boot_state_done(&b);
        return 0;
}

START_TEST(descriptor_limit)
{
        if (!rig_is_emulated())
                ck_assert_int_eq(rig_in_child(limits_child, NULL), 0);
}
END_TEST

static int place_child(void *data)
{
        char cwd[64], gone[128];
        BootState b;

        RIG_CHECK(chdir("/usr") == 0);
        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(streq(b.working_directory, "/usr"));
        RIG_CHECK(streq(getcwd(cwd, sizeof(cwd)), "/"));
        boot_state_done(&b);

        snprintf(gone, sizeof(gone), "%s/gone", (const char *) data);
        RIG_CHECK(mkdir(gone, 0755) == 0 && chdir(gone) == 0 && rmdir(gone) == 0);
        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(streq(b.working_directory, "/"));
        boot_state_done(&b);
        return 0;
}

START_TEST(working_directory)
{
        ck_assert_int_eq(rig_in_child(place_child, (void *) rig_folder()), 0);
}
END_TEST

static void wait_for_signals(void)
{
        sigset_t none;

        sigemptyset(&none);
        for (;;)
                sigsuspend(&none);
}

/* A child, and its child in a session of its own, whose number comes by a pipe: both are told. */
static int descendants(void)
{
        ProcessEnd end;
        pid_t child, pid;
        int fds[2];

        RIG_CHECK(pipe(fds) == 0);
        child = fork();
        if (child == 0) {
                pid = fork();
                if (pid == 0) {
                        (void) setsid();
                        pid = getpid();
                        if (write(fds[1], &pid, sizeof(pid)) != sizeof(pid))
                                _exit(1);
                }
                wait_for_signals();
        }
        RIG_CHECK(read(fds[0], &pid, sizeof(pid)) == sizeof(pid));
        RIG_CHECK(boot_signal_rest(false, 0));
        RIG_CHECK(boot_signal_rest(false, SIGUSR1));
        end = rig_reap(child);
        RIG_CHECK(end.signal == SIGUSR1);
        end = rig_reap(pid); /* it came to us, if it was still there then */
        RIG_CHECK(end.signal == SIGUSR1);
        RIG_CHECK(!boot_signal_rest(false, 0));
        return 0;
}

static int subreaper_child(void *data)
{
        int is = 0;
        BootState b;

        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(!b.is_pid1 && b.is_subreaper);
        RIG_CHECK(prctl(PR_GET_CHILD_SUBREAPER, &is) == 0 && is == 1);
        RIG_CHECK(!boot_signal_rest(false, SIGTERM)); /* no child */
        RIG_CHECK(!boot_signal_rest(true, SIGTERM));  /* no PID 1 */
        RIG_CHECK(descendants() == 0);
        boot_state_done(&b);
        return 0;
}

START_TEST(not_pid_1)
{
        ck_assert_int_eq(rig_in_child(subreaper_child, NULL), 0);
}
END_TEST

static int pid1_child(void *data)
{
        BootState b;
        ProcessEnd end;
        pid_t pid;

        RIG_CHECK(boot_cure(&b) == 0);
        RIG_CHECK(b.is_pid1 && !b.is_subreaper);
        RIG_CHECK(!boot_signal_rest(true, SIGTERM)); /* nobody there */
        pid = fork();
        if (pid == 0) {
                sigset_t none;

                sigemptyset(&none);
                for (;;)
                        sigsuspend(&none);
        }
        RIG_CHECK(boot_signal_rest(true, 0));
        RIG_CHECK(boot_signal_rest(true, SIGUSR1));
        end = rig_reap(pid);
        RIG_CHECK(end.signal == SIGUSR1);
        boot_state_done(&b);
        return 0;
}

static int in_pid_namespace(void *data)
{
        int status;
        pid_t pid;

        RIG_CHECK(unshare(CLONE_NEWPID) == 0);
        pid = fork();
        if (pid == 0)
                _exit(pid1_child(NULL));
        RIG_CHECK(waitpid(pid, &status, 0) == pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

START_TEST(pid_1)
{
        if (geteuid() == 0 && !rig_is_emulated())
                ck_assert_int_eq(rig_in_child(in_pid_namespace, NULL), 0);
}
END_TEST

TEST_MAIN("boot", signals, closed_stdio, no_null_device, stray_descriptors, descriptor_limit,
          working_directory, not_pid_1, pid_1)
