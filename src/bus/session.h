#pragma once

/* org.reeve1.Session at /org/reeve1/session/NAME, and the methods of org.reeve1.Manager that open, find and
 * list sessions. */

#include <systemd/sd-bus.h>

#include "core/session.h"

typedef struct Peer Peer;

int bus_session_add(Peer *p);

/* The object path, given to free(). */
int session_bus_path(const Session *session, char **ret);

int bus_method_open_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_get_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_list_sessions(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* InterfacesAdded and SessionNew; PropertiesChanged; InterfacesRemoved and SessionRemoved. */
void bus_session_emit_new(Peer *p, const Session *session);
void bus_session_emit_changed(Peer *p, const Session *session, SessionProperty what);
void bus_session_emit_removed(Peer *p, const Session *session);
