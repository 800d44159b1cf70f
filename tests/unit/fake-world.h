#pragma once

/*
 * A job set with all that it needs, over the fake of src/sys, and the manager's part played by hand:
 * reaping, the event loop, time. Nothing ever waits: the loop takes what is there, the clock moves when it
 * is told to.
 */

#include <sys/resource.h>
#include <systemd/sd-event.h>

#include "core/exec-spec.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/scope-keeper.h"
#include "core/session.h"
#include "core/shutdown.h"
#include "core/timer.h"
#include "fake-sys.h"
#include "journal/store.h"
#include "sys/cgroup.h"

typedef struct World {
        sd_event *event;
        TimerQueue timers;
        Store store;
        CgroupTree tree;
        char **environment;
        struct rlimit nofile;
        ScopeKeeper keeper;
        SessionSet sessions;
        JobSet jobs;
        Shutdown *shutdown; /* is told when there are no children left; may be NULL */
        unsigned n_fds;     /* before all that */
} World;

/* A new world, from fake_reset() on. */
void world_init(World *w);
/* The same with what a test set up in `fake` before; no tree: jobs are process groups. */
void world_init_prepared(World *w, bool tree);
/* Ends it, and fails the test when anything is left behind: timers, scopes, watches, memory of rings,
 * descriptors. Jobs may be live: theirs goes, too. */
void world_done(World *w);

/* All that is there to be handled, until nothing is. Time stands. */
void world_settle(World *w);
/* The single parts of that: what the event loop has, once around; one event of it; who is to be reaped; the
 * timers that are due. */
void world_events(World *w);
bool world_event(World *w);
void world_reap(World *w);
void world_timers(World *w);
/* Time goes by, from one deadline to the next. */
void world_pass(World *w, usec_t usec);

/* "payload --flag". Settings as in unit files, one at a time. */
void spec_init(ExecSpec *s);
void spec_set(ExecSpec *s, const char *name, const char *text);
/* Takes the spec over; starts it, which must succeed. The job is on its way to exec: fake_newest(). */
Job *world_start(World *w, ExecSpec *spec);
/* A running job with these settings: name, text, name, text, …, NULL. */
Job *world_run(World *w, ...) __attribute__((sentinel));
/* The leader's record. */
FakeProcess *leader_of(const Job *job);
/* What the job's log holds of a stream, given to free(). */
char *world_output(const Job *job, Stream stream);

/* Who watches one job writes down its moments: "started output exited drained finished". Several outputs in
 * a row are one, and one that brings no record is none; and none may be missing at the moments after it. */
typedef struct Diary {
        JobWatch watch;
        char text[512];
        uint64_t seqnum; /* of the newest record that it was told of */
        bool leaves;     /* takes itself away at this moment */
        JobMoment leaves_at;
        Error *error;                                              /* gets start_error; may be NULL */
        void (*also)(struct Diary *d, Job *job, JobMoment moment); /* may be NULL */
} Diary;
void diary_start(Diary *d, Job *job);

/* The same for the set: "new:j1 changed:j1 … idle". Several changes in a row are one. */
typedef struct Chronicle {
        JobObserver observer;
        char text[2048];
} Chronicle;
void chronicle_start(Chronicle *c, JobSet *set);
