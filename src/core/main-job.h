#pragma once

/* The main job, as the one that reeve stands in front of: what is passed on to it, and its terminal. */

typedef struct Manager Manager;

/* Before the loop: the terminal there is, and whether the main job is to be in front of it. */
void main_job_prepare(Manager *m);
void main_job_done(Manager *m);

/* A signal that came to reeve, and is the main job's. */
void main_job_pass_on(Manager *m, int sig);
/* A child has changed its state: it may be the main job's leader, stopped. */
void main_job_check_stopped(Manager *m);
/* Its leader has ended: the terminal is whose it was before. */
void main_job_ended(Manager *m);
