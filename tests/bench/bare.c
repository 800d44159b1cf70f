/*
 * The baselines: the least that a C program without any supervision can do for the same effect. Nothing here
 * is slowed down on purpose and nothing that a careful programmer would add (limits, sessions, signals,
 * cgroups) is there.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#include "basic/fd.h"

extern char **environ;

static void pipe_make(int fds[static 2])
{
        if (pipe2(fds, O_CLOEXEC) < 0)
                bench_fail("pipe2: %m");
}

/* in: -EBADF for /dev/null; out and err: -EBADF for our own. */
static pid_t spawn_with(char *const *argv, int in, int out, int err)
{
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r;

        posix_spawn_file_actions_init(&actions);
        if (in >= 0)
                posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        else
                posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (out >= 0)
                posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (err >= 0)
                posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
        r = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                bench_fail("posix_spawn %s: %s", argv[0], strerror(r));
        return pid;
}

pid_t bare_spawn(char *const *argv, int *ret_stdout, int *ret_stderr)
{
        int out[2], err[2] = {-EBADF, -EBADF};
        pid_t pid;

        pipe_make(out);
        if (ret_stderr)
                pipe_make(err);
        pid = spawn_with(argv, -EBADF, out[1], err[1]);
        fd_close(out[1]);
        fd_close(err[1]);
        *ret_stdout = out[0];
        if (ret_stderr)
                *ret_stderr = err[0];
        return pid;
}

void bare_wait(pid_t pid)
{
        while (waitpid(pid, NULL, 0) < 0)
                if (errno != EINTR)
                        bench_fail("waitpid: %m");
}

void bare_exec(char *const *argv)
{
        static char buf[65536];
        struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
        unsigned open = 2;
        pid_t pid;

        pid = bare_spawn(argv, &p[0].fd, &p[1].fd);
        while (open > 0) {
                if (poll(p, 2, -1) < 0)
                        bench_fail("poll: %m");
                for (size_t i = 0; i < 2; i++)
                        if (p[i].revents && read(p[i].fd, buf, sizeof(buf)) <= 0) {
                                close(p[i].fd);
                                p[i].fd = -1;
                                open--;
                        }
        }
        bare_wait(pid);
}

void bare_drain(char *const *argv)
{
        static char buf[65536];
        pid_t pid;
        int fd;

        pid = bare_spawn(argv, &fd, NULL);
        while (read(fd, buf, sizeof(buf)) > 0)
                ;
        close(fd);
        bare_wait(pid);
}

void bare_pipe(char *const *argv, char *const *into)
{
        pid_t writer, reader;
        int fds[2];

        pipe_make(fds);
        writer = spawn_with(argv, -EBADF, fds[1], -EBADF);
        reader = spawn_with(into, fds[0], -EBADF, -EBADF);
        fd_close(fds[0]);
        fd_close(fds[1]);
        bare_wait(writer);
        bare_wait(reader);
}

void bare_wait_ready(int fd)
{
        char buf[16];

        if (read(fd, buf, sizeof(buf)) <= 0)
                bench_fail("the child did not say that it is ready");
}

void bare_reap_all(void)
{
        while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR)
                ;
}

double bare_in_subreaper(double (*f)(void *userdata), void *userdata)
{
        double result = -1;
        int fds[2];
        pid_t pid;

        pipe_make(fds);
        pid = fork();
        if (pid < 0)
                bench_fail("fork: %m");
        if (pid == 0) {
                if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                        bench_fail("PR_SET_CHILD_SUBREAPER: %m");
                result = f(userdata);
                _exit(write(fds[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
        }
        fd_close(fds[1]);
        if (read(fds[0], &result, sizeof(result)) != sizeof(result))
                bench_fail("the baseline did not get through");
        fd_close(fds[0]);
        bare_wait(pid);
        return result;
}
