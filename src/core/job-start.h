#pragma once

/* From a checked request to a process on its way to exec: user, environment, directory, scope, stdio, spawn.
 * The part of job.c that only matters until exec. */

typedef struct Error Error;
typedef struct Job Job;
typedef struct SpawnFailure SpawnFailure;

/* Fills in job->scope, ->leader, ->pid, ->status_fd and starts the capture. On failure e says why, and no
 * process is left. */
int job_start(Job *job, Error *e);

/* StartFailed, "STEP: strerror (ERRNO NAME)", or for want of memory. */
int job_start_failed(Error *e, const char *step, int error);

/* What the child reported, in the contract's words. */
int job_start_explain(const Job *job, const SpawnFailure *failure, Error *e);
