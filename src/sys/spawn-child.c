/*
 * The child's half of starting a process: from the clone to exec. It runs in a copy of PID 1 in which any
 * lock may be held for ever, so it calls nothing but what signal-safety(7) allows, and copies its strings by
 * hand; tests/lint/check-spawn-child reads the object's undefined symbols. Where glibc's wrapper does more
 * than the system call (set*id tells all threads, sigaction hides two signals) the call is raw.
 *
 * The order matters. The cgroup comes first, so that whatever follows is counted there. What needs
 * privileges comes before the user is changed, the working directory after it: it is to be reachable for
 * that user. Signals come last, since from then on one that is sent to the job's group ends this process as
 * it would end the program.
 */

#include "sys/spawn-child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/spawn.h"

#define DEFAULT_SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define EXIT_SPAWN_FAILED 127
#define SIGNAL_MAX (_NSIG - 1) /* 64; the kernel's sigset is a bit each */

/* 32-bit machines have a second set of calls for ids of 32 bits. */
#ifdef SYS_setresuid32
#define SYS_SETRESUID SYS_setresuid32
#define SYS_SETRESGID SYS_setresgid32
#define SYS_SETGROUPS SYS_setgroups32
#else
#define SYS_SETRESUID SYS_setresuid
#define SYS_SETRESGID SYS_setresgid
#define SYS_SETGROUPS SYS_setgroups
#endif

/* What an attempt to exec came to, until something better is known. */
typedef struct ExecFailure {
        SpawnStep step;
        int error; /* 0: nothing yet */
        char detail[SPAWN_DETAIL_MAX];
} ExecFailure;

static void copy_detail(char *to, const char *from)
{
        size_t n = 0;

        for (; from && from[n] && n < SPAWN_DETAIL_MAX - 1; n++)
                to[n] = from[n];
        to[n] = '\0';
}

static _noreturn_ void child_fail(int status_fd, SpawnStep step, int error, const char *detail)
{
        SpawnFailure failure;
        ssize_t n;

        memset(&failure, 0, sizeof(failure));
        failure.step = step;
        failure.error = error;
        copy_detail(failure.detail, detail);
        do
                n = write(status_fd, &failure, sizeof(failure));
        while (n < 0 && errno == EINTR);
        _exit(EXIT_SPAWN_FAILED);
}

/* The text of n, up to end, without a NUL. Where it begins. */
static char *write_number(char *end, unsigned n)
{
        do
                *--end = (char) ('0' + n % 10);
        while ((n /= 10) > 0);
        return end;
}

static int write_text(int dir_fd, const char *path, const char *text, size_t n)
{
        int fd, r = 0;

        fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (write(fd, text, n) < 0)
                r = -errno;
        (void) close(fd);
        return r;
}

/* A session of its own, without a terminal or with the one that it was given; or the foreground of the
 * terminal that is there, as a shell would do it. */
static int child_session(const SpawnParameters *p)
{
        uint64_t mask = UINT64_C(1) << (SIGTTOU - 1);
        pid_t group;

        if (!p->foreground) {
                if (setsid() < 0 || (p->terminal && ioctl(p->fds[0], TIOCSCTTY, 0) < 0))
                        return -errno;
                if (p->console)
                        (void) ioctl(p->fds[0] >= 0 ? p->fds[0] : STDIN_FILENO, TIOCSCTTY, 0);
                return 0;
        }

        if (setpgid(0, 0) < 0)
                return -errno;
        if (p->foreground_fd < 0)
                return 0;
        /* A background process that changes the foreground is stopped, unless it blocks SIGTTOU. */
        (void) syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, SIGNAL_MAX / 8);
        group = getpid();
        /* Hung up meanwhile, for instance: then there is no foreground to be in. */
        (void) ioctl(p->foreground_fd, TIOCSPGRP, &group);
        return 0;
}

static int child_stdio(const SpawnParameters *p)
{
        for (int i = 0; i < 3; i++)
                if (p->fds[i] >= 0 && dup2(p->fds[i], i) < 0)
                        return -errno;
        return 0;
}

static int child_oom_score(int value)
{
        char buf[16], *end = buf + sizeof(buf);
        char *at = write_number(end, value < 0 ? 0U - (unsigned) value : (unsigned) value);

        if (value < 0)
                *--at = '-';
        return write_text(AT_FDCWD, "/proc/self/oom_score_adj", at, (size_t) (end - at));
}

/* In our own copy of the environment. */
static void child_pid_slot(const SpawnParameters *p)
{
        char buf[SPAWN_PID_SIZE], *end = buf + sizeof(buf) - 1, *at;

        if (!p->pid_slot)
                return;
        *end = '\0';
        at = write_number(end, (unsigned) getpid());
        memcpy(p->pid_slot, at, (size_t) (end - at) + 1);
}

static void child_limits(const SpawnParameters *p, int status_fd)
{
        for (int i = 0; i < RLIM_NLIMITS; i++)
                if (p->limits & (1U << i) && setrlimit(i, &p->limit[i]) < 0) {
                        const char resource[] = {(char) ('0' + i / 10), (char) ('0' + i % 10), '\0'};

                        child_fail(status_fd, SPAWN_LIMITS, errno, resource);
                }
}

/* What is inheritable passes a root program by the bounding set, and what is ambient any program: those go,
 * too. */
static int child_inheritable(uint64_t keep)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        data[0].inheritable &= (uint32_t) keep;
        data[1].inheritable &= (uint32_t) (keep >> 32);
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int child_capabilities(uint64_t keep)
{
        for (unsigned long i = 0; i < 64; i++) {
                int held;

                if (keep & (UINT64_C(1) << i))
                        continue;
                held = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
                if (held < 0) /* beyond the last */
                        break;
                (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, i, 0, 0);
                if (held > 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
                        return -errno;
        }
        return child_inheritable(keep);
}

static int child_groups(const SpawnParameters *p)
{
        if (p->set_groups && syscall(SYS_SETGROUPS, p->n_groups, p->groups) < 0)
                return -errno;
        if (p->set_group && syscall(SYS_SETRESGID, p->gid, p->gid, p->gid) < 0)
                return -errno;
        return 0;
}

/* Every disposition to default, also of the two signals that glibc keeps for itself; then the empty mask.
 * The kernel's struct sigaction is all zeroes for SIG_DFL, whatever its layout is. */
static void child_signals(void)
{
        uint64_t zeroes[8] = {0};

        for (int sig = 1; sig <= SIGNAL_MAX; sig++)
                (void) syscall(SYS_rt_sigaction, sig, zeroes, NULL, SIGNAL_MAX / 8);
        (void) syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeroes, NULL, SIGNAL_MAX / 8);
}

/* path is there, and yet exec said ENOENT: what is missing is its interpreter. The one that "#!" names, cut
 * out of line in place; NULL when it is no script (then it is the ELF loader) or cannot be read. */
static const char *script_interpreter(const char *path, char *line, size_t size)
{
        char *start, *end;
        ssize_t n;
        int fd;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return NULL;
        n = read(fd, line, size - 1);
        (void) close(fd);
        if (n < 2 || line[0] != '#' || line[1] != '!')
                return NULL;
        line[n] = '\0';

        for (start = line + 2; *start == ' ' || *start == '\t'; start++)
                ;
        for (end = start; *end && *end != ' ' && *end != '\t' && *end != '\n'; end++)
                ;
        *end = '\0';
        return start;
}

/* Returns only when it failed, and says in *f how. */
static void exec_try(const SpawnParameters *p, const char *path, ExecFailure *f)
{
        static char *const no_environment[] = {NULL};
        char line[SPAWN_DETAIL_MAX];
        const char *interpreter;
        struct stat st;

        (void) execve(path, p->argv, p->environment ? p->environment : no_environment);
        f->step = SPAWN_EXEC;
        f->error = errno;
        copy_detail(f->detail, path);
        if (f->error != ENOENT || stat(path, &st) < 0)
                return;

        f->step = SPAWN_INTERPRETER;
        f->error = ENOENT;
        interpreter = script_interpreter(path, line, sizeof(line));
        if (interpreter)
                copy_detail(f->detail, interpreter);
}

/* A folder of the search path, a slash and the name; an empty one is the working directory, as ever. */
static int join_path(char *to, size_t size, const char *dir, size_t n, const char *name)
{
        size_t m = strlen(name);

        if (n + 1 + m + 1 > size)
                return -ENAMETOOLONG;
        memcpy(to, dir, n);
        if (n > 0)
                to[n++] = '/';
        memcpy(to + n, name, m + 1);
        return 0;
}

/* As execvp(3): what is not there is passed over; so is what may not be executed, but it is remembered. */
static void exec_search(const SpawnParameters *p, ExecFailure *f)
{
        const char *name = p->program ? p->program : p->argv[0],
                   *at = p->search_path ? p->search_path : DEFAULT_SEARCH_PATH;
        ExecFailure now = {.step = SPAWN_EXEC, .error = ENOENT};
        char path[PATH_MAX];

        for (;; at++) {
                size_t n = 0;

                while (at[n] && at[n] != ':')
                        n++;
                if (join_path(path, sizeof(path), at, n, name) >= 0)
                        exec_try(p, path, &now);
                at += n;

                if (now.error == EACCES || now.step == SPAWN_INTERPRETER) {
                        if (f->error == 0)
                                *f = now;
                } else if (now.error != ENOENT && now.error != ENOTDIR && now.error != ESTALE &&
                           now.error != ENODEV && now.error != ETIMEDOUT && now.error != ENAMETOOLONG) {
                        *f = now;
                        return;
                }
                if (!*at)
                        break;
        }
        if (f->error == 0)
                *f = now;
}

static _noreturn_ void child_exec(const SpawnParameters *p, int status_fd)
{
        const char *name = p->program ? p->program : p->argv[0];
        ExecFailure f = {.step = SPAWN_EXEC};
        bool slash = false;

        for (const char *c = name; *c; c++)
                slash = slash || *c == '/';

        if (!*name)
                f.error = ENOENT;
        else if (slash)
                exec_try(p, name, &f);
        else
                exec_search(p, &f);
        child_fail(status_fd, f.step, f.error, f.detail);
}

/* The steps that need to be done before the user is changed. */
static void child_prepare(const SpawnParameters *p, int status_fd, bool join_cgroup)
{
        int r;

        if (join_cgroup && (r = write_text(p->cgroup_fd, "cgroup.procs", "0", 1)) < 0)
                child_fail(status_fd, SPAWN_CGROUP, -r, NULL);
        if ((r = child_session(p)) < 0)
                child_fail(status_fd, SPAWN_SESSION, -r, NULL);
        if ((r = child_stdio(p)) < 0)
                child_fail(status_fd, SPAWN_STDIO, -r, NULL);
        if (p->set_umask)
                (void) umask(p->umask);
        if (p->set_oom_score && (r = child_oom_score(p->oom_score_adjust)) < 0)
                child_fail(status_fd, SPAWN_OOM_SCORE, -r, NULL);
        if (p->set_nice && setpriority(PRIO_PROCESS, 0, p->nice) < 0)
                child_fail(status_fd, SPAWN_NICE, errno, NULL);
        child_limits(p, status_fd);
        if (p->set_capabilities && (r = child_capabilities(p->capabilities)) < 0)
                child_fail(status_fd, SPAWN_CAPABILITIES, -r, NULL);
}

void spawn_child(const SpawnParameters *p, int status_fd, bool join_cgroup)
{
        int r;

        child_prepare(p, status_fd, join_cgroup);

        if ((r = child_groups(p)) < 0)
                child_fail(status_fd, SPAWN_GROUP, -r, NULL);
        if (p->set_user && syscall(SYS_SETRESUID, p->uid, p->uid, p->uid) < 0)
                child_fail(status_fd, SPAWN_USER, errno, NULL);
        if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                child_fail(status_fd, SPAWN_NO_NEW_PRIVILEGES, errno, NULL);
        if (p->working_directory && chdir(p->working_directory) < 0)
                child_fail(status_fd, SPAWN_CHDIR, errno, p->working_directory);

        child_pid_slot(p);
        child_signals();
        child_exec(p, status_fd);
}
