/*
 * Accepting must not fail in a way that leaves the socket readable for ever: a full table turns away, and
 * takes the place of one who never said anything first; a lack of descriptors is met with one kept in
 * reserve.
 */

#include "bus/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "bus/job.h"
#include "bus/manager.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "core/manager.h"
#include "sys/entropy.h"
#include "sys/unix-socket.h"
#include "sys/stdio.h"

/* Accepted in one turn. */
#define ACCEPT_BUDGET 16

static bool may_enter(const PeerCredentials *c)
{
        return c->uid == 0 || c->uid == geteuid();
}

/* The oldest peer that never made a call gives up its place. */
static bool make_room(BusServer *s)
{
        if (s->n_peers < SERVER_PEERS_MAX)
                return true;
        LIST_FOREACH (&s->peers, link) {
                Peer *p = container_of(link, Peer, link);

                if (!p->called) {
                        peer_free(p);
                        return true;
                }
        }
        return false;
}

static void turn_away_one(BusServer *s, int listen_fd)
{
        PeerCredentials c;
        int fd;

        s->spare_fd = fd_close(s->spare_fd);
        if (socket_accept(listen_fd, &fd, &c) >= 0)
                fd_close(fd);
        s->spare_fd = stdio_null();
        log_warning("No descriptor is left for one more connection: it is turned away");
}

/* 0: go on; -EAGAIN: nobody is waiting. */
static int accept_one(BusServer *s, int listen_fd)
{
        PeerCredentials c;
        Peer *p;
        int fd, r;

        r = socket_accept(listen_fd, &fd, &c);
        if (r == -EMFILE || r == -ENFILE) {
                turn_away_one(s, listen_fd);
                return 0;
        }
        if (r < 0)
                return r == -EAGAIN ? r : 0;
        if (!may_enter(&c)) {
                log_debug("uid %d may not connect", (int) c.uid);
                fd_close(fd);
                return 0;
        }
        if (!make_room(s)) {
                log_warning("%u connections are open, the most that may be: one more is turned away",
                            s->n_peers);
                fd_close(fd);
                return 0;
        }
        r = peer_new(s, fd, &c, &p);
        if (r < 0)
                log_warning_errno(r, "Cannot serve a connection");
        return 0;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        BusListener *l = userdata;
        int r = 0;

        for (unsigned n = 0; n < ACCEPT_BUDGET && r >= 0; n++)
                r = accept_one(l->server, fd);
        return 0;
}

static BusListener *listener_free(BusListener *l)
{
        if (!l)
                return NULL;
        list_remove(&l->link);
        sd_event_source_disable_unref(l->source);
        if (l->fd >= 0 && l->address)
                socket_unlink(l->address);
        fd_close(l->fd);
        free(l->address);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(BusListener *, listener_free)

int server_listen(BusServer *s, const char *address)
{
        _cleanup_(listener_freep) BusListener *l = alloc_new(BusListener);
        int r;

        if (!l)
                return -ENOMEM;
        list_init(&l->link);
        l->server = s;
        l->fd = -EBADF;
        l->address = str_copy(address);
        if (!l->address)
                return -ENOMEM;
        r = socket_listen(address, 0600, &l->fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(s->manager->event, &l->source, l->fd, EPOLLIN, on_accept, l);
        if (r < 0)
                return r;
        list_append(&s->listeners, &l->link);
        TAKE_PTR(l);
        return 0;
}

void server_add_peer(BusServer *s, Peer *p)
{
        list_append(&s->peers, &p->link);
        s->n_peers++;
}

void server_remove_peer(BusServer *s, Peer *p)
{
        if (list_is_empty(&p->link))
                return;
        list_remove(&p->link);
        s->n_peers--;
}

#define FOREACH_LISTENING_PEER(server, p)                                                                   \
        LIST_FOREACH (&(server)->peers, link)                                                               \
                for (Peer *p = container_of(link, Peer, link); p && peer_wants_signals(p); p = NULL)

static void on_job_new(JobObserver *o, Job *job)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, observer), p)
        {
                bus_job_emit_added(p, job);
                bus_manager_emit_job_new(p, job);
        }
}

static void on_job_changed(JobObserver *o, Job *job)
{
        if (!job->announced)
                return;
        FOREACH_LISTENING_PEER(container_of(o, BusServer, observer), p)
        bus_job_emit_changed(p, job);
}

static void on_job_exited(JobObserver *o, Job *job)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, observer), p)
        bus_manager_emit_job_exited(p, job);
}

static void on_job_finished(JobObserver *o, Job *job)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, observer), p)
        bus_manager_emit_job_finished(p, job);
}

static void on_job_removed(JobObserver *o, Job *job)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, observer), p)
        {
                bus_job_emit_removed(p, job);
                bus_manager_emit_job_removed(p, job);
        }
}

static const JobObserverOps observer_ops = {
                .job_new = on_job_new,
                .job_changed = on_job_changed,
                .job_exited = on_job_exited,
                .job_finished = on_job_finished,
                .job_removed = on_job_removed,
};

void server_check_flushed(BusServer *s)
{
        if (!s->flushing)
                return;
        LIST_FOREACH (&s->peers, link)
                if (!peer_is_flushed(container_of(link, Peer, link)))
                        return;
        shutdown_flushed(&s->manager->shutdown);
}

/* What still waits will never come true now. */
static void on_flush(Shutdown *shutdown)
{
        BusServer *s = shutdown->flush_userdata;

        s->flushing = true;
        LIST_FOREACH (&s->peers, link)
                pending_refuse_all(container_of(link, Peer, link));
        server_check_flushed(s);
}

int server_init(BusServer *s, Manager *manager)
{
        *s = (BusServer){.manager = manager, .observer.ops = &observer_ops, .spare_fd = -EBADF};
        list_init(&s->listeners);
        list_init(&s->peers);
        list_init(&s->observer.link);
        random_bytes(&s->id, sizeof(s->id));
        s->spare_fd = stdio_null();
        job_set_observe(&manager->jobs, &s->observer);
        manager->shutdown.flush = on_flush;
        manager->shutdown.flush_userdata = s;
        return s->spare_fd < 0 ? s->spare_fd : 0;
}

void server_done(BusServer *s)
{
        if (!s->manager)
                return;
        job_set_unobserve(&s->observer);
        s->manager->shutdown.flush = NULL;
        s->flushing = false;
        LIST_FOREACH_SAFE (&s->listeners, link)
                listener_free(container_of(link, BusListener, link));
        LIST_FOREACH_SAFE (&s->peers, link)
                peer_free(container_of(link, Peer, link));
        s->spare_fd = fd_close(s->spare_fd);
        s->manager = NULL;
}
