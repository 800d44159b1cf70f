/* The whole lives of services: their commands one after another, what ends them, and what follows. */

#include <errno.h>
#include <signal.h>

#include "unit-world.h"

static UnitWorld u;
static Waiter started, stopped, second;

#define ALL                                                                                                 \
        "ExecStartPre=/pre\nExecStart=/main\nExecStartPost=/post\nExecReload=/reload\nExecStop=/stop\n"     \
        "ExecStopPost=/stop-post\n"

static Service *begin(const char *text)
{
        unit_world_init(&u, (const FakeUnitFile[]){{"/e/a.service", text}, {NULL}});
        return service_of(&u, "a.service");
}

static void end(void)
{
        unit_world_done(&u);
}

START_TEST(a_whole_life)
{
        Service *s = begin("[Service]\nType=exec\n" ALL);
        FakeProcess *main_process;

        waiter_start(&u, "a.service", &started);
        check_state(s, SERVICE_START_PRE, "success");
        passes(&u, "/pre", 0);
        check_state(s, SERVICE_START, "success");
        main_process = execs(&u, "/main");
        check_state(s, SERVICE_START_POST, "success");
        ck_assert(!started.told);
        passes(&u, "/post", 0);
        check_state(s, SERVICE_RUNNING, "success");
        ck_assert(started.told && started.r == 0);
        ck_assert_int_eq(unit_set_reload_unit(&u.units, "a.service", NULL, NULL), 0);
        settle(&u);
        check_state(s, SERVICE_RELOAD, "success");
        passes(&u, "/reload", 0);
        check_state(s, SERVICE_RUNNING, "success");
        waiter_stop(&u, "a.service", &stopped);
        check_state(s, SERVICE_STOP, "success");
        ck_assert(main_process->alive);
        passes(&u, "/stop", 0);
        ck_assert(!main_process->alive);
        ck_assert_uint_eq(fake_count_signals(main_process, SIGTERM), 1);
        check_state(s, SERVICE_STOP_POST, "success");
        ck_assert(!stopped.told);
        passes(&u, "/stop-post", 0);
        check_state(s, SERVICE_DEAD, "success");
        ck_assert(stopped.told && stopped.r == 0);
        ck_assert(job_is_finished(s->job));
        end();
}
END_TEST

START_TEST(pre_fails)
{
        Service *s = begin("[Service]\nType=exec\n" ALL);

        waiter_start(&u, "a.service", &started);
        passes(&u, "/pre", 3);
        check_state(s, SERVICE_STOP_POST, "exit-code"); /* without /main and /stop */
        passes(&u, "/stop-post", 0);
        check_state(s, SERVICE_FAILED, "exit-code");
        ck_assert_int_eq(s->exit_code, 3);
        ck_assert(started.told);
        ck_assert_int_eq(started.e.kind, ERROR_START_FAILED);
        end();
}
END_TEST

START_TEST(pre_that_may_fail)
{
        Service *s = begin("[Service]\nType=exec\nExecStartPre=-/pre\nExecStart=/main\n");

        waiter_start(&u, "a.service", &started);
        passes(&u, "/pre", 3);
        execs(&u, "/main");
        check_state(s, SERVICE_RUNNING, "success");
        end();
}
END_TEST

START_TEST(exec_fails)
{
        Service *s = begin("[Service]\nType=exec\nExecStart=/main\nExecStopPost=/stop-post\n");

        waiter_start(&u, "a.service", &started);
        fake_exec_fails(runs("/main"), SPAWN_EXEC, ENOENT, NULL);
        settle(&u);
        passes(&u, "/stop-post", 0);
        check_state(s, SERVICE_FAILED, "resources");
        ck_assert(started.told && started.r < 0);
        end();
}
END_TEST

START_TEST(main_fails)
{
        Service *s = begin("[Service]\nType=exec\n" ALL);

        waiter_start(&u, "a.service", &started);
        passes(&u, "/pre", 0);
        {
                FakeProcess *p = execs(&u, "/main");

                passes(&u, "/post", 0);
                ends(&u, p, 5);
        }
        check_state(s, SERVICE_STOP, "exit-code");
        passes(&u, "/stop", 0);
        passes(&u, "/stop-post", 1); /* it is not the first that went wrong */
        check_state(s, SERVICE_FAILED, "exit-code");
        ck_assert_int_eq(s->exit_code, 5);
        ck_assert_int_eq(s->job->exit_code, 5);
        end();
}
END_TEST

/* While ExecStartPost= runs: that is ended, too, and the start has failed. */
START_TEST(main_fails_meanwhile)
{
        Service *s = begin("[Service]\nType=exec\nExecStart=/main\nExecStartPost=/post\n");
        FakeProcess *p, *post;

        waiter_start(&u, "a.service", &started);
        p = execs(&u, "/main");
        post = execs(&u, "/post");
        ends(&u, p, 5);
        ck_assert(!post->alive);
        check_state(s, SERVICE_FAILED, "exit-code");
        ck_assert(started.told && started.r < 0);
        end();
}
END_TEST

START_TEST(too_slow_a_start)
{
        Service *s = begin("[Service]\nType=notify\nTimeoutStartSec=5\nTimeoutStopSec=3\nExecStart=/main\n");
        FakeProcess *p;

        waiter_start(&u, "a.service", &started);
        p = execs(&u, "/main");
        p->manners = FAKE_IGNORES;
        pass(&u, 5 * SECOND - MOMENT);
        check_state(s, SERVICE_START, "success");
        pass(&u, MOMENT);
        check_state(s, SERVICE_KILL, "timeout");
        ck_assert_uint_eq(fake_count_signals(p, SIGTERM), 1);
        pass(&u, 3 * SECOND);
        ck_assert(!p->alive);
        check_state(s, SERVICE_FAILED, "timeout");
        ck_assert(started.told && started.r < 0);
        end();
}
END_TEST

START_TEST(too_slow_a_stop)
{
        Service *s = begin("[Service]\nType=exec\nTimeoutStopSec=3\nExecStart=/main\n");
        FakeProcess *p;

        waiter_start(&u, "a.service", &started);
        p = execs(&u, "/main");
        p->manners = FAKE_IGNORES;
        waiter_stop(&u, "a.service", &stopped);
        pass(&u, 3 * SECOND - MOMENT);
        ck_assert(p->alive);
        ck_assert(!stopped.told);
        pass(&u, MOMENT);
        check_state(s, SERVICE_FAILED, "timeout");
        ck_assert(stopped.told && stopped.r == 0);
        end();
}
END_TEST

START_TEST(oneshot_chain)
{
        Service *s = begin("[Service]\nType=oneshot\nExecStart=/one\nExecStart=-/two\nExecStart=/three\n");

        waiter_start(&u, "a.service", &started);
        passes(&u, "/one", 0);
        passes(&u, "/two", 1);
        ck_assert(!started.told);
        passes(&u, "/three", 0);
        check_state(s, SERVICE_DEAD, "success");
        ck_assert(started.told && started.r == 0);
        /* And again; this time the chain breaks. */
        waiter_start(&u, "a.service", &started);
        passes(&u, "/one", 4);
        check_state(s, SERVICE_FAILED, "exit-code");
        ck_assert(started.told && started.r < 0);
        end();
}
END_TEST

START_TEST(oneshot_that_remains)
{
        Service *s = begin(
                        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/one\nExecReload=/reload\n"
                        "ExecStop=/stop\n");

        waiter_start(&u, "a.service", &started);
        passes(&u, "/one", 0);
        check_state(s, SERVICE_EXITED, "success");
        ck_assert(!job_is_finished(s->job));
        ck_assert_int_eq(unit_set_reload_unit(&u.units, "a.service", NULL, NULL), 0);
        settle(&u);
        passes(&u, "/reload", 1);
        check_state(s, SERVICE_EXITED, "exit-code"); /* it goes on as it was */
        waiter_stop(&u, "a.service", &stopped);
        passes(&u, "/stop", 0);
        ck_assert(stopped.told);
        ck_assert(service_is_inactive(s));
        end();
}
END_TEST

START_TEST(restarts_with_growing_pauses)
{
        Service *s = begin("[Service]\nType=exec\nExecStart=/main\nRestart=on-failure\nRestartSec=1\n"
                           "RestartMaxDelaySec=3\nStartLimitBurst=0\n");
        static const usec_t pauses[] = {1, 2, 3, 3};

        waiter_start(&u, "a.service", &started);
        for (unsigned i = 0; i < 4; i++) {
                passes(&u, "/main", 1);
                check_state(s, SERVICE_PAUSE, "exit-code");
                ck_assert_uint_eq(s->job->n_restarts, i + 1);
                pass(&u, pauses[i] * SECOND - MOMENT);
                check_state(s, SERVICE_PAUSE, "exit-code");
                pass(&u, MOMENT);
                check_state(s, SERVICE_START, "success");
        }
        passes(&u, "/main", 0);
        check_state(s, SERVICE_DEAD, "success");
        end();
}
END_TEST

START_TEST(started_too_often)
{
        Service *s = begin("[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=100\n"
                           "[Service]\nType=exec\nExecStart=/main\nRestart=always\nRestartSec=1\n");

        waiter_start(&u, "a.service", &started);
        for (unsigned i = 0; i < 3; i++) {
                passes(&u, "/main", 0);
                pass(&u, SECOND);
        }
        check_state(s, SERVICE_FAILED, "start-limit-hit");
        ck_assert_int_eq(s->job->result, JOB_RESULT_START_LIMIT_HIT);
        ck_assert_uint_eq(fake.n_spawned, 3);
        waiter_start(&u, "a.service", &started); /* who asks for it gets it */
        execs(&u, "/main");
        check_state(s, SERVICE_RUNNING, "success");
        end();
}
END_TEST

START_TEST(stop_in_a_pause)
{
        Service *s = begin("[Service]\nType=exec\nExecStart=/main\nRestart=always\nRestartSec=10\n");

        waiter_start(&u, "a.service", &started);
        passes(&u, "/main", 0);
        check_state(s, SERVICE_PAUSE, "success");
        waiter_stop(&u, "a.service", &stopped);
        check_state(s, SERVICE_DEAD, "success");
        ck_assert(stopped.told && stopped.r == 0);
        pass(&u, 100 * SECOND);
        ck_assert_uint_eq(fake.n_spawned, 1);
        end();
}
END_TEST

START_TEST(start_in_a_pause)
{
        Service *s = begin("[Service]\nType=exec\nExecStart=/main\nRestart=always\nRestartSec=10\n");

        waiter_start(&u, "a.service", &started);
        passes(&u, "/main", 0);
        waiter_start(&u, "a.service", &started);
        execs(&u, "/main"); /* at once */
        check_state(s, SERVICE_RUNNING, "success");
        ck_assert(started.told && started.r == 0);
        pass(&u, 100 * SECOND);
        ck_assert_uint_eq(fake.n_spawned, 2);
        end();
}
END_TEST

/* Its life up to a state, in which an order meets it. */
static void go_to(Service *s, ServiceState state)
{
        static const char *const commands[] = {"/pre", "/main", "/post"};
        FakeProcess *p;

        waiter_start(&u, "a.service", &started);
        for (unsigned i = 0; s->state != state && i < ELEMENTSOF(commands); i++) {
                p = execs(&u, commands[i]);
                p->manners = FAKE_IGNORES;
                if (i != 1)
                        ends(&u, p, 0);
        }
        if (state == SERVICE_RELOAD)
                ck_assert_int_eq(unit_set_reload_unit(&u.units, "a.service", NULL, NULL), 0);
        settle(&u);
        if (state == SERVICE_STOP || state == SERVICE_KILL)
                waiter_stop(&u, "a.service", &stopped);
        if (state == SERVICE_KILL)
                passes(&u, "/stop", 0);
        ck_assert_int_eq(s->state, state);
}

START_TEST(stop_and_kill_in_each_state)
{
        static const ServiceState states[] = {SERVICE_START_PRE, SERVICE_START,  SERVICE_START_POST,
                                              SERVICE_RUNNING,   SERVICE_RELOAD, SERVICE_STOP,
                                              SERVICE_KILL};

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                for (unsigned kill = 0; kill < 2; kill++) {
                        Service *s = begin("[Service]\nType=exec\nTimeoutStopSec=2\nRestart=always\n" ALL);
                        unsigned n_spawned;

                        go_to(s, states[i]);
                        n_spawned = fake.n_spawned;
                        if (kill)
                                job_stop(s->job, SIGKILL, 0);
                        else
                                waiter_stop(&u, "a.service", &second);
                        settle(&u);
                        if (kill) {
                                ck_assert_msg(service_is_inactive(s), "%d", (int) states[i]);
                                ck_assert_uint_eq(fake.n_spawned, n_spawned);
                        }
                        /* With time alone it comes to its end, whoever ignores what. */
                        for (unsigned n = 0; n < 4; n++) {
                                FakeProcess *p = fake_newest();

                                if (p->alive && p->status_fd >= 0)
                                        fake_exec(p);
                                p->manners = FAKE_IGNORES;
                                pass(&u, 60 * SECOND);
                        }
                        ck_assert_msg(service_is_inactive(s), "%d, %u: %d", (int) states[i], kill,
                                      (int) s->state);
                        ck_assert(job_is_finished(s->job));
                        ck_assert(started.told);
                        ck_assert_uint_eq(fake.n_scopes, 0);
                        end();
                }
}
END_TEST

TEST_MAIN("service", a_whole_life, pre_fails, pre_that_may_fail, exec_fails, main_fails,
          main_fails_meanwhile, too_slow_a_start, too_slow_a_stop, oneshot_chain, oneshot_that_remains,
          restarts_with_growing_pauses, started_too_often, stop_in_a_pause, start_in_a_pause,
          stop_and_kill_in_each_state)
