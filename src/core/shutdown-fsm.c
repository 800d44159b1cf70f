/*
 * What belongs to no job is told last: it may be what a job leans on, and it may have been left behind by
 * one that is only going now. Every state has a time of its own, so that no hung process, no unkillable one
 * and no client that does not read can keep PID 1 from ending within the limit.
 */

#include "core/shutdown-fsm.h"

typedef struct Transition {
        ShutdownState next;
        unsigned actions;
} Transition;

/* clang-format off */
#define TO_OVERDUE  {SHUTDOWN_OVERDUE, SHUTDOWN_DO_KILL_JOBS}
#define TO_KILLING  {SHUTDOWN_KILLING, SHUTDOWN_DO_KILL_JOBS}
#define TO_LEAVING  {SHUTDOWN_LEAVING, SHUTDOWN_DO_TELL_REST}
#define TO_REAPING  {SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST}
#define TO_FLUSHING {SHUTDOWN_FLUSHING, SHUTDOWN_DO_FLUSH}
#define TO_DONE     {SHUTDOWN_DONE, SHUTDOWN_DO_EXIT}

/* next RUNNING (0) means: nothing happens; nothing leads back there. */
static const Transition table[_SHUTDOWN_STATE_MAX][_SHUTDOWN_EVENT_MAX] = {
        [SHUTDOWN_RUNNING] = {
                [SHUTDOWN_EVENT_ORDER] = {SHUTDOWN_STOPPING, SHUTDOWN_DO_CLOSE | SHUTDOWN_DO_STOP_JOBS},
        },
        [SHUTDOWN_STOPPING] = {
                [SHUTDOWN_EVENT_ORDER] = TO_KILLING,
                [SHUTDOWN_EVENT_JOBS_GONE] = TO_LEAVING,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_OVERDUE,
        },
        [SHUTDOWN_OVERDUE] = {
                [SHUTDOWN_EVENT_ORDER] = TO_KILLING,
                [SHUTDOWN_EVENT_JOBS_GONE] = TO_LEAVING,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_REAPING,
        },
        [SHUTDOWN_KILLING] = {
                [SHUTDOWN_EVENT_JOBS_GONE] = TO_REAPING,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_REAPING,
        },
        [SHUTDOWN_LEAVING] = {
                [SHUTDOWN_EVENT_ORDER] = TO_REAPING,
                [SHUTDOWN_EVENT_CHILDREN_GONE] = TO_FLUSHING,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_REAPING,
        },
        [SHUTDOWN_REAPING] = {
                [SHUTDOWN_EVENT_CHILDREN_GONE] = TO_FLUSHING,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_FLUSHING,
        },
        [SHUTDOWN_FLUSHING] = {
                [SHUTDOWN_EVENT_FLUSHED] = TO_DONE,
                [SHUTDOWN_EVENT_TIMEOUT] = TO_DONE,
        },
};
/* clang-format on */

ShutdownState shutdown_fsm_step(ShutdownState state, ShutdownEvent event, unsigned *ret_actions)
{
        const Transition *t = &table[state][event];

        *ret_actions = t->actions;
        return t->next == SHUTDOWN_RUNNING ? state : t->next;
}

uint64_t shutdown_fsm_time(ShutdownState state, uint64_t limit_usec)
{
        switch (state) {
        case SHUTDOWN_STOPPING: return limit_usec / 8 * 6;
        case SHUTDOWN_LEAVING: return limit_usec / 8 * 7;
        case SHUTDOWN_OVERDUE:
        case SHUTDOWN_KILLING: return limit_usec / 8;
        case SHUTDOWN_REAPING:
        case SHUTDOWN_FLUSHING: return limit_usec / 16;
        default: return UINT64_MAX;
        }
}
