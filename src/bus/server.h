#pragma once

/*
 * The private socket: listens, lets in who may come, and tells every peer what happens to jobs. With it, the
 * way to a message bus. It stands beside the manager, which does not know of it, and observes.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/list.h"
#include "core/job-set.h"
#include "core/session.h"
#include "core/listener.h"

typedef struct Gateway Gateway;
typedef struct Manager Manager;
typedef struct Peer Peer;

#define SERVER_PEERS_MAX 256U
#define SERVER_DESCRIPTORS_MAX 1024U /* that came with calls which wait for their answer */
#define SERVER_CALL_BYTES_MAX                                                                               \
        (UINT64_C(128) * 1024 * 1024) /* of such calls; a queued Run has its input twice */
/* What we are called on our own sockets, where nobody hands out names. */
#define SERVER_UNIQUE_NAME ":1.0"

typedef struct BusServer {
        Manager *manager;
        sd_id128_t id;
        List listeners; /* Listener.link */
        List peers;     /* Peer.link, oldest first */
        unsigned n_peers;
        unsigned n_descriptors; /* of all peers' pending calls */
        uint64_t n_call_bytes;  /* likewise */
        uint64_t last_peer;
        JobObserver observer;
        SessionObserver session_observer;
        Gateway *gateway; /* to a message bus; NULL: none */
        bool flushing;
} BusServer;

int server_init(BusServer *s, Manager *manager);
void server_done(BusServer *s);

/* Listens at "unix:path=…" (0600) or "unix:abstract=…". Negative errno. */
int server_listen(BusServer *s, const char *address);

/* Joins a message bus, too, at "unix:path=…" or "unix:abstract=…", now or when it is there. */
int server_join(BusServer *s, const char *address);

/* Who may have a connection. */
bool server_may_enter(const PeerCredentials *c);
/* There is room for one more connection, maybe after one that never made a call has gone. */
bool server_make_room(BusServer *s);

/* For peer.c. */
void server_add_peer(BusServer *s, Peer *p);
void server_remove_peer(BusServer *s, Peer *p);
/* While reeve goes down: whether everybody has read everything; then the manager is told. */
void server_check_flushed(BusServer *s);
