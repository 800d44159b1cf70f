#pragma once

/* What properties of a job say, in words. */

#include <stddef.h>

#include "basic/macro.h"
#include "basic/time.h"

typedef struct Properties Properties;

/* "success", "exit-code 3", "signal SIGKILL", "timeout SIGTERM"; "" while the leader runs. Takes ExitCode,
 * Signal and Result, of a job or of the details of Wait. size >= 64. */
void job_outcome(const Properties *job, char *buf, size_t size);
void outcome_format(const char *result, int exit_code, int sig, char *buf, size_t size);

/* "running", "running, frozen". size >= 64. */
void job_state(const Properties *job, char *buf, size_t size);

/* "now", "3s ago", "2h 5min ago": whole seconds. "" for 0, which is never. size >= 40. */
void time_ago(usec_t time, usec_t now, char *buf, size_t size);
