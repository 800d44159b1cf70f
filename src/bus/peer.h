#pragma once

/*
 * One connection: a D-Bus server of our own on an accepted socket, with no bus daemon between (facts:
 * sd_bus_set_server, anonymous authentication, the uid checked by us). It is driven by hand rather than
 * attached to the event loop: so that a message that came together with the end of the authentication is
 * seen, that a flood of calls takes turns, and that who does not read is not read from either.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/list.h"
#include "core/inlet.h"
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

struct Peer {
        List link; /* in the server, oldest first */
        BusServer *server;
        sd_bus *bus;
        int fd;      /* a descriptor of our own for the event loop: sd-bus closes its one when it likes */
        Inlet inlet; /* through which sd-bus gets what the peer sends */
        sd_event_source *io_source, *more_source;
        PeerCredentials credentials;
        char name[32]; /* ":1.5" */
        Timer patience;
        List pendings;  /* Pending.link */
        List holds;     /* of hold.c */
        List followers; /* Follower.by_owner; they outlive the peer */
        unsigned n_pending, n_matches;
        bool hello;      /* it speaks as a client of a bus: signals only for its matches */
        bool called;     /* it has made a call, */
        bool answered;   /* and got an answer: only then signals, sd-bus clients fail at one before */
        bool understood; /* the message that the inlet gave last has come to us */
        bool doomed;     /* goes at its next turn */
        Job *job; /* that the object path being worked on names: set by the find callback, good for that one
                     dispatch */
        Session *session;      /* likewise */
        uint32_t *queue_sizes; /* of the last messages sent, a ring of PEER_QUEUE_MAX; NULL before any had to
                                  wait */
        unsigned queue_first, queue_n;
        uint64_t queue_bytes;
};

/* Takes fd over, also when it fails. */
int peer_new(BusServer *server, int fd, const PeerCredentials *credentials, Peer **ret);
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
