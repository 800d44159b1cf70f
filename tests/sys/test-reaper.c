/* How processes end, as the reaper tells it: looked at first, taken away then. */

#include "sys/reaper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "rig.h"

static pid_t start(void (*f)(void))
{
        pid_t pid;

        fflush(NULL);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                f();
                _exit(0);
        }
        return pid;
}

static void exits_with_255(void)
{
        _exit(255);
}

static void dies_of_term(void)
{
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
}

static void waits(void)
{
        for (;;)
                pause();
}

START_TEST(no_children)
{
        ProcessEnd end = {.pid = 7};

        ck_assert_int_eq(reaper_peek(0, &end), -ECHILD);
        ck_assert_int_eq(reaper_peek(1, &end), -ECHILD);
        ck_assert_int_eq(reaper_reap(1), -ECHILD);
        ck_assert_int_eq(reaper_reap(0), -ECHILD);
        ck_assert_int_eq(end.pid, 7);
}
END_TEST

START_TEST(exit_status)
{
        pid_t pid = start(exits_with_255);
        ProcessEnd end = rig_reap(pid);

        ck_assert_int_eq(end.pid, pid);
        ck_assert_int_eq(end.exit_code, 255);
        ck_assert_int_eq(end.signal, 0);
        ck_assert(!end.core_dumped);
}
END_TEST

START_TEST(ended_by_a_signal)
{
        ProcessEnd end = rig_reap(start(dies_of_term));

        ck_assert_int_eq(end.exit_code, -1);
        ck_assert_int_eq(end.signal, SIGTERM);
        ck_assert(!end.core_dumped);
}
END_TEST

START_TEST(none_has_ended)
{
        ProcessEnd end = {.pid = 7};
        pid_t pid = start(waits);

        ck_assert_int_eq(reaper_peek(0, &end), 0);
        ck_assert_int_eq(reaper_peek(pid, &end), 0);
        ck_assert_int_eq(reaper_reap(pid), -EAGAIN);
        ck_assert_int_eq(end.pid, 7);
        kill(pid, SIGKILL);
        ck_assert_int_eq(rig_reap(pid).signal, SIGKILL);
}
END_TEST

/* A stopped process has not ended. */
START_TEST(stopped_is_no_end)
{
        pid_t pid = start(waits);
        siginfo_t si;
        ProcessEnd end;

        kill(pid, SIGSTOP);
        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &si, WSTOPPED | WNOWAIT), 0);
        ck_assert_int_eq(reaper_peek(0, &end), 0);
        kill(pid, SIGKILL);
        rig_reap(pid);
}
END_TEST

START_TEST(peeking_leaves_it_there)
{
        pid_t pid = start(exits_with_255);
        char file[64], line[512];
        ProcessEnd end = {0};
        siginfo_t si;
        FILE *f;

        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &si, WEXITED | WNOWAIT), 0);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(reaper_peek(i == 1 ? 0 : pid, &end), 1);
                ck_assert_int_eq(end.pid, pid);
        }
        /* While it is a zombie /proc tells of it. */
        snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
        f = fopen(file, "re");
        ck_assert_ptr_nonnull(f);
        ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
        fclose(f);

        ck_assert_int_eq(reaper_reap(pid), 0);
        ck_assert_int_eq(reaper_peek(pid, &end), -ECHILD);
        ck_assert_int_eq(reaper_reap(pid), -ECHILD);
}
END_TEST

static int subreaper(void *data)
{
        ProcessEnd end;
        pid_t self = getpid(), parent, orphan;
        int number[2], go[2];
        char c;

        RIG_CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
        RIG_CHECK(pipe(number) == 0 && pipe(go) == 0);
        parent = fork();
        if (parent == 0) {
                orphan = fork();
                if (orphan == 0) {
                        close(go[1]);
                        _exit(read(go[0], &c, 1) == 0 && getppid() == self ? 3 : 4);
                }
                _exit(write(number[1], &orphan, sizeof(orphan)) == sizeof(orphan) ? 0 : 1);
        }
        RIG_CHECK(rig_reap(parent).exit_code == 0);
        RIG_CHECK(read(number[0], &orphan, sizeof(orphan)) == sizeof(orphan));
        RIG_CHECK(reaper_peek(0, &end) == 0);
        close(go[1]);
        end = rig_reap(orphan);
        RIG_CHECK(end.exit_code == 3);
        RIG_CHECK(reaper_peek(0, &end) == -ECHILD);
        return 0;
}

START_TEST(orphans_are_children)
{
        ck_assert_int_eq(rig_in_child(subreaper, NULL), 0);
}
END_TEST

START_TEST(many)
{
        pid_t pids[100];
        ProcessEnd end;
        unsigned reaped = 0;

        for (size_t i = 0; i < 100; i++)
                pids[i] = start(exits_with_255);
        for (size_t i = 0; i < 100; i += 2)
                rig_reap(pids[i]);
        while (reaper_peek(0, &end) != -ECHILD) {
                siginfo_t si;

                if (waitid(P_ALL, 0, &si, WEXITED | WNOWAIT) == 0 && reaper_peek(0, &end) == 1) {
                        ck_assert_int_eq(end.exit_code, 255);
                        ck_assert_int_eq(reaper_reap(end.pid), 0);
                        reaped++;
                }
        }
        ck_assert_uint_eq(reaped, 50);
}
END_TEST

TEST_MAIN("reaper", no_children, exit_status, ended_by_a_signal, none_has_ended, stopped_is_no_end,
          peeking_leaves_it_there, orphans_are_children, many)
