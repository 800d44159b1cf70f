#pragma once

/*
 * A session: a directory, an environment, a umask and a slice of the cgroup tree that jobs share. It is
 * data, no process of its own, so that nothing which a command does can wedge it. What a shell command
 * leaves behind comes in through core/session-run.h.
 *
 * "default" and "system" are always there. Another is made by being opened, or by being named by a job: then
 * others know of it once that job runs. It goes when it is closed and the last of its jobs has ended; jobs
 * that are finished by then keep their records.
 */

#include <sys/types.h>

#include "basic/hashmap.h"
#include "basic/list.h"
#include "core/exec-spec.h"
#include "core/job.h"
#include "core/scope-keeper.h"
#include "core/timer.h"

typedef struct CgroupTree CgroupTree;
typedef struct Error Error;
typedef struct Session Session;
typedef struct SessionSet SessionSet;
typedef struct SessionSlice SessionSlice;

#define SESSION_DEFAULT "default"
#define SESSION_SYSTEM "system"
#define SESSION_SHELL "/bin/sh"
#define SESSIONS_MAX 256U
#define SESSION_ENVIRONMENT_MAX (UINT64_C(1024) * 1024) /* bytes, NULs included */

/* What OpenSession asks for. */
typedef struct SessionSpec {
        ExecSpec exec; /* WorkingDirectory, Environment, User, Group, UMask */
        char *shell;   /* NULL: SESSION_SHELL */
        bool clean_environment;
} SessionSpec;

void session_spec_init(SessionSpec *s);
void session_spec_done(SessionSpec *s);

/* Somebody who wants to know of all sessions. Callbacks may be NULL. */
typedef struct SessionObserver SessionObserver;
typedef enum SessionProperty {
        SESSION_WORKING_DIRECTORY,
        SESSION_JOBS,
} SessionProperty;
typedef struct SessionObserverOps {
        void (*session_new)(SessionObserver *o, Session *session);
        void (*session_changed)(SessionObserver *o, Session *session, SessionProperty what);
        void (*session_removed)(SessionObserver *o, Session *session);
} SessionObserverOps;
struct SessionObserver {
        List link; /* list_init() before it observes */
        const SessionObserverOps *ops;
};

/* Everything pointed to outlives the set. */
typedef struct SessionSetConfig {
        ScopeKeeper *keeper;
        TimerQueue *timers;
        const CgroupTree *tree;
        char *const *environment; /* that a session starts with */
        const char *working_directory;
        mode_t umask;
} SessionSetConfig;

struct SessionSet {
        SessionSetConfig config;
        Hashmap by_name;
        List sessions;  /* Session.link, oldest first */
        List observers; /* SessionObserver.link */
        unsigned n_sessions;
        uint64_t last_serial;
        Session *system, *default_;
};

struct Session {
        SessionSet *set;
        List link; /* in the set */
        char *name;
        uint64_t serial;         /* no other session of this run of reeve has it */
        char *working_directory; /* absolute */
        char **environment;
        mode_t umask;
        char *user, *group; /* that jobs run as; NULL: as reeve */
        char *shell;
        usec_t created; /* CLOCK_REALTIME */
        /* As it was opened: */
        RequestDigest digest;
        bool clean_environment;

        SessionSlice *slice;
        ScopeWatch watch; /* of the slice, while somebody waits for its freezing */
        List freezing;    /* SessionWait.link */
        bool freeze_asked;
        List jobs;       /* Job.in_session, oldest first */
        unsigned n_live; /* of them, not finished */
        bool announced;  /* others may know of it */
        bool closing;

        /* core/session-run.h */
        List runs;    /* SessionRun.link, that wait for their turn */
        Job *current; /* whose leader runs; NULL */
        JobWatch run_watch;
        Timer run_timer;
};

int session_set_init(SessionSet *set, const SessionSetConfig *config);
/* All jobs are gone by then. */
void session_set_done(SessionSet *set);
void session_set_observe(SessionSet *set, SessionObserver *o);
void session_set_unobserve(SessionObserver *o);

/* NULL: there is none that others may know of. */
Session *session_set_get(const SessionSet *set, const char *name);
/* OpenSession. Takes of *spec what it needs when it succeeds; the caller still has to call
 * session_spec_done(). */
int session_set_open(SessionSet *set, const char *name, SessionSpec *spec, Session **ret, Error *e);
/* For a job that names it: made where it is not there. */
int session_set_require(SessionSet *set, const char *name, Session **ret, Error *e);

/* The job that named it could not be made: takes it away again when it was made for that. */
void session_set_release(SessionSet *set, const char *name);
/* The first job of it runs. */
void session_announce(Session *session);

/* A job joins it, ends, leaves it (detached, or its record goes). */
void session_add_job(Session *session, Job *job);
void session_job_finished(Job *job);
void session_remove_job(Job *job);
void session_tell_changed(Session *session, SessionProperty what);

/* Refused as a whole: -EINVAL, -EDQUOT with e set. */
int session_set_environment(Session *session, char *const *assignments, char *const *unset, Error *e);
/* A relative one starts at the session's own. Whether it is there is found out by who runs there: PID 1 asks
 * no file system. */
int session_set_directory(Session *session, const char *directory, Error *e);
/* What a shell has left: all of it or nothing. changes: NAME=VALUE, or NAME to be taken away; directory:
 * NULL where it is the same. */
int session_keep(Session *session, char *const *changes, const char *directory, Error *e);

/* Whether it is there, and may be closed: -ENOENT, -EACCES for "system". */
int session_set_check_close(const SessionSet *set, const char *name, Session **ret, Error *e);
/* After this no job can be started in it, and it goes with the last of its jobs, perhaps at once;
 * "default" starts afresh instead. Its jobs are the caller's to stop. */
void session_close(Session *session);

/* Freezing. The wait is told once, and is off the list by then: with 0 when the kernel says that it is done,
 * -EALREADY when the opposite was asked for before that, -ENOENT when the session went. */
typedef struct SessionWait SessionWait;
struct SessionWait {
        List link; /* list_init() before */
        bool frozen;
        void (*done)(SessionWait *w, int r);
};
/* 0; -EOPNOTSUPP with e set; *ret_done: it is so already, and the wait is not added. */
int session_freeze(Session *session, bool frozen, SessionWait *wait, bool *ret_done, Error *e);
bool session_is_frozen(const Session *session);

/* The slice: what it used (never NULL), and its path, "" where there is none. */
void session_usage(const Session *session, ScopeUsage *ret);
const char *session_control_group(const Session *session);

/* Slices outlive their session for the sake of jobs that were detached. */
SessionSlice *session_slice_ref(SessionSlice *slice);
void session_slice_unref(SessionSlice *slice);
/* For scope_new(). */
const char *session_slice_folder(const SessionSlice *slice);
