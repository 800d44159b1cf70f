/* What belongs to no job, when reeve goes: told after the jobs, given time, and killed when that is over. */

#include <signal.h>

#include "core/job.h"
#include "core/shutdown.h"
#include "fake-world.h"
#include "test-main.h"

#define SECOND USEC_PER_SEC

static World w;
static Shutdown s;

static void begin(bool is_pid1)
{
        world_init(&w);
        shutdown_init(&s, w.event, &w.timers, &w.jobs, 8 * SECOND, is_pid1);
        w.shutdown = &s;
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
        return true;
}

/* docker exec's processes, and what lost its job: PID 1 tells them to end, and waits until they have. */
START_TEST(strangers_are_told)
{
        FakeProcess *a, *b;
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        a = fake_stranger();
        b = fake_stranger();
        b->manners = FAKE_IGNORES;
        leader_of(job)->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, SECOND);
        ck_assert_uint_eq(a->n_signals + b->n_signals, 0); /* the jobs come first */
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(s.state, SHUTDOWN_LEAVING);
        ck_assert(!a->alive && b->alive);
        ck_assert_int_eq(b->signals[0], SIGTERM);
        ck_assert_int_eq(b->signals[1], SIGCONT); /* it may have been stopped */
        fake_exit(b, 0); /* and that is noticed at once, not when the time is over */
        world_settle(&w);
        ck_assert(is_over(0));
        ck_assert_uint_eq(fake.n_all_killed, 0);
        end();
}
END_TEST

START_TEST(strangers_do_not_heed)
{
        FakeProcess *a;
        usec_t begun;

        begin(true);
        a = fake_stranger();
        a->manners = FAKE_IGNORES;
        begun = fake.monotonic;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, 7 * SECOND - 1);
        ck_assert(a->alive);
        world_pass(&w, 1);
        ck_assert(!a->alive);
        ck_assert(is_over(0));
        ck_assert_uint_eq(fake.monotonic - begun, 7 * SECOND);
        end();

        begin(true); /* nobody wants to wait */
        a = fake_stranger();
        a->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        ck_assert(a->alive);
        shutdown_order(&s, SIGTERM);
        ck_assert(!a->alive);
        world_settle(&w);
        ck_assert(is_over(0));
        end();

        begin(true); /* nor can it be killed */
        a = fake_stranger();
        a->manners = FAKE_UNKILLABLE;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, 7 * SECOND);
        ck_assert_int_eq(s.state, SHUTDOWN_REAPING);
        fake_die(a, SIGKILL, false);
        world_settle(&w);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* A job that had all its time leaves some for those who lean on it. */
START_TEST(strangers_after_a_deaf_job)
{
        FakeProcess *a;
        Job *job;

        begin(true);
        job = world_run(&w, NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        a = fake_stranger();
        a->manners = FAKE_IGNORES;
        shutdown_order(&s, SIGTERM);
        world_pass(&w, 6 * SECOND);
        ck_assert_int_eq(s.state, SHUTDOWN_LEAVING);
        ck_assert(!leader_of(job)->alive && a->alive);
        ck_assert_uint_eq(fake_count_signals(a, SIGTERM), 1);
        world_pass(&w, SECOND);
        ck_assert(!a->alive);
        ck_assert(is_over(0));
        end();
}
END_TEST

/* Not as PID 1: "everybody else" would be the machine. */
START_TEST(strangers_are_left_alone_by_others)
{
        FakeProcess *stranger;

        begin(false);
        stranger = fake_stranger();
        world_run(&w, NULL);
        shutdown_order(&s, SIGTERM);
        world_settle(&w);
        ck_assert(is_over(0));
        ck_assert_uint_eq(fake.n_all_killed, 0);
        ck_assert_uint_eq(stranger->n_signals, 0);
        end();
}
END_TEST

TEST_MAIN("shutdown-rest", strangers_are_told, strangers_do_not_heed, strangers_after_a_deaf_job,
          strangers_are_left_alone_by_others)
