#pragma once

/* Manager.Exec, Manager.Start and Session.Run. */

#include <systemd/sd-bus.h>

typedef struct Peer Peer;
typedef struct Session Session;

int bus_method_exec(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_session_method_run(sd_bus_message *m, Peer *peer, Session *session, sd_bus_error *ret_error);
