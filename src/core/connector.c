/*
 * A socket that refuses is either bound and not yet listening, which is over in no time, or its owner is
 * dead: such a one will never accept again, whoever comes next makes a new one, and that is seen. So after a
 * few tries the watch alone remains, and nothing wakes up any more. Abstract sockets cannot be watched, and
 * one whose owner is behind with accepting gives no sign: these are tried for ever, at the longest pause.
 */

#include "core/connector.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "sys/clock.h"
#include "sys/socket-data.h"
#include "sys/unix-socket.h"

static void watch_stop(Connector *c)
{
        c->watch_source = sd_event_source_disable_unref(c->watch_source);
        path_watch_close(&c->watch);
}

static void try(Connector *c);

static int on_watch(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Connector *c = userdata;

        if (path_watch_read(&c->watch) == 0)
                return 0;
        c->pause = 0; /* a new socket may refuse for a moment, whatever the old one did */
        try(c);
        return 0;
}

static int watch_start(Connector *c)
{
        int r = 0;

        if (c->watch.fd < 0) {
                r = path_watch_open(&c->watch, c->path);
                if (r >= 0)
                        r = sd_event_add_io(c->event, &c->watch_source, c->watch.fd, EPOLLIN, on_watch, c);
        }
        if (r >= 0)
                r = path_watch_arm(&c->watch);
        if (r < 0) {
                log_debug_errno(r, "%s cannot be watched", c->path);
                watch_stop(c);
        }
        return r;
}

static void wait_some(Connector *c)
{
        c->pause = c->pause == 0 ? CONNECTOR_PAUSE_FIRST : MIN(c->pause * 2, CONNECTOR_PAUSE_MAX);
        timer_arm(c->timers, &c->timer, usec_add(clock_monotonic(), c->pause));
}

static void try(Connector *c)
{
        bool watched = false;
        int fd, r;

        timer_disarm(c->timers, &c->timer);
        if (c->path)
                watched = watch_start(c) >= 0;
        r = socket_connect(c->address, false, &fd);
        if (r >= 0) {
                watch_stop(c);
                c->seeking = c->told = false;
                c->ops->connected(c, fd);
                return;
        }
        if (!watched ||
            (r != -ENOENT && r != -ENOTDIR && (r != -ECONNREFUSED || c->pause < CONNECTOR_PAUSE_MAX)))
                wait_some(c);
        if (!c->told) {
                c->told = true;
                c->ops->waiting(c, r);
        }
}

static void on_timer(Timer *t, usec_t now)
{
        try(container_of(t, Connector, timer));
}

int connector_init(Connector *c, sd_event *event, TimerQueue *timers, const char *address,
                   const ConnectorOps *ops)
{
        int r;

        *c = (Connector){.ops = ops, .event = event, .timers = timers, .watch = PATH_WATCH_INIT};
        timer_init(&c->timer, on_timer);
        r = socket_address_path(address, &c->path);
        if (r < 0)
                return r;
        c->address = str_copy(address);
        if (!c->address) {
                free(c->path);
                return -ENOMEM;
        }
        return 0;
}

void connector_done(Connector *c)
{
        if (!c->address)
                return;
        timer_disarm(c->timers, &c->timer);
        watch_stop(c);
        free(c->address);
        free(c->path);
        *c = (Connector){.watch = PATH_WATCH_INIT};
}

void connector_seek(Connector *c)
{
        c->seeking = true;
        c->pause = 0;
        try(c);
}

void connector_seek_later(Connector *c)
{
        c->seeking = true;
        if (c->path)
                (void) watch_start(c);
        wait_some(c);
}

int connector_pair(int ret_fds[2])
{
        return socket_pair(ret_fds);
}
