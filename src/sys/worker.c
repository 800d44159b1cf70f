/*
 * fork(2) has one thread to copy, but its parent holds everything that PID 1 does.
 */

#include "sys/worker.h"

#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

void worker_close_from(unsigned first)
{
        long max;

#ifdef SYS_close_range
        if (syscall(SYS_close_range, first, UINT_MAX, 0U) >= 0)
                return;
#endif
        max = sysconf(_SC_OPEN_MAX);
        for (long fd = first; fd < max; fd++)
                (void) close((int) fd);
}
