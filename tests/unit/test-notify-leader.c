/* The watchdog, and leaders that a job names itself. */

#include "core/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "basic/strv.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

static void say_as(const FakeProcess *p, const Job *job, const char *text)
{
        fake_notify(p, job->notify->address, text);
        world_settle(&w);
}

static void say(const Job *job, const char *text)
{
        say_as(leader_of(job), job, text);
}

/* Watchdog */

static unsigned aborts(const Job *job)
{
        return fake_count_signals(leader_of(job), SIGABRT);
}

START_TEST(the_watchdog_wants_signs)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", NULL);
        ck_assert(job_is_ready(job)); /* nobody said that it waits for that */
        ck_assert_str_eq(env_get(leader_of(job)->parameters.environment, "WATCHDOG_USEC"), "10000000");
        ck_assert_ptr_nonnull(leader_of(job)->parameters.pid_slot);
        for (unsigned i = 0; i < 5; i++) {
                world_pass(&w, 9 * USEC_PER_SEC);
                say(job, "WATCHDOG=1");
        }
        say(job, "STATUS=no sign\nWATCHDOG=0");
        world_pass(&w, 9 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 1);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);
        ck_assert_int_eq(job->signal, SIGABRT);
        world_done(&w);
}
END_TEST

START_TEST(who_ignores_it_is_killed)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", "TimeoutStopSec", "5", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        world_pass(&w, 14 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 1);
        ck_assert(!job_is_finished(job));
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);
        ck_assert_int_eq(job->signal, SIGKILL);
        world_done(&w);
}
END_TEST

/* Until it is ready it has its time. */
START_TEST(its_time_counts_from_readiness)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", "NotifyAccess", "main", NULL);
        world_pass(&w, 100 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        say(job, "READY=1");
        world_pass(&w, 9 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);
        world_done(&w);
}
END_TEST

START_TEST(nobody_waits_for_signs_at_the_end)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", "TimeoutStopSec", "infinity", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, USEC_INFINITY);
        world_pass(&w, 100 * USEC_PER_SEC);
        say(job, "WATCHDOG=1"); /* does not wake it again */
        world_pass(&w, 100 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);

        job = world_run(&w, "WatchdogSec", "10", NULL);
        say(job, "STOPPING=1");
        world_pass(&w, 100 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);

        job = world_run(&w, "WatchdogSec", "10", NULL);
        (void) fake_fork(leader_of(job)); /* stays */
        fake_exit(leader_of(job), 0);
        world_pass(&w, 100 * USEC_PER_SEC);
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        world_done(&w);
}
END_TEST

START_TEST(it_can_be_set_and_pulled_by_the_job)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", NULL);
        say(job, "WATCHDOG_USEC=60000000");
        world_pass(&w, 59 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        say(job, "WATCHDOG_USEC=0");
        world_pass(&w, 1000 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        say(job, "WATCHDOG_USEC=2000000");
        world_pass(&w, 3 * USEC_PER_SEC);
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);

        job = world_run(&w, "NotifyAccess", "main", NULL); /* also where there is none */
        ck_assert_ptr_null(leader_of(job)->parameters.pid_slot);
        say(job, "WATCHDOG=trigger");
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);
        world_done(&w);
}
END_TEST

START_TEST(who_is_frozen_can_give_no_sign)
{
        Error e = ERROR_NULL;
        Job *job;

        world_init(&w);
        job = world_run(&w, "WatchdogSec", "10", NULL);
        world_pass(&w, 5 * USEC_PER_SEC);
        ck_assert_int_ge(job_freeze(job, true, &e), 0);
        world_pass(&w, 14 * USEC_PER_SEC);
        ck_assert_uint_eq(aborts(job), 0);
        ck_assert_int_ge(job_freeze(job, false, &e), 0);
        world_pass(&w, 9 * USEC_PER_SEC); /* it has all its time again */
        ck_assert_uint_eq(aborts(job), 0);
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert_int_eq(job->result, JOB_RESULT_WATCHDOG);
        world_done(&w);
}
END_TEST

START_TEST(the_slot_is_left_alone_where_it_is_the_callers)
{
        const SpawnParameters *p;

        world_init(&w);
        p = &leader_of(world_run(&w, "WatchdogSec", "10", "Environment", "WATCHDOG_PID=7", NULL))
                             ->parameters;
        ck_assert_str_eq(env_get(p->environment, "WATCHDOG_PID"), "7");
        ck_assert_ptr_null(p->pid_slot);
        p = &leader_of(world_run(&w, "WatchdogSec", "10", "UnsetEnvironment", "WATCHDOG_PID", NULL))
                             ->parameters;
        ck_assert_ptr_null(env_get(p->environment, "WATCHDOG_PID"));
        ck_assert_ptr_null(p->pid_slot);
        world_done(&w);
}
END_TEST

/* Leaders */

static void name_leader(const Job *job, const FakeProcess *p)
{
        char text[64];

        snprintf(text, sizeof(text), "MAINPID=%d", (int) p->pid);
        say(job, text);
}

START_TEST(a_child_takes_over)
{
        FakeProcess *first, *second;
        Chronicle c;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        first = leader_of(job);
        second = fake_fork(first);
        chronicle_start(&c, &w.jobs);
        name_leader(job, second);
        ck_assert_int_eq(job->pid, second->pid);
        ck_assert_int_eq(job->leader.pid, second->pid);
        ck_assert_str_eq(c.text, "changed:j1");
        ck_assert_ptr_eq(job_set_get_by_pid(&w.jobs, second->pid), job);
        ck_assert_int_eq(job_signal(job, true, SIGWINCH, NULL, NULL), 0);
        ck_assert_uint_eq(fake_count_signals(second, SIGWINCH), 1);
        ck_assert_uint_eq(fake_count_signals(first, SIGWINCH), 0);

        say_as(first, job, "STATUS=first"); /* as long as it is there it may still speak */
        ck_assert_str_eq(job->notify->status, "first");
        fake_exit(first, 1); /* nobody's business any more */
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        say_as(second, job, "READY=1");
        ck_assert(job_is_ready(job));
        ck_assert_str_eq(c.text, "changed:j1");

        fake_exit(second, 7); /* an orphan by now */
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->exit_code, 7);
        ck_assert_ptr_null(hashmap_get_number(&w.jobs.by_pid, (uint64_t) first->pid));
        job_set_unobserve(&c.observer);
        world_done(&w);
}
END_TEST

START_TEST(of_anothers_child_only_the_end_is_known)
{
        FakeProcess *first, *middle, *second;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        first = leader_of(job);
        middle = fake_fork(first);
        second = fake_fork(middle);
        name_leader(job, second);
        fake_exit(first, 1);
        world_settle(&w);
        ck_assert(!job_is_exited(job));
        fake_exit(second, 7); /* its parent lives, and reaps it */
        world_settle(&w);
        ck_assert(job_is_exited(job));
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        fake_exit(middle, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(anothers_child_becomes_ours)
{
        FakeProcess *first, *middle, *second;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        first = leader_of(job);
        middle = fake_fork(first);
        second = fake_fork(middle);
        name_leader(job, second);
        fake_exit(first, 1);
        fake_exit(middle, 0);
        world_settle(&w);
        fake_die(second, SIGSEGV, true);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_CORE_DUMP);
        ck_assert_int_eq(job->signal, SIGSEGV);
        world_done(&w);
}
END_TEST

START_TEST(it_goes_back_and_forth)
{
        FakeProcess *first, *second;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "all", NULL);
        first = leader_of(job);
        second = fake_fork(first);
        for (unsigned i = 0; i < 3; i++) {
                name_leader(job, second);
                ck_assert_int_eq(job->pid, second->pid);
                name_leader(job, second);
                name_leader(job, first);
                ck_assert_int_eq(job->pid, first->pid);
        }
        fake_exit(second, 1);
        world_settle(&w);
        ck_assert(!job_is_exited(job));
        fake_exit(first, 2);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->exit_code, 2);
        world_done(&w);
}
END_TEST

START_TEST(whom_it_may_not_name)
{
        FakeProcess *first, *stranger, *dead;
        Job *job, *other;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "all", NULL);
        other = world_run(&w, NULL);
        first = leader_of(job);
        stranger = fake_stranger();
        name_leader(job, stranger);
        name_leader(job, leader_of(other));
        say(job, "MAINPID=1");
        say(job, "MAINPID=2147483647");
        dead = fake_fork(first);
        fake_exit(dead, 0);
        name_leader(job, dead);
        ck_assert_int_eq(job->pid, first->pid);

        /* Not even when that was put into its scope. */
        leader_of(other)->scope = job->scope;
        name_leader(job, leader_of(other));
        ck_assert_int_eq(job->pid, first->pid);
        ck_assert_ptr_eq(hashmap_get_number(&w.jobs.by_pid, (uint64_t) other->pid), other);

        /* After its leader's end there is none to be named. */
        dead = fake_fork(first);
        fake_exit(first, 0);
        world_settle(&w);
        fake_notify(dead, job->notify->address, "READY=1");
        world_settle(&w);
        ck_assert(job_is_ready(job));
        say_as(dead, job, "MAINPID=1003");
        ck_assert(job_is_exited(job));
        world_done(&w);
}
END_TEST

TEST_MAIN("notify-leader", the_watchdog_wants_signs, who_ignores_it_is_killed,
          its_time_counts_from_readiness, nobody_waits_for_signs_at_the_end,
          it_can_be_set_and_pulled_by_the_job, who_is_frozen_can_give_no_sign,
          the_slot_is_left_alone_where_it_is_the_callers, a_child_takes_over,
          of_anothers_child_only_the_end_is_known, anothers_child_becomes_ours, it_goes_back_and_forth,
          whom_it_may_not_name)
