#pragma once

/* The end of reeve: does what core/shutdown-fsm.h says with the jobs, and ends the event loop. */

#include <systemd/sd-event.h>

#include "core/job-set.h"
#include "core/shutdown-fsm.h"
#include "core/timer.h"
#include "sys/power.h"

#define SHUTDOWN_LIMIT_DEFAULT (8 * USEC_PER_SEC)

typedef struct Shutdown Shutdown;
struct Shutdown {
        ShutdownState state;
        sd_event *event;
        TimerQueue *timers;
        JobSet *jobs;
        JobObserver observer;
        Timer timer, look_timer;
        usec_t limit;                /* for all of it */
        usec_t order_time, deadline; /* CLOCK_MONOTONIC, of all of it; since the order */
        bool is_pid1;
        int exit_code;             /* what reeve leaves with */
        bool exit_code_given;      /* by who ordered it: the main job's does not count */
        const uint8_t *exit_codes; /* [256]: what the main job's becomes; NULL: it stays */
        /* Units go in an order of their own, none taking longer than max. NULL: there are none. */
        void (*stop_units)(Shutdown *s, usec_t max);
        int signal;                 /* for the main job; 0: its own kill signal */
        PowerAction power;          /* what becomes of the machine; POWER_NONE: reeve is no machine's init */
        void (*begun)(Shutdown *s); /* the order was given; NULL: nobody cares */
        /* Replies and followers are to be flushed: shutdown_flushed() when they are. NULL: nobody has any.
         */
        void (*flush)(Shutdown *s);
        void *flush_userdata;
};

/* "exit", "poweroff", "reboot", "halt". */
const char *shutdown_power_to_string(PowerAction action);
/* -EINVAL. */
int shutdown_power_from_string(const char *s);

void shutdown_init(Shutdown *s, sd_event *event, TimerQueue *timers, JobSet *jobs, usec_t limit,
                   bool is_pid1);
void shutdown_done(Shutdown *s);

/* sig: what the main job is told, 0 for its own kill signal. A second order kills. */
void shutdown_order(Shutdown *s, int sig);
/* The same, of a machine's init: what is to become of it. The last one to say so counts. */
void shutdown_order_power(Shutdown *s, PowerAction action);
/* reeve leaves with this code, whatever the main job's. */
void shutdown_set_exit_code(Shutdown *s, int exit_code);
/* The main job ended: reeve ends with it, with its status. */
void shutdown_main_ended(Shutdown *s, const Job *main_job);
/* The reaper has no children left to wait for. */
void shutdown_children_gone(Shutdown *s);
void shutdown_flushed(Shutdown *s);

static inline bool shutdown_is_under_way(const Shutdown *s)
{
        return s->state != SHUTDOWN_RUNNING;
}

/* While it flushes: somebody still reads, and is given as much time again, within the limit of all of it. */
void shutdown_prolong_flush(Shutdown *s);
