/*
 * The parent's half of starting a process: a pipe, a clone, and the ladder of ways to clone.
 *
 * clone3 puts the child into its cgroup at birth, so that there is no moment in which it could fork outside.
 * docker's and containerd's default seccomp filter answers ENOSYS to it, valgrind too; then the child joins
 * by itself before it does anything else, which is as good as long as the child is this project's own code,
 * and that is so until exec. PID 1 never writes cgroup.procs itself: that waits for an RCU grace period now
 * and then, 13 ms in which the event loop would stand.
 *
 * A raw fork-like clone is sound because reeve has one thread: glibc's locks are free, and its cached thread
 * id is used by nothing in the child.
 */

#include "sys/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/pidref.h"
#include "sys/spawn-child.h"

typedef enum SpawnMethod {
        METHOD_CLONE3,
        METHOD_CLONE,
        METHOD_FORK,
        _METHOD_MAX,
} SpawnMethod;

static const char *const method_names[_METHOD_MAX] = {
                [METHOD_CLONE3] = "clone3",
                [METHOD_CLONE] = "clone",
                [METHOD_FORK] = "fork",
};

/* clang-format off */
static const char *const step_words[_SPAWN_STEP_MAX] = {
#define X(id, word) [SPAWN_##id] = word,
                SPAWN_STEPS(X)
#undef X
};
/* clang-format on */

/* The highest rung that was not refused yet. */
static SpawnMethod spawn_rung = METHOD_CLONE3;

const char *spawn_step_to_string(SpawnStep step)
{
        return step >= 0 && step < _SPAWN_STEP_MAX ? step_words[step] : NULL;
}

const char *spawn_method(void)
{
        return method_names[spawn_rung];
}

int spawn_set_method(const char *method)
{
        for (int i = 0; i < _METHOD_MAX; i++)
                if (streq(method, method_names[i])) {
                        spawn_rung = (SpawnMethod) i;
                        return 0;
                }
        return -EINVAL;
}

/* Whether this rung is not to be had, rather than this one process. */
static bool clone_error_is_refusal(int error)
{
        return error == ENOSYS || error == EPERM || error == EINVAL || error == E2BIG || error == EOPNOTSUPP;
}

/* EPERM and EOPNOTSUPP can also be about the one cgroup. A size of 0 is EINVAL from any kernel that has the
 * call, so that any other answer comes from a filter: then it will be the same next time. */
static bool clone3_is_gone(int error)
{
        if (error != EPERM && error != EOPNOTSUPP)
                return true;
        return syscall(SYS_clone3, NULL, 0) < 0 && errno != EINVAL;
}

/* The three rungs: 0 in the child, its number in the parent, or negative errno. */
static pid_t clone_by_clone3(int cgroup_fd, int *ret_pidfd)
{
        struct clone_args arguments = {
                        .flags = CLONE_PIDFD,
                        .pidfd = (uintptr_t) ret_pidfd,
                        .exit_signal = SIGCHLD,
        };
        long pid;

        if (cgroup_fd >= 0) {
                arguments.flags |= CLONE_INTO_CGROUP;
                arguments.cgroup = (uint64_t) cgroup_fd;
        }
        pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
        return pid < 0 ? -errno : (pid_t) pid;
}

static pid_t clone_by_clone(int *ret_pidfd)
{
        /* The pidfd is where the parent's thread id would go, the third argument everywhere; before Linux
         * 5.2 the flag means nothing, and nothing is stored. */
#if defined(__s390__) || defined(__CRIS__)
        long pid = syscall(SYS_clone, NULL, CLONE_PIDFD | SIGCHLD, ret_pidfd, NULL, NULL);
#else
        long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, ret_pidfd, NULL, NULL);
#endif

        return pid < 0 ? -errno : (pid_t) pid;
}

static pid_t clone_by_fork(void)
{
        pid_t pid = fork();

        return pid < 0 ? -errno : pid;
}

/* Down the ladder from the highest rung that is left. *ret_join: the child has to join its cgroup by
 * itself. */
static pid_t spawn_clone(const SpawnParameters *p, int *ret_pidfd, bool *ret_join)
{
        pid_t pid;

        if (spawn_rung <= METHOD_CLONE3) {
                *ret_join = false;
                pid = clone_by_clone3(p->cgroup_fd, ret_pidfd);
                if (pid >= 0 || !clone_error_is_refusal(-pid))
                        return pid;
                if (clone3_is_gone(-pid))
                        spawn_rung = METHOD_CLONE;
        }

        *ret_join = p->cgroup_fd >= 0;
        if (spawn_rung <= METHOD_CLONE) {
                pid = clone_by_clone(ret_pidfd);
                if (pid >= 0 || !clone_error_is_refusal(-pid))
                        return pid;
                spawn_rung = METHOD_FORK;
        }

        return clone_by_fork();
}

/* The write end is for the child, which is about to fill 0 to 2. */
static int status_pipe(int *ret_read, int *ret_write)
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        ours = fds[0];
        theirs = fds[1];
        if (theirs <= 2) {
                int low = theirs;

                theirs = fcntl(low, F_DUPFD_CLOEXEC, 3);
                fd_close(low);
                if (theirs < 0)
                        return -errno;
        }
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        *ret_read = TAKE_FD(ours);
        *ret_write = TAKE_FD(theirs);
        return 0;
}

int spawn(const SpawnParameters *p, PidRef *ret_child, int *ret_status)
{
        _cleanup_close_ int status = -EBADF, status_child = -EBADF;
        int pidfd = -EBADF, r;
        bool join = false;
        pid_t pid;

        assert(p->argv && p->argv[0]);

        r = status_pipe(&status, &status_child);
        if (r < 0)
                return r;

        pid = spawn_clone(p, &pidfd, &join);
        if (pid < 0)
                return pid;
        if (pid == 0)
                spawn_child(p, status_child, join);

        *ret_child = (PidRef){.pid = pid, .fd = pidfd};
        /* It is not reaped before we return, so the number is still its own. Where there are no pidfds, or
         * no descriptor is left, the number has to do: it runs already. */
        if (pidfd < 0)
                (void) pidref_open(pid, ret_child);
        *ret_status = TAKE_FD(status);
        return 0;
}

int spawn_read_status(int status_fd, SpawnFailure *ret)
{
        SpawnFailure failure;
        ssize_t n;

        n = read(status_fd, &failure, sizeof(failure));
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        if (n == 0)
                return 0;
        if (n != (ssize_t) sizeof(failure) || failure.step < 0 || failure.step >= _SPAWN_STEP_MAX)
                return -EBADMSG;

        failure.detail[SPAWN_DETAIL_MAX - 1] = '\0';
        *ret = failure;
        return 1;
}
