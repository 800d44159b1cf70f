/* Whether, when and how often something is run again: every ending by every Restart=, and times that are
 * told. */

#include <check.h>
#include <signal.h>

#include "core/restart.h"
#include "test-main.h"

static const struct {
        RunEnd end;
        bool success;
        bool exit_code; /* not abnormal, though no success */
} ends[] = {
                {{JOB_RESULT_SUCCESS, 0, 0, 0}, true, false},
                {{JOB_RESULT_EXIT_CODE, 1, 0, 0}, false, true},
                {{JOB_RESULT_EXIT_CODE, 255, 0, 0}, false, true},
                {{JOB_RESULT_SIGNAL, -1, SIGHUP, 0}, true, false},
                {{JOB_RESULT_SIGNAL, -1, SIGINT, 0}, true, false},
                {{JOB_RESULT_SIGNAL, -1, SIGTERM, 0}, true, false},
                {{JOB_RESULT_SIGNAL, -1, SIGPIPE, 0}, true, false},
                {{JOB_RESULT_SIGNAL, -1, SIGKILL, 0}, false, false},
                {{JOB_RESULT_SIGNAL, -1, 64, 0}, false, false},
                {{JOB_RESULT_CORE_DUMP, -1, SIGSEGV, 0}, false, false},
                /* Ended by reeve or the kernel: whatever the leader made of it. */
                {{JOB_RESULT_TIMEOUT, 0, 0, 0}, false, false},
                {{JOB_RESULT_TIMEOUT, -1, SIGTERM, 0}, false, false},
                {{JOB_RESULT_OOM_KILL, -1, SIGKILL, 0}, false, false},
                {{JOB_RESULT_WATCHDOG, -1, SIGABRT, 0}, false, false},
};

START_TEST(every_end_by_every_policy)
{
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                const RunEnd *end = &ends[i].end;
                RunEnd known = *end;
                bool success = ends[i].success;
                RestartPolicy p = {.when = RESTART_NO};

                ck_assert_int_eq(restart_is_success(&p, end), success);
                ck_assert(!restart_is_wanted(&p, end));
                p.when = RESTART_ALWAYS;
                ck_assert(restart_is_wanted(&p, end));
                p.when = RESTART_ON_SUCCESS;
                ck_assert_int_eq(restart_is_wanted(&p, end), success);
                p.when = RESTART_ON_FAILURE;
                ck_assert_int_eq(restart_is_wanted(&p, end), !success);
                p.when = RESTART_ON_ABNORMAL;
                ck_assert_int_eq(restart_is_wanted(&p, end), !success && !ends[i].exit_code);

                known.failed = true;
                ck_assert(!restart_is_success(&p, &known));
                p.when = RESTART_ON_FAILURE;
                ck_assert(restart_is_wanted(&p, &known));
        }
}
END_TEST

START_TEST(named_successes)
{
        RestartPolicy p = {.when = RESTART_ON_FAILURE,
                           .success = {.codes = {UINT64_C(1) << 3, 0, 0, UINT64_C(1) << 63},
                                       .signals = (UINT64_C(1) << (SIGUSR1 - 1)) | (UINT64_C(1) << 63) |
                                                  (UINT64_C(1) << (SIGABRT - 1))}};
        static const RunEnd successes[] = {{JOB_RESULT_EXIT_CODE, 3, 0, 0},
                                           {JOB_RESULT_EXIT_CODE, 255, 0, 0},
                                           {JOB_RESULT_SIGNAL, -1, SIGUSR1, 0},
                                           {JOB_RESULT_SIGNAL, -1, 64, 0},
                                           {JOB_RESULT_CORE_DUMP, -1, SIGABRT, 0},
                                           {JOB_RESULT_SUCCESS, 0, 0, 0}},
                            failures[] = {{JOB_RESULT_EXIT_CODE, 4, 0, 0},
                                          {JOB_RESULT_EXIT_CODE, SIGUSR1, 0, 0},
                                          {JOB_RESULT_SIGNAL, -1, SIGUSR2, 0},
                                          {JOB_RESULT_SIGNAL, -1, 3, 0},
                                          {JOB_RESULT_TIMEOUT, 3, 0, 0},
                                          {JOB_RESULT_OOM_KILL, -1, SIGUSR1, 0}};

        for (size_t i = 0; i < ELEMENTSOF(successes); i++)
                ck_assert(restart_is_success(&p, &successes[i]) && !restart_is_wanted(&p, &successes[i]));
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                ck_assert(!restart_is_success(&p, &failures[i]) && restart_is_wanted(&p, &failures[i]));
}
END_TEST

/* Stronger than any Restart=. */
START_TEST(prevented)
{
        RestartPolicy p = {.prevent = {.codes = {1 | UINT64_C(1) << 3},
                                       .signals = UINT64_C(1) << (SIGKILL - 1)}};
        static const RestartWhen all[] = {RESTART_ON_FAILURE, RESTART_ON_ABNORMAL, RESTART_ALWAYS,
                                          RESTART_ON_SUCCESS};

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                p.when = all[i];
                ck_assert(!restart_is_wanted(&p, &(RunEnd){JOB_RESULT_SUCCESS, 0, 0, 0}));
                ck_assert(!restart_is_wanted(&p, &(RunEnd){JOB_RESULT_EXIT_CODE, 3, 0, 0}));
                ck_assert(!restart_is_wanted(&p, &(RunEnd){JOB_RESULT_SIGNAL, -1, SIGKILL, 0}));
        }
        p.when = RESTART_ALWAYS;
        ck_assert(restart_is_wanted(&p, &(RunEnd){JOB_RESULT_EXIT_CODE, 4, 0, 0}));
        ck_assert(restart_is_wanted(&p, &(RunEnd){JOB_RESULT_SIGNAL, -1, SIGTERM, 0}));
}
END_TEST

static usec_t next_pause(const RestartPolicy *p, RestartState *s, usec_t lasted)
{
        return restart_pause(p, s, &(RunEnd){JOB_RESULT_EXIT_CODE, 1, 0, lasted});
}

START_TEST(pauses_are_even)
{
        RestartPolicy p = {.delay = 100, .max_delay = USEC_INFINITY, .interval = 1000};
        RestartState s = {0};

        for (int i = 0; i < 100; i++)
                ck_assert_uint_eq(next_pause(&p, &s, 1), 100);
        /* A longest pause that is none. */
        p.max_delay = 50;
        for (int i = 0; i < 100; i++)
                ck_assert_uint_eq(next_pause(&p, &s, 1), 100);
}
END_TEST

START_TEST(pauses_double)
{
        static const usec_t expected[] = {100, 200, 400, 800, 1000, 1000};
        RestartPolicy p = {.delay = 100, .max_delay = 1000};
        RestartState s = {0};

        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                ck_assert_uint_eq(next_pause(&p, &s, 999), expected[i]);
        s.n_pauses = UINT32_MAX;
        ck_assert_uint_eq(next_pause(&p, &s, 0), 1000);
        ck_assert_uint_eq(next_pause(&p, &s, 0), 1000);

        /* From nothing, and to the end of time. */
        p.delay = 0;
        s = (RestartState){0};
        ck_assert_uint_eq(next_pause(&p, &s, 0), 0);
        ck_assert_uint_eq(next_pause(&p, &s, 0), 2);
        p = (RestartPolicy){.delay = 1, .max_delay = USEC_INFINITY - 1};
        for (int i = 0; i < 70; i++)
                (void) next_pause(&p, &s, 0);
        ck_assert_uint_eq(next_pause(&p, &s, 0), USEC_INFINITY - 1);
}
END_TEST

START_TEST(pauses_grow_in_steps)
{
        static const usec_t expected[] = {100, 1000, 10000, 100000, 100000};
        RestartPolicy p = {.delay = 100, .max_delay = 100000, .steps = 3};
        RestartState s = {0};

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                usec_t pause = next_pause(&p, &s, 0);

                ck_assert(pause <= expected[i] && pause + 1 >= expected[i]);
        }
        p.steps = 1;
        s = (RestartState){0};
        ck_assert_uint_eq(next_pause(&p, &s, 0), 100);
        ck_assert_uint_eq(next_pause(&p, &s, 0), 100000);

        /* So many that they are hardly longer than each other: never shorter, never more than the last. */
        p = (RestartPolicy){.delay = 0, .max_delay = USEC_PER_SEC, .steps = 10000};
        s = (RestartState){0};
        for (usec_t last = 0, i = 0; i < 10100; i += 100) {
                usec_t pause;

                s.n_pauses = (unsigned) i;
                pause = next_pause(&p, &s, 0);
                ck_assert(pause >= last && pause <= USEC_PER_SEC);
                last = pause;
        }
        ck_assert_uint_eq(next_pause(&p, &s, 0), USEC_PER_SEC);
}
END_TEST

START_TEST(a_good_run_has_them_forgotten)
{
        RestartPolicy p = {.delay = 100, .max_delay = 1000};
        RestartState s = {0};

        for (int i = 0; i < 3; i++)
                (void) next_pause(&p, &s, 0);
        ck_assert_uint_eq(next_pause(&p, &s, 999), 800);
        ck_assert_uint_eq(next_pause(&p, &s, 1000), 100);
        ck_assert_uint_eq(next_pause(&p, &s, 0), 200);
        restart_forget(&s);
        ck_assert_uint_eq(next_pause(&p, &s, 0), 100);
}
END_TEST

START_TEST(so_many_runs_and_no_more)
{
        RestartPolicy p = {.burst = 3, .interval = 1000};
        RestartState s = {0};

        for (usec_t now = 5000; now < 5003; now++)
                ck_assert(restart_count(&p, &s, now));
        ck_assert(!restart_count(&p, &s, 5003));
        ck_assert(!restart_count(&p, &s, 5999));
        ck_assert(restart_count(&p, &s, 6000)); /* the interval began at 5000, and has passed */
        ck_assert(restart_count(&p, &s, 6999));
        ck_assert(restart_count(&p, &s, 6999));
        ck_assert(!restart_count(&p, &s, 6999));
        restart_forget(&s);
        ck_assert(restart_count(&p, &s, 6999));
}
END_TEST

START_TEST(no_limit_and_an_endless_one)
{
        RestartPolicy p = {.burst = 0, .interval = 1000};
        RestartState s = {0};

        for (int i = 0; i < 1000; i++)
                ck_assert(restart_count(&p, &s, 1));
        p = (RestartPolicy){.burst = 1, .interval = 0};
        for (int i = 0; i < 1000; i++)
                ck_assert(restart_count(&p, &s, 1));
        p = (RestartPolicy){.burst = 1, .interval = USEC_INFINITY};
        ck_assert(restart_count(&p, &s, 0));
        ck_assert(!restart_count(&p, &s, USEC_INFINITY - 1));
}
END_TEST

TEST_MAIN("restart", every_end_by_every_policy, named_successes, prevented, pauses_are_even, pauses_double,
          pauses_grow_in_steps, a_good_run_has_them_forgotten, so_many_runs_and_no_more,
          no_limit_and_an_endless_one)
