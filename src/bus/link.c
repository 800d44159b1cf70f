/*
 * The epoll registration is made with a copy of the descriptor, and is taken back before that is closed.
 * With sd-bus's own it would not be: when the connection ends sd-bus closes it first, and where a child on
 * its way to exec still has it open, the kernel keeps the registration, with a pointer to what we have
 * freed.
 */

#include "bus/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "basic/alloc.h"
#include "basic/fd.h"

/* Steps of one turn. */
#define TURN_BUDGET 64

uint64_t link_queued(const BusLink *l)
{
        uint64_t n = 0;

        return sd_bus_get_n_queued_write(l->bus, &n) < 0 ? 0 : n;
}

/* The sizes of what is still queued: as many of the last ones as sd-bus says are. */
static void queue_forget_written(BusLink *l, uint64_t queued)
{
        while (l->queue_n > queued) {
                l->queue_bytes -= l->queue_sizes[l->queue_first];
                l->queue_first = (l->queue_first + 1) % l->queue_max;
                l->queue_n--;
        }
}

uint64_t link_queued_bytes(BusLink *l)
{
        queue_forget_written(l, link_queued(l));
        return l->queue_bytes;
}

int link_sent(BusLink *l, size_t size)
{
        uint64_t queued = link_queued(l);

        queue_forget_written(l, queued);
        if (queued == 0)
                return 0;
        if (!l->queue_sizes)
                l->queue_sizes = alloc_array(uint32_t, l->queue_max);
        if (!l->queue_sizes)
                return -ENOMEM;
        if (queued >= l->queue_max || l->queue_n >= l->queue_max)
                return -ENOBUFS;
        l->queue_sizes[(l->queue_first + l->queue_n++) % l->queue_max] =
                        (uint32_t) MIN(size, (size_t) UINT32_MAX);
        l->queue_bytes += MIN(size, (size_t) UINT32_MAX);
        return 0;
}

/* What follows BEGIN is for when sd-bus has seen that, which it puts off while an answer is unwritten. */
static bool may_move(const BusLink *l)
{
        return !l->inlet.begun || sd_bus_is_ready(l->bus) > 0;
}

static bool may_take(BusLink *l)
{
        return l->ops->may_read(l) && (!l->guarded || may_move(l));
}

static int on_prepare(sd_event_source *source, void *userdata)
{
        BusLink *l = userdata;
        int events = sd_bus_get_events(l->bus);
        uint32_t wanted = EPOLLRDHUP;

        if (events < 0)
                return 0;
        if (((events & POLLIN) || l->guarded) && may_take(l))
                wanted |= EPOLLIN;
        if (events & POLLOUT)
                wanted |= EPOLLOUT;
        (void) sd_event_source_set_io_events(l->io_source, wanted);
        return 0;
}

/* sd-bus has read a message with descriptors, and nobody was shown it. */
static bool is_forgotten(BusLink *l)
{
        return inlet_is_owed(&l->inlet) && !l->understood && sd_bus_is_open(l->bus) > 0 &&
               inlet_is_taken(&l->inlet);
}

/* Lets sd-bus do one thing; when it has none, gives it what came in. 0: there is nothing to do. */
static int step(BusLink *l, bool *ret_processed)
{
        int r;

        if (l->guarded)
                inlet_foresee(&l->inlet);
        r = sd_bus_process(l->bus, NULL);
        *ret_processed = r > 0;
        /* Now: the next thing that sd-bus does may be to find the connection at its end, and then it is not
         * to be known any more. */
        if (r > 0 && l->guarded && is_forgotten(l))
                return inlet_settle(&l->inlet, false);
        if (r != 0 || !l->guarded)
                return r;
        r = inlet_settle(&l->inlet, l->understood);
        if (r < 0)
                return r;
        if (!may_move(l)) /* unless it has something to write first, BEGIN came before its time */
                return sd_bus_get_events(l->bus) & POLLOUT ? 0 : -EPROTO;
        l->understood = false;
        return inlet_move(&l->inlet);
}

/* A turn does not end before it is known of descriptors whose they are. */
static void turn(BusLink *l)
{
        unsigned n, n_processed = 0;
        bool over = l->ending;
        int r = over ? -ECONNRESET : 0;

        for (n = 0; r >= 0; n++) {
                bool processed;

                over = over || n >= TURN_BUDGET;
                if (over && (!l->guarded || l->understood || !inlet_is_owed(&l->inlet)))
                        break;
                r = step(l, &processed);
                if (r == 0)
                        break;
                n_processed += processed;
                over = over || (processed && !l->ops->stepped(l));
        }
        if (n >= TURN_BUDGET)
                link_kick(l);
        l->ops->turned(l, MIN(r, 0), n_processed);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        BusLink *l = userdata;

        /* It will never read again, and we have stopped reading from it: sd-bus would not notice. */
        if ((revents & (EPOLLHUP | EPOLLRDHUP)) && !may_take(l))
                l->ops->turned(l, -ECONNRESET, 0);
        else
                turn(l);
        return 0;
}

static int on_more(sd_event_source *source, void *userdata)
{
        turn(userdata);
        return 0;
}

int link_open(BusLink *l, const BusLinkOps *ops, int fd, unsigned queue_max, bool guarded)
{
        int in = fd, r;

        *l = (BusLink){.ops = ops, .fd = -EBADF, .queue_max = queue_max, .guarded = guarded};
        l->inlet.to = -EBADF;
        r = l->fd = fd_dup(fd);
        if (r >= 0 && guarded)
                r = inlet_init(&l->inlet, l->fd, &in);
        if (r >= 0)
                r = sd_bus_new(&l->bus);
        if (r >= 0)
                r = sd_bus_set_fd(l->bus, in, fd);
        if (r < 0) {
                if (in != fd)
                        fd_close(in);
                fd_close(fd);
                link_done(l);
        }
        return MIN(r, 0);
}

int link_attach(BusLink *l, sd_event *event)
{
        int r;

        r = sd_event_add_io(event, &l->io_source, l->fd, EPOLLIN, on_io, l);
        if (r >= 0)
                r = sd_event_source_set_prepare(l->io_source, on_prepare);
        if (r >= 0)
                r = sd_event_add_defer(event, &l->more_source, on_more, l);
        return r;
}

void link_done(BusLink *l)
{
        l->io_source = sd_event_source_disable_unref(l->io_source);
        l->more_source = sd_event_source_disable_unref(l->more_source);
        if (l->bus) {
                sd_bus_close(l->bus);
                l->bus = sd_bus_unref(l->bus);
        }
        if (l->guarded)
                inlet_done(&l->inlet);
        l->fd = fd_close(l->fd);
        free(l->queue_sizes);
        l->queue_sizes = NULL;
        l->queue_first = l->queue_n = 0;
        l->queue_bytes = 0;
}

void link_kick(BusLink *l)
{
        if (l->more_source) /* else it is not attached yet, or not any more */
                (void) sd_event_source_set_enabled(l->more_source, SD_EVENT_ONESHOT);
}

void link_end(BusLink *l)
{
        l->ending = true;
        link_kick(l);
}
