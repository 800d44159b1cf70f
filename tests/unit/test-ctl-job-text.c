/* What is said of a job, and how answers are read that have more in them than this version knows, or less.
 */

#include "ctl/job-text.h"

#include <signal.h>

#include "basic/strv.h"
#include "ctl-message.h"
#include "ctl/properties.h"

static void check_outcome(const char *result, int exit_code, int sig, const char *expected)
{
        char text[64];

        outcome_format(result, exit_code, sig, text, sizeof(text));
        ck_assert_str_eq(text, expected);
}

static void check_ago(usec_t time, usec_t now, const char *expected)
{
        char text[40];

        time_ago(time, now, text, sizeof(text));
        ck_assert_str_eq(text, expected);
}

START_TEST(outcomes)
{
        check_outcome("success", 0, 0, "success");
        check_outcome("exit-code", 3, 0, "exit-code 3");
        check_outcome("signal", -1, SIGKILL, "signal SIGKILL");
        check_outcome("timeout", 0, 0, "timeout");
        check_outcome("timeout", -1, SIGTERM, "timeout SIGTERM");
        check_outcome("signal", -1, 64, "signal SIGRTMIN+30");
        check_outcome("signal", -1, 200, "signal unknown signal");
}
END_TEST

START_TEST(how_long_ago)
{
        check_ago(0, 100 * USEC_PER_SEC, "");
        check_ago(100 * USEC_PER_SEC, 100 * USEC_PER_SEC, "now");
        check_ago(100 * USEC_PER_SEC, 101 * USEC_PER_SEC - 1, "now");
        check_ago(100 * USEC_PER_SEC, 103 * USEC_PER_SEC + 500, "3s ago");
        check_ago(100 * USEC_PER_SEC, 225 * USEC_PER_SEC, "2min 5s ago");
        check_ago(100 * USEC_PER_SEC, 90 * USEC_PER_SEC, "now"); /* a clock that was set back */
}
END_TEST

/* The details of Wait, as it were, with much that nobody asks for. */
static Properties read_all(sd_bus *bus)
{
        sd_bus_message *m = message_signal(bus, "/a", "a.b", "C");
        Properties p;

        ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 12, "Result", "s", "exit-code", "ExitCode", "i",
                                               3, "Signal", "i", 0, "State", "s", "exited", "Frozen", "b", 1,
                                               "Odd", "(is)", 1, "x", "Words", "as", 2, "a", "b", "Labels",
                                               "a{ss}", 1, "k", "v", "Ports", "aq", 2, 80, 443, "Bytes",
                                               "ay", 2, 0, 1, "Big", "t", UINT64_MAX, "Small", "y", 7),
                         0);
        ck_assert_int_eq(properties_read(message_sealed(m), &p), 0);
        sd_bus_message_unref(m); /* kept by p */
        return p;
}

START_TEST(properties_by_name_and_type)
{
        sd_bus *bus = message_bus();
        Properties p = read_all(bus);
        const unsigned char *bytes;
        char text[64];
        size_t size;

        job_outcome(&p, text, sizeof(text));
        ck_assert_str_eq(text, "exit-code 3");
        job_state(&p, text, sizeof(text));
        ck_assert_str_eq(text, "exited, frozen");
        ck_assert_int_eq(properties_integer(&p, "ExitCode", -1), 3);
        ck_assert_uint_eq(properties_number(&p, "Big", 0), UINT64_MAX);
        ck_assert_uint_eq(properties_number(&p, "Small", 0), 7);
        ck_assert_uint_eq(strv_length(properties_strv(&p, "Words")), 2);
        ck_assert_str_eq(properties_strv(&p, "Labels")[0], "k=v");
        ck_assert_str_eq(properties_strv(&p, "Ports")[1], "443");
        bytes = properties_bytes(&p, "Bytes", &size);
        ck_assert_uint_eq(size, 2);
        ck_assert_uint_eq(bytes[1], 1);
        ck_assert(properties_has(&p, "Frozen", 'b'));
        ck_assert(!properties_has(&p, "Frozen", 's'));
        properties_done(&p);
        sd_bus_unref(bus);
}
END_TEST

START_TEST(what_is_not_there_is_nothing)
{
        sd_bus *bus = message_bus();
        Properties p = read_all(bus);
        size_t size = 1;

        ck_assert_str_eq(properties_string(&p, "Nix"), "");
        ck_assert_str_eq(properties_string(&p, "ExitCode"), ""); /* of another type */
        ck_assert_int_eq(properties_integer(&p, "Result", -7), -7);
        ck_assert_uint_eq(properties_number(&p, "Odd", 9), 9); /* of a type that is left out */
        ck_assert(!properties_boolean(&p, "Nix"));
        ck_assert_ptr_null(properties_strv(&p, "Nix"));
        ck_assert_ptr_null(properties_bytes(&p, "Words", &size));
        ck_assert_uint_eq(size, 0);
        properties_done(&p);
        sd_bus_unref(bus);
}
END_TEST

START_TEST(a_job_that_runs_has_no_outcome)
{
        Properties p = PROPERTIES_INIT;
        char text[64] = "x";

        job_outcome(&p, text, sizeof(text));
        ck_assert_str_eq(text, "");
}
END_TEST

TEST_MAIN("ctl-job-text", outcomes, how_long_ago, properties_by_name_and_type, what_is_not_there_is_nothing,
          a_job_that_runs_has_no_outcome)
