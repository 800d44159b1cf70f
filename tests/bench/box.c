/*
 * reeve as it is meant to be: PID 1 of a PID namespace, with a writable cgroup v2 tree of its own. The
 * tree's root is a child of the run's cgroup, so that the machine's root cgroup is never seen. One clone3
 * does it all: the child is born in the cgroup (CLONE_INTO_CGROUP), then makes that the root of a cgroup
 * namespace by unshare(2), which at clone would have taken its parent's.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#include "basic/fd.h"

#define START_LIMIT 10.0 /* seconds */

void cgroup_write(const Run *run, const char *path, const char *text)
{
        char file[512];
        int r;

        snprintf(file, sizeof(file), "%s/%s", run->cgroup, path);
        r = write_small_file(AT_FDCWD, file, text);
        if (r < 0)
                bench_fail("%s: %s", file, strerror(-r));
}

pid_t cgroup_fork(const Run *run, const char *name, uint64_t clone_flags)
{
        struct clone_args arguments = {.flags = clone_flags | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
        _cleanup_close_ int fd = -EBADF;
        char folder[512];
        long pid;

        snprintf(folder, sizeof(folder), "%s/%s", run->cgroup, name);
        if (mkdir(folder, 0755) < 0)
                bench_fail("%s: %m", folder);
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                bench_fail("%s: %m", folder);
        arguments.cgroup = (uint64_t) fd;
        pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
        if (pid < 0)
                bench_fail("clone3: %m");
        return (pid_t) pid;
}

/* In the child: from here on there is only one way to say that something went wrong. */
static _noreturn_ void box_exec(const Run *run, const char *address)
{
        char option[160];
        char *const argv[] = {(char *) "reeve", option, NULL};
        char *const environment[] = {
                        (char *) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        snprintf(option, sizeof(option), "--address=%s", address);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || unshare(CLONE_NEWCGROUP) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("proc", "/proc", "proc", 0, NULL) < 0 ||
            mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0 || chdir("/") < 0 ||
            dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
            dup2(run->log_fd, STDERR_FILENO) < 0) {
                dprintf(run->log_fd, "box: %m\n");
                _exit(1);
        }
        execve(bench_reeve(), argv, environment);
        dprintf(STDERR_FILENO, "%s: %m\n", bench_reeve());
        _exit(1);
}

static sd_bus *try_connect(const char *address, bool hello)
{
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, hello);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                return bus;
        sd_bus_unref(bus);
        return NULL;
}

sd_bus *box_connect(const Box *box, bool hello)
{
        sd_bus *bus = try_connect(box->address, hello);

        if (!bus)
                bench_fail("cannot connect to reeve");
        call_ping(bus);
        return bus;
}

void box_start(const Run *run, const char *name, Box *ret)
{
        double limit = clock_now() + START_LIMIT;

        *ret = (Box){0};
        snprintf(ret->address, sizeof(ret->address), "unix:path=%s/%s.socket", run->folder, name);
        ret->pid = cgroup_fork(run, name, CLONE_NEWPID | CLONE_NEWNS);
        if (ret->pid == 0)
                box_exec(run, ret->address);
        while (!(ret->bus = try_connect(ret->address, true))) {
                if (waitpid(ret->pid, NULL, WNOHANG) != 0 || clock_now() > limit)
                        bench_fail("reeve does not start");
                (void) poll(NULL, 0, 1);
        }
        call_ping(ret->bus);
}

void box_stop(Box *box)
{
        int status;

        box->bus = sd_bus_flush_close_unref(box->bus);
        if (kill(box->pid, SIGTERM) < 0)
                bench_fail("reeve ended during the benchmark");
        while (waitpid(box->pid, &status, 0) < 0)
                if (errno != EINTR)
                        bench_fail("waitpid: %m");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                bench_fail("reeve ended with wait status %d", status);
}
