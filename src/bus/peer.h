#pragma once

/*
 * One connection: a D-Bus server of our own on a socket, with no bus daemon between (facts:
 * sd_bus_set_server, anonymous authentication, the uid checked by us). The socket was accepted, or it is one
 * end of a pair whose other end the gateway has (gateway.h).
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/list.h"
#include "bus/link.h"
#include "core/listener.h"
#include "core/timer.h"

typedef struct BusServer BusServer;
typedef struct Job Job;
typedef struct Peer Peer;
typedef struct Session Session;

#define PEER_PENDING_MAX 1024U /* calls that wait for their answer */
#define PEER_FOLLOWERS_MAX 256U
#define PEER_MATCHES_MAX 1024U                            /* AddMatch without RemoveMatch */
#define PEER_QUEUE_MAX 1024U                              /* messages that it has not read */
#define PEER_QUEUE_BYTES_MAX (UINT64_C(64) * 1024 * 1024) /* of what we answered */
#define PEER_QUEUE_PAUSE 32U /* so many unread messages, and no more calls are taken from it */
#define PEER_PATIENCE_USEC (30 * USEC_PER_SEC) /* to authenticate; for one message to come in whole */

typedef enum PeerKind {
        PEER_DIRECT,     /* it made the connection itself: there is a driver to say Hello to */
        PEER_BUS_CALLER, /* stands for a client of a message bus, which has a driver and spreads signals */
} PeerKind;

struct Peer {
        List link; /* in the server, oldest first */
        BusServer *server;
        BusLink io;
        sd_bus *bus; /* io's */
        PeerCredentials credentials;
        char name[32]; /* ":1.5" */
        Timer patience;
        uint64_t n_messages; /* inlet's, when that was armed */
        List pendings;       /* Pending.link */
        List holds;          /* of hold.c */
        List followers;      /* Follower.by_owner; they outlive the peer */
        unsigned n_pending, n_matches;
        bool hello;    /* it speaks as a client of a bus: signals only for its matches */
        bool called;   /* it has made a call, */
        bool answered; /* and got an answer: only then signals, sd-bus clients fail at one before */
        bool doomed;   /* goes at its next turn */
        Job *job; /* that the object path being worked on names: set by the find callback, good for that one
                     dispatch */
        Session *session; /* likewise */
};

/* Takes fd over, also when it fails. */
int peer_new(BusServer *server, int fd, PeerKind kind, const PeerCredentials *credentials,
             unsigned queue_max, Peer **ret);
/* Ends what it waits for, too. Only from its own turn or the server's: use peer_doom() elsewhere. Returns
 * NULL. */
Peer *peer_free(Peer *p);
DEFINE_CLEANUP(Peer *, peer_free)
/* Lets it go at its next turn. */
void peer_doom(Peer *p, const char *why);

/* Sends m. What is queued and not read is counted; over the bounds the peer goes. */
int peer_send(Peer *p, sd_bus_message *m);
/* After sd-bus has sent something itself (a signal of its own making). */
void peer_sent(Peer *p, size_t size);

bool peer_wants_signals(const Peer *p);
/* Nothing is queued for it. */
bool peer_is_flushed(const Peer *p);
