#pragma once

/* Job.GetOutput and Job.ReadLog. */

#include <systemd/sd-bus.h>

typedef struct Error Error;
typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_method_get_output(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
int bus_job_method_read_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);

/* Words of streams as a mask of those that are allowed; NULL: all of these. -EINVAL naming the key. */
int bus_streams_from_strv(const char *key, char *const *words, unsigned allowed, unsigned *ret, Error *e);
