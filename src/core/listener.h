#pragma once

/*
 * A listening socket, and the accepting on it. Accepting must not fail in a way that leaves the socket
 * readable for ever: when descriptors have run out, one kept in reserve is given up to take the caller in
 * and turn him away.
 */

#include <systemd/sd-event.h>

#include "basic/list.h"
#include "sys/unix-socket.h"

typedef struct Listener Listener;
struct Listener {
        List link; /* the owner's */
        char *address;
        int fd, spare_fd;
        sd_event_source *source;
        /* Takes the descriptor over. */
        void (*connected)(Listener *l, int fd, const PeerCredentials *credentials);
        void *userdata;
};

/* Listens at "unix:path=…" or "unix:abstract=…", for the owner alone (0600). Negative errno. */
int listener_new(sd_event *event, const char *address,
                 void (*connected)(Listener *l, int fd, const PeerCredentials *credentials), void *userdata,
                 Listener **ret);
/* Removes the socket. Returns NULL. */
Listener *listener_free(Listener *l);
DEFINE_CLEANUP(Listener *, listener_free)
