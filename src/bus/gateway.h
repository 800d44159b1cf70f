#pragma once

/*
 * reeve on a message bus: joins it as org.reeve1, comes back when it goes and returns, and passes calls on
 * to connections of the server, one a caller (caller.h), and the server's signals back (announcer.h).
 * Objects, rules and bounds are those of the private socket by construction: it is the same code that
 * answers.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "basic/hashmap.h"
#include "bus/announcer.h"
#include "bus/link.h"
#include "bus/peer.h"
#include "core/connector.h"
#include "core/listener.h"
#include "core/timer.h"

typedef struct BusServer BusServer;

#define GATEWAY_QUEUE_PAUSE                                                                                 \
        128U /* so many messages or bytes unread by the bus, and nothing more is taken                      \
              */
#define GATEWAY_QUEUE_PAUSE_BYTES (UINT64_C(8) * 1024 * 1024)
#define GATEWAY_QUEUE_MAX 4096U  /* far beyond the pause: one turn's worth of answers cannot get there */
#define GATEWAY_CALLERS_MAX 384U /* each is a match, of which dbus-daemon lets a connection have 512 */
#define GATEWAY_KEPT_MAX ((size_t) 64 * 1024 * 1024) /* bytes of calls of who is not known yet */
#define GATEWAY_PATIENCE_USEC (30 * USEC_PER_SEC)    /* for the bus to let us in */
#define GATEWAY_STEADY_USEC (10 * USEC_PER_SEC)      /* who stayed that long is tried anew without a pause */

typedef struct Gateway {
        BusServer *server;
        Connector connector;
        BusLink link; /* to the bus */
        Timer patience;
        Announcer announcer;
        Hashmap callers; /* Caller.name: Caller */
        List callers_by_age;
        bool joined;                /* the bus has taken us in; */
        bool owner;                 /* and we are org.reeve1 there */
        bool same_pids, same_users; /* what it tells of processes and users is true here, too */
        bool congested;             /* somebody was told to wait for the bus to read */
        usec_t joined_time;         /* CLOCK_MONOTONIC */
        unsigned n_calls;           /* of all callers */
        size_t n_kept_bytes;        /* of those of them that are not passed on yet */
        const char *error;          /* why to leave the bus: at its next turn; NULL: stay */
        bool complained;            /* that it cannot be joined, or kept: once is enough */
        char unique_name[32];
} Gateway;

/* address: as socket_connect() takes it. Joins as soon as it can. */
int gateway_new(BusServer *server, const char *address, Gateway **ret);
/* Leaves the bus. Returns NULL. */
Gateway *gateway_free(Gateway *g);
DEFINE_CLEANUP(Gateway *, gateway_free)

/* Whatever it waits for, it tries now. */
void gateway_rejoin(Gateway *g);

/* reeve goes: signals that are on their way are to reach the bus, too. */
void gateway_flush(Gateway *g);
bool gateway_is_flushed(const Gateway *g);

/* For caller.c and announcer.c. */

/* The announcer has heard all that was said before it asked. */
void gateway_announced(Gateway *g);
/* A message for the bus, of about that size. */
int gateway_send(Gateway *g, sd_bus_message *m, size_t size);
/* GetConnectionCredentials, and reading its answer: -ENODATA when there is no user in it. */
int gateway_ask_credentials(Gateway *g, const char *name, sd_bus_slot **ret_slot,
                            sd_bus_message_handler_t answered, void *userdata);
int gateway_read_credentials(sd_bus_message *m, PeerCredentials *ret);
/* The bus reads slowly: nothing more is to be taken from anybody. */
bool gateway_is_congested(Gateway *g);
/* Leaves the bus at the next turn, and comes back. */
void gateway_fail(Gateway *g, const char *why);
/* A pair: one end is a connection of the server's, with those credentials, the other one is *link. -EUSERS:
 * the server has as many connections as it may. */
int gateway_open_pair(Gateway *g, PeerKind kind, const PeerCredentials *credentials, unsigned queue_max,
                      const BusLinkOps *ops, BusLink *link);
