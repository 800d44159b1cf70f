#pragma once

/*
 * One sd-bus connection and how it is driven: by hand rather than attached to the event loop. A turn
 * processes until sd-bus says it is done or the turn is over, so that a message that came together with the
 * end of the authentication is seen, and a flood takes turns; who does not read is not read from; what is
 * queued is counted by number and bytes. What strangers send goes through an inlet (core/inlet.h), which
 * sees to the descriptors.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/macro.h"
#include "core/inlet.h"

typedef struct BusLink BusLink;

typedef struct BusLinkOps {
        /* false: much is unread where the answers go, no more is to be taken. */
        bool (*may_read)(BusLink *l);
        /* A step of a turn is done; false: enough of it. */
        bool (*stepped)(BusLink *l);
        /* A turn is over, with n_steps of them. error: the connection is at its end. May free the link. */
        void (*turned)(BusLink *l, int error, unsigned n_steps);
} BusLinkOps;

struct BusLink {
        const BusLinkOps *ops;
        sd_bus *bus; /* NULL: not open */
        int fd;      /* a descriptor of our own for the event loop: sd-bus closes its one when it likes */
        sd_event_source *io_source, *more_source;
        bool ending, guarded;
        bool understood;       /* the message that the inlet gave last has come to the owner */
        Inlet inlet;           /* of a guarded one; else all zeroes */
        uint32_t *queue_sizes; /* of the last messages sent, a ring of queue_max; NULL before any had to wait
                                */
        unsigned queue_first, queue_n, queue_max;
        uint64_t queue_bytes;
};

/* Makes a connection of fd, which is taken over, also when it fails. guarded: the other side may be hostile;
 * the owner calls link_understood() for each call that it is shown. The rest is sd_bus_set_…() by the
 * caller, sd_bus_start(), and link_attach(). On failure as after link_done(). */
int link_open(BusLink *l, const BusLinkOps *ops, int fd, unsigned queue_max, bool guarded);
int link_attach(BusLink *l, sd_event *event);
static inline void link_understood(BusLink *l)
{
        l->understood = true;
}

/* May be called twice, not from within a step. */
void link_done(BusLink *l);
/* A turn comes, whether or not anything came from the other side. */
void link_kick(BusLink *l);
/* Its next turn, which comes, does nothing but tell -ECONNRESET. */
void link_end(BusLink *l);

/* Messages that were sent and are not read. */
uint64_t link_queued(const BusLink *l);
/* Counts a message of about that size that was sent. -ENOBUFS: queue_max are unread; -ENOMEM. */
int link_sent(BusLink *l, size_t size);
/* queue_bytes, as of now. */
uint64_t link_queued_bytes(BusLink *l);
