#pragma once

/* The properties of org.reeve1.Job: one table, for the object and for ListJobs. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Job Job;

/* Appends the value of one; -EINVAL: there is no such. */
int job_property_append(sd_bus_message *m, Job *job, const char *name);
/* Appends an a{sv} of all; those that cost reads of the cgroup tree only with usage. */
int job_properties_append_all(sd_bus_message *m, Job *job, bool usage);
