#pragma once

/*
 * Whether and when something is run again: Restart=, RestartSec=, RestartSteps=, RestartMaxDelaySec=,
 * StartLimitBurst=, StartLimitIntervalSec=, RestartPreventExitStatus=, SuccessExitStatus= of
 * systemd.service(5) and systemd.unit(5). Pure: times are told.
 */

#include "basic/time.h"
#include "core/exec-spec.h"
#include "core/job.h"
#include "unit/unit.h"

typedef struct RestartPolicy {
        RestartWhen when;
        usec_t delay;
        usec_t max_delay; /* USEC_INFINITY: the pause does not grow */
        unsigned steps;   /* in which it gets there; 0: it doubles */
        unsigned burst;   /* runs within the interval; 0: no limit */
        usec_t interval;  /* 0: no limit */
        ExitStatusSet success, prevent;
} RestartPolicy;

typedef struct RestartState {
        unsigned n_pauses; /* since the last good run */
        unsigned n_runs;   /* since `begin` */
        usec_t begin;      /* of the interval; CLOCK_MONOTONIC */
} RestartState;

/* How a run ended. */
typedef struct RunEnd {
        JobResult result;
        int exit_code, signal;
        usec_t lasted;
        bool failed; /* a failure that is known to be one, whatever the code or signal */
} RunEnd;

RestartPolicy restart_policy_of(const ExecSpec *spec);

/* A clean end, as "success" it counts: exit code 0, the signals HUP, INT, TERM, PIPE, or what
 * SuccessExitStatus= names. */
bool restart_is_success(const RestartPolicy *p, const RunEnd *end);
/* Of a command, which is to come to its own end: what is a clean end of a daemon, a signal, means that its
 * work is not done; but for those of SuccessExitStatus=. */
bool restart_was_cut_short(const RestartPolicy *p, const RunEnd *end);
/* Whether there is to be another run after one that ended so. */
bool restart_is_wanted(const RestartPolicy *p, const RunEnd *end);
/* The pause before it. A run that has lasted as long as the longest pause (or, where that is endless, the
 * interval) was a good one: all pauses before it are forgotten. */
usec_t restart_pause(const RestartPolicy *p, RestartState *s, const RunEnd *end);
/* One more run now: false where it would be one too many. */
bool restart_count(const RestartPolicy *p, RestartState *s, usec_t now);
/* Somebody asked for it: that counts from anew. */
void restart_forget(RestartState *s);
