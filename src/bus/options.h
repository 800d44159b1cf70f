#pragma once

/* The options of Exec and Start, by the settings table, into an ExecSpec. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Error Error;
typedef struct ExecSpec ExecSpec;
typedef struct SessionSpec SessionSpec;

/* Reads "asa{sv}". start: for Start. On failure the caller still owns (and frees) what *spec has by then. */
int options_read_spec(sd_bus_message *m, bool start, ExecSpec *spec, Error *e);
/* The "a{sv}" of Session.Run; the command comes from elsewhere, and exec_spec_check() is the caller's. */
int options_read_dict(sd_bus_message *m, ExecSpec *spec, Error *e);
/* The "a{sv}" of OpenSession. */
int options_read_session(sd_bus_message *m, SessionSpec *spec, Error *e);
/* The "a{sv}" of SetProperties: limits. */
int options_read_limits(sd_bus_message *m, Error *e);
