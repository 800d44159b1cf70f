#pragma once

/*
 * Timers embedded in their owners, in a heap that allocates nothing: arming one cannot fail, and a thousand
 * idle jobs cost no descriptor and no event source. The queue does not read the clock; the manager wakes it
 * by a single sd-event source, tests call timer_queue_run() with the time they please. Times are
 * CLOCK_MONOTONIC microseconds.
 */

#include "basic/macro.h"
#include "basic/time.h"

typedef struct Timer Timer;

typedef void (*TimerCallback)(Timer *t, usec_t now);

struct Timer {
        usec_t deadline; /* USEC_INFINITY: not armed */
        TimerCallback callback;
        Timer *parent, *child, *next; /* the pairing heap; parent is the left neighbour for all but the first
                                         child */
};

typedef struct TimerQueue TimerQueue;
struct TimerQueue {
        Timer *root;
        usec_t floor; /* while the queue runs: nothing is armed for earlier, so that the run ends */
        void (*changed)(TimerQueue *q); /* the earliest deadline is another one now; may be NULL */
};

void timer_queue_init(TimerQueue *q, void (*changed)(TimerQueue *q));
/* USEC_INFINITY: nothing is armed. */
usec_t timer_queue_next(const TimerQueue *q);
/* Calls back each timer that is due, earliest first; each is disarmed before. One that is armed meanwhile
 * waits for the next run. */
void timer_queue_run(TimerQueue *q, usec_t now);

void timer_init(Timer *t, TimerCallback callback);
/* Also for one that is armed already. USEC_INFINITY: as timer_disarm. */
void timer_arm(TimerQueue *q, Timer *t, usec_t deadline);
void timer_disarm(TimerQueue *q, Timer *t);

static inline bool timer_is_armed(const Timer *t)
{
        return t->deadline != USEC_INFINITY;
}
