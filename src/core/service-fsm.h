#pragma once

/*
 * The life of a service as a table: state x event -> state, actions. Pure; core/service.c does what it says.
 * States are those of systemd's services, as far as there are such here.
 *
 *   dead --start--> condition --> start-pre --> start --> start-post --> running --> stop --> kill -->
 * stop-post ^                |             |            |           |           |  ^          ^ | | +--unmet
 * +------------+-----------+--> kill   +--+ reload   |                 v
 *     +-------- ok / failed <--------------------------- over <-----------------------------------------  +
 *                                                         +--again--> pause --> condition
 */

#include "basic/macro.h"

#define SERVICE_STATES(X)                                                                                   \
        X(DEAD, "inactive")                                                                                 \
        X(CONDITION, "activating")  /* conditions are looked at, environment files are read */              \
        X(START_PRE, "activating")  /* ExecStartPre= */                                                     \
        X(START, "activating")      /* the main command is on its way to being ready */                     \
        X(START_POST, "activating") /* ExecStartPost= */                                                    \
        X(RUNNING, "active")                                                                                \
        X(EXITED, "active")          /* RemainAfterExit= */                                                 \
        X(RELOAD, "active")          /* ExecReload= */                                                      \
        X(STOP, "deactivating")      /* ExecStop= */                                                        \
        X(KILL, "deactivating")      /* whatever is left is told to end */                                  \
        X(STOP_POST, "deactivating") /* ExecStopPost= */                                                    \
        X(OVER, "deactivating")      /* a moment: what follows is being decided */                          \
        X(PAUSE, "activating")       /* before it is started again */                                       \
        X(FAILED, "failed")

typedef enum ServiceState {
#define X(id, word) SERVICE_##id,
        SERVICE_STATES(X)
#undef X
                        _SERVICE_STATE_MAX,
} ServiceState;

/* ActiveState, the word of the contract. */
const char *service_state_to_string(ServiceState s);

#define SERVICE_EVENTS(X)                                                                                   \
        X(START)          /* an order */                                                                    \
        X(STOP)           /* likewise */                                                                    \
        X(KILL)           /* likewise, and at once */                                                       \
        X(RELOAD)         /* likewise */                                                                    \
        X(CHECKED)        /* conditions hold, files are read */                                             \
        X(UNMET)          /* a condition does not hold */                                                   \
        X(CHECK_FAILED)   /* a file is not there */                                                         \
        X(DONE)           /* all commands of the state have ended well */                                   \
        X(COMMAND_FAILED) /* one of them has not, and the rest was not run */                               \
        X(READY)          /* the main command counts as started */                                          \
        X(MAIN_EXITED)    /* it has ended well, or there is none any more */                                \
        X(MAIN_FAILED)    /* it has not */                                                                  \
        X(GONE)           /* nothing of the service lives */                                                \
        X(TIMEOUT)        /* of starting */                                                                 \
        X(AGAIN)          /* decided: it is to be started again */                                          \
        X(OVER_OK)        /* decided: that was it */                                                        \
        X(OVER_FAILED)    /* likewise */                                                                    \
        X(PAUSE_OVER)

typedef enum ServiceEvent {
#define X(id) SERVICE_EVENT_##id,
        SERVICE_EVENTS(X)
#undef X
                        _SERVICE_EVENT_MAX,
} ServiceEvent;

/* In the order of the bits. */
enum {
        SERVICE_DO_MARK_TIMEOUT = 1 << 0, /* the result will be "timeout" */
        SERVICE_DO_CHECK = 1 << 1,        /* look at conditions and files */
        SERVICE_DO_DROP_CHECK = 1 << 2,   /* nobody wants to know any more */
        SERVICE_DO_PRE = 1 << 3,
        SERVICE_DO_MAIN = 1 << 4,
        SERVICE_DO_POST = 1 << 5,
        SERVICE_DO_SETTLE = 1 << 6, /* it runs; what was missed of the main command meanwhile is told now */
        SERVICE_DO_RELOAD = 1 << 7,
        SERVICE_DO_STOP = 1 << 8,      /* the commands of ExecStop= */
        SERVICE_DO_END_ALL = 1 << 9,   /* the kill signal to whatever lives, SIGKILL in time */
        SERVICE_DO_KILL_ALL = 1 << 10, /* SIGKILL now */
        SERVICE_DO_STOP_POST = 1 << 11,
        SERVICE_DO_DECIDE = 1 << 12,
        SERVICE_DO_PAUSE = 1 << 13,
        SERVICE_DO_FINISH = 1 << 14, /* its job is over */
};

/* The next state; *ret_actions: what to do on the way. An event that means nothing in the state leaves it,
 * and returns no actions. remain: RemainAfterExit=. */
ServiceState service_fsm_step(ServiceState state, ServiceEvent event, bool remain, unsigned *ret_actions);
