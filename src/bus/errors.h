#pragma once

/* The errors of core, in D-Bus names. */

#include <systemd/sd-bus.h>

typedef struct Error Error;

/* Sets ret_error from e, or from r (negative errno) where e was not set; returns a negative errno, as a
 * method handler does. */
int bus_error_set(sd_bus_error *ret_error, const Error *e, int r);
/* Answers a call that was kept. */
int bus_error_reply(sd_bus_message *call, const Error *e);
