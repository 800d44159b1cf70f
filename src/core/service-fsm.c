/*
 * Read a state top to bottom: what each event does in it. Whatever goes wrong on the way up leads to KILL,
 * so that no state has to know what the one before has left running.
 */

#include "core/service-fsm.h"

typedef struct Transition {
        ServiceState next;
        unsigned actions;
} Transition;

/* ExecStop= is only for what had been started, as systemd.service(5) has it. */
/* clang-format off */
#define TO_CONDITION { SERVICE_CONDITION, SERVICE_DO_CHECK }
#define TO_START_PRE { SERVICE_START_PRE, SERVICE_DO_PRE }
#define TO_STOP      { SERVICE_STOP, SERVICE_DO_STOP }
#define TO_KILL      { SERVICE_KILL, SERVICE_DO_END_ALL }
#define TO_KILL_NOW  { SERVICE_KILL, SERVICE_DO_KILL_ALL }
#define TO_KILL_LATE { SERVICE_KILL, SERVICE_DO_MARK_TIMEOUT | SERVICE_DO_END_ALL }
#define TO_OVER      { SERVICE_OVER, SERVICE_DO_DECIDE }
#define TO_RUNNING   { SERVICE_RUNNING, SERVICE_DO_SETTLE }

/* {0, 0} means: nothing. To DEAD (0) leads nothing without an action. */
static const Transition table[_SERVICE_STATE_MAX][_SERVICE_EVENT_MAX] = {
        [SERVICE_DEAD] = {
                [SERVICE_EVENT_START] = TO_CONDITION,
        },
        [SERVICE_CONDITION] = {
                [SERVICE_EVENT_CHECKED] = TO_START_PRE,
                [SERVICE_EVENT_UNMET] = { SERVICE_DEAD, SERVICE_DO_FINISH },
                [SERVICE_EVENT_CHECK_FAILED] = TO_OVER,
                [SERVICE_EVENT_STOP] = { SERVICE_OVER, SERVICE_DO_DROP_CHECK | SERVICE_DO_DECIDE },
                [SERVICE_EVENT_KILL] = { SERVICE_OVER, SERVICE_DO_DROP_CHECK | SERVICE_DO_DECIDE },
        },
        [SERVICE_START_PRE] = {
                [SERVICE_EVENT_DONE] = { SERVICE_START, SERVICE_DO_MAIN },
                [SERVICE_EVENT_COMMAND_FAILED] = TO_KILL,
                [SERVICE_EVENT_STOP] = TO_KILL,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_START] = {
                [SERVICE_EVENT_READY] = { SERVICE_START_POST, SERVICE_DO_POST },
                /* Before it was ready: that is a failure, also with exit code 0. */
                [SERVICE_EVENT_MAIN_EXITED] = TO_KILL,
                [SERVICE_EVENT_MAIN_FAILED] = TO_KILL,
                [SERVICE_EVENT_TIMEOUT] = TO_KILL_LATE,
                [SERVICE_EVENT_STOP] = TO_KILL,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_START_POST] = {
                [SERVICE_EVENT_DONE] = TO_RUNNING,
                [SERVICE_EVENT_COMMAND_FAILED] = TO_KILL,
                [SERVICE_EVENT_MAIN_FAILED] = TO_KILL,
                [SERVICE_EVENT_STOP] = TO_KILL,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_RUNNING] = {
                [SERVICE_EVENT_MAIN_EXITED] = TO_STOP, /* or to EXITED */
                [SERVICE_EVENT_MAIN_FAILED] = TO_STOP,
                [SERVICE_EVENT_RELOAD] = { SERVICE_RELOAD, SERVICE_DO_RELOAD },
                [SERVICE_EVENT_STOP] = TO_STOP,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_EXITED] = {
                [SERVICE_EVENT_RELOAD] = { SERVICE_RELOAD, SERVICE_DO_RELOAD },
                [SERVICE_EVENT_STOP] = TO_STOP,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_RELOAD] = {
                [SERVICE_EVENT_DONE] = TO_RUNNING,
                /* It goes on as it was. */
                [SERVICE_EVENT_COMMAND_FAILED] = TO_RUNNING,
                [SERVICE_EVENT_STOP] = TO_STOP,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_STOP] = {
                [SERVICE_EVENT_DONE] = TO_KILL,
                [SERVICE_EVENT_COMMAND_FAILED] = TO_KILL,
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_KILL] = {
                [SERVICE_EVENT_GONE] = { SERVICE_STOP_POST, SERVICE_DO_STOP_POST },
                [SERVICE_EVENT_KILL] = TO_KILL_NOW,
        },
        [SERVICE_STOP_POST] = {
                [SERVICE_EVENT_DONE] = TO_OVER,
                [SERVICE_EVENT_COMMAND_FAILED] = TO_OVER,
                [SERVICE_EVENT_KILL] = { SERVICE_STOP_POST, SERVICE_DO_KILL_ALL },
        },
        [SERVICE_OVER] = {
                [SERVICE_EVENT_AGAIN] = { SERVICE_PAUSE, SERVICE_DO_PAUSE },
                [SERVICE_EVENT_OVER_OK] = { SERVICE_DEAD, SERVICE_DO_FINISH },
                [SERVICE_EVENT_OVER_FAILED] = { SERVICE_FAILED, SERVICE_DO_FINISH },
        },
        [SERVICE_PAUSE] = {
                [SERVICE_EVENT_PAUSE_OVER] = TO_CONDITION,
                [SERVICE_EVENT_START] = TO_CONDITION,
                [SERVICE_EVENT_STOP] = TO_OVER,
                [SERVICE_EVENT_KILL] = TO_OVER,
        },
        [SERVICE_FAILED] = {
                [SERVICE_EVENT_START] = TO_CONDITION,
        },
};
/* clang-format on */

const char *service_state_to_string(ServiceState s)
{
        static const char *const words[_SERVICE_STATE_MAX] = {
#define X(id, word) [SERVICE_##id] = (word),
                        SERVICE_STATES(X)
#undef X
        };

        return words[s];
}

ServiceState service_fsm_step(ServiceState state, ServiceEvent event, bool remain, unsigned *ret_actions)
{
        const Transition *t = &table[state][event];

        *ret_actions = t->actions;
        if (state == SERVICE_RUNNING && event == SERVICE_EVENT_MAIN_EXITED && remain) {
                *ret_actions = 0;
                return SERVICE_EXITED;
        }
        return t->actions == 0 ? state : t->next;
}
