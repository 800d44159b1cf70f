#pragma once

/* Selectors and filters in messages, into core's. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Error Error;
typedef struct JobSelector JobSelector;
typedef struct JobSet JobSet;

/* The filter of ListJobs. */
int bus_selector_read_filter(sd_bus_message *m, JobSelector *s, bool *ret_usage, Error *e);
/* The selector of Kill and Stop; what it names must be there. */
int bus_selector_read(sd_bus_message *m, const JobSet *set, JobSelector *s, Error *e);
