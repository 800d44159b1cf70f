#pragma once

/* Job.Wait: until one of several things is so of a job. It never touches the job. */

#include "core/job.h"
#include "core/line-watch.h"
#include "core/port-watch.h"

typedef struct JobWait JobWait;

/* As the contract spells them. Those that several of are so at once are told in this order. */
#define WAIT_KEYS(X)                                                                                        \
        X(READY, "Ready")                                                                                   \
        X(LOG_PATTERN, "LogPattern")                                                                        \
        X(PORT, "Port")                                                                                     \
        X(PORTS, "Ports")                                                                                   \
        X(EXITED, "Exited")                                                                                 \
        X(DRAINED, "Drained")                                                                               \
        X(FINISHED, "Finished")

typedef enum WaitKey {
#define X(id, word) WAIT_##id,
        WAIT_KEYS(X)
#undef X
                        _WAIT_KEY_MAX,
} WaitKey;

const char *wait_key_to_string(WaitKey key);

struct JobWait {
        /* What is waited for; set by the owner before job_wait_start(). */
        bool until[_WAIT_KEY_MAX];
        uint16_t *ports[2]; /* of Port (one) and Ports; malloc'ed */
        size_t n_ports[2];
        LineScan lines; /* of LogPattern: its pattern and streams; then what was found */
        bool once;      /* asks without waiting: -ETIMEDOUT as soon as all was looked at */
        /* It is over, once: a WaitKey; or -ETIMEDOUT, -ENOENT (the job's record is gone), -ENOMEM, … The
         * owner answers, and ends it. */
        void (*done)(JobWait *w, int reached);

        Job *job;
        JobWatch watch;
        PortWait port_waits[2];
        unsigned unseen; /* bit i: port_waits[i] has not been looked at even once */
        bool aims;       /* lines: what is decided waits for this record to be looked at */
        uint64_t aim;
};

/* Before anything is set. */
void job_wait_init(JobWait *w);
void job_wait_done(JobWait *w);

/* A WaitKey when it is over already; -EAGAIN: done() will be called, but not from in here; -ENOMEM. */
int job_wait_start(JobWait *w, Job *job, PortWatch *ports, LineWatch *lines);
/* Its time is over: a WaitKey if, looking at it again, it came true after all, else -ETIMEDOUT. */
int job_wait_time_out(JobWait *w);
