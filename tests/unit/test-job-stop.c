/* How jobs are ended: asked, then killed; by callers, by their time, by their leader's end. */

#include <errno.h>
#include <signal.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "core/job.h"
#include "fake-world.h"
#include "test-main.h"

#define SECOND USEC_PER_SEC

static World w;

START_TEST(it_obeys)
{
        Diary d = {0};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        child = fake_fork(leader_of(job));
        diary_start(&d, job);
        job_stop(job, 0, 10 * SECOND);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 1);
        ck_assert_uint_eq(fake_count_signals(child, SIGTERM), 1);
        ck_assert(timer_is_armed(&job->stop_timer));
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited drained finished");
        ck_assert_int_eq(job->result, JOB_RESULT_SIGNAL);
        ck_assert_int_eq(job->signal, SIGTERM);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 0);
        ck_assert(!timer_is_armed(&job->stop_timer));
        world_done(&w);
}
END_TEST

START_TEST(exits_0_when_asked_is_success)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->exits_with = 0;
        job_stop(job, 0, 10 * SECOND);
        world_settle(&w);
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        ck_assert_int_eq(job->exit_code, 0);
        world_done(&w);
}
END_TEST

START_TEST(a_stopped_process_is_told_to_go_on)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "KillSignal", "SIGINT", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, 10 * SECOND);
        ck_assert_uint_eq(leader_of(job)->n_signals, 2);
        ck_assert_int_eq(leader_of(job)->signals[0], SIGINT); /* its own */
        ck_assert_int_eq(leader_of(job)->signals[1], SIGCONT);
        job_stop(job, SIGHUP, 10 * SECOND); /* the caller's */
        ck_assert_int_eq(leader_of(job)->signals[2], SIGHUP);
        world_done(&w);
}
END_TEST

START_TEST(it_ignores)
{
        Diary d = {0};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        child = fake_fork(leader_of(job));
        diary_start(&d, job);
        job_stop(job, 0, 5 * SECOND);
        ck_assert_str_eq(job_state_to_string(job->fsm.state), "stopping");
        world_pass(&w, 5 * SECOND - 1);
        ck_assert(leader_of(job)->alive && child->alive);
        ck_assert_str_eq(d.text, "");
        world_pass(&w, 1);
        ck_assert(!leader_of(job)->alive && !child->alive);
        ck_assert_str_eq(d.text, "killed exited drained finished");
        ck_assert_int_eq(job->result, JOB_RESULT_SIGNAL);
        ck_assert_int_eq(job->signal, SIGKILL);
        world_done(&w);
}
END_TEST

START_TEST(timeout_0_kills_at_once)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        job_stop(job, 0, 0);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 0);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 1);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->signal, SIGKILL);
        world_done(&w);
}
END_TEST

START_TEST(no_timeout_never_kills)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, USEC_INFINITY);
        world_pass(&w, 365 * 86400 * SECOND);
        ck_assert(leader_of(job)->alive);
        ck_assert_int_eq(job->fsm.state, JOB_STOPPING);
        job_stop(job, 0, SECOND); /* until somebody says so */
        world_pass(&w, SECOND);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

/* "the earlier one stands" */
START_TEST(stopped_twice)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, 10 * SECOND);
        world_pass(&w, SECOND);
        job_stop(job, 0, 100 * SECOND);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 2);
        ck_assert_uint_eq(job->stop_timer.deadline, fake.monotonic + 9 * SECOND);
        job_stop(job, 0, 2 * SECOND); /* sooner */
        ck_assert_uint_eq(job->stop_timer.deadline, fake.monotonic + 2 * SECOND);
        job_stop(job, 0, USEC_INFINITY);
        world_pass(&w, 2 * SECOND);
        ck_assert(job_is_finished(job));
        ck_assert_uint_eq(job->exit_time, fake.realtime);

        job_stop(job, 0, 0); /* of a finished one: nothing */
        job_stop(job, 0, SECOND);
        world_settle(&w);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_done(&w);
}
END_TEST

START_TEST(the_second_order_kills)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, 10 * SECOND);
        job_stop(job, 0, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(unkillable)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_UNKILLABLE;
        diary_start(&d, job);
        job_stop(job, 0, 7200 * SECOND);
        job_stop(job, 0, 0);
        world_pass(&w, 3600 * SECOND);
        ck_assert_str_eq(job_state_to_string(job->fsm.state), "stopping");
        ck_assert_uint_eq(job_count_processes(job), 1);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY); /* nothing polls */
        job_stop(job, 0, SECOND);                                      /* asked again: killed again */
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 2);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 1);
        fake_die(leader_of(job), SIGKILL, false);
        world_settle(&w);
        ck_assert_str_eq(d.text, "killed killed exited drained finished");
        world_done(&w);
}
END_TEST

START_TEST(mixed_asks_the_leader)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, "KillMode", "mixed", NULL);
        child = fake_fork(leader_of(job));
        leader_of(job)->exits_with = 5;
        job_stop(job, 0, 10 * SECOND);
        ck_assert(!leader_of(job)->alive);
        ck_assert_uint_eq(child->n_signals, 0);
        world_settle(&w); /* the leader has gone: the rest is killed */
        ck_assert_uint_eq(child->n_signals, 1);
        ck_assert_int_eq(child->signals[0], SIGKILL);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->exit_code, 5);
        world_done(&w);
}
END_TEST

START_TEST(mixed_with_a_leader_that_ignores_or_has_gone)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, "KillMode", "mixed", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        child = fake_fork(leader_of(job));
        job_stop(job, 0, 10 * SECOND);
        world_pass(&w, 10 * SECOND);
        ck_assert_uint_eq(fake_count_signals(child, SIGTERM), 0);
        ck_assert(job_is_finished(job));

        job = world_run(&w, "KillMode", "mixed", NULL);
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        job_stop(job, 0, 10 * SECOND);
        world_settle(&w);
        ck_assert_int_eq(child->signals[0], SIGKILL);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        world_done(&w);
}
END_TEST

START_TEST(mixed_needs_no_memory)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "KillMode", "mixed", NULL);
        alloc_fault_set(1, true);
        job_stop(job, 0, 10 * SECOND);
        alloc_fault_set(0, false);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 1); /* nobody asked for a list */
        world_done(&w);
}
END_TEST

START_TEST(kill_on_exit)
{
        FakeProcess *child, *stubborn;
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, "KillOnExit", "yes", "TimeoutStopUSec", "3s", NULL);
        diary_start(&d, job);
        child = fake_fork(leader_of(job));
        stubborn = fake_fork(leader_of(job));
        stubborn->manners = FAKE_IGNORES;
        fake_exit(leader_of(job), 9);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited");
        ck_assert_str_eq(job_state_to_string(job->fsm.state), "stopping");
        ck_assert(!child->alive && stubborn->alive);
        world_pass(&w, 3 * SECOND);
        ck_assert(!stubborn->alive);
        ck_assert_str_eq(d.text, "exited killed drained finished");
        ck_assert_int_eq(job->result, JOB_RESULT_EXIT_CODE);
        ck_assert_int_eq(job->exit_code, 9);

        job = world_run(&w, "KillOnExit", "yes", "KillMode", "mixed", NULL);
        child = fake_fork(leader_of(job));
        child->manners = FAKE_IGNORES;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(child->signals[0], SIGKILL);
        ck_assert(job_is_finished(job));

        job = world_run(&w, "KillOnExit", "yes", NULL); /* nothing to be ended */
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_done(&w);
}
END_TEST

START_TEST(run_time_is_over)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, "RuntimeMaxUSec", "60s", "TimeoutStopUSec", "5s", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        child = fake_fork(leader_of(job));
        world_pass(&w, 60 * SECOND - 1);
        ck_assert_uint_eq(leader_of(job)->n_signals, 0);
        world_pass(&w, 1);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 1);
        ck_assert_int_eq(job->fsm.state, JOB_STOPPING);
        ck_assert_int_eq(job->result, JOB_RESULT_NONE);
        world_pass(&w, 5 * SECOND);
        ck_assert(!child->alive && job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_TIMEOUT);
        ck_assert_int_eq(job->signal, SIGKILL);

        /* "timeout" whatever the leader makes of it. */
        job = world_run(&w, "RuntimeMaxUSec", "60s", NULL);
        leader_of(job)->exits_with = 0;
        world_pass(&w, 60 * SECOND);
        ck_assert_int_eq(job->result, JOB_RESULT_TIMEOUT);
        ck_assert_int_eq(job->exit_code, 0);
        world_done(&w);
}
END_TEST

START_TEST(run_time_counts_from_exec)
{
        ExecSpec spec;
        Job *job;

        world_init(&w);
        spec_init(&spec);
        spec_set(&spec, "RuntimeMaxUSec", "10s");
        job = world_start(&w, &spec);
        world_pass(&w, 20 * SECOND); /* a slow file system */
        fake_exec(leader_of(job));
        world_pass(&w, 9 * SECOND);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        world_pass(&w, SECOND);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

/* What the leader made of it stands; what it left behind has had its time. */
START_TEST(run_time_is_over_after_the_leader)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, "RuntimeMaxUSec", "60s", NULL);
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_pass(&w, 60 * SECOND);
        ck_assert(!child->alive && job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        world_done(&w);
}
END_TEST

/* A caller was first: then it is not the time that ended it. */
START_TEST(run_time_is_over_while_stopping)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "RuntimeMaxUSec", "10s", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        world_pass(&w, 9 * SECOND);
        job_stop(job, 0, 30 * SECOND);
        world_pass(&w, 20 * SECOND);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGTERM), 1);
        world_pass(&w, 10 * SECOND);
        ck_assert_int_eq(job->result, JOB_RESULT_SIGNAL);
        world_done(&w);
}
END_TEST

/* Nothing of the command has run: it has not started. Whoever is heard of first, the status pipe or the
 * zombie. */
static void check_stopped_before_exec(bool late, usec_t timeout, bool reaper_first)
{
        Error e = ERROR_NULL;
        Diary d = {.error = &e};
        FakeProcess *child;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        fake.late_joiners = late;
        spec_init(&spec);
        job = world_start(&w, &spec);
        child = leader_of(job);
        diary_start(&d, job);
        job_stop(job, 0, timeout);
        ck_assert_uint_eq(fake_count_signals(child, SIGTERM), 0); /* nobody to be asked nicely */
        ck_assert_uint_ge(fake_count_signals(child, SIGKILL), 1);
        ck_assert(!child->alive);
        if (reaper_first)
                world_reap(&w);
        else
                world_events(&w);
        world_settle(&w);
        /* Its pipes may be heard of before: of no command's output, as nobody knows of the job. */
        ck_assert(streq(d.text, "killed failed removed") ||
                  (!reaper_first && streq(d.text, "killed drained failed removed")));
        ck_assert_int_eq(e.kind, ERROR_START_FAILED);
        ck_assert(list_is_empty(&w.jobs.jobs));
        ck_assert_uint_eq(w.jobs.n_live, 0);
        ck_assert_uint_eq(fake.n_scopes, 0);
        world_done(&w);
}

START_TEST(stopped_before_exec)
{
        for (unsigned reaper_first = 0; reaper_first < 2; reaper_first++) {
                check_stopped_before_exec(false, 0, reaper_first);
                check_stopped_before_exec(false, SECOND, reaper_first);
        }
}
END_TEST

/* Where clone3(2) is refused the child goes to its scope by itself, and may not be there yet. */
START_TEST(stopped_before_it_is_in_its_scope)
{
        for (unsigned reaper_first = 0; reaper_first < 2; reaper_first++) {
                check_stopped_before_exec(true, 0, reaper_first);
                check_stopped_before_exec(true, SECOND, reaper_first);
        }
}
END_TEST

/* The order came too late: its exec has failed, and that is what is told. */
START_TEST(stopped_when_exec_has_failed)
{
        Error e = ERROR_NULL;
        Diary d = {.error = &e};
        ExecSpec spec;
        Job *job;

        world_init(&w);
        spec_init(&spec);
        job = world_start(&w, &spec);
        diary_start(&d, job);
        fake_exec_fails(leader_of(job), SPAWN_EXEC, ENOENT, "/bin/payload");
        job_stop(job, 0, 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "killed failed removed");
        ck_assert_int_eq(e.kind, ERROR_COMMAND_NOT_FOUND);
        world_done(&w);
}
END_TEST

/* A stop that an observer of the end orders, in the middle of it. */
static void stop_now(Diary *d, Job *job, JobMoment moment)
{
        if (moment == JOB_MOMENT_EXITED)
                job_stop(job, 0, SECOND);
}

START_TEST(stopped_by_who_watches)
{
        Diary d = {.also = stop_now};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        child = fake_fork(leader_of(job));
        diary_start(&d, job);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(!child->alive);
        ck_assert_str_eq(d.text, "exited drained finished");
        world_done(&w);
}
END_TEST

TEST_MAIN("job-stop", it_obeys, exits_0_when_asked_is_success, a_stopped_process_is_told_to_go_on,
          it_ignores, timeout_0_kills_at_once, no_timeout_never_kills, stopped_twice, the_second_order_kills,
          unkillable, mixed_asks_the_leader, mixed_with_a_leader_that_ignores_or_has_gone,
          mixed_needs_no_memory, kill_on_exit, run_time_is_over, run_time_counts_from_exec,
          run_time_is_over_after_the_leader, run_time_is_over_while_stopping, stopped_before_exec,
          stopped_when_exec_has_failed, stopped_before_it_is_in_its_scope, stopped_by_who_watches)
