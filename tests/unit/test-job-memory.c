/* Each allocation of a start, and of a life, fails once: the one request suffers, and nothing is left of it.
 */

#include <errno.h>
#include <signal.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "core/job.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;

/* A request that needs everything that a start may allocate. */
static void spec_large(ExecSpec *s)
{
        spec_init(s);
        spec_set(s, "Id", "large");
        spec_set(s, "Session", "s");
        spec_set(s, "User", "alice");
        spec_set(s, "SupplementaryGroups", "wheel video");
        spec_set(s, "WorkingDirectory", "relative");
        spec_set(s, "Environment", "A=1 B=2 LANG=x");
        spec_set(s, "UnsetEnvironment", "B");
        spec_set(s, "StandardInput", "data");
        spec_set(s, "StandardInputData", "some input");
}

/* Starts it with the nth allocation failing; false: there were not so many, and it has started. */
static bool start_fails(ExecSpec *spec, unsigned nth, bool forever, Job **ret)
{
        Job *untouched = (Job *) &w, *job = untouched;
        unsigned n_live = w.jobs.n_live, n_spawned = fake.n_spawned;
        Error e = ERROR_NULL;
        bool existing;
        int r;

        alloc_fault_set(nth, forever);
        r = job_set_start(&w.jobs, spec, &job, &existing, &e);
        if (alloc_fault_hits() == 0) {
                alloc_fault_set(0, false);
                ck_assert_int_eq(r, 0);
                *ret = job;
                return false;
        }
        alloc_fault_set(0, false);
        ck_assert_msg(r == -ENOMEM, "%u: %d", nth, r);
        ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
        ck_assert_ptr_eq(job, untouched);
        ck_assert_uint_eq(w.jobs.n_live, n_live);
        ck_assert(list_is_empty(&w.keeper.lingering) || fake.n_spawned > n_spawned);
        /* Where there was a child already it has been killed. */
        if (fake.n_spawned > n_spawned)
                ck_assert_uint_eq(fake_count_signals(fake_newest(), SIGKILL), 1);
        return true;
}

START_TEST(each_allocation_of_a_start)
{
        for (unsigned variant = 0; variant < 4; variant++) {
                bool forever = variant & 1;
                unsigned nth = 1;
                ExecSpec spec;
                Job *job;

                world_init(&w);
                fake.late_joiners =
                                variant & 2; /* the child is not in its scope yet when it must be ended */
                for (;; nth++) {
                        unsigned n_fds = fake_count_fds();

                        spec_large(&spec);
                        if (!start_fails(&spec, nth, forever, &job))
                                break;
                        exec_spec_done(&spec); /* whether it was taken or not: once */
                        world_pass(&w, USEC_PER_SEC);
                        ck_assert_uint_eq(fake_count_fds(), n_fds);
                        ck_assert_uint_eq(fake.n_scopes, 0);
                        ck_assert_uint_eq(fake.mapped, 0);
                        ck_assert(!fake_has_zombies());
                        ck_assert_uint_eq(w.jobs.by_pid.n_entries, 0);
                        ck_assert_uint_eq(w.jobs.by_id.n_entries, 0);
                }
                ck_assert_uint_gt(nth, 20);
                fake_exec(leader_of(job));
                world_settle(&w);
                ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
                fake_exit(leader_of(job), 0);
                world_settle(&w);
                ck_assert(job_is_finished(job));
                world_done(&w);
        }
}
END_TEST

/* What is running already does not notice. */
START_TEST(others_are_not_touched)
{
        ExecSpec spec;
        Job *other, *job;

        world_init(&w);
        other = world_run(&w, NULL);
        for (unsigned nth = 1;; nth++) {
                spec_large(&spec);
                if (!start_fails(&spec, nth, false, &job))
                        break;
                exec_spec_done(&spec);
                fake_print(leader_of(other), 1, "x\n");
                world_pass(&w, USEC_PER_SEC);
                ck_assert_int_eq(other->fsm.state, JOB_RUNNING);
                ck_assert_uint_eq(job_set_count_running(&w.jobs), 1);
        }
        world_done(&w);
}
END_TEST

/* A scope that is busy on top of it: no memory to remember it by. */
START_TEST(no_memory_for_what_lingers)
{
        ExecSpec spec;
        Job *job;

        world_init(&w);
        for (unsigned nth = 1;; nth++) {
                spec_large(&spec);
                fake.scope_busy = 1;
                if (!start_fails(&spec, nth, true, &job))
                        break;
                exec_spec_done(&spec);
                world_pass(&w, USEC_PER_SEC);
                ck_assert_uint_eq(fake.n_scopes, 0);
        }
        fake.scope_busy = 0;
        world_done(&w);
}
END_TEST

/* The whole life of one, with its nth allocation from exec on failing. It ends, whatever happens, and is
 * told truly. */
static bool live(unsigned nth, bool forever)
{
        FakeProcess *child;
        Diary d = {0};
        unsigned hits;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        spec_large(&spec);
        spec_set(&spec, "RuntimeMaxUSec", "1h");
        job = world_start(&w, &spec);
        diary_start(&d, job);
        alloc_fault_set(nth, forever);
        fake_exec(leader_of(job));
        world_settle(&w);
        fake_print(leader_of(job), 1, "a line\n");
        fake_print(leader_of(job), 2, "half a line");
        world_pass(&w, USEC_PER_SEC);
        child = fake_fork(leader_of(job));
        child->manners = FAKE_IGNORES;
        fake_exit(leader_of(job), 3);
        world_settle(&w);
        job_stop(job, 0, USEC_PER_SEC);
        world_pass(&w, USEC_PER_SEC);
        hits = alloc_fault_hits();
        alloc_fault_set(0, false);
        ck_assert_int_eq(job->result, JOB_RESULT_EXIT_CODE);
        ck_assert_int_eq(job->exit_code, 3);
        ck_assert(!child->alive);
        ck_assert_msg(job_is_finished(job), "allocation %u", nth);
        ck_assert(strstr(d.text, "finished"));
        world_run(&w, NULL); /* and everything works after it */
        world_done(&w);
        return hits > 0;
}

START_TEST(each_allocation_of_a_life)
{
        for (unsigned forever = 0; forever < 2; forever++) {
                unsigned nth = 1;

                while (live(nth, forever))
                        nth++;
                ck_assert_uint_gt(nth, 2);
        }
}
END_TEST

/* No memory for a log: its bytes are lost, counted, and the job lives. */
START_TEST(no_memory_for_the_ring)
{
        RingStat stat;
        Job *job;

        world_init(&w);
        fake.map_fails = true;
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "one\ntwo\n");
        world_settle(&w);
        ring_stat(job->ring, &stat);
        ck_assert_uint_eq(stat.bytes[STREAM_STDOUT], 8);
        ck_assert_uint_eq(stat.lost_bytes, 8);
        ck_assert_uint_eq(stat.lost_records, 2);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        world_done(&w);
}
END_TEST

START_TEST(no_memory_for_the_set)
{
        sd_event *event = NULL;
        ScopeKeeper keeper = {.fd = -EBADF};
        TimerQueue timers;
        unsigned n_fds;
        JobSet set;

        fake_reset();
        n_fds = fake_count_fds();
        ck_assert_int_eq(sd_event_new(&event), 0);
        timer_queue_init(&timers, NULL);
        alloc_fault_set(1, true);
        ck_assert_int_eq(job_set_init(&set,
                                      &(JobSetConfig){.event = event, .timers = &timers, .keeper = &keeper}),
                         -ENOMEM);
        alloc_fault_set(0, false);
        job_set_done(&set);
        sd_event_unref(event);
        fake_done();
        ck_assert_uint_eq(fake_count_fds(), n_fds);
}
END_TEST

TEST_MAIN("job-memory", each_allocation_of_a_start, others_are_not_touched, no_memory_for_what_lingers,
          each_allocation_of_a_life, no_memory_for_the_ring, no_memory_for_the_set)
