#pragma once

/*
 * How reeve goes, as a table. Pure; core/shutdown.c does what it says.
 *
 *      running --order--> stopping --jobs gone--> leaving --nobody left--> flushing --flushed--> done
 *                            | | time over           ^ |                       ^
 *                            | +--> overdue --jobs gone+ time over, order      | nobody left
 *                            | order                   v                       |
 *                            +--> killing --jobs gone--> reaping --------------+
 *                                                     (each of them also when its time is over)
 */

#include "basic/macro.h"

typedef enum ShutdownState {
        SHUTDOWN_RUNNING,
        SHUTDOWN_STOPPING, /* every job has its kill signal */
        SHUTDOWN_OVERDUE,  /* every job has SIGKILL, as it had its time */
        SHUTDOWN_KILLING,  /* likewise, as nobody wants to wait any more */
        SHUTDOWN_LEAVING,  /* what belongs to no job has SIGTERM */
        SHUTDOWN_REAPING,  /* what belongs to no job has it, too */
        SHUTDOWN_FLUSHING, /* replies and followers get their last bytes */
        SHUTDOWN_DONE,
        _SHUTDOWN_STATE_MAX,
} ShutdownState;

typedef enum ShutdownEvent {
        SHUTDOWN_EVENT_ORDER, /* a signal, a caller, the end of the main job */
        SHUTDOWN_EVENT_JOBS_GONE,
        SHUTDOWN_EVENT_CHILDREN_GONE, /* nobody is left */
        SHUTDOWN_EVENT_FLUSHED,
        SHUTDOWN_EVENT_TIMEOUT, /* of the state it is in */
        _SHUTDOWN_EVENT_MAX,
} ShutdownEvent;

/* In the order of the bits. */
enum {
        SHUTDOWN_DO_CLOSE = 1 << 0,     /* refuse new work */
        SHUTDOWN_DO_STOP_JOBS = 1 << 1, /* the kill signal to all of them at once */
        SHUTDOWN_DO_KILL_JOBS = 1 << 2,
        SHUTDOWN_DO_KILL_REST = 1 << 3, /* SIGKILL to whatever else lives here */
        SHUTDOWN_DO_TELL_REST = 1 << 4, /* SIGTERM to that */
        SHUTDOWN_DO_FLUSH = 1 << 5,
        SHUTDOWN_DO_EXIT = 1 << 6,
};

/* The next state; *ret_actions: what to do on the way. An event that means nothing in the state leaves it.
 */
ShutdownState shutdown_fsm_step(ShutdownState state, ShutdownEvent event, unsigned *ret_actions);

/* Of the whole limit, how long a state may last: three quarters for asking the jobs, what is left of seven
 * eighths (that is since the order) for asking the rest. Microseconds. */
uint64_t shutdown_fsm_time(ShutdownState state, uint64_t limit_usec);
