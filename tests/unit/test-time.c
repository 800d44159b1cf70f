/* Times and sizes as text. */

#include "basic/time.h"

#include <stdlib.h>
#include <time.h>

#include "test-main.h"

static void in_zone(const char *zone)
{
        setenv("TZ", zone, 1);
        tzset();
}

START_TEST(timestamps)
{
        char text[40];

        in_zone("UTC0");
        format_timestamp_iso(UINT64_C(1795471742123456), text, sizeof(text));
        ck_assert_str_eq(text, "2026-11-23T22:09:02.123456+0000");
        format_timestamp_iso(0, text, sizeof(text));
        ck_assert_str_eq(text, "1970-01-01T00:00:00.000000+0000");
        in_zone("XYZ-5:30");
        format_timestamp_iso(1, text, sizeof(text));
        ck_assert_str_eq(text, "1970-01-01T05:30:00.000001+0530");
}
END_TEST

START_TEST(timestamps_of_no_year)
{
        char text[40], small[8];

        in_zone("UTC0");
        format_timestamp_iso(USEC_INFINITY, text, sizeof(text));
        ck_assert_str_eq(text, "586524-01-19T08:01:49.551615+0000");
        format_timestamp_iso(0, small, sizeof(small));
        ck_assert_str_eq(small, "1970-01");
}
END_TEST

START_TEST(timespans)
{
        static const struct {
                usec_t span;
                const char *text;
        } cases[] = {
                {0, "0"},
                {7, "7us"},
                {999, "999us"},
                {1000, "1ms"},
                {1500, "1.5ms"},
                {130 * USEC_PER_MSEC, "130ms"},
                {999999, "999.999ms"},
                {USEC_PER_SEC, "1s"},
                {2500 * USEC_PER_MSEC, "2.5s"},
                {2050 * USEC_PER_MSEC, "2.05s"},
                {90 * USEC_PER_SEC, "1min 30s"},
                {60 * USEC_PER_SEC + 1, "1min"},
                {3600 * USEC_PER_SEC, "1h"},
                {UINT64_C(90061) * USEC_PER_SEC, "1d 1h 1min 1s"},
                {USEC_INFINITY - 1, "213503982d 8h 1min 49s"},
                {USEC_INFINITY, "infinity"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[32];

                format_timespan(cases[i].span, text, sizeof(text));
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(sizes)
{
        static const struct {
                uint64_t n;
                const char *text;
        } cases[] = {
                {0, "0B"},
                {300, "300B"},
                {1023, "1023B"},
                {1024, "1K"},
                {12 * 1024, "12K"},
                {1536 * 1024, "1.5M"},
                {(UINT64_C(2) << 30) - 1, "1.9G"},
                {UINT64_C(15) << 60, "15E"},
                {UINT64_MAX - 1, "15.9E"},
                {UINT64_MAX, "infinity"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[16];

                format_bytes(cases[i].n, text, sizeof(text));
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(arithmetic)
{
        ck_assert_uint_eq(usec_add(1, 2), 3);
        ck_assert_uint_eq(usec_add(USEC_INFINITY, 2), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 2), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(2, USEC_INFINITY), USEC_INFINITY);
        ck_assert_uint_eq(usec_sub(3, 2), 1);
        ck_assert_uint_eq(usec_sub(2, 3), 0);
        ck_assert_uint_eq(usec_sub(USEC_INFINITY, 3), USEC_INFINITY);
}
END_TEST

TEST_MAIN("time", timestamps, timestamps_of_no_year, timespans, sizes, arithmetic)
