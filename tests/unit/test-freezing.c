/* Sessions and jobs that stand still. */

#include "core/session.h"

#include <errno.h>

#include "core/error.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

typedef struct Freezing {
        SessionWait wait;
        unsigned n_done, n_overtaken;
} Freezing;

static void on_frozen(SessionWait *wait, int r)
{
        Freezing *f = container_of(wait, Freezing, wait);

        f->n_done += r == 0;
        f->n_overtaken += r == -EALREADY;
}

START_TEST(frozen)
{
        Freezing f = {.wait.done = on_frozen};
        Diary job_diary = {0};
        Session *session;
        bool done = false;
        Job *job;

        world_init(&w);
        list_init(&f.wait.link);
        job = world_run(&w, "Session", "a", NULL);
        session = job->session_of;
        ck_assert_int_eq(session_freeze(session, true, &f.wait, &done, NULL), 0);
        if (!done) {
                world_settle(&w);
                ck_assert_uint_eq(f.n_done, 1);
        }
        ck_assert(session_is_frozen(session) && job_is_frozen(job));
        diary_start(&job_diary, job);
        ck_assert_int_eq(job_freeze(job, false, NULL),
                         1); /* it stands still all the same, and that is said */
        ck_assert_int_eq(session_freeze(session, false, &f.wait, &done, NULL), 0);
        world_settle(&w);
        ck_assert(!job_is_frozen(job));

        ck_assert_int_ge(job_freeze(job, true, NULL), 0);
        world_settle(&w);
        ck_assert(job->frozen && job_is_frozen(job) && !session_is_frozen(session));
        ck_assert_int_ge(job_freeze(job, false, NULL), 0);
        world_settle(&w);
        ck_assert(!job->frozen);
        ck_assert_ptr_nonnull(strstr(job_diary.text, "freezer"));
        job_watch_remove(&job_diary.watch);
        world_done(&w);
}
END_TEST

/* What will never be so any more is not waited for. */
START_TEST(freezing_is_overtaken)
{
        Freezing f = {.wait.done = on_frozen}, thaw = {.wait.done = on_frozen};
        Diary diary = {0};
        bool done = false;
        Job *job;

        world_init(&w);
        list_init(&f.wait.link);
        list_init(&thaw.wait.link);
        job = world_run(&w, NULL);
        fake.freezer_is_slow = true;
        ck_assert_int_eq(session_freeze(job->session_of, true, &f.wait, &done, NULL), 0);
        ck_assert(!done);
        world_settle(&w);
        ck_assert_uint_eq(f.n_done + f.n_overtaken, 0);
        ck_assert_int_eq(session_freeze(job->session_of, false, &thaw.wait, &done, NULL), 0);
        ck_assert(done);
        ck_assert_uint_eq(f.n_done, 0);
        ck_assert_uint_eq(f.n_overtaken, 1);
        ck_assert(list_is_empty(&f.wait.link));

        ck_assert_int_eq(job_freeze(job, true, NULL), 0);
        diary_start(&diary, job);
        ck_assert_int_eq(job_freeze(job, false, NULL), 1);
        ck_assert_ptr_nonnull(strstr(diary.text, "freezer"));
        ck_assert(!job->freeze_asked);
        job_watch_remove(&diary.watch);
        world_done(&w);
}
END_TEST

/* A session that begins afresh goes on. */
START_TEST(the_default_one_begins_afresh)
{
        Freezing f = {.wait.done = on_frozen};
        Session *session;
        bool done = false;
        Job *job;

        world_init(&w);
        list_init(&f.wait.link);
        job = world_run(&w, NULL);
        session = job->session_of;
        ck_assert_int_eq(session_freeze(session, true, &f.wait, &done, NULL), 0);
        ck_assert(session_is_frozen(session));
        session_close(session);
        ck_assert(!session_is_frozen(session) && !job_is_frozen(job));

        fake.freezer_is_slow = true;
        f = (Freezing){.wait.done = on_frozen};
        list_init(&f.wait.link);
        ck_assert_int_eq(session_freeze(session, true, &f.wait, &done, NULL), 0);
        session_close(session);
        ck_assert_uint_eq(f.n_overtaken, 1);
        world_done(&w);
}
END_TEST

/* Its exec never comes there: the run time is over all the same, and it is told as that. */
START_TEST(run_time_is_over_before_exec)
{
        Freezing f = {.wait.done = on_frozen};
        Diary diary = {0};
        ExecSpec spec;
        bool done;
        Job *job;

        world_init(&w);
        list_init(&f.wait.link);
        spec_init(&spec);
        spec_set(&spec, "RuntimeMaxUSec", "10s");
        job = world_start(&w, &spec);
        diary_start(&diary, job);
        ck_assert_int_eq(session_freeze(job->session_of, true, &f.wait, &done, NULL), 0);
        world_pass(&w, 9 * USEC_PER_SEC);
        ck_assert_int_eq(job->fsm.state, JOB_STARTING);
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert(job_is_finished(job) && job->result == JOB_RESULT_TIMEOUT && job->signal == SIGKILL);
        ck_assert_str_eq(diary.text, "freezer killed started exited drained finished");
        world_done(&w);
}
END_TEST

/* A slow file system takes longer than that; then the session is frozen, and exec comes no more. */
START_TEST(frozen_when_run_time_is_over_before_exec)
{
        Freezing f = {.wait.done = on_frozen};
        ExecSpec spec, unlimited;
        Job *job, *other;
        bool done;

        world_init(&w);
        list_init(&f.wait.link);
        spec_init(&spec);
        spec_set(&spec, "RuntimeMaxUSec", "1ms");
        job = world_start(&w, &spec);
        spec_init(&unlimited);
        other = world_start(&w, &unlimited);
        world_pass(&w, 20 * USEC_PER_SEC);
        ck_assert(job->fsm.state == JOB_STARTING && !timer_is_armed(&job->runtime_timer));
        ck_assert_int_eq(session_freeze(job->session_of, true, &f.wait, &done, NULL), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job) && job->result == JOB_RESULT_TIMEOUT);
        ck_assert_int_eq(other->fsm.state, JOB_STARTING);
        world_done(&w);
}
END_TEST

START_TEST(no_tree_no_freezing)
{
        Freezing f = {.wait.done = on_frozen};
        Error e = ERROR_NULL;
        bool done;
        Job *job;

        fake_reset();
        world_init_prepared(&w, false);
        list_init(&f.wait.link);
        job = world_run(&w, NULL);
        ck_assert_int_lt(job_freeze(job, true, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_NOT_SUPPORTED);
        ck_assert_int_lt(session_freeze(job->session_of, true, &f.wait, &done, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_NOT_SUPPORTED);
        world_done(&w);
}
END_TEST

TEST_MAIN("freezing", frozen, freezing_is_overtaken, the_default_one_begins_afresh,
          run_time_is_over_before_exec, frozen_when_run_time_is_over_before_exec, no_tree_no_freezing)
