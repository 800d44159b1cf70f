/*
 * The life of a kept call ends in one of three ways, and each takes it off the peer's list before anything
 * else happens: answered, failed, or its peer gone.
 */

#include "bus/pending.h"

#include <errno.h>
#include <inttypes.h>

#include "bus/errors.h"
#include "bus/peer.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/manager.h"

#define ERROR_SIZE 512U

static void on_timer(Timer *t, usec_t now)
{
        Pending *p = container_of(t, Pending, timer);

        p->ops->timeout(p, now);
}

int pending_init(Pending *p, const PendingOps *ops, Peer *peer, sd_bus_message *call, Error *e)
{
        if (peer->n_pending >= PEER_PENDING_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "%u calls of this connection wait already, the most that may",
                                 peer->n_pending);
        p->n_descriptors = (unsigned) peer->io.inlet.n_descriptors;
        if (peer->server->n_descriptors + p->n_descriptors > SERVER_DESCRIPTORS_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "%u descriptors came with calls that wait, of the %u that may",
                                 peer->server->n_descriptors, SERVER_DESCRIPTORS_MAX);
        p->n_bytes = peer->io.inlet.size;
        if (peer->server->n_call_bytes > 0 &&
            peer->server->n_call_bytes + p->n_bytes > SERVER_CALL_BYTES_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "Calls that wait have %" PRIu64 " bytes already, of the %" PRIu64
                                 " that they may",
                                 peer->server->n_call_bytes, SERVER_CALL_BYTES_MAX);
        p->ops = ops;
        p->peer = peer;
        p->call = sd_bus_message_ref(call);
        timer_init(&p->timer, on_timer);
        list_init(&p->link);
        list_append(&peer->pendings, &p->link);
        peer->n_pending++;
        peer->server->n_descriptors += p->n_descriptors;
        peer->server->n_call_bytes += p->n_bytes;
        return 0;
}

void pending_arm(Pending *p, usec_t deadline)
{
        timer_arm(&p->peer->server->manager->timers, &p->timer, deadline);
}

static void destroy(Pending *p)
{
        pending_arm(p, USEC_INFINITY);
        list_remove(&p->link);
        p->peer->n_pending--;
        p->peer->server->n_descriptors -= p->n_descriptors;
        p->peer->server->n_call_bytes -= p->n_bytes;
        sd_bus_message_unref(p->call);
        p->ops->destroy(p);
}

void pending_reply(Pending *p, sd_bus_message *m, size_t size)
{
        Peer *peer = p->peer;

        if (!m) {
                Error e;

                error_no_memory(&e);
                pending_fail(p, &e);
                return;
        }
        destroy(p);
        if (peer_send(peer, m) >= 0)
                peer_sent(peer, size);
}

void pending_fail(Pending *p, const Error *e)
{
        Peer *peer = p->peer;

        if (!peer->doomed && bus_error_reply(p->call, e) >= 0) {
                peer->answered = true;
                peer_sent(peer, ERROR_SIZE);
        }
        destroy(p);
}

void pending_cancel_all(Peer *peer)
{
        LIST_FOREACH_SAFE (&peer->pendings, link)
                destroy(container_of(link, Pending, link));
}

void pending_refuse_all(Peer *peer)
{
        Error e;

        error_set(&e, ERROR_SHUTTING_DOWN, "reeve is shutting down");
        LIST_FOREACH_SAFE (&peer->pendings, link)
                pending_fail(container_of(link, Pending, link), &e);
}
