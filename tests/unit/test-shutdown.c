/* How reeve goes: with jobs that obey, ignore and cannot be killed, within its limit. */

#include "core/shutdown.h"

#include <signal.h>

#include "core/error.h"
#include "core/job.h"
#include "fake-world.h"
#include "test-main.h"

#define SECOND USEC_PER_SEC

static World w;
static Shutdown s;
static unsigned n_flushes;
static bool flush_waits;
static JobObserver observer;

static void on_flush(Shutdown *shutdown)
{
        ck_assert_ptr_eq(shutdown, &s);
        n_flushes++;
        if (!flush_waits)
                shutdown_flushed(&s);
}

/* As the manager does. */
static void on_exited(JobObserver *o, Job *job)
{
        if (job->is_main)
                shutdown_main_ended(&s, job);
}

static void begin(bool is_pid1)
{
        static const JobObserverOps ops = {.job_exited = on_exited};

        world_init(&w);
        observer = (JobObserver){.ops = &ops};
        list_init(&observer.link);
        job_set_observe(&w.jobs, &observer);
        shutdown_init(&s, w.event, &w.timers, &w.jobs, 8 * SECOND, is_pid1);
        s.flush = on_flush;
        w.shutdown = &s;
        n_flushes = 0;
        flush_waits = false;
        ck_assert(!shutdown_is_under_way(&s));
}

static void end(void)
{
        shutdown_done(&s);
        world_done(&w);
}

/* Whether the loop was told to end, and with which code. */
static bool is_over(int code)
{
        int given;

        if (sd_event_get_exit_code(w.event, &given) < 0)
                return false;
        ck_assert_int_eq(given, code);
        ck_assert_int_eq(s.state, SHUTDOWN_DONE);
        return true;
}

static Job *run_main(void)
{
        ExecSpec spec;
        Job *job = NULL;

        spec_init(&spec);
        spec.input = EXEC_INPUT_INHERIT;
        ck_assert_int_eq(job_set_start_main(&w.jobs, &spec, &job, NULL), 0);
        fake_exec(leader_of(job));
        world_settle(&w);
        return job;
}

static void check_refused(void)
{
        Error e = ERROR_NULL;
        ExecSpec spec;
        bool existing;
        Job *job;

        spec_init(&spec);
        ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_SHUTTING_DOWN);
        exec_spec_done(&spec);
}

START_TEST(nothing_lives)
{
        for (unsigned is_pid1 = 0; is_pid1 < 2; is_pid1++) {
                begin(is_pid1);
                shutdown_order(&s, SIGTERM);
                ck_assert(is_over(0)); /* at once */
                ck_assert_uint_eq(n_flushes, 1);
                ck_assert_uint_eq(fake.n_all_killed, 0);
                check_refused();
                end();
        }
}
END_TEST

START_TEST(all_obey)
{
        Job *a, *b, *c;

        begin(true);
        a = world_run(&w, NULL);
        b = world_run(&w, "KillSignal", "SIGINT", NULL);
        c = world_run(&w, NULL);
        fake_exit(leader_of(c), 0);
        world_settle(&w);
        shutdown_order(&s, SIGTERM);
        ck_assert(shutdown_is_under_way(&s));
        check_refused();
        ck_assert_int_eq(leader_of(a)->signals[0], SIGTERM); /* all at once, each its own */
        ck_assert_int_eq(leader_of(b)->signals[0], SIGINT);
        ck_assert_uint_eq(fake.n_all_killed, 0);
        world_settle(&w);
        ck_assert(is_over(0));
        ck_assert(job_is_finished(a) && job_is_finished(b));
        ck_assert_uint_eq(fake.monotonic, 1000 * SECOND); /* no time went by */
        end();
}
END_TEST

START_TEST(one_ignores)
{
        Job *a, *b;

        begin(true);
        a = world_run(&w, NULL);
        b = world_run(&w, NULL);
        leader_of(b)->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        world_settle(&w);
        ck_assert(job_is_finished(a));
        world_pass(&w, 6 * SECOND - 1);
        ck_assert_int_eq(s.state, SHUTDOWN_STOPPING);
        ck_assert(leader_of(b)->alive);
        world_pass(&w, 1);
        ck_assert(!leader_of(b)->alive);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* Its own time is shorter than ours, or longer. */
START_TEST(each_keeps_its_own_time)
{
        Job *hasty, *patient;

        begin(true);
        hasty = world_run(&w, "TimeoutStopUSec", "1s", NULL);
        patient = world_run(&w, "TimeoutStopUSec", "1h", NULL);
        leader_of(hasty)->manners = leader_of(patient)->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, SECOND);
        ck_assert(!leader_of(hasty)->alive && leader_of(patient)->alive);
        world_pass(&w, 5 * SECOND);
        ck_assert(!leader_of(patient)->alive);
        ck_assert(is_over(0));
        end();
}
END_TEST

START_TEST(the_second_order_kills)
{
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, SECOND);
        ck_assert(leader_of(job)->alive);
        shutdown_order(&s, SIGINT);
        ck_assert(!leader_of(job)->alive);
        world_settle(&w);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* It cannot be killed; reeve goes all the same, within its limit. */
START_TEST(one_is_unkillable)
{
        usec_t begun;
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_UNKILLABLE;
        begun = fake.monotonic;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, 6 * SECOND);
        ck_assert_int_eq(s.state, SHUTDOWN_OVERDUE);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 1);
        world_pass(&w, SECOND);
        ck_assert_int_eq(s.state, SHUTDOWN_REAPING);
        ck_assert_uint_eq(fake.n_all_killed, 1);
        world_pass(&w, SECOND);
        ck_assert(is_over(0));
        ck_assert_uint_le(fake.monotonic - begun, 8 * SECOND);
        ck_assert(leader_of(job)->alive);
        leader_of(job)->alive = false;
        end();
}
END_TEST

START_TEST(replies_are_flushed)
{
        begin(true);
        flush_waits = true;
        world_run(&w, NULL);
        shutdown_order(&s, SIGTERM);
        world_settle(&w);
        ck_assert_int_eq(s.state, SHUTDOWN_FLUSHING);
        ck_assert_uint_eq(n_flushes, 1);
        ck_assert(!is_over(0));
        shutdown_flushed(&s);
        ck_assert(is_over(0));
        shutdown_flushed(&s); /* late ones mean nothing */
        shutdown_children_gone(&s);
        shutdown_order(&s, SIGTERM);
        end();
}
END_TEST

START_TEST(a_client_that_does_not_read)
{
        begin(true);
        flush_waits = true;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, 8 * SECOND / 16 - 1);
        ck_assert(!is_over(0));
        world_pass(&w, 1);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* Who reads is waited for, but not beyond the limit of all of it. */
START_TEST(a_client_that_reads_slowly)
{
        begin(true);
        flush_waits = true;
        shutdown_prolong_flush(&s); /* before its time it means nothing */
        shutdown_order(&s, 0);
        world_settle(&w);
        ck_assert_int_eq(s.state, SHUTDOWN_FLUSHING);
        for (unsigned n = 0; n < 19; n++) { /* each 0.4 of the 0.5 s that a silence may last */
                world_pass(&w, 2 * SECOND / 5);
                ck_assert_int_eq(s.state, SHUTDOWN_FLUSHING);
                shutdown_prolong_flush(&s);
        }
        world_pass(&w, 2 * SECOND / 5);
        ck_assert(is_over(0));
        shutdown_prolong_flush(&s);
        end();
}
END_TEST

START_TEST(nobody_to_flush)
{
        begin(true);
        s.flush = NULL;
        shutdown_order(&s, 0);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* reeve ends with the main job, with its status; what it and others leave is ended. */
START_TEST(the_main_job_ends)
{
        static const struct {
                int code, sig, status;
        } cases[] = {{0, 0, 0},          {7, 0, 7},          {255, 0, 255},
                     {-1, SIGTERM, 143}, {-1, SIGKILL, 137}, {-1, SIGSEGV, 139}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Job *job, *other;

                begin(true);
                job = run_main();
                other = world_run(&w, NULL);
                fake_fork(leader_of(job));
                if (cases[i].sig)
                        fake_die(leader_of(job), cases[i].sig, false);
                else
                        fake_exit(leader_of(job), cases[i].code);
                world_settle(&w);
                ck_assert(is_over(cases[i].status));
                ck_assert(job_is_finished(job) && job_is_finished(other));
                end();
        }
}
END_TEST

/* In the middle of being told so, with processes left: the main job itself is stopped from there. */
START_TEST(the_main_job_ends_while_it_is_told)
{
        FakeProcess *child;
        Job *job;

        begin(true);
        job = run_main();
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 3);
        world_settle(&w);
        ck_assert_int_eq(child->signals[0], SIGTERM);
        ck_assert(is_over(3));
        end();
}
END_TEST

START_TEST(the_main_job_gets_the_signal_that_came)
{
        Job *job, *other;

        begin(true);
        job = run_main();
        other = world_run(&w, NULL);
        leader_of(job)->exits_with = 5;
        shutdown_order(&s, SIGINT);
        ck_assert_int_eq(leader_of(job)->signals[0], SIGINT);
        ck_assert_int_eq(leader_of(other)->signals[0], SIGTERM);
        world_settle(&w);
        ck_assert(is_over(5)); /* what it made of it is what reeve leaves with */
        end();
}
END_TEST

START_TEST(a_code_that_was_ordered)
{
        Job *job;

        begin(true);
        job = run_main();
        shutdown_set_exit_code(&s, 42);
        shutdown_order(&s, 0);
        ck_assert_int_eq(leader_of(job)->signals[0], SIGTERM); /* its own */
        world_settle(&w);
        ck_assert(is_over(42)); /* its own does not count */
        end();
}
END_TEST

START_TEST(jobs_on_their_way_to_exec)
{
        ExecSpec spec;
        Job *job;

        begin(true);
        spec_init(&spec);
        job = world_start(&w, &spec);
        ck_assert_int_eq(job->fsm.state, JOB_STARTING);
        shutdown_order(&s, SIGTERM);
        world_settle(&w);
        ck_assert(is_over(0));

        end();
        begin(true); /* and one whose exec fails meanwhile */
        spec_init(&spec);
        job = world_start(&w, &spec);
        leader_of(job)->manners = FAKE_UNKILLABLE;
        shutdown_order(&s, SIGTERM);
        fake_exec_fails(leader_of(job), SPAWN_EXEC, 2, NULL);
        world_settle(&w);
        ck_assert(is_over(0));
        ck_assert(list_is_empty(&w.jobs.jobs));
        end();
}
END_TEST

/* What goes on as usual when nobody ordered anything. */
START_TEST(idle_is_no_order)
{
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        fake_exit(leader_of(job), 0);
        world_settle(&w); /* no job is live, no child is left */
        ck_assert_int_eq(s.state, SHUTDOWN_RUNNING);
        world_pass(&w, 3600 * SECOND);
        ck_assert(!shutdown_is_under_way(&s));
        world_run(&w, NULL);
        end();
}
END_TEST

START_TEST(processes_that_outlive_their_leaders)
{
        FakeProcess *child;
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        child = fake_fork(leader_of(job));
        child->manners = FAKE_IGNORES;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        shutdown_order(&s, SIGTERM);
        ck_assert_uint_eq(fake_count_signals(child, SIGTERM), 1);
        world_pass(&w, 6 * SECOND);
        ck_assert(is_over(0));
        ck_assert(!child->alive);
        end();
}
END_TEST

/* The manager goes without waiting for the end: nothing of the shutdown stays behind. */
START_TEST(left_in_the_middle)
{
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        ck_assert_int_eq(s.state, SHUTDOWN_STOPPING);
        ck_assert(timer_is_armed(&s.timer));
        end();
        ck_assert_int_eq(s.state, SHUTDOWN_STOPPING); /* nobody told it of the jobs' going */
        ck_assert_uint_eq(n_flushes, 0);
}
END_TEST

START_TEST(of_a_machine)
{
        begin(true);
        ck_assert_int_eq(s.power, POWER_NONE);
        (void) run_main();
        shutdown_order_power(&s, POWER_HALT);
        ck_assert_int_eq(s.state, SHUTDOWN_STOPPING);
        shutdown_order_power(&s, POWER_REBOOT); /* the last one counts, and as ever it kills */
        ck_assert_int_eq(s.state, SHUTDOWN_KILLING);
        ck_assert_int_eq(s.power, POWER_REBOOT);
        end();
}
END_TEST

TEST_MAIN("shutdown", nothing_lives, all_obey, one_ignores, each_keeps_its_own_time, the_second_order_kills,
          one_is_unkillable, replies_are_flushed,
          a_client_that_reads_slowly, a_client_that_does_not_read, nobody_to_flush, the_main_job_ends,
          the_main_job_ends_while_it_is_told, the_main_job_gets_the_signal_that_came,
          a_code_that_was_ordered, jobs_on_their_way_to_exec, idle_is_no_order,
          processes_that_outlive_their_leaders, left_in_the_middle, of_a_machine)
