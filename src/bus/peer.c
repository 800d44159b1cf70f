/*
 * What sd-bus leaves to a server on a bare socket, from what was measured: it neither checks destinations
 * nor bounds its write queue in bytes; draining a long queue is quadratic; a message that arrives in one
 * read with BEGIN is only found by processing until there is nothing left. So: a turn processes until sd-bus
 * says it is done or the turn is over; reading stops while much is unread. What comes in goes through
 * core/inlet.h, which sees to the descriptors.
 */

#include "bus/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

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

/* Messages processed in one turn. */
#define TURN_BUDGET 64

static TimerQueue *timers(Peer *p)
{
        return &p->server->manager->timers;
}

static uint64_t queued_messages(const Peer *p)
{
        uint64_t n = 0;

        return sd_bus_get_n_queued_write(p->bus, &n) < 0 ? 0 : n;
}

bool peer_is_flushed(const Peer *p)
{
        return queued_messages(p) == 0;
}

void peer_doom(Peer *p, const char *why)
{
        if (p->doomed)
                return;
        log_debug("Peer %s (pid %d): %s: let go", p->name, (int) p->credentials.pid, why);
        p->doomed = true;
        (void) sd_event_source_set_enabled(p->more_source, SD_EVENT_ONESHOT);
}

/* The sizes of what is still queued: as many of the last ones as sd-bus says are. */
static void queue_forget_written(Peer *p, uint64_t queued)
{
        while (p->queue_n > queued) {
                p->queue_bytes -= p->queue_sizes[p->queue_first];
                p->queue_first = (p->queue_first + 1) % PEER_QUEUE_MAX;
                p->queue_n--;
        }
}

void peer_sent(Peer *p, size_t size)
{
        uint64_t queued = queued_messages(p);

        queue_forget_written(p, queued);
        if (queued == 0)
                return;
        if (!p->queue_sizes)
                p->queue_sizes = alloc_array(uint32_t, PEER_QUEUE_MAX);
        if (!p->queue_sizes || queued >= PEER_QUEUE_MAX || p->queue_n >= PEER_QUEUE_MAX) {
                peer_doom(p, "does not read");
                return;
        }
        p->queue_sizes[(p->queue_first + p->queue_n++) % PEER_QUEUE_MAX] =
                        (uint32_t) MIN(size, (size_t) UINT32_MAX);
        p->queue_bytes += size;
        if (p->queue_bytes > PEER_QUEUE_BYTES_MAX + size)
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

        p->understood = true;
        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        p->called = true;
        if (destination && !streq(destination, BUS_NAME) && !streq(destination, SERVER_UNIQUE_NAME) &&
            !streq(destination, "org.freedesktop.DBus"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                                  "There is no %s here, only " BUS_NAME, destination);
        return 0;
}

/* What follows BEGIN is for when sd-bus has seen that, which it puts off while an answer is unwritten. */
static bool may_move(const Peer *p)
{
        return !p->inlet.begun || sd_bus_is_ready(p->bus) > 0;
}

static void update_events(Peer *p)
{
        uint64_t queued = queued_messages(p);
        int events = sd_bus_get_events(p->bus);
        uint32_t wanted = EPOLLRDHUP;

        if (events < 0 || p->doomed)
                return;
        if (queued < PEER_QUEUE_PAUSE && may_move(p))
                wanted |= EPOLLIN;
        if (events & POLLOUT)
                wanted |= EPOLLOUT;
        (void) sd_event_source_set_io_events(p->io_source, wanted);
}

static int on_prepare(sd_event_source *source, void *userdata)
{
        update_events(userdata);
        return 0;
}

static void on_patience(Timer *t, usec_t now)
{
        peer_doom(container_of(t, Peer, patience), "took too long");
}

/* Authentication and half messages are given some time, whole ones as much as they like. */
static void update_patience(Peer *p, bool got_message)
{
        bool idle = sd_bus_is_ready(p->bus) > 0 && got_message;

        if (idle)
                timer_disarm(timers(p), &p->patience);
        else if (!timer_is_armed(&p->patience))
                timer_arm(timers(p), &p->patience, manager_now() + PEER_PATIENCE_USEC);
}

/* Lets sd-bus do one thing; when it has none, gives it what came in. 0: there is nothing to do. */
static int peer_step(Peer *p, bool *got_message)
{
        int r;

        inlet_foresee(&p->inlet);
        r = sd_bus_process(p->bus, NULL);
        if (r > 0) {
                *got_message = true;
                if (p->called && p->n_pending == 0)
                        p->answered = true;
        }
        if (r != 0)
                return r;
        r = inlet_settle(&p->inlet, p->understood);
        if (r < 0)
                return r;
        if (!may_move(p)) /* unless it has something to write first, BEGIN came before its time */
                return sd_bus_get_events(p->bus) & POLLOUT ? 0 : -EPROTO;
        p->understood = false;
        return inlet_move(&p->inlet);
}

/* One turn. Afterwards the peer may be gone. It does not end before it is known of descriptors whose they
 * are. */
static void peer_process(Peer *p)
{
        bool got_message = false;
        unsigned n;
        int r = 0;

        for (n = 0; !p->doomed; n++) {
                bool over = n >= TURN_BUDGET || queued_messages(p) >= PEER_QUEUE_PAUSE;

                if (over && (p->understood || !inlet_is_owed(&p->inlet)))
                        break;
                r = peer_step(p, &got_message);
                if (r <= 0)
                        break;
        }
        if (p->doomed || r < 0) {
                BusServer *server = p->server;

                peer_free(p);
                server_check_flushed(server);
                return;
        }
        update_patience(p, got_message);
        if (n >= TURN_BUDGET)
                (void) sd_event_source_set_enabled(p->more_source, SD_EVENT_ONESHOT);
        server_check_flushed(p->server);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Peer *p = userdata;

        /* It will never read again, and we have stopped reading from it: sd-bus would not notice. */
        if ((revents & (EPOLLHUP | EPOLLRDHUP)) && (queued_messages(p) >= PEER_QUEUE_PAUSE || !may_move(p)))
                peer_doom(p, "gone");
        peer_process(p);
        return 0;
}

static int on_more(sd_event_source *source, void *userdata)
{
        peer_process(userdata);
        return 0;
}

static int add_objects(Peer *p)
{
        int r;

        r = sd_bus_add_filter(p->bus, NULL, on_message, p);
        if (r >= 0)
                r = sd_bus_add_object_manager(p->bus, NULL, BUS_PATH);
        if (r >= 0)
                r = bus_driver_add(p);
        if (r >= 0)
                r = bus_manager_add(p);
        if (r >= 0)
                r = bus_job_add(p);
        if (r >= 0)
                r = bus_session_add(p);
        return r;
}

static int add_sources(Peer *p)
{
        sd_event *event = p->server->manager->event;
        int r;

        r = sd_event_add_io(event, &p->io_source, p->fd, EPOLLIN, on_io, p);
        if (r >= 0)
                r = sd_event_source_set_prepare(p->io_source, on_prepare);
        if (r >= 0)
                r = sd_event_add_defer(event, &p->more_source, on_more, p);
        return r;
}

/* The epoll registration is made with a copy of the descriptor, and is taken back before that is closed.
 * With sd-bus's own it would not be: when the connection ends sd-bus closes it first, and where a child on
 * its way to exec still has it open, the kernel keeps the registration, with a pointer to what we have
 * freed. */
static int start(Peer *p, int fd)
{
        int in, r;

        r = p->fd = fd_dup(fd);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        r = inlet_init(&p->inlet, p->fd, &in);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        r = sd_bus_new(&p->bus);
        if (r >= 0)
                r = sd_bus_set_fd(p->bus, in, fd);
        if (r < 0) {
                fd_close(in);
                fd_close(fd);
                return r;
        }
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

int peer_new(BusServer *server, int fd, const PeerCredentials *credentials, Peer **ret)
{
        _cleanup_(peer_freep) Peer *p = alloc_new(Peer);
        int r;

        if (!p) {
                fd_close(fd);
                return -ENOMEM;
        }
        p->server = server;
        p->fd = p->inlet.to = -EBADF;
        p->credentials = *credentials;
        list_init(&p->link);
        list_init(&p->pendings);
        list_init(&p->holds);
        list_init(&p->followers);
        timer_init(&p->patience, on_patience);
        snprintf(p->name, sizeof(p->name), ":1.%" PRIu64, ++server->last_peer);
        r = start(p, fd);
        if (r >= 0)
                r = add_objects(p);
        if (r >= 0)
                r = add_sources(p);
        if (r < 0)
                return r;
        server_add_peer(server, p);
        update_patience(p, false);
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
        p->io_source = sd_event_source_disable_unref(p->io_source);
        p->more_source = sd_event_source_disable_unref(p->more_source);
        if (p->bus) {
                sd_bus_close(p->bus);
                sd_bus_unref(p->bus);
        }
        inlet_done(&p->inlet);
        fd_close(p->fd);
        free(p->queue_sizes);
        free(p);
        return NULL;
}
