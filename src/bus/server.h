#pragma once

/*
 * The private socket: listens, lets in who may come, and tells every peer what happens to jobs. It stands
 * beside the manager, which does not know of it, and observes.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/list.h"
#include "core/job-set.h"
#include "core/session.h"

typedef struct Manager Manager;
typedef struct Peer Peer;

#define SERVER_PEERS_MAX 256U
#define SERVER_DESCRIPTORS_MAX 1024U /* that came with calls which wait for their answer */
/* What we are called on our own sockets, where nobody hands out names. */
#define SERVER_UNIQUE_NAME ":1.0"

typedef struct BusServer {
        Manager *manager;
        sd_id128_t id;
        List listeners; /* Listener.link */
        List peers;     /* Peer.link, oldest first */
        unsigned n_peers;
        unsigned n_descriptors; /* of all peers' pending calls */
        uint64_t last_peer;
        JobObserver observer;
        SessionObserver session_observer;
        bool flushing;
} BusServer;

int server_init(BusServer *s, Manager *manager);
void server_done(BusServer *s);

/* Listens at "unix:path=…" (0600) or "unix:abstract=…". Negative errno. */
int server_listen(BusServer *s, const char *address);

/* For peer.c. */
void server_add_peer(BusServer *s, Peer *p);
void server_remove_peer(BusServer *s, Peer *p);
/* While reeve goes down: whether everybody has read everything; then the manager is told. */
void server_check_flushed(BusServer *s);
