/* Readers of numbers: what they take, what they refuse, and that a refusal leaves the result alone. */

#include "basic/parse.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "basic/time.h"
#include "test-main.h"

#define UNTOUCHED UINT64_C(0xabcdef)

typedef struct Case {
        const char *text;
        int error;
        uint64_t value;
} Case;

static void check_cases(int (*parse)(const char *, uint64_t *), const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t value = UNTOUCHED, expected = cases[i].error < 0 ? UNTOUCHED : cases[i].value;
                int r = parse(cases[i].text, &value);

                ck_assert_msg(r == cases[i].error && value == expected, "\"%s\": %i, %llu", cases[i].text, r,
                              (unsigned long long) value);
        }
}

START_TEST(booleans)
{
        static const char *const yes[] = {"yes", "true", "on", "1", "y", "t", "YES", "True"};
        static const char *const no[] = {"no", "false", "off", "0", "n", "f", "OFF"};
        static const char *const neither[] = {"", " yes", "yes ", "2", "01", "ye", "enable"};

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                ck_assert_int_eq(parse_bool(yes[i]), 1);
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                ck_assert_int_eq(parse_bool(no[i]), 0);
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                ck_assert_int_eq(parse_bool(neither[i]), -EINVAL);
}
END_TEST

START_TEST(unsigned_numbers)
{
        static const Case cases[] = {
                {"0", 0, 0},
                {"007", 0, 7},
                {"18446744073709551615", 0, UINT64_MAX},
                {"18446744073709551616", -ERANGE},
                {"99999999999999999999999", -ERANGE},
                {"99999999999999999999999x", -EINVAL},
                {"", -EINVAL},
                {" 1", -EINVAL},
                {"1 ", -EINVAL},
                {"+1", -EINVAL},
                {"-1", -EINVAL},
                {"0x10", -EINVAL},
                {"1e3", -EINVAL},
        };

        check_cases(parse_u64, cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(signed_numbers)
{
        static const struct {
                const char *text;
                int error;
                int64_t value;
        } cases[] = {
                {"-0", 0, 0},
                {"-12", 0, -12},
                {"9223372036854775807", 0, INT64_MAX},
                {"-9223372036854775808", 0, INT64_MIN},
                {"9223372036854775808", -ERANGE},
                {"-9223372036854775809", -ERANGE},
                {"-", -EINVAL},
                {"--1", -EINVAL},
                {"- 1", -EINVAL},
                {"+1", -EINVAL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t value = 42;

                ck_assert_int_eq(parse_i64(cases[i].text, &value), cases[i].error);
                ck_assert_int_eq(value, cases[i].error < 0 ? 42 : cases[i].value);
        }
}
END_TEST

START_TEST(modes)
{
        uint32_t mode = 42;

        ck_assert_int_eq(parse_mode("8", &mode), -EINVAL);
        ck_assert_int_eq(parse_mode("0o755", &mode), -EINVAL);
        ck_assert_int_eq(parse_mode("-1", &mode), -EINVAL);
        ck_assert_int_eq(parse_mode("10000", &mode), -ERANGE);
        ck_assert_uint_eq(mode, 42);
        ck_assert_int_eq(parse_mode("0644", &mode), 0);
        ck_assert_uint_eq(mode, 0644);
        ck_assert_int_eq(parse_mode("7777", &mode), 0);
        ck_assert_uint_eq(mode, 07777);
}
END_TEST

START_TEST(bytes)
{
        static const Case cases[] = {
                {"0", 0, 0},
                {"300", 0, 300},
                {"300B", 0, 300},
                {"4K", 0, 4096},
                {"1.5M", 0, 1536 * 1024},
                {"0.1K", 0, 102},
                {"2G", 0, UINT64_C(2) << 30},
                {"3T", 0, UINT64_C(3) << 40},
                {"1P", 0, UINT64_C(1) << 50},
                {"15E", 0, UINT64_C(15) << 60},
                {"16E", -ERANGE},
                {"infinity", 0, UINT64_MAX},
                {"", -EINVAL},
                {"K", -EINVAL},
                {"1.5", -EINVAL},
                {"1.5B", -EINVAL},
                {"1.K", -EINVAL},
                {".5K", -EINVAL},
                {"1k", -EINVAL},
                {"1KB", -EINVAL},
                {"1 K", -EINVAL},
                {" 1K", -EINVAL},
                {"-1K", -EINVAL},
                {"50%", -EINVAL},
                {"Infinity", -EINVAL},
        };

        check_cases(parse_bytes, cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(bytes_do_not_wrap)
{
        uint64_t value = UNTOUCHED;

        /* Eighteen decimals are looked at, so this is below 16 EiB, and not above. */
        ck_assert_int_eq(parse_bytes("15.999999999999999999999E", &value), 0);
        ck_assert_uint_gt(value, UINT64_MAX - 100);
        value = UNTOUCHED;
        ck_assert_int_eq(parse_bytes("18446744073709551615K", &value), -ERANGE);
        ck_assert_int_eq(parse_bytes("15.5E", &value), 0);
        ck_assert_uint_eq(value, UINT64_C(31) << 59);
}
END_TEST

START_TEST(times)
{
        static const Case cases[] = {
                {"0", 0, 0},
                {"90", 0, 90 * USEC_PER_SEC},
                {"1min 30s", 0, 90 * USEC_PER_SEC},
                {"1min30s", 0, 90 * USEC_PER_SEC},
                {"1min 30", 0, 90 * USEC_PER_SEC},
                {"100ms", 0, 100 * USEC_PER_MSEC},
                {"2.5s", 0, 2500 * USEC_PER_MSEC},
                {"0.5", 0, 500 * USEC_PER_MSEC},
                {"2 h", 0, 7200 * USEC_PER_SEC},
                {"7us", 0, 7},
                {"7\xc2\xb5s", 0, 7},
                {"7\xce\xbcs", 0, 7},
                {"1d 2hr 3m 4sec", 0, UINT64_C(93784) * USEC_PER_SEC},
                {"2weeks", 0, UINT64_C(1209600) * USEC_PER_SEC},
                {"1M", 0, UINT64_C(2629800) * USEC_PER_SEC},
                {"1y", 0, UINT64_C(31557600) * USEC_PER_SEC},
                {"infinity", 0, USEC_INFINITY},
                {"18446744073709551614us", 0, USEC_INFINITY - 1},
                {"18446744073709551615us", -ERANGE}, /* said with its word only */
                {"18446744073709551615us 1us", -ERANGE},
                {"600000y", -ERANGE},
                {"", -EINVAL},
                {" 1s", -EINVAL},
                {"1s ", -EINVAL},
                {"1 ", -EINVAL},
                {"s", -EINVAL},
                {"-1s", -EINVAL},
                {"1.s", -EINVAL},
                {"1 s s", -EINVAL},
                {"1parsec", -EINVAL},
                {"1se", -EINVAL},
                {"1sec second", -EINVAL},
                {"1min infinity", -EINVAL},
                {"1,5s", -EINVAL},
        };

        check_cases(parse_usec, cases, ELEMENTSOF(cases));
}
END_TEST

/* What format_timespan() shows, parse_usec() reads: exactly below a minute. */
START_TEST(times_come_back)
{
        for (uint64_t span = 1; span < 60 * USEC_PER_SEC; span = span * 5 / 3 + 1) {
                uint64_t back, shown = span < USEC_PER_SEC ? span : span / 1000 * 1000;
                char text[32];

                format_timespan(span, text, sizeof(text));
                ck_assert_int_eq(parse_usec(text, &back), 0);
                ck_assert_uint_eq(back, shown);
        }
}
END_TEST

START_TEST(signals)
{
        static const struct {
                const char *text;
                int signal;
        } good[] = {
                {"TERM", SIGTERM},
                {"SIGTERM", SIGTERM},
                {"15", 15},
                {"SIGSYS", SIGSYS},
                {"1", 1},
                {"64", 64},
                {"RTMIN", 34},
                {"RTMIN+3", 37},
                {"SIGRTMIN+30", 64},
                {"RTMAX", 64},
                {"RTMAX-30", 34},
                {"SIGRTMAX-1", 63},
                {"33", 33},
        };
        static const char *const bad[] = {
                "",       "0",        "65",      "-15",
                "term",   "SIG",      "SIG15",   "SIGSIGTERM",
                "TERM ",  "RTMIN+31", "RTMIN-1", "RTMAX+1",
                "RTMIN+", "RTMIN3",   "+15",     "99999999999999999999",
        };
        int sig = 42;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ck_assert_int_eq(parse_signal(good[i].text, &sig), 0);
                ck_assert_int_eq(sig, good[i].signal);
        }
        sig = 42;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ck_assert_int_lt(parse_signal(bad[i], &sig), 0);
                ck_assert_int_eq(sig, 42);
        }
}
END_TEST

START_TEST(signal_names)
{
        ck_assert_str_eq(signal_name(SIGTERM), "SIGTERM");
        ck_assert_str_eq(signal_name(SIGRTMIN), "SIGRTMIN");
        ck_assert_str_eq(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
        ck_assert_ptr_null(signal_name(0));
        ck_assert_ptr_null(signal_name(-1));
        ck_assert_ptr_null(signal_name(65));
        for (int sig = 1; sig <= 64; sig++) {
                int back;

                ck_assert_int_eq(parse_signal(signal_name(sig), &back), 0);
                ck_assert_int_eq(back, sig);
                /* libc's table says the same; but it prefers the name that System V gave to SIGIO. */
                if (sig < 32 && sig != SIGIO)
                        ck_assert_str_eq(signal_name(sig) + 3, sigabbrev_np(sig));
        }
}
END_TEST

TEST_MAIN("parse", booleans, unsigned_numbers, signed_numbers, modes, bytes, bytes_do_not_wrap, times,
          times_come_back, signals, signal_names)
