#pragma once

/* Times are microseconds in 64 bits: CLOCK_REALTIME for people, CLOCK_MONOTONIC for deadlines. Nothing here
 * reads a clock: that is sys/clock.h, and pure code takes the time as a parameter. */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

typedef uint64_t usec_t;
#define USEC_INFINITY UINT64_MAX
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define NSEC_PER_USEC UINT64_C(1000)

/* a + b that stops at USEC_INFINITY. */
static inline usec_t usec_add(usec_t a, usec_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}
static inline usec_t usec_sub(usec_t a, usec_t b)
{
        return a == USEC_INFINITY ? a : a > b ? a - b : 0;
}

/* "2026-11-22T22:09:02.123456+0000", local time, as `journalctl -o short-iso-precise`. size >= 40. */
void format_timestamp_iso(usec_t realtime, char *buf, size_t size);
/* "1min 30s", "2.5s", "130ms", "0": short, for people. size >= 32. */
void format_timespan(usec_t span, char *buf, size_t size);
/* "1.5M", "12K", "300B": base 1024. size >= 16. */
void format_bytes(uint64_t n, char *buf, size_t size);
