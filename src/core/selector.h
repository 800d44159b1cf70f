#pragma once

/* Which jobs are meant: the filter of ListJobs, the selector of Kill and Stop. All keys that are given must
 * be true of a job. */

#include "core/job-fsm.h"
#include "core/pattern.h"

#include <sys/types.h>

typedef struct Error Error;
typedef struct Job Job;
typedef struct JobSet JobSet;

typedef struct JobSelector {
        char *id, *session, *unit, *label; /* NULL: any */
        unsigned states;                   /* bit JobState; 0: any */
        Pattern pattern;
        pid_t pid; /* the job that holds it; 0: any */
        bool all;
        unsigned n_keys;
        const Job *pid_job; /* found by job_selector_resolve() */
} JobSelector;

void job_selector_done(JobSelector *s);

/* The word of a state, "running"; -EINVAL, with e telling of key. */
int job_selector_add_state(JobSelector *s, const char *key, const char *word, Error *e);

/* For Kill and Stop: at least one key, and an Id, a PID and a Session that are there. */
int job_selector_check(const JobSelector *s, const JobSet *set, Error *e);
/* Finds the job of a PID; before matching. -ESRCH with e: no job holds it. */
int job_selector_resolve(JobSelector *s, const JobSet *set, Error *e);

/* Also of a job that is on its way to exec, which others do not know of yet: a Stop means it, too. */
bool job_selector_match(JobSelector *s, const Job *job);
