#pragma once

/* Freeze and Thaw, of jobs and of sessions. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Job Job;
typedef struct Peer Peer;
typedef struct Session Session;

int bus_freeze_job(sd_bus_message *m, Peer *peer, Job *job, bool frozen, sd_bus_error *ret_error);
int bus_freeze_session(sd_bus_message *m, Peer *peer, Session *session, bool frozen,
                       sd_bus_error *ret_error);
