#pragma once

/* WriteInput and ResizeTTY of org.reeve1.Job. */

#include <systemd/sd-bus.h>

typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_method_write_input(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
int bus_job_method_resize_tty(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error);
