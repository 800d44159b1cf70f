#pragma once

/* What a job gets as 0, 1 and 2, and what reeve keeps of it: the ends to take its output from and to give it
 * input by. */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct Error Error;
typedef struct Job Job;

typedef struct JobStdio {
        int child[3]; /* become 0, 1, 2; of whomever they are. -EBADF: it keeps what reeve has (the main job)
                       */
        int owned[3]; /* those of them that are closed with this */
        int captured[2]; /* our ends of stdout and stderr, -EBADF for one that is not taken */
        bool terminal;   /* child[0] is one, to be the job's controlling terminal */
} JobStdio;

#define JOB_STDIO_NULL                                                                                      \
        ((JobStdio){                                                                                        \
                        .child = {-EBADF, -EBADF, -EBADF},                                                  \
                        .owned = {-EBADF, -EBADF, -EBADF},                                                  \
                        .captured = {-EBADF, -EBADF},                                                       \
        })

/* By job->spec. owner: the user that it will run as, or -1. Sets job->input, too. *ret is to be let go also
 * when it failed. */
int job_stdio_open(Job *job, uid_t owner, JobStdio *ret, Error *e);
void job_stdio_done(JobStdio *s);
