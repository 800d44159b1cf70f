#pragma once

/* org.reeve1.Manager at /org/reeve1. */

typedef struct Job Job;
typedef struct Peer Peer;

int bus_manager_add(Peer *p);

void bus_manager_emit_job_new(Peer *p, const Job *job);
void bus_manager_emit_job_exited(Peer *p, const Job *job);
void bus_manager_emit_job_finished(Peer *p, const Job *job);
void bus_manager_emit_job_removed(Peer *p, const Job *job);
