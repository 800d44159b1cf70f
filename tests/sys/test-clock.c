/* The clocks: microseconds, and of the right kind. */

#include "sys/clock.h"

#include <time.h>

#include "rig.h"

START_TEST(realtime)
{
        usec_t now = clock_realtime();
        usec_t seconds = (usec_t) time(NULL);

        ck_assert_uint_le(now / USEC_PER_SEC, seconds + 1);
        ck_assert_uint_ge(now / USEC_PER_SEC + 5, seconds);
}
END_TEST

START_TEST(monotonic)
{
        usec_t a = clock_monotonic(), b = clock_monotonic();

        ck_assert_uint_gt(a, 0);
        ck_assert_uint_ge(b, a);
}
END_TEST

TEST_MAIN("clock", realtime, monotonic)
