/*
 * See rig.h. Waiting is by poll(2) on a pipe or a pidfd, never by sleeping; only where the kernel has
 * nothing to wait on is a condition looked at in a loop.
 */

#include "rig.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup-mount.h"
#include "sys/cgroup.h"
#include "sys/stdio.h"

/* Check's own where it can be, _exit() in a forked child. */
#define RIG_ASSERT(expression)                                                                              \
        do {                                                                                                \
                if (in_child)                                                                               \
                        RIG_CHECK(expression);                                                              \
                else                                                                                        \
                        ck_assert(expression);                                                              \
        } while (0)

static bool in_child;
static char folder[64];
static pid_t folder_owner;

const char *rig_probe(void)
{
        const char *path = getenv("REEVE_TEST_PROBE");

        return path ? path : "./probe";
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void) remove(path);
        return 0;
}

static void remove_folder(void)
{
        if (folder_owner == getpid())
                (void) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

const char *rig_folder(void)
{
        if (!folder[0]) {
                strcpy(folder, "/tmp/reeve-test-XXXXXX");
                RIG_ASSERT(mkdtemp(folder));
                RIG_ASSERT(chmod(folder, 0755) == 0);
                folder_owner = getpid();
                atexit(remove_folder);
        }
        return folder;
}

const char *rig_file(const char *name, const char *text, mode_t mode)
{
        static char path[4096];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", rig_folder(), name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        RIG_ASSERT(fd >= 0);
        RIG_ASSERT(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
        RIG_ASSERT(fchmod(fd, mode) == 0);
        close(fd);
        return path;
}

SpawnParameters rig_parameters(char *const *argv)
{
        return (SpawnParameters){
                        .argv = argv,
                        .fds = {-EBADF, -EBADF, -EBADF},
                        .cgroup_fd = -EBADF,
        };
}

int rig_wait_readable(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r;

        do
                r = poll(&p, 1, RIG_LIMIT_MSEC);
        while (r < 0 && errno == EINTR);
        return r;
}

int rig_start(const SpawnParameters *p, PidRef *ret_child, SpawnFailure *ret_failure)
{
        int status, r;

        r = spawn(p, ret_child, &status);
        if (r < 0)
                return -r;
        while ((r = spawn_read_status(status, ret_failure)) == -EAGAIN)
                if (rig_wait_readable(status) <= 0)
                        break;
        fd_close(status);
        if (r <= 0)
                return -r;
        rig_reap(ret_child->pid);
        pidref_done(ret_child);
        return ret_failure->error;
}

char *rig_read_all(int fd, size_t *ret_size)
{
        size_t n = 0, allocated = 65536;
        char *buf = malloc(allocated);

        for (;;) {
                ssize_t k;

                if (allocated - n < 4096)
                        buf = realloc(buf, allocated *= 2);
                k = stdio_read(fd, buf + n, allocated - n - 1);
                if (k == -EAGAIN && rig_wait_readable(fd) > 0)
                        continue;
                if (k <= 0)
                        break;
                n += (size_t) k;
        }
        buf[n] = '\0';
        if (ret_size)
                *ret_size = n;
        return buf;
}

char *rig_output(SpawnParameters *p, size_t *ret_size, ProcessEnd *ret_end)
{
        PidRef child = PIDREF_NULL;
        SpawnFailure failure = {0};
        ProcessEnd end;
        int fds[2], r;
        char *output;

        RIG_ASSERT(stdio_output_pipe(fds) == 0);
        p->fds[1] = fds[1];
        r = rig_start(p, &child, &failure);
        fd_close(fds[1]);
        if (r != 0)
                fprintf(stderr, "%s: %s (%s)\n", spawn_step_to_string((SpawnStep) failure.step), strerror(r),
                        failure.detail);
        RIG_ASSERT(r == 0);
        output = rig_read_all(fds[0], ret_size);
        fd_close(fds[0]);
        end = rig_reap(child.pid);
        pidref_done(&child);
        if (ret_end)
                *ret_end = end;
        return output;
}

char *rig_state(SpawnParameters *p)
{
        ProcessEnd end;
        char *output = rig_output(p, NULL, &end);

        RIG_ASSERT(end.exit_code == 0);
        return output;
}

const char *rig_line(const char *output, const char *key)
{
        static char line[4096];
        size_t n = strlen(key);

        line[0] = '\0';
        for (const char *at = output; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
                if (strncmp(at, key, n) != 0)
                        continue;
                snprintf(line, sizeof(line), "%.*s", (int) strcspn(at + n, "\n"), at + n);
                break;
        }
        return line;
}

ProcessEnd rig_reap(pid_t pid)
{
        ProcessEnd end = {0};
        PidRef ref = PIDREF_NULL;
        int r;

        RIG_ASSERT(pidref_open(pid, &ref) == 0);
        while ((r = reaper_peek(pid, &end)) == 0)
                RIG_ASSERT((ref.fd >= 0 ? rig_wait_readable(ref.fd) : 1) > 0);
        RIG_ASSERT(r == 1);
        RIG_ASSERT(reaper_reap(pid) == 0);
        pidref_done(&ref);
        return end;
}

bool rig_eventually(bool (*is_so)(void *), void *data)
{
        struct timespec now, end;

        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += RIG_LIMIT_MSEC / 1000;
        do {
                if (is_so(data))
                        return true;
                sched_yield();
                clock_gettime(CLOCK_MONOTONIC, &now);
        } while (now.tv_sec < end.tv_sec);
        return false;
}

static int child_status(pid_t pid)
{
        int status = 0;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int rig_in_child(int (*f)(void *), void *data)
{
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid < 0)
                return -1;
        if (pid == 0) {
                in_child = true;
                alarm(2 * RIG_LIMIT_MSEC / 1000);
                _exit(f(data));
        }
        return child_status(pid);
}

bool rig_is_emulated(void)
{
        const char *preload = getenv("LD_PRELOAD");

        return preload && strstr(preload, "vgpreload");
}

/* The folder of our own cgroup. The caller closes it. */
static int own_cgroup(void)
{
        _cleanup_strv_ char **folders = NULL;
        _cleanup_free_ char *own = NULL;

        if (cgroup_of_pid(0, &own) < 0 || cgroup_mount_find(own, &folders) < 0 || !folders || !folders[0])
                return -1;
        return open(folders[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool rig_has_cgroups(void)
{
        char name[64];
        int fd = own_cgroup();
        bool made;

        snprintf(name, sizeof(name), "reeve-test-probe-%d", getpid());
        made = geteuid() == 0 && fd >= 0 && mkdirat(fd, name, 0755) == 0;
        if (made)
                unlinkat(fd, name, AT_REMOVEDIR);
        fd_close(fd);
        return made;
}

typedef struct CgroupRun {
        int fd; /* of the cgroup made */
        bool pid1;
        int (*f)(void *);
        void *data;
} CgroupRun;

/* Into the cgroup, and into namespaces of which that is the root. */
static int cgroup_enter(CgroupRun *run)
{
        RIG_CHECK(write_small_file(run->fd, "cgroup.procs", "0") == 0);
        fd_close(run->fd);
        RIG_CHECK(unshare(CLONE_NEWCGROUP | CLONE_NEWNS) == 0);
        RIG_CHECK(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
        RIG_CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
        /* Not right on top of the machine's own, where that is the same file system: EBUSY. */
        RIG_CHECK(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0);
        RIG_CHECK(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
        return run->f(run->data);
}

static int cgroup_run(void *data)
{
        CgroupRun *run = data;
        pid_t pid;

        if (!run->pid1)
                return cgroup_enter(run);

        /* We stay outside of the PID namespace, and so out of its cgroup; where namespaces delegate
         * (nsdelegate) there would be no way back out of that. */
        RIG_CHECK(unshare(CLONE_NEWPID) == 0);
        pid = fork();
        if (pid == 0)
                _exit(cgroup_enter(run));
        return child_status(pid);
}

/* f of a tree that is in use: all of it killed, then waited for. */
static bool cgroup_is_removed(void *data)
{
        const char *name = data;
        int fd = own_cgroup();
        int r = cgroup_folder_remove(fd, name);

        fd_close(fd);
        return r == 0;
}

int rig_in_cgroup(bool pid1, int (*f)(void *), void *data)
{
        static unsigned number;
        CgroupRun run = {.pid1 = pid1, .f = f, .data = data};
        char name[64], file[128];
        int fd, r;

        snprintf(name, sizeof(name), "reeve-test-%d-%u", getpid(), number++);
        fd = own_cgroup();
        RIG_ASSERT(fd >= 0);
        RIG_ASSERT(mkdirat(fd, name, 0755) == 0);
        run.fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        RIG_ASSERT(run.fd >= 0);

        r = rig_in_child(cgroup_run, &run);

        snprintf(file, sizeof(file), "%s/cgroup.kill", name);
        (void) write_small_file(fd, file, "1");
        fd_close(run.fd);
        fd_close(fd);
        RIG_ASSERT(rig_eventually(cgroup_is_removed, name));
        return r;
}
