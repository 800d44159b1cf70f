#pragma once

/*
 * The life of a job as a table: state x event -> state, actions. Pure: no process, no clock; core/job.c does
 * what it says.
 *
 *      starting --started--> running --leader-exited--> exited --(all gone)--> finished
 *          |                    |  stop, run time over     |  stop, run time over
 *          +--start-failed      +--> stopping --stop-timeout--> killing --(all gone)--> finished
 *             --> failed                    (also, with mixed or a second order: at once)
 *
 * "All gone" is no event but three facts: the leader has ended, no process is left in the scope, the output
 * is drained. A job that is held (by a service, core/service.h) does not finish then but rests: until it is
 * run again, which is "starting" anew, or is over.
 */

#include "basic/macro.h"

#define JOB_STATES(X)                                                                                       \
        X(STARTING, "starting") /* cloned; exec is not known yet */                                         \
        X(RUNNING, "running")                                                                               \
        X(EXITED, "exited")      /* the leader ended; processes or output are left */                       \
        X(STOPPING, "stopping")  /* was told to end, has its time */                                        \
        X(KILLING, "stopping")   /* SIGKILL was sent to all of it */                                        \
        X(RESTING, "restarting") /* between two runs; what for is told by job->rest */                      \
        X(FINISHED, "finished")                                                                             \
        X(FAILED, "finished") /* never started; nobody sees it */

typedef enum JobState {
#define X(id, word) JOB_##id,
        JOB_STATES(X)
#undef X
                        _JOB_STATE_MAX,
} JobState;

/* The word of the contract. */
const char *job_state_to_string(JobState s);

#define JOB_EVENTS(X)                                                                                       \
        X(STARTED)         /* exec succeeded */                                                             \
        X(START_FAILED)    /* it did not; nothing is left of it */                                          \
        X(LEADER_EXITED)   /* never before STARTED */                                                       \
        X(EMPTY)           /* no process is left in the scope */                                            \
        X(DRAINED)         /* all output that will come was taken */                                        \
        X(STOP)            /* a caller, a shutdown: the kill signal, then SIGKILL */                        \
        X(KILL)            /* SIGKILL now */                                                                \
        X(RUNTIME_TIMEOUT) /* RuntimeMaxUSec is over */                                                     \
        X(STOP_TIMEOUT)    /* TimeoutStopUSec is over */                                                    \
        X(RUN)             /* who holds it has it run again */                                              \
        X(OVER)            /* who held it does not any more */

typedef enum JobEvent {
#define X(id) JOB_EVENT_##id,
        JOB_EVENTS(X)
#undef X
                        _JOB_EVENT_MAX,
} JobEvent;

/* What there is to do, in the order of the bits. */
enum {
        JOB_DO_ANNOUNCE = 1 << 0,     /* the job is there: JobNew */
        JOB_DO_MARK_TIMEOUT = 1 << 1, /* the result will be "timeout" */
        JOB_DO_RECORD_EXIT = 1 << 2,  /* result, exit code, signal; take what the leader wrote: JobExited */
        JOB_DO_SIGNAL = 1 << 3,       /* the kill signal, to all or to the leader */
        JOB_DO_ARM_STOP = 1 << 4,     /* start the timer of TimeoutStopUSec; the earlier one stands */
        JOB_DO_KILL = 1 << 5,         /* SIGKILL to all */
        JOB_DO_CLOSE_OUTPUT =
                        1 << 6, /* nobody of the job is left to write: take what is there, and that is all */
        JOB_DO_END_RUN = 1 << 7, /* final accounting, the scope goes */
        JOB_DO_FINISH = 1 << 8,  /* nothing follows: JobFinished */
        JOB_DO_DISCARD = 1 << 9, /* forget it: it never was */
};

typedef struct JobFsmConfig {
        bool mixed;        /* KillMode "mixed" */
        bool kill_on_exit; /* KillOnExit */
} JobFsmConfig;

typedef struct JobFsm {
        JobState state;
        bool leader, processes, output; /* what is still there */
        bool held;                      /* it rests when they are gone */
        bool known; /* it has run: that it fails to start is the end of a run, not of it */
} JobFsm;

/* Nothing is there yet: the first event is RUN. */
void job_fsm_init(JobFsm *f);

/* One event; returns the actions. An event that means nothing in the state changes nothing and returns 0. */
unsigned job_fsm_step(JobFsm *f, const JobFsmConfig *config, JobEvent event);
