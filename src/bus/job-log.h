#pragma once

/* Job.GetOutput and Job.ReadLog. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"

typedef struct Error Error;
typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_method_get_output(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
int bus_job_method_read_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);

/* The option Streams; without it all that are allowed (STREAM_MASK() of each). -EINVAL with e set. */
int log_streams_from_strv(bool given, char *const *words, unsigned allowed, unsigned *ret, Error *e);
