/* What each signal to reeve means: design.md, PID 1. */

#include "core/signals.h"

#include <errno.h>
#include <signal.h>

#include "core/shutdown.h"
#include "test-main.h"

START_TEST(orders)
{
        const int numbers[] = {SIGTERM, SIGINT, SIGPWR, SIGRTMIN + 3, SIGRTMIN + 4, SIGRTMIN + 5};

        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                ck_assert_msg(signal_meaning(numbers[i]) == SIGNAL_SHUTDOWN, "%d", numbers[i]);
}
END_TEST

START_TEST(ours_alone)
{
        ck_assert_int_eq(signal_meaning(SIGCHLD), SIGNAL_CHILD);
        ck_assert_int_eq(signal_meaning(SIGPIPE), SIGNAL_NOTHING);
        ck_assert_int_eq(signal_meaning(SIGTTIN), SIGNAL_NOTHING);
        ck_assert_int_eq(signal_meaning(SIGTTOU), SIGNAL_NOTHING);
}
END_TEST

START_TEST(the_main_jobs)
{
        const int passed[] = {SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH,
                              SIGCONT, SIGALRM, SIGTSTP, SIGURG};

        for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
                ck_assert_msg(signal_meaning(passed[i]) == SIGNAL_PASS_ON, "%d", passed[i]);
        for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
                if (sig < SIGRTMIN + 3 || sig > SIGRTMIN + 5)
                        ck_assert_msg(signal_meaning(sig) == SIGNAL_PASS_ON, "%d", sig);
}
END_TEST

/* Six orders, one child, three that are nothing: the rest is passed on. */
START_TEST(every_signal_has_one_meaning)
{
        unsigned counts[4] = {0};

        for (int sig = 1; sig <= 64; sig++) {
                SignalMeaning m = signal_meaning(sig);

                ck_assert_int_ge(m, 0);
                ck_assert_int_le(m, SIGNAL_NOTHING);
                counts[m]++;
        }
        ck_assert_uint_eq(counts[SIGNAL_SHUTDOWN], 6);
        ck_assert_uint_eq(counts[SIGNAL_CHILD], 1);
        ck_assert_uint_eq(counts[SIGNAL_NOTHING], 3);
        ck_assert_uint_eq(counts[SIGNAL_PASS_ON], 54);
}
END_TEST

START_TEST(what_becomes_of_a_machine)
{
        static const char *const names[] = {"exit", "poweroff", "reboot", "halt"};

        for (int i = 0; i < _POWER_MAX; i++) {
                ck_assert_str_eq(shutdown_power_to_string((PowerAction) i), names[i]);
                ck_assert_int_eq(shutdown_power_from_string(names[i]), i);
        }
        ck_assert_int_eq(shutdown_power_from_string("explode"), -EINVAL);
}
END_TEST

/* As systemd has it. */
START_TEST(orders_to_a_machine)
{
        ck_assert_int_eq(signal_power(SIGRTMIN + 3), POWER_HALT);
        ck_assert_int_eq(signal_power(SIGRTMIN + 4), POWER_OFF);
        ck_assert_int_eq(signal_power(SIGRTMIN + 5), POWER_REBOOT);
        ck_assert_int_eq(signal_power(SIGINT), POWER_REBOOT); /* ctrl-alt-del */
        ck_assert_int_eq(signal_power(SIGPWR), POWER_OFF);
        ck_assert_int_eq(signal_power(SIGTERM), POWER_OFF);
}
END_TEST

TEST_MAIN("signals", what_becomes_of_a_machine, orders_to_a_machine, orders, ours_alone, the_main_jobs,
          every_signal_has_one_meaning)
