#pragma once

/* Manager.Kill, .Stop and .CloseSession, Job.Kill and .Stop. */

#include <systemd/sd-bus.h>

typedef struct Job Job;
typedef struct Peer Peer;

int bus_method_kill(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_stop(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_close_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_job_method_kill(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
int bus_job_method_stop(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
