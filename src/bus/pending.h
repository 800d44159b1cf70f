#pragma once

/* A call that waits for its answer: kept by the peer that made it, watched over by what it waits for, and
 * bounded. An operation (Exec, Stop, Wait, ReadLog) embeds one and adds its watches. */

#include <systemd/sd-bus.h>

#include "basic/list.h"
#include "core/timer.h"

typedef struct Error Error;
typedef struct Peer Peer;
typedef struct Pending Pending;

typedef struct PendingOps {
        void (*timeout)(Pending *p, usec_t now); /* of pending_arm() */
        void (*destroy)(Pending *p); /* takes its watches away and frees it; the base is done already */
} PendingOps;

struct Pending {
        List link; /* Peer.pendings */
        const PendingOps *ops;
        Peer *peer;
        sd_bus_message *call;
        unsigned n_descriptors; /* that came with the call, and are open for as long as it is kept */
        uint64_t n_bytes;       /* of the call, likewise */
        Timer timer;
};

/* -EDQUOT with e set: the peer has too many already, or too much came with such calls. From the call's own
 * handler. */
int pending_init(Pending *p, const PendingOps *ops, Peer *peer, sd_bus_message *call, Error *e);
/* CLOCK_MONOTONIC; USEC_INFINITY: not at all. */
void pending_arm(Pending *p, usec_t deadline);

/* Answers, and is destroyed. m NULL: for want of memory. */
void pending_reply(Pending *p, sd_bus_message *m, size_t size);
void pending_fail(Pending *p, const Error *e);

/* The peer is gone: nobody to answer. */
void pending_cancel_all(Peer *peer);
/* reeve goes: what cannot come true any more is told so. */
void pending_refuse_all(Peer *peer);
