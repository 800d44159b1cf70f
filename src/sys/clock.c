/*
 * The only file that reads a clock. Everything else takes the time as a parameter, so that a test can say
 * what time it is.
 */

#include "sys/clock.h"

#include <time.h>

/* Neither clock can fail on Linux; were it to, time stands still at 0, and nothing worse happens. */
static usec_t clock_read(clockid_t id)
{
        struct timespec ts = {0};

        if (clock_gettime(id, &ts) < 0 || ts.tv_sec < 0)
                return 0;
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / NSEC_PER_USEC;
}

usec_t clock_realtime(void)
{
        return clock_read(CLOCK_REALTIME);
}

usec_t clock_monotonic(void)
{
        return clock_read(CLOCK_MONOTONIC);
}
