#pragma once

/* Job.GetOutput and Job.ReadLog. */

#include <systemd/sd-bus.h>

typedef struct Error Error;
typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_method_get_output(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
int bus_job_method_read_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);

/* The option Streams; words NULL: all that are allowed (STREAM_MASK() of each). -EINVAL with e set. */
int log_streams_from_strv(char *const *words, unsigned allowed, unsigned *ret, Error *e);
