/* Terminals and the main job, with a terminal of the test's own: who is in front, and what stops whom. */

#include <signal.h>

#include "core/error.h"
#include "core/manager.h"
#include "fake-world.h"
#include "sys/boot.h"
#include "test-main.h"

#define S(text) ((char *) (text))
#define OURS 1

static Manager m;
static BootState boot;
static FakeProcess *leader;

static void settle(void)
{
        unsigned n = 0;

        while (sd_event_get_state(m.event) != SD_EVENT_FINISHED && sd_event_run(m.event, 0) > 0)
                ck_assert_uint_lt(n++, 10000);
}

/* foreground: the group that is in front of the terminal, 0 where there is none. */
static void begin(bool is_pid1, pid_t foreground)
{
        ManagerConfig config = {
                        .boot = &boot,
                        .environment = (char *const[]){NULL},
                        .live_max = 10,
                        .finished_max = 10,
                        .stop_timeout = 8 * USEC_PER_SEC,
        };
        Error e = ERROR_NULL;

        fake_reset();
        fake.monotonic = UINT64_C(100000000) * USEC_PER_SEC;
        fake.foreground = foreground;
        boot = (BootState){.is_pid1 = is_pid1, .working_directory = S("/")};
        ck_assert_int_eq(manager_init(&m, &config), 0);
        ck_assert_int_eq(manager_start_main(&m, (char *const[]){S("payload"), NULL}, &e), 0);
        leader = fake_newest();
        leader->manners = FAKE_IGNORES;
        if (leader->parameters.foreground_fd >= 0) /* as the child does it */
                fake.foreground = leader->pid;
        fake_exec(leader);
        settle();
}

static void end(void)
{
        manager_done(&m);
        fake_done();
}

static void stopped_by(int sig)
{
        leader->stopped_by = sig;
        fake_send_signal(SIGCHLD, leader->pid, false);
        settle();
}

static unsigned continued(void)
{
        return fake_count_signals(leader, SIGCONT);
}

START_TEST(in_front_where_reeve_was)
{
        begin(false, OURS);
        ck_assert_int_eq(fake.foreground, leader->pid);
        fake_exit(leader, 0);
        fake_send_signal(SIGCHLD, leader->pid, false);
        settle();
        ck_assert_int_eq(fake.foreground, OURS); /* and given back */
        end();

        begin(false, 4711); /* started behind a shell */
        ck_assert(leader->parameters.foreground);
        ck_assert_int_lt(leader->parameters.foreground_fd, 0);
        fake_exit(leader, 0);
        fake_send_signal(SIGCHLD, leader->pid, false);
        settle();
        ck_assert_int_eq(fake.foreground, 4711);
        end();

        begin(true, 4711); /* a container's terminal is its own */
        ck_assert_int_eq(fake.foreground, leader->pid);
        end();

        begin(true, 0);
        ck_assert_int_lt(leader->parameters.foreground_fd, 0);
        end();
}
END_TEST

START_TEST(below_a_shell_both_stop)
{
        static const int signals[] = {SIGTSTP, SIGTTIN, SIGTTOU};

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                begin(false, OURS);
                fake.is_below_a_shell = true;
                stopped_by(signals[i]);
                ck_assert_int_eq(fake.stopped_by, signals[i]); /* by the same: the shell says which */
                ck_assert_uint_eq(continued(), 0);

                fake.foreground = 4711; /* bg: the shell keeps the terminal */
                fake_send_signal(SIGCONT, 0, true);
                settle();
                ck_assert_uint_eq(continued(), 1);
                ck_assert_int_eq(fake.foreground, 4711);

                stopped_by(signals[i]);
                fake.foreground = OURS; /* fg */
                fake_send_signal(SIGCONT, 0, true);
                settle();
                ck_assert_uint_eq(continued(), 2);
                ck_assert_int_eq(fake.foreground, leader->pid);
                end();
        }
}
END_TEST

START_TEST(stopped_behind_the_shell_keeps_its_terminal)
{
        begin(false, OURS);
        fake.is_below_a_shell = true;
        stopped_by(SIGTSTP);
        fake.foreground = 4711;
        fake_send_signal(SIGCONT, 0, true);
        settle();
        fake_exit(leader, 0);
        fake_send_signal(SIGCHLD, leader->pid, false);
        settle();
        ck_assert_int_eq(fake.foreground, 4711);
        end();
}
END_TEST

START_TEST(alone_it_goes_on)
{
        for (unsigned is_pid1 = 0; is_pid1 < 2; is_pid1++) {
                begin(is_pid1, OURS);
                stopped_by(SIGTSTP);
                ck_assert_uint_eq(continued(), 1);
                stopped_by(SIGTTIN); /* it would only be stopped again */
                stopped_by(SIGSTOP); /* an order */
                ck_assert_uint_eq(continued(), 1);
                ck_assert_int_eq(fake.foreground, leader->pid);
                ck_assert_int_eq(fake.stopped_by, is_pid1 ? 0 : SIGTTIN);
                end();
        }
}
END_TEST

START_TEST(without_a_terminal_a_stop_is_an_order)
{
        begin(true, 0);
        stopped_by(SIGTSTP);
        ck_assert_uint_eq(continued(), 0);
        fake_send_signal(SIGCONT, 0, true);
        settle();
        ck_assert_uint_eq(continued(), 1);
        end();
}
END_TEST

TEST_MAIN("main-job", in_front_where_reeve_was, below_a_shell_both_stop,
          stopped_behind_the_shell_keeps_its_terminal, alone_it_goes_on,
          without_a_terminal_a_stop_is_an_order)
