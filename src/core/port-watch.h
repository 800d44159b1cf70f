#pragma once

/*
 * Who waits for a job to listen on ports. All share one timer, and there is none while nobody waits: looks
 * come quickly at first, and then every PORT_DELAY_MAX_USEC. A look is one list of all that listens, and
 * only where all the ports of a waiter listen at all are the descriptors of his job looked at, PORT_LINKS a
 * turn.
 */

#include <stdint.h>

#include "basic/list.h"
#include "core/timer.h"
#include "sys/socket-walk.h"

typedef struct Job Job;
typedef struct NetListener NetListener;
typedef struct PortWait PortWait;

#define PORTS_MAX 64U /* of one waiter */
#define PORT_LINKS 256U
#define PORT_DELAY_MIN_USEC (2 * USEC_PER_MSEC)
#define PORT_DELAY_MAX_USEC (200 * USEC_PER_MSEC)

typedef struct PortWatch {
        TimerQueue *timers;
        Timer timer;
        List waits; /* PortWait.link; those that this look is done with at the end */
        uint64_t round;
        usec_t delay, rest; /* between looks: what is due, and how long it must be at least */
        usec_t ended;       /* the last look: CLOCK_MONOTONIC */

        /* The look under way. */
        bool looking;
        int error; /* what it came to */
        NetListener *listeners;
        size_t n_listeners;
        uint64_t listening[65536 / 64]; /* a bit a port */
        PortWait *walked;
        SocketWalk walk;
        uint64_t found; /* which of his ports, bit by bit */
        usec_t spent;
} PortWatch;

struct PortWait {
        List link;
        PortWatch *watch; /* NULL: it does not wait */
        Job *job;
        const uint16_t *ports; /* the owner's; at most PORTS_MAX */
        size_t n_ports;
        uint64_t round;
        /* After each look: 1: a process of the job holds each of the ports, and the waiting is over; 0: not
         * so; negative errno: it could not be seen. May take away any waiter. */
        void (*looked)(PortWait *w, int r);
};

void port_watch_init(PortWatch *pw, TimerQueue *timers);
void port_watch_done(PortWatch *pw);

/* The job must have a scope. The first look comes at once, but not from in here. */
void port_wait_add(PortWatch *pw, PortWait *w);
/* Also for one that does not wait. */
void port_wait_remove(PortWait *w);
/* Something happened that makes it likely. */
void port_wait_hint(PortWait *w);
