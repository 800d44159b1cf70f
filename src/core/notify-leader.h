#pragma once

/* Who may notify for a job, and the leader that it names (MAINPID=). For notify.c. */

#include "core/notify.h"

/* 0: its word counts; -EPERM: it may not; -ESRCH: it cannot be known any more; other negative errno. */
int job_notify_check_sender(const JobNotify *n, const NotifyDatagram *d);

/* That process is the leader from now on: signals, PID, and its end is the job's. 1; 0: it is already;
 * negative errno: it cannot be, which is said, and nothing changed. */
int job_notify_move_leader(JobNotify *n, pid_t pid);
