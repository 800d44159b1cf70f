#pragma once

/*
 * Shell commands in a session, one after the other: each finds what the one before it has left (core/
 * shell-state.h). The next one starts when the leader of the one before has ended; what that left in the
 * background is not waited for.
 */

#include "basic/list.h"
#include "core/exec-spec.h"

typedef struct Error Error;
typedef struct Job Job;
typedef struct JobSet JobSet;
typedef struct Session Session;
typedef struct SessionRun SessionRun;

struct SessionRun {
        List link; /* in the session's queue; list_init() before */
        JobSet *jobs;
        ExecSpec spec;
        /* Either is told once, perhaps from within session_run(). The job is on its way to exec. */
        void (*begun)(SessionRun *run, Job *job);
        void (*failed)(SessionRun *run, const Error *e);
};

/* Gives a spec that was read and checked its command. */
int session_run_prepare(const Session *session, ExecSpec *spec, const char *command, Error *e);
/* Takes run->spec over, and starts it, now or when it is its turn. */
void session_run(Session *session, SessionRun *run);
/* Who asked is gone: not started any more. */
void session_run_cancel(SessionRun *run);

/* For session.c: at its beginning and end; when it is closed, those that wait are told so. */
void session_run_init(Session *session);
void session_run_done(Session *session);
void session_run_stop_all(Session *session);

/* For job.c: the leader of such a job has ended, and its result is known. */
void session_run_ended(Job *job);
