#pragma once

/* The clocks, clock_gettime(2). */

#include "basic/time.h"

usec_t clock_realtime(void);
usec_t clock_monotonic(void);
