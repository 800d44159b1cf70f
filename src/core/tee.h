#pragma once

/*
 * Tee: what one stream of a job writes, once more, to a descriptor that the caller gave. The reader of it
 * may be slow: it reads from the job's ring at its own pace, through a process that may wait (sys/tee.h).
 * What the ring overwrites before it was taken is left out; that it happened is a note in the log when it
 * does, and how many bytes it was, another when the output ends.
 */

#include <systemd/sd-event.h>

#include "core/job.h"
#include "core/timer.h"
#include "journal/cursor.h"
#include "sys/pidref.h"

#define TEE_WINDOW ((size_t) 64 * 1024) /* on the way to the descriptor, not known to be taken */
#define TEE_PATIENCE_USEC USEC_PER_SEC  /* after the end of the output, for as long as nothing is taken */

typedef struct Tee Tee;
struct Tee {
        Job *job;
        JobWatch watch;
        Stream stream;
        PidRef worker;
        int fd; /* -EBADF: done */
        sd_event_source *source;
        RingPosition position;    /* behind the last record that was sent whole */
        size_t skip;              /* what was sent of the next one */
        uint64_t n_sent, n_taken; /* bytes */
        Timer patience;
        bool ended; /* no more output comes */
        bool late;  /* something was left out */
};

/* For the stream of a job that is about to start; fd stays the caller's. Negative errno: -EBADF, it is not
 * open for writing. */
/* job_tee_done() is called when it is done, unless tee_end() finds it so. */
int tee_new(Job *job, Stream stream, int fd, Tee **ret);
Tee *tee_free(Tee *t); /* returns NULL */

/* No more output comes: what is left is written, for as long as it is taken. */
void tee_end(Tee *t);
bool tee_is_done(const Tee *t);
