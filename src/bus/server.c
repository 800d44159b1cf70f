/*
 * Accepting must not fail in a way that leaves the socket readable for ever: a full table turns away, and
 * takes the place of one who never said anything first; a lack of descriptors is met with one kept in
 * reserve.
 */

#include "bus/server.h"

#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "bus/gateway.h"
#include "bus/job.h"
#include "bus/manager.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "bus/session.h"
#include "core/listener.h"
#include "core/manager.h"

bool server_may_enter(const PeerCredentials *c)
{
        return c->uid == 0 || c->uid == geteuid();
}

/* The oldest peer that never made a call gives up its place. */
bool server_make_room(BusServer *s)
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

static void on_connected(Listener *l, int fd, const PeerCredentials *c)
{
        BusServer *s = l->userdata;
        Peer *p;
        int r;

        if (!server_may_enter(c)) {
                log_debug("uid %d may not connect", (int) c->uid);
                fd_close(fd);
                return;
        }
        if (!server_make_room(s)) {
                log_warning("%u connections are open, the most that may be: one more is turned away",
                            s->n_peers);
                fd_close(fd);
                return;
        }
        r = peer_new(s, fd, PEER_DIRECT, c, PEER_QUEUE_MAX, &p);
        if (r < 0)
                log_debug_errno(r, "A connection cannot be served, or is gone already");
}

int server_listen(BusServer *s, const char *address)
{
        Listener *l;
        int r;

        r = listener_new(s->manager->event, address, on_connected, s, &l);
        if (r < 0)
                return r;
        list_append(&s->listeners, &l->link);
        return 0;
}

static void on_rejoin(Manager *manager)
{
        gateway_rejoin(((BusServer *) manager->rejoin_userdata)->gateway);
}

int server_join(BusServer *s, const char *address)
{
        int r;

        r = gateway_new(s, address, &s->gateway);
        if (r < 0)
                return r;
        s->manager->rejoin = on_rejoin;
        s->manager->rejoin_userdata = s;
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

static void on_session_new(SessionObserver *o, Session *session)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, session_observer), p)
        bus_session_emit_new(p, session);
}

static void on_session_changed(SessionObserver *o, Session *session, SessionProperty what)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, session_observer), p)
        bus_session_emit_changed(p, session, what);
}

static void on_session_removed(SessionObserver *o, Session *session)
{
        FOREACH_LISTENING_PEER(container_of(o, BusServer, session_observer), p)
        bus_session_emit_removed(p, session);
}

static const SessionObserverOps session_observer_ops = {
                .session_new = on_session_new,
                .session_changed = on_session_changed,
                .session_removed = on_session_removed,
};

void server_check_flushed(BusServer *s)
{
        if (!s->flushing || s->manager->followers.n > 0 || (s->gateway && !gateway_is_flushed(s->gateway)))
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
        followers_finish(&s->manager->followers);
        if (s->gateway)
                gateway_flush(s->gateway);
        server_check_flushed(s);
}

static void on_follower_gone(Followers *followers)
{
        server_check_flushed(followers->userdata);
}

static void on_follower_progress(Followers *followers)
{
        BusServer *s = followers->userdata;

        shutdown_prolong_flush(&s->manager->shutdown);
}

int server_init(BusServer *s, Manager *manager)
{
        int r;

        *s = (BusServer){.manager = manager,
                         .observer.ops = &observer_ops,
                         .session_observer.ops = &session_observer_ops};
        list_init(&s->listeners);
        list_init(&s->peers);
        list_init(&s->observer.link);
        list_init(&s->session_observer.link);
        r = sd_id128_randomize(&s->id);
        if (r < 0)
                return r;
        job_set_observe(&manager->jobs, &s->observer);
        session_set_observe(&manager->sessions, &s->session_observer);
        manager->shutdown.flush = on_flush;
        manager->shutdown.flush_userdata = s;
        manager->followers.gone = on_follower_gone;
        manager->followers.progress = on_follower_progress;
        manager->followers.userdata = s;
        return 0;
}

void server_done(BusServer *s)
{
        if (!s->manager)
                return;
        job_set_unobserve(&s->observer);
        session_set_unobserve(&s->session_observer);
        s->manager->shutdown.flush = NULL;
        s->manager->followers.gone = s->manager->followers.progress = NULL;
        s->manager->rejoin = NULL;
        s->flushing = false;
        s->gateway = gateway_free(s->gateway);
        LIST_FOREACH_SAFE (&s->listeners, link)
                listener_free(container_of(link, Listener, link));
        LIST_FOREACH_SAFE (&s->peers, link)
                peer_free(container_of(link, Peer, link));
        s->manager = NULL;
}
