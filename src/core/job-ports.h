#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Job Job;

/* The ports that processes of the job listen on, in order; malloc'ed, NULL for none. Bounded work:
 * JOB_PORTS_LINKS descriptors are looked at in an iteration of the event loop, of all jobs together: an
 * answer may be about all of them. Negative errno. */
#define JOB_PORTS_LINKS 8192U
int job_listening_ports(const Job *job, uint16_t **ret, size_t *ret_n);
