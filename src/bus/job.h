#pragma once

/* org.reeve1.Job at /org/reeve1/job/ID. */

typedef struct Job Job;
typedef struct Peer Peer;

int bus_job_add(Peer *p);

/* The object path, given to free(). */
int job_bus_path(const Job *job, char **ret);

/* InterfacesAdded, InterfacesRemoved, PropertiesChanged. */
void bus_job_emit_added(Peer *p, const Job *job);
void bus_job_emit_removed(Peer *p, const Job *job);
void bus_job_emit_changed(Peer *p, const Job *job);
