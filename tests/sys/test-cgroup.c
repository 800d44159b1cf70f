/* The top of the tree: found, taken as PID 1, made as somebody else, and refused with the reason. */

#include "sys/cgroup.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "rig.h"
#include "sys/cgroup-folder.h"

#define TOP "/sys/fs/cgroup"

static bool is_in(pid_t pid, const char *path)
{
        _cleanup_free_ char *own = NULL;
        int r = cgroup_of_pid(pid, &own);

        if (r < 0 || !streq(own, path))
                fprintf(stderr, "%d is in %s (%d), not in %s\n", pid, r < 0 ? "?" : own, r, path);
        return r >= 0 && streq(own, path);
}

static bool folder_exists(const char *path)
{
        return access(path, F_OK) == 0;
}

static pid_t start_sleeper(void)
{
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        pause();
        return pid;
}

static bool refused(const char *reason)
{
        CgroupTree t;
        bool ok;

        RIG_CHECK(cgroup_tree_open(&t, false) == 0);
        ok = t.fd == -EBADF && !t.path && !t.temporary && t.controllers == 0 && t.refusal &&
             strstr(t.refusal, reason) && !strchr(t.refusal, '\n');
        if (!ok)
                fprintf(stderr, "refusal: %s\n", t.refusal ? t.refusal : "none");
        RIG_CHECK(cgroup_memory_limit(&t) > 0);
        cgroup_tree_close(&t);
        RIG_CHECK(t.fd == -EBADF);
        return ok;
}

static int as_pid1(void *data)
{
        pid_t other = start_sleeper();
        CgroupTree t, again;
        PidList l = {0};

        RIG_CHECK(is_in(0, "/") && is_in(other, "/"));
        RIG_CHECK(cgroup_tree_open(&t, true) == 0);
        RIG_CHECK(t.fd > 2 && fcntl(t.fd, F_GETFD) == FD_CLOEXEC);
        RIG_CHECK(streq(t.path, "/") && !t.refusal && !t.temporary);
        RIG_CHECK(is_in(0, "/init.scope") && is_in(other, "/init.scope"));
        RIG_CHECK(cgroup_folder_ids(t.fd, ".", "cgroup.procs", false, &l) == 0 && l.n == 0);

        /* Whatever controllers there are are handed down. */
        for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++) {
                _cleanup_free_ char *available = NULL;

                RIG_CHECK(read_small_file(t.fd, "cgroup.controllers", 4096, &available) == 0);
                RIG_CHECK(!!(t.controllers & (1U << c)) ==
                                          !!strstr(available,
                                                   cgroup_controller_to_string((CgroupController) c)) ||
                          c == CGROUP_CPU); /* "cpu" is in "cpuset" */
        }

        /* As after a restart: the tree is the same, not one below it. */
        RIG_CHECK(cgroup_tree_open(&again, true) == 0);
        RIG_CHECK(streq(again.path, "/") && again.controllers == t.controllers);
        RIG_CHECK(is_in(0, "/init.scope"));
        RIG_CHECK(!folder_exists(TOP "/init.scope/init.scope"));
        cgroup_tree_close(&again);
        cgroup_tree_close(&t);
        RIG_CHECK(is_in(0, "/init.scope"));
        pid_list_done(&l);
        return 0;
}

static int as_somebody_else(void *data)
{
        pid_t other = start_sleeper();
        char path[64], scope[96], folder[96];
        CgroupTree t;

        snprintf(path, sizeof(path), "/reeve-%d", getpid());
        snprintf(scope, sizeof(scope), "%s/init.scope", path);
        snprintf(folder, sizeof(folder), TOP "%s", path);
        RIG_CHECK(mkdir(folder, 0755) == 0); /* of another who had our number */
        RIG_CHECK(cgroup_tree_open(&t, false) == 0);
        RIG_CHECK(t.fd > 2 && t.temporary && !t.refusal);
        RIG_CHECK(streq(t.path, path));
        RIG_CHECK(is_in(0, scope) && is_in(other, "/"));
        RIG_CHECK(mkdirat(t.fd, "left.slice", 0755) == 0);
        cgroup_tree_close(&t);
        RIG_CHECK(is_in(0, "/"));
        RIG_CHECK(!folder_exists(folder));

        /* What still has somebody in it stays, but we do not. */
        RIG_CHECK(cgroup_tree_open(&t, false) == 0);
        RIG_CHECK(mkdirat(t.fd, "left.slice", 0755) == 0);
        snprintf(scope, sizeof(scope), "%d", other);
        RIG_CHECK(write_small_file(t.fd, "left.slice/cgroup.procs", scope) == 0);
        cgroup_tree_close(&t);
        RIG_CHECK(is_in(0, "/"));
        RIG_CHECK(folder_exists(folder));
        return 0;
}

/* As a service of a systemd that left its folder to us: then it is ours to hand controllers down from. */
static int delegated(void *data)
{
        _cleanup_free_ char *available = NULL, *handed = NULL;
        char folder[96];
        CgroupTree t;

        RIG_CHECK(setxattr(TOP, "trusted.delegate", "1", 1, 0) == 0);
        RIG_CHECK(read_small_file(AT_FDCWD, TOP "/cgroup.controllers", 4096, &available) == 0);
        RIG_CHECK(cgroup_tree_open(&t, false) == 0);
        RIG_CHECK(t.fd >= 0 && t.temporary);
        RIG_CHECK(!strstr(available, "memory") || (t.controllers & (1U << CGROUP_MEMORY)));
        snprintf(folder, sizeof(folder), TOP "%s", t.path);
        cgroup_tree_close(&t);
        RIG_CHECK(is_in(0, "/") && !folder_exists(folder));
        RIG_CHECK(read_small_file(AT_FDCWD, TOP "/cgroup.subtree_control", 4096, &handed) == 0);
        RIG_CHECK(streq(handed, ""));
        return 0;
}

static int read_only(void *data)
{
        CgroupTree t;

        RIG_CHECK(mount("none", TOP, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
        RIG_CHECK(refused("making a cgroup in " TOP ": Read-only file system"));
        RIG_CHECK(cgroup_tree_open(&t, true) == 0);
        RIG_CHECK(t.fd == -EBADF &&
                  strstr(t.refusal, "making init.scope in " TOP ": Read-only file system"));
        cgroup_tree_close(&t);
        RIG_CHECK(is_in(0, "/"));

        /* Somebody mounted it once more, writable. */
        RIG_CHECK(mount("none", "/mnt", "tmpfs", 0, NULL) == 0 && mkdir("/mnt/my cgroups", 0755) == 0);
        RIG_CHECK(mount("cgroup2", "/mnt/my cgroups", "cgroup2", 0, NULL) == 0);
        RIG_CHECK(cgroup_tree_open(&t, true) == 0);
        RIG_CHECK(t.fd >= 0 && !t.refusal && is_in(0, "/init.scope"));
        cgroup_tree_close(&t);
        return 0;
}

static int not_mounted(void *data)
{
        RIG_CHECK(umount2(TOP, MNT_DETACH) == 0);
        /* The machine's own mount is still there: of a place outside of our namespace. */
        return refused("no cgroup2 file system is mounted that shows our cgroup /") ? 0 : 1;
}

static int hidden(void *data)
{
        RIG_CHECK(mount("none", TOP, "tmpfs", 0, NULL) == 0);
        return refused("another file system hides the cgroups at " TOP) ? 0 : 1;
}

static int no_proc(void *data)
{
        RIG_CHECK(umount2("/proc", MNT_DETACH) == 0);
        RIG_CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
        return refused("reading /proc/self/cgroup: No such file or directory") ? 0 : 1;
}

static int no_rights(void *data)
{
        RIG_CHECK(setresuid(4242, 4242, 4242) == 0);
        return refused("making a cgroup in " TOP ": Permission denied") ? 0 : 1;
}

static int zombie(void *data)
{
        CgroupTree t;
        pid_t pid;
        siginfo_t si;
        char number[16], *path;

        RIG_CHECK(cgroup_tree_open(&t, true) == 0);
        RIG_CHECK(mkdirat(t.fd, "x.slice", 0755) == 0);
        pid = start_sleeper();
        snprintf(number, sizeof(number), "%d", pid);
        RIG_CHECK(write_small_file(t.fd, "x.slice/cgroup.procs", number) == 0);
        RIG_CHECK(is_in(pid, "/x.slice"));
        kill(pid, SIGKILL);
        RIG_CHECK(waitid(P_PID, (id_t) pid, &si, WEXITED | WNOWAIT) == 0);
        RIG_CHECK(is_in(pid, "/x.slice"));
        RIG_CHECK(unlinkat(t.fd, "x.slice", AT_REMOVEDIR) == 0);
        RIG_CHECK(is_in(pid, "/x.slice")); /* also then, and without " (deleted)" */
        RIG_CHECK(reaper_reap(pid) == 0);
        RIG_CHECK(cgroup_of_pid(pid, &path) == -ESRCH);
        cgroup_tree_close(&t);
        return 0;
}

static int memory_limit(void *data)
{
        struct sysinfo si;
        CgroupTree t;

        RIG_CHECK(sysinfo(&si) == 0);
        RIG_CHECK(cgroup_tree_open(&t, true) == 0);
        RIG_CHECK(cgroup_memory_limit(&t) <= (uint64_t) si.totalram * si.mem_unit);
        if (t.controllers & (1U << CGROUP_MEMORY)) {
                RIG_CHECK(write_small_file(t.fd, "memory.max", "268435456") == 0);
                RIG_CHECK(cgroup_memory_limit(&t) == 268435456);
        }
        cgroup_tree_close(&t);
        return 0;
}

/* Memory runs out anywhere: nothing is lost, nothing is left. */
static int without_memory(void *data)
{
        for (unsigned nth = 1;; nth++) {
                CgroupTree t;
                int r;

                alloc_fault_set(nth, false);
                r = cgroup_tree_open(&t, false);
                if (alloc_fault_hits() == 0) {
                        RIG_CHECK(r == 0 && t.fd >= 0);
                        cgroup_tree_close(&t);
                        break;
                }
                alloc_fault_set(0, false);
                if (r == 0)
                        cgroup_tree_close(&t);
                else
                        RIG_CHECK(r == -ENOMEM);
                RIG_CHECK(is_in(0, "/"));
        }
        return 0;
}

#define CGROUP_TEST(name, pid1)                                                                             \
        START_TEST(test_##name)                                                                             \
        {                                                                                                   \
                ck_assert_int_eq(rig_in_cgroup(pid1, name, NULL), 0);                                       \
        }                                                                                                   \
        END_TEST

CGROUP_TEST(as_pid1, true)
CGROUP_TEST(as_somebody_else, false)
CGROUP_TEST(delegated, false)
CGROUP_TEST(read_only, true)
CGROUP_TEST(not_mounted, true)
CGROUP_TEST(hidden, true)
CGROUP_TEST(no_proc, true)
CGROUP_TEST(no_rights, true)
CGROUP_TEST(zombie, true)
CGROUP_TEST(memory_limit, true)
CGROUP_TEST(without_memory, false)

RIG_CGROUP_MAIN("cgroup", test_as_pid1, test_as_somebody_else, test_delegated, test_read_only,
                test_not_mounted, test_hidden, test_no_proc, test_no_rights, test_zombie, test_memory_limit,
                test_without_memory)
