#pragma once

/*
 * All jobs: made, found, watched, and let go here. Bounds: so many that live, so many finished ones whose
 * records are kept (the oldest goes first; a live one never).
 */

#include <systemd/sd-event.h>

#include "basic/hashmap.h"
#include "basic/list.h"
#include "core/capture.h"
#include "core/job-ports.h"
#include "core/timer.h"
#include "sys/scope.h"

typedef struct CgroupTree CgroupTree;
typedef struct Error Error;
typedef struct ExecSpec ExecSpec;
typedef struct Job Job;
typedef struct JobService JobService;
typedef struct JobSet JobSet;
typedef struct ProcessEnd ProcessEnd;
typedef struct ScopeKeeper ScopeKeeper;
typedef struct SessionSet SessionSet;
typedef struct Store Store;
struct rlimit;

#define JOB_SET_LIVE_MAX 4096U
#define JOB_SET_FINISHED_MAX 1000U
#define JOB_ID_MAIN "main"

/* Somebody who wants to know of all jobs. Callbacks may be NULL, and may not take observers away. */
typedef struct JobObserver JobObserver;
typedef struct JobObserverOps {
        void (*job_new)(JobObserver *o, Job *job);
        void (*job_changed)(JobObserver *o, Job *job); /* State, Running, Result, PID, ExitCode or Signal */
        void (*job_exited)(JobObserver *o, Job *job);
        void (*job_finished)(JobObserver *o, Job *job);
        void (*job_removed)(JobObserver *o, Job *job);
        void (*idle)(JobObserver *o); /* no job is live any more */
} JobObserverOps;
struct JobObserver {
        List link; /* before it observes, and after: list_init() */
        const JobObserverOps *ops;
};

/* What is the same for all jobs of a set. Everything pointed to must outlive it. */
typedef struct JobSetConfig {
        sd_event *event;
        TimerQueue *timers;
        Store *store;
        const CgroupTree *tree;
        ScopeKeeper *keeper;
        SessionSet *sessions;
        const char *program;         /* reeve's own path, and ... */
        const char *report_address;  /* ... where its child in a shell speaks; NULL: no shell is asked */
        const struct rlimit *nofile; /* what reeve itself was given: jobs get that */
        int nice;                    /* likewise */
        bool main_is_session; /* the main job gets a session of its own, and the terminal on 0, which has
                                 none yet */
        unsigned live_max, finished_max;
} JobSetConfig;

struct JobSet {
        JobSetConfig config;
        CaptureHost capture_host;
        uint64_t run[2]; /* random: this run of reeve, in cursors */
        uint64_t last_serial, last_number;
        Hashmap by_id, by_pid;
        List jobs;     /* Job.by_age, oldest first */
        List finished; /* Job.finished, the one that finished first at the front */
        List spent;    /* Job.finished of control commands, to be let go of in a moment */
        unsigned n_jobs, n_finished, n_live;
        List observers; /* JobObserver.link */
        Timer trim_timer, look_timer;
        int null_fd; /* /dev/null, for all that have no input */
        int foreground_fd; /* the terminal that the main job is to be in front of; -EBADF: none */
        PortLook ports;
        List notified;        /* JobNotify.link */
        uint64_t notify_turn; /* of the event loop; how many messages are taken before orphans are reaped ...
                               */
        unsigned notify_budget; /* ... is bounded in each */
        bool closed;            /* no new jobs: reeve is shutting down */
        /* A Stop of the job "main" is a shutdown; who does that. */
        void (*stop_main)(JobSet *set, int sig);
};

int job_set_init(JobSet *set, const JobSetConfig *config);
void job_set_done(JobSet *set);

/* Starts what spec says, which is taken over when that succeeds. *ret is not running yet: watch it for
 * STARTED or START_FAILED. When a job of that Id was asked for in the same words it is that one,
 * *ret_existing says so, and nothing starts. */
int job_set_start(JobSet *set, ExecSpec *spec, Job **ret, bool *ret_existing, Error *e);
/* The main job: no capture, reeve's own stdio. */
int job_set_start_main(JobSet *set, ExecSpec *spec, Job **ret, Error *e);

/* The job of a unit, with no run yet: announced, and held by its service. The log of the last one of that Id
 * goes on. -EEXIST-like JobExists when another, or a live one, has it. */
int job_set_add_unit(JobSet *set, const char *id, ExecSpec *spec, JobService *service, Job **ret, Error *e);
/* Runs a command beside that job, or before or after its runs: in a scope of its own, with its output in
 * the job's log; nobody else knows of it. It is gone soon after it is finished. */
int job_set_run_control(JobSet *set, Job *job, ExecSpec *spec, Job **ret, Error *e);

/* NULL: there is none that others may know of. */
Job *job_set_get(const JobSet *set, const char *id);
/* The job whose scope holds that process. */
Job *job_set_get_by_pid(const JobSet *set, pid_t pid);
/* A finished job's record and log go; -EBUSY with e set for one that is not. */
int job_set_forget(JobSet *set, Job *job, Error *e);

/* The reaper's: a child ended. Whether it was the leader of a job. */
bool job_set_child_ended(JobSet *set, const ProcessEnd *end);
/* The reaper's: some orphan is gone; scopes without notices are looked at. */
void job_set_orphan_reaped(JobSet *set);

void job_set_observe(JobSet *set, JobObserver *o);
void job_set_unobserve(JobObserver *o);

/* How many jobs something of lives; all, with finished ones, that others may know of. */
unsigned job_set_count_running(const JobSet *set);
unsigned job_set_count(const JobSet *set);

/* For job.c: what happened, to all observers. */
typedef enum JobSetEvent {
        JOB_SET_NEW,
        JOB_SET_CHANGED,
        JOB_SET_EXITED,
        JOB_SET_FINISHED,
        JOB_SET_REMOVED,
} JobSetEvent;
void job_set_tell(JobSet *set, Job *job, JobSetEvent event);
/* The child of a job that failed to start is to be reaped yet: it is nobody's orphan. */
void job_set_expect_failed(JobSet *set, pid_t pid);
/* A child of ours that is no job's leader: it is nobody's orphan either. */
void job_set_expect_child(JobSet *set, pid_t pid);
/* The job's leader is another process; child: the one before is a child of ours, to be reaped yet. -EBUSY:
 * it is some other job's; -ENOMEM. Then nothing changed. */
int job_set_replace_leader(JobSet *set, Job *job, pid_t leader, bool child);
/* A scope could not be looked at: all are, a little later. */
void job_set_look_again(JobSet *set);
void job_set_one_less(JobSet *set); /* a live one */
