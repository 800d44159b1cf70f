#pragma once

/*
 * What a job tells of itself by sd_notify(3): a socket for each run, whose messages count when their sender
 * is of the job. A job that nobody may notify for has none of this (job->notify is NULL).
 */

#include <systemd/sd-event.h>

#include "basic/list.h"
#include "core/job.h"
#include "core/timer.h"
#include "sys/notify-socket.h"
#include "sys/pidref.h"

/* Why something that was said did not count. */
#define NOTIFY_DROPS(X)                                                                                     \
        X(FOREIGN, "of processes that may not notify for it")                                               \
        X(GONE, "of processes that were gone before it was known whose they are")                           \
        X(BROKEN, "that were too long, or no text")                                                         \
        X(WRONG, "with a value that is none")

/* clang-format off */
typedef enum NotifyDrop {
#define X(id, text) NOTIFY_DROP_##id,
        NOTIFY_DROPS(X)
#undef X
        _NOTIFY_DROP_MAX,
} NotifyDrop;
/* clang-format on */

typedef struct JobNotify JobNotify;
struct JobNotify {
        Job *job;
        JobWatch watch;
        List link; /* JobSet.notified, while it hears */
        char address[NOTIFY_ADDRESS_SIZE];
        int fd; /* -EBADF: no run */
        sd_event_source *source;
        bool is_behind; /* there was more than a turn takes: it waits like everybody else */

        bool ready;
        char *status;     /* UTF-8; NULL: none */
        usec_t more_time; /* CLOCK_MONOTONIC: until then it asks to be waited for (EXTEND_TIMEOUT_USEC=) */
        usec_t watchdog;  /* that it is to give a sign in; 0: it need not */
        Timer watchdog_timer;
        bool watchdog_is_over;

        bool changed; /* others are to be told */
        usec_t told;  /* CLOCK_MONOTONIC, the last time */
        Timer tell_timer;

        pid_t session;                  /* that the first leader has made */
        PidRef former;                  /* the leader before MAINPID=; it may still notify */
        sd_event_source *leader_source; /* of a leader that is no child of ours */

        unsigned n_dropped[_NOTIFY_DROP_MAX]; /* and not said yet */
        usec_t drops_said;
        bool fdstore_said;
};

/* Before the run that is about to start. Nothing where nobody may notify. Negative, and e says why. */
int job_notify_open(Job *job, Error *e);
/* The run is over. What it said last stays. */
void job_notify_close(Job *job);
void job_notify_free(Job *job);
/* The leader has ended, and is not reaped yet: what it said last counts. */
void job_notify_leader_ends(Job *job);
/* An orphan of whichever job is about to be reaped: after that nobody can tell whose word its was. */
void job_notify_orphan_ends(JobSet *set);
