#pragma once

/* A job that was started with Restart= and is no unit's: the command again and again, as core/restart.h
 * says. */

typedef struct Error Error;
typedef struct Job Job;

/* Before its first run. It goes with the job. -ENOMEM with e set. */
int restarter_new(Job *job, Error *e);
