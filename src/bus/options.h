#pragma once

/* The options of Exec and Start, by the settings table, into an ExecSpec. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Error Error;
typedef struct ExecSpec ExecSpec;

/* Reads "asa{sv}". start: for Start. On failure the caller still owns (and frees) what *spec has by then. */
int options_read_spec(sd_bus_message *m, bool start, ExecSpec *spec, Error *e);
