/* A process by descriptor: whoever comes to have its number later is not meant. */

#include "sys/pidref.h"

#include <fcntl.h>
#include <signal.h>

#include "rig.h"

static pid_t start_sleeper(void)
{
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        pause();
        return pid;
}

START_TEST(signals_one)
{
        pid_t pid = start_sleeper();
        PidRef p;

        ck_assert_int_eq(pidref_open(pid, &p), 0);
        ck_assert(pidref_is_set(&p));
        ck_assert_int_eq(p.pid, pid);
        if (p.fd >= 0)
                ck_assert(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
        ck_assert_int_eq(pidref_signal(&p, 0), 0);
        ck_assert_int_eq(pidref_signal(&p, SIGKILL), 0);
        ck_assert_int_eq(rig_reap(pid).signal, SIGKILL);
        ck_assert_int_eq(pidref_signal(&p, SIGTERM), -ESRCH);
        pidref_done(&p);
        ck_assert(!pidref_is_set(&p));
        ck_assert_int_eq(p.fd, -EBADF);
        pidref_done(&p);
}
END_TEST

START_TEST(nobody)
{
        PidRef p = PIDREF_NULL;

        ck_assert_int_eq(pidref_open(0, &p), -ESRCH);
        ck_assert_int_eq(pidref_open(-1, &p), -ESRCH);
        ck_assert_int_eq(pidref_open(0x3fffffff, &p), -ESRCH);
        ck_assert(!pidref_is_set(&p));
        /* No number is no group and not everybody. */
        ck_assert_int_eq(pidref_signal(&p, SIGKILL), -ESRCH);
}
END_TEST

START_TEST(a_number_alone)
{
        pid_t pid = start_sleeper();
        PidRef p = {.pid = pid, .fd = -EBADF};

        ck_assert_int_eq(pidref_signal(&p, SIGKILL), 0);
        rig_reap(pid);
        ck_assert_int_eq(pidref_signal(&p, 0), -ESRCH);
}
END_TEST

START_TEST(a_group)
{
        PidRef leader = {.pid = start_sleeper(), .fd = -EBADF},
               member = {.pid = start_sleeper(), .fd = -EBADF}, none = PIDREF_NULL;

        /* Not ours, whose members they are yet. */
        ck_assert_int_eq(pidref_signal_group(&leader, SIGKILL), -ESRCH);
        ck_assert_int_eq(pidref_signal_group(&none, SIGKILL), -ESRCH);
        ck_assert_int_eq(setpgid(leader.pid, leader.pid), 0);
        ck_assert_int_eq(setpgid(member.pid, leader.pid), 0);
        ck_assert_int_eq(pidref_signal_group(&member, SIGKILL), -ESRCH);
        ck_assert_int_eq(pidref_signal_group(&leader, SIGKILL), 0);
        ck_assert_int_eq(rig_reap(member.pid).signal, SIGKILL);
        ck_assert_int_eq(rig_reap(leader.pid).signal, SIGKILL);
        ck_assert_int_eq(pidref_signal_group(&leader, SIGKILL), -ESRCH);
}
END_TEST

TEST_MAIN("pidref", signals_one, nobody, a_number_alone, a_group)
