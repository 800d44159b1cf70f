/*
 * What sd-bus leaves to a server on a bare socket, from what was measured: it neither checks destinations
 * nor bounds its write queue in bytes, and draining a long queue is quadratic. Who does not read is not read
 * from (link.h), and goes before it costs memory.
 */

#include "bus/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "bus/driver.h"
#include "bus/hold.h"
#include "bus/job.h"
#include "bus/manager.h"
#include "bus/names.h"
#include "bus/pending.h"
#include "bus/server.h"
#include "bus/session.h"
#include "core/manager.h"

static TimerQueue *timers(Peer *p)
{
        return &p->server->manager->timers;
}

bool peer_is_flushed(const Peer *p)
{
        return link_queued(&p->io) == 0;
}

void peer_doom(Peer *p, const char *why)
{
        if (p->doomed)
                return;
        log_debug("Peer %s (pid %d): %s: let go", p->name, (int) p->credentials.pid, why);
        p->doomed = true;
        link_end(&p->io);
}

void peer_sent(Peer *p, size_t size)
{
        if (link_sent(&p->io, size) < 0 || p->io.queue_bytes > PEER_QUEUE_BYTES_MAX + size)
                peer_doom(p, "does not read");
}

int peer_send(Peer *p, sd_bus_message *m)
{
        int r;

        if (p->doomed)
                return -ECONNRESET;
        r = sd_bus_send(p->bus, m, NULL);
        if (r < 0)
                return r;
        p->answered = true;
        return 0;
}

bool peer_wants_signals(const Peer *p)
{
        return p->answered && !p->doomed && (!p->hello || p->n_matches > 0);
}

/* The first to see each message. A direct connection does not look at destinations, so this does. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;
        const char *destination = sd_bus_message_get_destination(m);

        if (!sd_bus_message_is_method_call(m, NULL, NULL)) /* sd-bus makes some of its own */
                return 0;
        link_understood(&p->io);
        p->called = true;
        if (destination && !streq(destination, BUS_NAME) && !streq(destination, SERVER_UNIQUE_NAME) &&
            !streq(destination, "org.freedesktop.DBus"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                                  "There is no %s here, only " BUS_NAME, destination);
        return 0;
}

static bool may_read(BusLink *l)
{
        return link_queued(l) < PEER_QUEUE_PAUSE;
}

static void on_patience(Timer *t, usec_t now)
{
        peer_doom(container_of(t, Peer, patience), "took too long");
}

/* Authentication and half messages are given some time, unless it is we who do not read. */
static void update_patience(Peer *p)
{
        bool idle = (sd_bus_is_ready(p->bus) > 0 && inlet_is_idle(&p->io.inlet)) || !may_read(&p->io);

        if (idle)
                timer_disarm(timers(p), &p->patience);
        else if (!timer_is_armed(&p->patience) || p->n_messages != p->io.inlet.n_messages) {
                p->n_messages = p->io.inlet.n_messages; /* each has its own time */
                timer_arm(timers(p), &p->patience, manager_now() + PEER_PATIENCE_USEC);
        }
}

static bool on_stepped(BusLink *l)
{
        Peer *p = container_of(l, Peer, io);

        if (p->called && p->n_pending == 0)
                p->answered = true;
        return !p->doomed && may_read(l);
}

static void on_turned(BusLink *l, int error, unsigned n_steps)
{
        Peer *p = container_of(l, Peer, io);
        BusServer *server = p->server;

        if (p->doomed || error < 0)
                peer_free(p);
        else
                update_patience(p);
        server_check_flushed(server);
}

static const BusLinkOps link_ops = {.may_read = may_read, .stepped = on_stepped, .turned = on_turned};

static int add_objects(Peer *p, PeerKind kind)
{
        int r;

        r = sd_bus_add_filter(p->bus, NULL, on_message, p);
        if (r >= 0)
                r = sd_bus_add_object_manager(p->bus, NULL, BUS_PATH);
        if (r >= 0 && kind == PEER_DIRECT)
                r = bus_driver_add(p);
        if (r >= 0)
                r = bus_manager_add(p);
        if (r >= 0)
                r = bus_job_add(p);
        if (r >= 0)
                r = bus_session_add(p);
        return r;
}

static int start(Peer *p, int fd, unsigned queue_max)
{
        int r;

        r = link_open(&p->io, &link_ops, fd, queue_max, true);
        if (r < 0)
                return r;
        p->bus = p->io.bus;
        r = sd_bus_set_server(p->bus, 1, p->server->id);
        if (r >= 0)
                r = sd_bus_set_anonymous(p->bus, 1);
        if (r >= 0)
                r = sd_bus_set_trusted(p->bus, 1);
        if (r >= 0)
                r = sd_bus_negotiate_fds(p->bus, 1);
        if (r >= 0)
                r = sd_bus_set_sender(p->bus, SERVER_UNIQUE_NAME);
        if (r >= 0)
                r = sd_bus_start(p->bus);
        return r;
}

int peer_new(BusServer *server, int fd, PeerKind kind, const PeerCredentials *credentials,
             unsigned queue_max, Peer **ret)
{
        _cleanup_(peer_freep) Peer *p = alloc_new(Peer);
        int r;

        if (!p) {
                fd_close(fd);
                return -ENOMEM;
        }
        p->server = server;
        p->io.fd = -EBADF;
        p->hello = kind == PEER_BUS_CALLER; /* and never a match: no signals */
        p->credentials = *credentials;
        list_init(&p->link);
        list_init(&p->pendings);
        list_init(&p->holds);
        list_init(&p->followers);
        timer_init(&p->patience, on_patience);
        snprintf(p->name, sizeof(p->name), ":1.%" PRIu64, ++server->last_peer);
        r = start(p, fd, queue_max);
        if (r >= 0)
                r = add_objects(p, kind);
        if (r >= 0)
                r = link_attach(&p->io, server->manager->event);
        if (r < 0)
                return r;
        server_add_peer(server, p);
        update_patience(p);
        *ret = TAKE_PTR(p);
        return 0;
}

Peer *peer_free(Peer *p)
{
        if (!p)
                return NULL;
        pending_cancel_all(p);
        hold_release_all(p);
        LIST_FOREACH_SAFE (&p->followers, link)
                list_remove(link);
        server_remove_peer(p->server, p);
        timer_disarm(timers(p), &p->patience);
        link_done(&p->io);
        free(p);
        return NULL;
}
