#pragma once

/* The properties of org.reeve1.Session: one table, for the object and for ListSessions. */

#include <systemd/sd-bus.h>

typedef struct Session Session;

/* Appends the value of one; -EINVAL: there is no such. */
int session_property_append(sd_bus_message *m, const Session *session, const char *name);
/* Appends an a{sv} of all. */
int session_properties_append_all(sd_bus_message *m, const Session *session);
