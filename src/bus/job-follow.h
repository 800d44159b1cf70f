#pragma once

/* Job.FollowLog. */

#include <systemd/sd-bus.h>

typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_method_follow_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
