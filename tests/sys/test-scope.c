/* Scopes with a cgroup each: what they hold, how it is signalled and ended, and that nothing gets away. */

#include "sys/scope.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "rig.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup.h"

#define TOP "/sys/fs/cgroup"

static CgroupTree tree;

/* Every test is PID 1, so that orphans come to it, and has the tree. */
static void have_tree(void)
{
        RIG_CHECK(cgroup_tree_open(&tree, true) == 0);
        RIG_CHECK(tree.fd >= 0);
}

static pid_t start_in(Scope *s, char *const *argv)
{
        SpawnParameters p = rig_parameters(argv);
        SpawnFailure failure;
        PidRef child = PIDREF_NULL;
        pid_t pid;

        p.cgroup_fd = scope_open_fd(s);
        RIG_CHECK(p.cgroup_fd >= 0);
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        fd_close(p.cgroup_fd);
        pid = child.pid;
        pidref_done(&child);
        scope_set_leader(s, pid);
        return pid;
}

#define ARGV(...) ((char *const *) (const char *const[]){__VA_ARGS__, NULL})

/* Takes away what has ended, as PID 1 does. */
static bool is_empty(void *data)
{
        ProcessEnd end;

        while (reaper_peek(0, &end) > 0)
                RIG_CHECK(reaper_reap(end.pid) == 0);
        return scope_is_populated(data) == 0;
}

static bool is_removed(void *data)
{
        return scope_remove(data) == 0;
}

static bool is_there(const char *path)
{
        return access(path, F_OK) == 0;
}

static size_t count_pids(const Scope *s)
{
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;

        RIG_CHECK(scope_pids(s, &pids, &n) == 0);
        return n;
}

typedef struct Expectation {
        const Scope *scope;
        size_t n;
} Expectation;

static bool has_pids(void *data)
{
        const Expectation *e = data;

        return count_pids(e->scope) == e->n;
}

/* n processes that left session and parent behind, and the one that made them; all are there when it
 * returns. */
static pid_t start_tree(Scope *s, unsigned n)
{
        char count[16], fd[16], c;
        int ready[2];
        pid_t pid;

        RIG_CHECK(pipe(ready) == 0);
        snprintf(count, sizeof(count), "%u", n);
        snprintf(fd, sizeof(fd), "%d", ready[1]);
        pid = start_in(s, ARGV(rig_probe(), "tree", count, fd));
        close(ready[1]);
        RIG_CHECK(rig_wait_readable(ready[0]) > 0 && read(ready[0], &c, 1) == 0);
        close(ready[0]);
        /* Those between leave the cgroup a little after they closed the pipe. */
        RIG_CHECK(rig_eventually(has_pids, &(Expectation){s, n + 1}));
        return pid;
}

/* Then it is gone. */
static bool slice_is_empty(void)
{
        return rmdir(TOP "/default.slice") == 0 || errno == ENOENT;
}

static int folders(void *data)
{
        Scope *a = NULL, *b = NULL;
        struct stat first, second;
        char longest[SCOPE_NAME_MAX + 2];

        have_tree();
        RIG_CHECK(scope_new_slice(&tree, "..", &a) == 0); /* odd, but a name: "...slice" */
        RIG_CHECK(streq(scope_folder(a), "...slice"));
        a = scope_free(a);
        RIG_CHECK(scope_new_slice(&tree, "", &a) == -EINVAL && scope_new_slice(&tree, "a b", &a) == -EINVAL);
        RIG_CHECK(scope_new(&tree, "x", "x", &a) == -EINVAL &&
                  scope_new(&tree, ".slice", "x", &a) == -EINVAL);
        RIG_CHECK(scope_new(&tree, "a/b.slice", "x", &a) == -EINVAL);
        RIG_CHECK(scope_new(&tree, "x.slice", "a/b", &a) == -EINVAL);
        RIG_CHECK(scope_new(&tree, "x.slice", "ä", &a) == -EINVAL);
        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        RIG_CHECK(scope_new(&tree, "default.slice", longest, &a) == -EINVAL);
        RIG_CHECK(!a);

        longest[sizeof(longest) - 2] = '\0';
        RIG_CHECK(scope_new(&tree, "default.slice", longest, &a) == 0);
        a = scope_free(a);
        RIG_CHECK(scope_new(&tree, "default.slice", "t:1@dev-disk\\x2d1.service", &a) == 0);
        a = scope_free(a);

        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &a) == 0);
        RIG_CHECK(streq(scope_path(a), "/default.slice/j1.scope") &&
                  is_there(TOP "/default.slice/j1.scope"));
        RIG_CHECK(scope_has_path(a, "/default.slice/j1.scope") &&
                  scope_has_path(a, "/default.slice/j1.scope/x"));
        RIG_CHECK(!scope_has_path(a, "/default.slice/j1.scope2") && !scope_has_path(a, "/default.slice"));
        RIG_CHECK(scope_is_populated(a) == 0 && count_pids(a) == 0);

        /* An empty folder of that name is taken, anew. */
        RIG_CHECK(stat(TOP "/default.slice/j1.scope", &first) == 0);
        RIG_CHECK(mkdir(TOP "/default.slice/j1.scope/left", 0755) == 0);
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &b) == 0);
        RIG_CHECK(stat(TOP "/default.slice/j1.scope", &second) == 0 && first.st_ino != second.st_ino);
        b = scope_free(b);
        RIG_CHECK(slice_is_empty());
        RIG_CHECK(scope_is_populated(a) == 0 && scope_remove(a) == 0 &&
                  scope_kill(a) == 0); /* gone, and that is fine */

        a = scope_free(a);
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &a) == 0);
        RIG_CHECK(scope_new(&tree, "default.slice", "j2", &b) == 0);
        a = scope_free(a);
        RIG_CHECK(is_there(TOP "/default.slice/j2.scope") && !is_there(TOP "/default.slice/j1.scope"));
        b = scope_free(b);
        RIG_CHECK(slice_is_empty());
        RIG_CHECK(!scope_free(NULL));
        return 0;
}

static int watched(void *data)
{
        Scope *s, *other, *second;
        int fd, watch, other_watch, fired[8], n;
        pid_t pid;

        have_tree();
        fd = scope_watch_open();
        RIG_CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0 &&
                  scope_new(&tree, "default.slice", "j2", &other) == 0);
        RIG_CHECK(scope_watch_read(fd, fired, 8) == 0);
        pid = start_in(s, ARGV(rig_probe(), "sleep"));
        RIG_CHECK(scope_is_populated(s) == 1 && count_pids(s) == 1);
        RIG_CHECK(scope_watch_add(fd, s, &watch) == 0 && scope_watch_add(fd, other, &other_watch) == 0);

        RIG_CHECK(scope_remove(s) == -EBUSY);
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &second) == 0); /* beside it */
        RIG_CHECK(strstr(scope_path(second), "/default.slice/j1~2.scope"));
        scope_free(second);
        kill(pid, SIGKILL);
        RIG_CHECK(rig_reap(pid).signal == SIGKILL);
        RIG_CHECK(scope_is_populated(s) == 0); /* at once: the file is right */
        RIG_CHECK(rig_wait_readable(fd) > 0);  /* the notice comes when it comes */
        n = scope_watch_read(fd, fired, 8);
        RIG_CHECK(n >= 1 && fired[0] == watch);
        for (int i = 0; i < n; i++)
                RIG_CHECK(fired[i] == watch);
        RIG_CHECK(scope_watch_read(fd, fired, 8) == 0);

        /* Neither the end of a watch nor of its folder is an event. */
        scope_watch_remove(fd, watch);
        scope_watch_remove(fd, watch);
        RIG_CHECK(rig_eventually(is_removed, s) && rig_eventually(is_removed, other));
        RIG_CHECK(scope_watch_read(fd, fired, 8) == 0);
        scope_watch_remove(fd, other_watch);
        fd_close(fd);
        scope_free(s);
        scope_free(other);
        return 0;
}

static int nothing_gets_away(void *data)
{
        Scope *s;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        start_tree(s, 40);
        RIG_CHECK(count_pids(s) == 41);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        RIG_CHECK(count_pids(s) == 0 && rig_eventually(is_removed, s));
        scope_free(s);

        /* One that has always forked already when it is looked at. */
        RIG_CHECK(scope_new(&tree, "default.slice", "j2", &s) == 0);
        start_in(s, ARGV(rig_probe(), "fork"));
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        scope_free(s);
        return 0;
}

static int frozen(void *data)
{
        Scope *s;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        start_tree(s, 3);
        RIG_CHECK(write_small_file(tree.fd, "default.slice/j1.scope/cgroup.freeze", "1") == 0);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        scope_free(s);
        return 0;
}

/* Without cgroup.kill it is done by signals: a file system that is not to be written is as good as a kernel
 * that has none. */
static int killed_by_signals(void *data)
{
        Scope *s, *runaway;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0 &&
                  scope_new(&tree, "default.slice", "j2", &runaway) == 0);
        start_tree(s, 300);
        RIG_CHECK(mount("none", TOP, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        RIG_CHECK(mount("none", TOP, "none", MS_REMOUNT | MS_BIND, NULL) == 0);
        RIG_CHECK(rig_eventually(is_removed, s));
        scope_free(s);
        scope_free(runaway);
        return 0;
}

static int compare_pids(const void *a, const void *b)
{
        return *(const pid_t *) a - *(const pid_t *) b;
}

static int signalled(void *data)
{
        pid_t *before, *got = NULL;
        size_t n, m = 0;
        Scope *s;
        int sig = (int) (intptr_t) data;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        RIG_CHECK(scope_signal(s, SIGTERM, &got, &m) == 0 && m == 0);
        free(got);
        got = NULL;
        start_tree(s, 300); /* more than fit in one batch */
        RIG_CHECK(mkdir(TOP "/default.slice/j1.scope/below", 0755) == 0);
        RIG_CHECK(scope_pids(s, &before, &n) == 0 && n == 301);
        /* Some live further down. */
        for (size_t i = 0; i < 10; i++) {
                char number[16];

                snprintf(number, sizeof(number), "%d", before[i]);
                RIG_CHECK(write_small_file(tree.fd, "default.slice/j1.scope/below/cgroup.procs", number) ==
                          0);
        }
        RIG_CHECK(scope_signal(s, 0, NULL, NULL) == 0 && count_pids(s) == 301);
        RIG_CHECK(scope_signal(s, sig, &got, &m) == 0);
        RIG_CHECK(m == n);
        qsort(before, n, sizeof(pid_t), compare_pids);
        qsort(got, m, sizeof(pid_t), compare_pids);
        RIG_CHECK(memcmp(before, got, n * sizeof(pid_t)) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        RIG_CHECK(rig_eventually(is_removed, s)); /* with what is below */
        RIG_CHECK(slice_is_empty());
        free(before);
        free(got);
        scope_free(s);
        return 0;
}

static int others_are_left_alone(void *data)
{
        Scope *a, *b;
        pid_t pid, *got;
        size_t n;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &a) == 0);
        RIG_CHECK(scope_new(&tree, "default.slice", "j11", &b) == 0);
        pid = start_in(b, ARGV(rig_probe(), "sleep"));
        start_tree(a, 2);
        RIG_CHECK(scope_signal(a, SIGTERM, &got, &n) == 0 && n == 3);
        free(got);
        RIG_CHECK(rig_eventually(is_empty, a));
        RIG_CHECK(scope_kill(a) == 0);
        RIG_CHECK(scope_is_populated(b) == 1 && kill(pid, 0) == 0);
        RIG_CHECK(scope_kill(b) == 0);
        RIG_CHECK(rig_eventually(is_empty, b));
        scope_free(a);
        scope_free(b);
        return 0;
}

/* As deep as no path is long, and as wide as it gets. */
static int much_below(void *data)
{
        Scope *s;
        int fd, next;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        fd = scope_open_fd(s);
        for (int i = 0; i < 40; i++) {
                char name[240];

                memset(name, 'n', sizeof(name));
                snprintf(name + 200, 40, "%d", i);
                RIG_CHECK(mkdirat(fd, name, 0755) == 0);
                RIG_CHECK(mkdirat(fd, "beside", 0755) == 0);
                next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                RIG_CHECK(next >= 0);
                fd_close(fd);
                fd = next;
        }
        pid_t pid = start_in(s, ARGV(rig_probe(), "sleep"));
        char number[16];

        snprintf(number, sizeof(number), "%d", pid);
        RIG_CHECK(write_small_file(fd, "cgroup.procs", number) == 0); /* where no path leads */
        fd_close(fd);
        RIG_CHECK(scope_is_populated(s) == 1 && scope_remove(s) == -EBUSY);
        RIG_CHECK(count_pids(s) == 0);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        RIG_CHECK(rig_eventually(is_removed, s));
        RIG_CHECK(slice_is_empty());
        scope_free(s);
        return 0;
}

static int usage(void *data)
{
        ScopeUsage u;
        Scope *s;
        pid_t pid;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        pid = start_in(s, ARGV("sh", "-c", "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done"));
        RIG_CHECK(rig_reap(pid).exit_code == 0);
        start_tree(s, 4);
        scope_usage(s, &u);
        RIG_CHECK(u.cpu_nsec != SCOPE_UNKNOWN && u.cpu_nsec >= 1000000); /* of one that is dead */
        RIG_CHECK(u.cpu_user_nsec != SCOPE_UNKNOWN && u.cpu_system_nsec != SCOPE_UNKNOWN);
        /* The controller counts four zombies, too, whom nobody reaped yet. */
        RIG_CHECK(u.tasks_current == (tree.controllers & (1U << CGROUP_PIDS) ? 9 : 5));
        if (tree.controllers & (1U << CGROUP_MEMORY))
                RIG_CHECK(u.memory_current != SCOPE_UNKNOWN && u.oom_kills == 0);
        else
                RIG_CHECK(u.memory_current == SCOPE_UNKNOWN && u.oom_kills == SCOPE_UNKNOWN &&
                          u.memory_peak == SCOPE_UNKNOWN);
        if (!(tree.controllers & (1U << CGROUP_IO)))
                RIG_CHECK(u.io_read_bytes == SCOPE_UNKNOWN && u.io_write_bytes == SCOPE_UNKNOWN);
        RIG_CHECK(scope_kill(s) == 0 && rig_eventually(is_empty, s) && rig_eventually(is_removed, s));
        scope_usage(s, &u); /* of nothing: nothing is known */
        RIG_CHECK(u.cpu_nsec == SCOPE_UNKNOWN);
        scope_free(s);
        return 0;
}

static int controllers_are_handed_down(void *data)
{
        Scope *s;

        have_tree();
        RIG_CHECK(scope_new(&tree, "default.slice", "j1", &s) == 0);
        for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++) {
                _cleanup_free_ char *text = NULL;

                if (!(tree.controllers & (1U << c)))
                        continue;
                RIG_CHECK(read_small_file(tree.fd, "default.slice/j1.scope/cgroup.controllers", 4096,
                                          &text) == 0);
                RIG_CHECK(strstr(text, cgroup_controller_to_string((CgroupController) c)));
        }
        scope_free(s);
        return 0;
}

static int without_memory(void *data)
{
        Scope *s = NULL;

        have_tree();
        for (unsigned nth = 1;; nth++) {
                int r;

                alloc_fault_set(nth, false);
                r = scope_new(&tree, "default.slice", "j1", &s);
                alloc_fault_set(0, false);
                if (r == 0)
                        break;
                RIG_CHECK(r == -ENOMEM && !s && !is_there(TOP "/default.slice/j1.scope"));
        }
        start_tree(s, 3);
        for (unsigned nth = 1;; nth++) {
                bool hit;
                int r;

                alloc_fault_set(nth, false);
                r = scope_signal(s, 0, NULL, NULL);
                hit = alloc_fault_hits() > 0;
                alloc_fault_set(0, false);
                RIG_CHECK(r == 0 || (hit && r == -ENOMEM));
                if (!hit)
                        break;
        }
        /* A kill needs memory for a path, no more. */
        RIG_CHECK(scope_kill(s) == 0 && rig_eventually(is_empty, s));
        scope_free(s);
        return 0;
}

#define SCOPE_TEST(name, data)                                                                              \
        START_TEST(test_##name)                                                                             \
        {                                                                                                   \
                ck_assert_int_eq(rig_in_cgroup(true, name, data), 0);                                       \
        }                                                                                                   \
        END_TEST

SCOPE_TEST(folders, NULL)
SCOPE_TEST(watched, NULL)
SCOPE_TEST(nothing_gets_away, NULL)
SCOPE_TEST(frozen, NULL)
SCOPE_TEST(killed_by_signals, NULL)
SCOPE_TEST(signalled, (void *) SIGUSR1)
SCOPE_TEST(others_are_left_alone, NULL)
SCOPE_TEST(much_below, NULL)
SCOPE_TEST(usage, NULL)
SCOPE_TEST(controllers_are_handed_down, NULL)
SCOPE_TEST(without_memory, NULL)

START_TEST(test_signalled_kill)
{
        ck_assert_int_eq(rig_in_cgroup(true, signalled, (void *) SIGKILL), 0);
}
END_TEST

RIG_CGROUP_MAIN("scope", test_folders, test_watched, test_nothing_gets_away, test_frozen,
                test_killed_by_signals, test_signalled, test_signalled_kill, test_others_are_left_alone,
                test_much_below, test_usage, test_controllers_are_handed_down, test_without_memory)
