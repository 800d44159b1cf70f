#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

typedef struct Job Job;
typedef struct NetListener NetListener;

#define JOB_PORTS_LINKS 8192U

/* What all jobs of an answer share: it is made in one iteration of the event loop. */
typedef struct PortLook {
        uint64_t iteration;
        unsigned links; /* that may be looked at in it yet */
        NetListener *listeners;
        size_t n;
        int error; /* of the list */
} PortLook;

#define PORT_LOOK_NULL ((PortLook){.iteration = UINT64_MAX})

void port_look_done(PortLook *l);

/* The ports that processes of the job listen on, in order; malloc'ed, NULL for none. Bounded work: in an
 * iteration of the event loop one list of what listens and JOB_PORTS_LINKS descriptors, for all jobs
 * together. Negative errno. */
int job_listening_ports(const Job *job, uint16_t **ret, size_t *ret_n);
