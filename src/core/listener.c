/*
 * The socket stays in the event loop whatever happens: an error of one accept is that caller's, and the next
 * one is served.
 */

#include "core/listener.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "sys/stdio.h"

/* Accepted in one turn. */
#define ACCEPT_BUDGET 16

static void turn_one_away(Listener *l)
{
        PeerCredentials c;
        int fd;

        l->spare_fd = fd_close(l->spare_fd);
        if (socket_accept(l->fd, &fd, &c) >= 0)
                fd_close(fd);
        l->spare_fd = stdio_null();
        log_warning("No descriptor is left for one more connection: it is turned away");
}

static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata)
{
        Listener *l = userdata;

        for (unsigned n = 0; n < ACCEPT_BUDGET; n++) {
                PeerCredentials c;
                int fd, r;

                r = socket_accept(l->fd, &fd, &c);
                if (r == -EAGAIN)
                        break;
                if (r == -EMFILE || r == -ENFILE)
                        turn_one_away(l);
                else if (r >= 0)
                        l->connected(l, fd, &c);
        }
        return 0;
}

int listener_new(sd_event *event, const char *address,
                 void (*connected)(Listener *l, int fd, const PeerCredentials *credentials), void *userdata,
                 Listener **ret)
{
        _cleanup_(listener_freep) Listener *l = alloc_new(Listener);
        int r;

        if (!l)
                return -ENOMEM;
        list_init(&l->link);
        l->fd = -EBADF;
        l->connected = connected;
        l->userdata = userdata;
        l->spare_fd = stdio_null();
        l->address = str_copy(address);
        if (!l->address)
                return -ENOMEM;
        r = socket_listen(address, 0600, &l->fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &l->source, l->fd, EPOLLIN, on_accept, l);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

Listener *listener_free(Listener *l)
{
        if (!l)
                return NULL;
        list_remove(&l->link);
        sd_event_source_disable_unref(l->source);
        if (l->fd >= 0)
                socket_unlink(l->address);
        fd_close(l->fd);
        fd_close(l->spare_fd);
        free(l->address);
        free(l);
        return NULL;
}
