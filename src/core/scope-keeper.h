#pragma once

/*
 * What is the same for the scopes of jobs and the slices of sessions: notices of what happens to them come
 * in at one place (an inotify descriptor for all), and a folder that the kernel has not quite let go of is
 * removed when it has.
 */

#include <systemd/sd-event.h>

#include "basic/hashmap.h"
#include "basic/list.h"
#include "core/timer.h"

typedef struct Scope Scope;
typedef struct ScopeKeeper ScopeKeeper;
typedef struct ScopeWatch ScopeWatch;

struct ScopeWatch {
        int number; /* -1: none; as scope_watch_init() leaves it */
        /* Something has changed: populated, frozen. A hint. */
        void (*changed)(ScopeWatch *w);
};

struct ScopeKeeper {
        TimerQueue *timers;
        int fd;
        sd_event_source *source;
        Hashmap by_number;
        List lingering; /* scopes whose folder could not be removed yet */
        Timer timer;
        usec_t delay;
        /* Notices were lost: all that is watched is to be looked at. */
        void (*lost)(ScopeKeeper *k);
        void *userdata;
};

/* 0 also where scopes cannot be watched; that is logged. */
int scope_keeper_init(ScopeKeeper *k, sd_event *event, TimerQueue *timers);
void scope_keeper_done(ScopeKeeper *k);

static inline void scope_watch_init(ScopeWatch *w, void (*changed)(ScopeWatch *w))
{
        *w = (ScopeWatch){.number = -1, .changed = changed};
}

/* 0, also when it is watched already; -EOPNOTSUPP where there is no watching. */
int scope_keeper_watch(ScopeKeeper *k, ScopeWatch *w, const Scope *scope);
void scope_keeper_unwatch(ScopeKeeper *k, ScopeWatch *w);

/* Takes the scope: its folder goes now, or when the kernel lets it. */
void scope_keeper_release(ScopeKeeper *k, Scope *scope);
