#pragma once

/*
 * The listener's counterpart: a connection to where somebody listens, or as soon as somebody does. It never
 * blocks. While nobody is there it does not poll where the kernel can tell: the folder of a socket is
 * watched for the socket, or for the folder. What is there and refuses is tried again, each time after a
 * longer pause.
 */

#include <errno.h>
#include <systemd/sd-event.h>

#include "core/timer.h"
#include "sys/path-watch.h"

#define CONNECTOR_PAUSE_FIRST (100 * USEC_PER_MSEC)
#define CONNECTOR_PAUSE_MAX (6400 * USEC_PER_MSEC)

typedef struct Connector Connector;

typedef struct ConnectorOps {
        /* Takes fd over. */
        void (*connected)(Connector *c, int fd);
        /* Nobody is there, for this reason: told once until the next connection. */
        void (*waiting)(Connector *c, int error);
} ConnectorOps;

struct Connector {
        const ConnectorOps *ops;
        sd_event *event;
        TimerQueue *timers;
        char *address, *path; /* path NULL: the socket is abstract */
        PathWatch watch;
        sd_event_source *watch_source;
        Timer timer;
        usec_t pause; /* before the next try */
        bool seeking, told;
};

/* -EINVAL: no such address, see socket_connect(). */
int connector_init(Connector *c, sd_event *event, TimerQueue *timers, const char *address,
                   const ConnectorOps *ops);
void connector_done(Connector *c);

/* From now on, until it is connected. At once, and without the memory of earlier failures. */
void connector_seek(Connector *c);
/* The same after a pause: what it was connected to did not keep the connection. */
void connector_seek_later(Connector *c);

/* Two ends of a connection within reeve. Negative errno. */
int connector_pair(int ret_fds[2]);
