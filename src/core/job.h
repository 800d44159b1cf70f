#pragma once

/*
 * A job: one command with its scope, its output and its end. What happens to it is decided by the table in
 * core/job-fsm.h; this object does it. It belongs to a JobSet (core/job-set.h), which makes it and lets it
 * go.
 */

#include <systemd/sd-event.h>

#include "basic/list.h"
#include "core/capture.h"
#include "core/error.h"
#include "core/exec-spec.h"
#include "core/input.h"
#include "core/job-fsm.h"
#include "core/scope-keeper.h"
#include "core/timer.h"
#include "journal/cursor.h"
#include "sys/pidref.h"
#include "sys/scope.h"

typedef struct Job Job;
typedef struct JobNotify JobNotify;
typedef struct JobSet JobSet;
typedef struct ProcessEnd ProcessEnd;
typedef struct RingReader RingReader;
typedef struct Session Session;
typedef struct SessionSlice SessionSlice;
typedef struct Tee Tee;

#define JOB_RESULTS(X)                                                                                      \
        X(NONE, "") /* the leader runs */                                                                   \
        X(SUCCESS, "success")                                                                               \
        X(EXIT_CODE, "exit-code")                                                                           \
        X(SIGNAL, "signal")                                                                                 \
        X(CORE_DUMP, "core-dump")                                                                           \
        X(TIMEOUT, "timeout")                                                                               \
        X(OOM_KILL, "oom-kill")                                                                             \
        X(RESOURCES, "resources")             /* a run after the first did not come to its exec */          \
        X(START_LIMIT_HIT, "start-limit-hit") /* it was run too often in too short a time */                \
        X(WATCHDOG, "watchdog")                                                                             \
        X(PROTOCOL, "protocol") /* of a unit: it ended well, but before it had said READY=1 */

typedef enum JobResult {
#define X(id, word) JOB_RESULT_##id,
        JOB_RESULTS(X)
#undef X
                        _JOB_RESULT_MAX,
} JobResult;

const char *job_result_to_string(JobResult result);

/* The moments of a job's life that others wait for. */
typedef enum JobMoment {
        JOB_MOMENT_STARTED,      /* exec succeeded (again, with each run) */
        JOB_MOMENT_START_FAILED, /* job->start_error; the job goes after this */
        JOB_MOMENT_OUTPUT,       /* records were added */
        JOB_MOMENT_EXITED,       /* the leader ended, what it wrote was taken */
        JOB_MOMENT_DRAINED,      /* all output that will come is in the log */
        JOB_MOMENT_KILLED,       /* all of it was sent SIGKILL */
        JOB_MOMENT_FREEZER,      /* it has come to stand still, or goes on */
        JOB_MOMENT_READY,        /* it has become ready, or is not any more (READY=1 and the like) */
        JOB_MOMENT_MORE_TIME,    /* it asks for more time: job->notify->more_time */
        JOB_MOMENT_FINISHED,     /* nothing is left of it, and nothing follows */
        JOB_MOMENT_REMOVED,      /* its record goes after this */
} JobMoment;

/* Somebody who waits for one job. The callback may take its own watch away, but no other. */
typedef struct JobWatch JobWatch;
struct JobWatch {
        List link;
        void (*notify)(JobWatch *w, Job *job, JobMoment moment);
};

/* Who decides, in place of the job itself, how it is stopped and whether it is run again
 * (core/service.h). */
typedef struct JobService JobService;
typedef struct JobServiceOps {
        void (*stop)(JobService *s, int sig, usec_t timeout); /* as job_stop() */
        void (*run_over)(JobService *s); /* nothing is left of a run; job_over() may be called from here,
                                            job_run() not */
        void (*job_gone)(JobService *s); /* the record goes */
} JobServiceOps;
struct JobService {
        const JobServiceOps *ops;
};

/* What a job waits for that has no run. */
typedef enum JobRest {
        JOB_REST_RESTART,
        JOB_REST_START, /* its service is being started */
        JOB_REST_DONE,  /* ran, and counts as there still (RemainAfterExit) */
        JOB_REST_STOP,
} JobRest;

/* What jobs have of their session. Its own where it is run again: the session may be another by then. */
typedef struct JobBase {
        char **environment;
        char *working_directory, *group;
        mode_t umask;
} JobBase;

struct Job {
        JobSet *set;
        List by_age;   /* in the set */
        List finished; /* in the set, once it is */
        List in_session;
        List watches; /* JobWatch.link */

        char *id, *session;      /* the session's name; "" when it was detached */
        char *working_directory; /* absolute */
        unsigned n_holders;      /* connections with whose last it is stopped (KillOnDisconnect) */
        Session *session_of;     /* NULL: it was detached, or the session is gone */
        SessionSlice *slice;     /* where its scope is */
        JobBase base;            /* of a job that is held; else all NULL */
        Job *control;            /* a command of its service that runs now; NULL */
        Job *control_of;         /* whose service's command this is, in whose log its output goes; hidden */
        char *user, *group; /* that it runs as, its own or the session's; NULL: as reeve */
        ExecSpec spec;
        RequestDigest digest;
        LogIdentity log;
        bool announced;        /* others may know of it */
        bool is_main, is_unit; /* is_unit: its Id is that of the unit */

        JobFsm fsm;
        JobService *service; /* NULL: it has one run */
        JobRest rest;
        unsigned n_restarts;
        PidRef leader;
        pid_t pid; /* of the leader, also when it is gone; 0 before it is there */
        Scope *scope;
        char *control_group; /* scope_path(), also when the scope is gone */
        ScopeWatch scope_watch;
        bool frozen;              /* as others were told last */
        bool freeze_asked;        /* what job_freeze() was last called for */
        ScopeUsage usage;         /* as of the end; before it, as of usage_iteration */
        uint64_t usage_iteration; /* of the event loop: one look at the tree serves all properties of an
                                     answer */
        bool usage_is_final;

        int status_fd; /* of the spawn; -EBADF once it is known how that went */
        sd_event_source *status_source;
        Error start_error;

        Ring *ring;
        Capture capture;
        List line_scans; /* LineScan.in_job */
        Input input;
        Tee *tees[2];      /* of stdout, stderr; NULL */
        bool output_ended; /* but the tees may not have it all yet */
        Timer runtime_timer, stop_timer;
        JobNotify *notify; /* NULL: nobody may notify for it */

        /* Of a shell command in a session, until its leader has ended: what it was given (NULL: the session
         * takes nothing of it any more), and what it says that it leaves (core/shell-state.h). */
        char **shell_environment;
        mode_t shell_umask;
        char *shell_report;
        size_t shell_report_size;
        bool state_kept; /* the session has it */

        int stop_signal;     /* of the stop under way */
        usec_t stop_timeout; /* likewise */
        bool timed_out;
        bool killed_early; /* before its exec was known */
        JobResult result;
        int exit_code, signal;
        usec_t start_time, exit_time, finish_time; /* CLOCK_REALTIME; 0: not yet */
        usec_t exit_monotonic, finish_monotonic;
        unsigned n_followers; /* of its log */
};

/* What the set knows of a job before it is made. */
typedef struct JobRequest {
        const char *id;
        Session *session;
        Job *control_of;     /* NULL: it is no control command */
        JobService *service; /* NULL: nobody holds it */
        bool is_main, is_unit;
} JobRequest;

/* For the set alone. A record of it, nothing runs yet. Takes *spec over when it succeeds. */
int job_new(JobSet *set, const JobRequest *request, ExecSpec *spec, Job **ret, Error *e);
Job *job_free(Job *job);
DEFINE_CLEANUP(Job *, job_free)
/* The log of a finished one of the same Id, whose record is about to go, goes on with this. Before the first
 * run. */
void job_inherit_log(Job *job, Job *from);
/* Others may know of it from now on. */
void job_announce(Job *job);

/*
 * A run: from here to JobServiceOps.run_over. Only where it has none. On failure e says why, no process is
 * there, and the job is to be freed, or, where others know of it, to be told so with job_run_failed().
 */
int job_run(Job *job, Error *e);
/* It did not come to its exec: its run is over, with the result "resources". */
void job_run_failed(Job *job);
/* Ends the run that it has, as job_stop() does where nobody holds it. */
void job_end_run(Job *job, int sig, usec_t timeout);
/* Nobody holds it any more: it is finished when its run is over, or now. */
void job_over(Job *job);
void job_set_rest(Job *job, JobRest rest);
/* What its next run is asked to be; its own log and Id stay. Takes *spec over when it succeeds. */
int job_set_spec(Job *job, ExecSpec *spec, Error *e);
/* For job_run(): as before the first. */
void job_reset_run(Job *job);
/* "starting", "running", "exited", "restarting", "stopping", "finished". */
const char *job_state_word(const Job *job);
/* A line of reeve's own in its log. */
void job_note(Job *job, const char *format, ...) _printf_(2, 3);
/* To all who watch it. */
void job_tell(Job *job, JobMoment moment);
/* Timer and ScopeWatch callbacks of job.c. */
void job_runtime_over(Timer *t, usec_t now);
void job_stop_time_over(Timer *t, usec_t now);
void job_scope_changed(ScopeWatch *w);
/* CaptureHost.progress and .fed. */
void job_capture_progress(Capture *c, bool drained);
void job_capture_fed(Capture *c);
/* One of its tees is done. */
void job_tee_done(Job *job);
/* The reaper saw the leader's end; it is reaped after this. */
void job_leader_ended(Job *job, const ProcessEnd *end);
/* Looks whether the scope is empty, when that would mean something. */
void job_check_empty(Job *job);
/* Looks whether the scope stands still. */
void job_check_frozen(Job *job);
/* Who waits for it to stand still, or to go on, is to look whether that is still asked for. */
void job_freezing_overtaken(Job *job);

void job_watch_add(Job *job, JobWatch *w);
void job_watch_remove(JobWatch *w);

/* Something of it lives, or (the output of) something that lived is not all taken. */
bool job_is_running(const Job *job);
/* Ready comes with exec, or with READY=1 for who notifies. */
bool job_is_ready(const Job *job);
/* The leader's end is known. */
bool job_is_exited(const Job *job);
/* No more output will come. */
bool job_is_drained(const Job *job);
bool job_is_finished(const Job *job);

/* Ends it: the kill signal (0: the job's own), SIGKILL after timeout (0: at once; USEC_INFINITY: never).
 * Nothing for a finished one. */
void job_stop(Job *job, int sig, usec_t timeout);
/* One signal, to all of the scope or to the leader; *ret (malloc'ed) are the processes that got it. Negative
 * errno. */
int job_signal(Job *job, bool leader_only, int sig, pid_t **ret, size_t *ret_n);
/* One signal to the process group of the leader: -ESRCH where it leads none (any more). */
int job_signal_group(Job *job, int sig);
/* One signal to one process, which must be of the scope: -ESRCH. */
int job_signal_process(Job *job, pid_t pid, int sig);

/* Its scope shall stand still, or go on; JOB_MOMENT_FREEZER tells when it does, or (job->freeze_asked) when
 * the opposite was asked for before it did. 0; 1: it is so already; -EOPNOTSUPP, -ESRCH (finished) with e
 * set. */
int job_freeze(Job *job, bool frozen, Error *e);
bool job_is_frozen(const Job *job);
/* One more connection that it is stopped with; one of them is gone, and with the last one the job. */
void job_hold(Job *job);
void job_let_go(Job *job);
/* It leaves its session; its scope stays where it is. */
void job_detach(Job *job);
/* Lets go of what is only for the end of a shell command: nothing of it is kept then. */
void job_forget_shell(Job *job);

/* Live, or as of the end. */
void job_usage(Job *job, ScopeUsage *ret);
/* How many processes it has now. */
size_t job_count_processes(const Job *job);

/* For job.c. */
uint64_t job_log_max_bytes(const JobSet *set, const ExecSpec *spec);
/* "" and "tail" of ReadLog, or a cursor of this log: 0, or -EBADMSG with e set. */
int job_parse_cursor(const Job *job, const char *cursor, RingReader *ret, Error *e);
