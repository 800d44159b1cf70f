/* When a scope is empty, and when its folder goes: what the kernel says late, wrongly or not at all. */

#include <errno.h>
#include <signal.h>

#include "core/job.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

/* A job whose leader has gone and whose child lives. */
static Job *run_and_leave_child(FakeProcess **ret_child)
{
        Job *job = world_run(&w, NULL);

        *ret_child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        return job;
}

START_TEST(a_folder_that_is_busy)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        fake.scope_busy = 3;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited drained finished"); /* the job does not wait for it */
        ck_assert_uint_eq(fake.n_scopes, 1);
        ck_assert_uint_eq(fake.scope_busy, 2);
        /* 10 ms, 20 ms, 40 ms: nothing polls. */
        ck_assert_uint_eq(timer_queue_next(&w.timers), fake.monotonic + 10 * USEC_PER_MSEC);
        world_pass(&w, 10 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.scope_busy, 1);
        world_pass(&w, 20 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.scope_busy, 0);
        ck_assert_uint_eq(fake.n_scopes, 1);
        world_pass(&w, 40 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert_uint_eq(fake.n_folders_left, 0);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_done(&w);
}
END_TEST

START_TEST(a_folder_that_stays_busy)
{
        unsigned before;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        fake.scope_busy = 1000;
        fake_exit(leader_of(job), 0);
        world_pass(&w, 10 * USEC_PER_SEC);
        before = fake.scope_busy;
        world_pass(&w, 60 * USEC_PER_SEC);
        ck_assert_uint_eq(before - fake.scope_busy, 60); /* at most once a second */
        world_done(&w);                                  /* and reeve ends without it */
        ck_assert_uint_eq(fake.n_folders_left, 3);       /* the slices, too */
}
END_TEST

START_TEST(several_busy_folders)
{
        world_init(&w);
        for (unsigned i = 0; i < 3; i++) {
                Job *job = world_run(&w, NULL);

                fake.scope_busy++;
                fake_exit(leader_of(job), 0);
                world_settle(&w);
        }
        ck_assert_uint_eq(fake.n_scopes, 3);
        world_pass(&w, 10 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.n_scopes, 0);
        world_done(&w);
}
END_TEST

START_TEST(the_same_name_while_its_folder_is_busy)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "Id", "a", NULL);
        fake.scope_busy = 1;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        job = world_run(&w, "Id", "a", NULL); /* an empty folder is used again */
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        ck_assert_uint_eq(job_count_processes(job), 1);
        world_done(&w);
}
END_TEST

/* Any notice is a reason to try again. */
START_TEST(a_busy_folder_and_a_notice)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        run_and_leave_child(&child);
        job = world_run(&w, NULL);
        fake.scope_busy = 1;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_uint_eq(fake.n_scopes, 2);
        fake_exit(child, 0);
        world_events(&w);
        ck_assert_uint_eq(fake.n_scopes, 0);
        world_done(&w);
}
END_TEST

/* It becomes empty between the look and the watch: no notice of that will come. */
START_TEST(empty_just_before_the_watch)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        fake.ends_before_watch = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_reap(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(a_notice_that_is_early)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = run_and_leave_child(&child);
        fake_exit(child, 0);
        fake_fork(child)->scope = job->scope; /* somebody is there when it is looked at */
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        fake_exit(fake_newest(), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(notices_of_many_at_once)
{
        FakeProcess *children[150];
        Job *jobs[150];

        world_init(&w);
        for (size_t i = 0; i < 150; i++)
                jobs[i] = run_and_leave_child(&children[i]);
        for (size_t i = 0; i < 150; i++)
                if (i % 3 != 0)
                        fake_exit(children[i], 0);
        world_settle(&w);
        for (size_t i = 0; i < 150; i++)
                ck_assert_int_eq(job_is_finished(jobs[i]), i % 3 != 0);
        ck_assert_uint_eq(w.keeper.by_number.n_entries, 50);
        world_done(&w);
}
END_TEST

START_TEST(notices_that_were_lost)
{
        FakeProcess *children[3];
        Job *jobs[3];

        world_init(&w);
        for (size_t i = 0; i < 3; i++)
                jobs[i] = run_and_leave_child(&children[i]);
        fake.scope_watch_overflow = true;
        fake_exit(children[0], 0);
        fake_exit(children[2], 0);
        world_settle(&w);
        ck_assert(job_is_finished(jobs[0]) && !job_is_finished(jobs[1]) && job_is_finished(jobs[2]));
        world_done(&w);
}
END_TEST

/* "a job that outlives its leader is looked at when orphans end", as the warning says. */
START_TEST(scopes_cannot_be_watched_at_all)
{
        FakeProcess *child;
        Job *job;

        fake_reset();
        fake.scope_watch_open_error = -EMFILE;
        world_init_prepared(&w, true);
        job = run_and_leave_child(&child);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

/* max_user_watches is used up, for instance. */
START_TEST(this_scope_cannot_be_watched)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        fake.scope_watch_add_error = -ENOSPC;
        job = run_and_leave_child(&child);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

/* That it cannot be known whether somebody lives is not that nobody does. */
START_TEST(it_cannot_be_asked)
{
        static const int errors[] = {-EMFILE, -ENOMEM, -EIO};

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                FakeProcess *child;
                Job *job;

                world_init(&w);
                job = world_run(&w, NULL);
                child = fake_fork(leader_of(job));
                fake.scope_populated_error = errors[i];
                fake_exit(leader_of(job), 0);
                world_settle(&w);
                ck_assert_msg(!job_is_finished(job), "%d is taken for empty", errors[i]);
                ck_assert(job_is_running(job));
                fake.scope_populated_error = 0;
                fake_exit(child, 0);
                world_settle(&w);
                ck_assert(job_is_finished(job));
                world_done(&w);
        }
}
END_TEST

START_TEST(it_cannot_be_asked_when_the_notice_comes)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = run_and_leave_child(&child);
        fake.scope_populated_error = -ENOMEM;
        fake_exit(child, 0);
        fake_fork(child)->scope = job->scope;
        world_settle(&w);
        ck_assert(!job_is_finished(job));
        fake.scope_populated_error = 0;
        fake_exit(fake_newest(), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

/* It was empty by then, so the kernel has nothing more to say: it is looked at again. */
START_TEST(nobody_will_say_it_again)
{
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = run_and_leave_child(&child);
        fake.scope_populated_error = -EMFILE;
        fake_exit(child, 0);
        world_pass(&w, USEC_PER_SEC);
        ck_assert(!job_is_finished(job));
        fake.scope_populated_error = 0;
        world_pass(&w, USEC_PER_SEC);
        ck_assert(job_is_finished(job));

        job = world_run(&w, NULL); /* the leader was all there was */
        fake.scope_populated_error = -EMFILE;
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_exited(job) && !job_is_finished(job));
        ck_assert_uint_ge(timer_queue_next(&w.timers),
                          fake.monotonic + 50 * USEC_PER_MSEC); /* not at once */
        fake.scope_populated_error = 0;
        world_pass(&w, USEC_PER_SEC);
        ck_assert(job_is_finished(job));
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_done(&w);
}
END_TEST

/* reeve ends with jobs in every state. */
START_TEST(the_set_goes_with_live_jobs)
{
        FakeProcess *child;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        run_and_leave_child(&child);
        world_run(&w, "RuntimeMaxUSec", "1h", NULL);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, USEC_PER_SEC);
        fake_print(leader_of(job), 1, "half a line");
        world_settle(&w);
        spec_init(&spec);
        world_start(&w, &spec);
        world_done(&w);
        ck_assert_uint_eq(fake.n_scopes, 0);
}
END_TEST

TEST_MAIN("job-set-scopes", a_folder_that_is_busy, a_folder_that_stays_busy, several_busy_folders,
          the_same_name_while_its_folder_is_busy, a_busy_folder_and_a_notice, empty_just_before_the_watch,
          a_notice_that_is_early, notices_of_many_at_once, notices_that_were_lost,
          scopes_cannot_be_watched_at_all, this_scope_cannot_be_watched, it_cannot_be_asked,
          it_cannot_be_asked_when_the_notice_comes, nobody_will_say_it_again, the_set_goes_with_live_jobs)
