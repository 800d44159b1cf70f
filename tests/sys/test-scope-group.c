/* Scopes without cgroups: the leader's process group and session, as far as they go. */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "rig.h"
#include "sys/cgroup.h"
#include "sys/scope.h"
#include "sys/stdio.h"

#define ARGV(...) ((char *const *) (const char *const[]){__VA_ARGS__, NULL})

static const CgroupTree no_tree = {.fd = -EBADF};

static Scope *new_scope(void)
{
        Scope *s = NULL;

        RIG_CHECK(scope_new(&no_tree, "default.slice", "j1", &s) == 0);
        return s;
}

static pid_t start_in(Scope *s, char *const *argv, bool foreground)
{
        SpawnParameters p = rig_parameters(argv);
        SpawnFailure failure;
        PidRef child = PIDREF_NULL;
        pid_t pid;

        p.foreground = foreground;
        p.fds[0] = stdio_null();
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        fd_close(p.fds[0]);
        pid = child.pid;
        pidref_done(&child);
        scope_set_leader(s, pid);
        return pid;
}

/* A shell that says when it is ready, and has n more processes by then. */
static pid_t start_shell(Scope *s, const char *script, bool foreground)
{
        char command[512], c;
        int ready[2];
        pid_t pid;

        RIG_CHECK(pipe(ready) == 0);
        snprintf(command, sizeof(command), "%s echo >&%d; wait", script, ready[1]);
        pid = start_in(s, ARGV("bash", "-c", command), foreground);
        close(ready[1]);
        RIG_CHECK(rig_wait_readable(ready[0]) > 0 && read(ready[0], &c, 1) == 1);
        close(ready[0]);
        return pid;
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

static bool is_empty(void *data)
{
        ProcessEnd end;

        while (reaper_peek(0, &end) > 0)
                RIG_CHECK(reaper_reap(end.pid) == 0);
        return scope_is_populated(data) == 0;
}

static int nothing_yet(void *data)
{
        Scope *s = new_scope();
        ScopeUsage u;
        int watch;

        RIG_CHECK(streq(scope_path(s), "") && !scope_has_path(s, "") && !scope_has_path(s, "/"));
        RIG_CHECK(scope_open_fd(s) == -EBADF);
        RIG_CHECK(scope_watch_add(0, s, &watch) == -EOPNOTSUPP);
        RIG_CHECK(scope_is_populated(s) == 0 && count_pids(s) == 0);
        RIG_CHECK(scope_signal(s, SIGKILL, NULL, NULL) == 0 && scope_kill(s) == 0); /* and we live */
        RIG_CHECK(scope_remove(s) == 0);
        scope_usage(s, &u);
        RIG_CHECK(u.cpu_nsec == SCOPE_UNKNOWN && u.tasks_current == SCOPE_UNKNOWN);
        scope_free(s);
        return 0;
}

static int group(void *data)
{
        Scope *s = new_scope();
        pid_t *got, pid;
        siginfo_t si;
        size_t n;

        pid = start_shell(s, "sleep 100 & sleep 100 & sleep 100 & sleep 100 &", (bool) (uintptr_t) data);
        RIG_CHECK(scope_is_populated(s) == 1);
        RIG_CHECK(rig_eventually(has_pids, &(Expectation){s, 5}));
        RIG_CHECK(scope_signal(s, SIGTERM, &got, &n) == 0 && n == 5);
        free(got);
        /* The leader is a zombie: nobody lives, whatever kill(2) says. */
        RIG_CHECK(waitid(P_PID, (id_t) pid, &si, WEXITED | WNOWAIT) == 0);
        RIG_CHECK(kill(-pid, 0) == 0);
        RIG_CHECK(rig_eventually(has_pids, &(Expectation){s, 0}));
        RIG_CHECK(scope_is_populated(s) == 0);
        RIG_CHECK(reaper_reap(pid) == 0);
        RIG_CHECK(scope_is_populated(s) == 0 && scope_kill(s) == 0);
        scope_free(s);
        return 0;
}

/* A shell with job control gives each pipeline a group: they are in the session still. */
static int groups_of_a_session(void *data)
{
        Scope *s = new_scope();
        pid_t *got;
        size_t n;

        start_shell(s, "set -m; sleep 100 & sleep 100 | sleep 100 & set +m; sleep 100 &", false);
        RIG_CHECK(rig_eventually(has_pids, &(Expectation){s, 5}));
        RIG_CHECK(scope_signal(s, SIGCONT, &got, &n) == 0 && n == 5);
        free(got);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        scope_free(s);
        return 0;
}

/* The leader is reaped, its children live on. */
static int leader_gone(void *data)
{
        Scope *s = new_scope();
        pid_t pid;

        RIG_CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
        pid = start_in(s, ARGV("sh", "-c", "sleep 100 & exit 3"), false);
        RIG_CHECK(rig_reap(pid).exit_code == 3);
        RIG_CHECK(scope_is_populated(s) == 1 && count_pids(s) == 1);
        RIG_CHECK(scope_kill(s) == 0);
        RIG_CHECK(rig_eventually(is_empty, s));
        scope_free(s);
        return 0;
}

/* Stopped in the moment between the clone and the group's making. */
static int killed_at_once(void *data)
{
        for (int i = 0; i < 60; i++) {
                SpawnParameters p = rig_parameters(ARGV(rig_probe(), "sleep"));
                Scope *s = new_scope();
                PidRef child;
                int status;

                RIG_CHECK(spawn(&p, &child, &status) == 0);
                scope_set_leader(s, child.pid);
                if (i % 2 == 0) {
                        RIG_CHECK(scope_kill(s) == 0);
                } else {
                        pid_t *got;
                        size_t n;

                        RIG_CHECK(scope_is_populated(s) == 1);
                        RIG_CHECK(scope_signal(s, SIGKILL, &got, &n) == 0 && n == 1 && got[0] == child.pid);
                        free(got);
                }
                RIG_CHECK(rig_reap(child.pid).signal == SIGKILL);
                RIG_CHECK(scope_is_populated(s) == 0);
                fd_close(status);
                pidref_done(&child);
                scope_free(s);
        }
        return 0;
}

#define GROUP_TEST(name, f, data)                                                                           \
        START_TEST(name)                                                                                    \
        {                                                                                                   \
                ck_assert_int_eq(rig_in_child(f, data), 0);                                                 \
        }                                                                                                   \
        END_TEST

GROUP_TEST(test_nothing_yet, nothing_yet, NULL)
GROUP_TEST(test_group, group, (void *) false)
GROUP_TEST(test_foreground_group, group, (void *) true)
GROUP_TEST(test_groups_of_a_session, groups_of_a_session, NULL)
GROUP_TEST(test_leader_gone, leader_gone, NULL)
GROUP_TEST(test_killed_at_once, killed_at_once, NULL)

TEST_MAIN("scope-group", test_nothing_yet, test_group, test_foreground_group, test_groups_of_a_session,
          test_leader_gone, test_killed_at_once)
