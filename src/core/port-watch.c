/*
 * The kernel tells nobody that a socket listens, so it has to be looked for. What keeps that cheap: nobody
 * looks while nobody waits; one list serves all; descriptors are read only where the ports listen already;
 * and after a look that took long comes a pause nine times as long, so that waiting never takes more than a
 * tenth of a processor. What keeps it bounded: a turn looks at PORT_LINKS descriptors, and goes on after all
 * others have had theirs.
 */

#include "core/port-watch.h"

#include <errno.h>
#include <stdlib.h>

#include "core/job.h"
#include "sys/clock.h"
#include "sys/netlisten.h"

#define REST_FACTOR 9
/* Processes that are listed in the time of a descriptor that is looked at. */
#define PIDS_A_LINK 8
/* Looks that somebody hints at come no faster than this. */
#define HINT_DELAY_USEC (10 * USEC_PER_MSEC)

static void on_timer(Timer *t, usec_t now);

void port_watch_init(PortWatch *pw, TimerQueue *timers)
{
        *pw = (PortWatch){.timers = timers, .walk = SOCKET_WALK_NULL};
        list_init(&pw->waits);
        timer_init(&pw->timer, on_timer);
}

static void walk_end(PortWatch *pw)
{
        if (!pw->walked)
                return;
        pw->walked = NULL;
        socket_walk_done(&pw->walk);
}

static void look_end(PortWatch *pw)
{
        walk_end(pw);
        free(pw->listeners);
        pw->listeners = NULL;
        pw->n_listeners = 0;
        pw->looking = false;
}

void port_watch_done(PortWatch *pw)
{
        if (!pw->timers)
                return;
        look_end(pw);
        timer_disarm(pw->timers, &pw->timer);
}

void port_wait_add(PortWatch *pw, PortWait *w)
{
        w->watch = pw;
        w->round = pw->round; /* of a look that is under way it has missed the beginning */
        list_append(&pw->waits, &w->link);
        pw->delay = PORT_DELAY_MIN_USEC;
        if (!pw->looking)
                timer_arm(pw->timers, &pw->timer, MAX(clock_monotonic(), usec_add(pw->ended, pw->rest)));
}

void port_wait_remove(PortWait *w)
{
        PortWatch *pw = w->watch;

        if (!pw)
                return;
        if (pw->walked == w)
                walk_end(pw);
        list_remove(&w->link);
        w->watch = NULL;
        if (list_is_empty(&pw->waits)) {
                look_end(pw);
                timer_disarm(pw->timers, &pw->timer);
        }
}

void port_wait_hint(PortWait *w)
{
        PortWatch *pw = w->watch;
        usec_t rest, next;

        if (!pw || pw->looking)
                return;
        rest = MAX(pw->rest, HINT_DELAY_USEC);
        next = MAX(clock_monotonic(), usec_add(pw->ended, rest));
        if (next < pw->timer.deadline)
                timer_arm(pw->timers, &pw->timer, next);
}

static bool listens(const PortWatch *pw, uint16_t port)
{
        return pw->listening[port / 64] & (UINT64_C(1) << port % 64);
}

/* The kernel chooses where all want the same one. */
static uint16_t only_port(const PortWatch *pw)
{
        uint16_t port = 0;

        LIST_FOREACH (&pw->waits, link) {
                const PortWait *w = container_of(link, PortWait, link);

                if (w->n_ports != 1 || (port != 0 && port != w->ports[0]))
                        return 0;
                port = w->ports[0];
        }
        return port;
}

static void look_begin(PortWatch *pw)
{
        pw->looking = true;
        pw->round++;
        pw->spent = 0;
        memset(pw->listening, 0, sizeof(pw->listening));
        pw->error = netlisten_read(only_port(pw), &pw->listeners, &pw->n_listeners);
        for (size_t i = 0; i < pw->n_listeners; i++) {
                uint16_t port = pw->listeners[i].port;

                pw->listening[port / 64] |= UINT64_C(1) << port % 64;
        }
}

/* This look is done with him. */
static void tell(PortWatch *pw, PortWait *w, int r)
{
        walk_end(pw);
        w->round = pw->round;
        list_remove(&w->link);
        if (r == 1)
                w->watch = NULL;
        else
                list_append(&pw->waits, &w->link);
        w->looked(w, r);
}

static uint64_t all_of(const PortWait *w)
{
        return w->n_ports < 64 ? (UINT64_C(1) << w->n_ports) - 1 : UINT64_MAX;
}

/* 1: there is a walk to make; else what he is to be told. */
static int walk_begin(PortWatch *pw, PortWait *w, unsigned *budget)
{
        int r;

        if (pw->error < 0)
                return pw->error;
        for (size_t i = 0; i < w->n_ports; i++)
                if (!listens(pw, w->ports[i]))
                        return 0;
        if (!w->job->scope)
                return 0;
        r = socket_walk_start(&pw->walk, w->job->scope);
        if (r < 0)
                return r;
        *budget -= MIN(*budget, (unsigned) (pw->walk.n_pids / PIDS_A_LINK)); /* their list was read */
        pw->walked = w;
        pw->found = 0;
        return 1;
}

static void mark(PortWatch *pw, const PortWait *w, uint64_t inode)
{
        const NetListener *l = netlisten_find(pw->listeners, pw->n_listeners, inode);

        for (size_t i = 0; l && i < w->n_ports; i++)
                if (w->ports[i] == l->port)
                        pw->found |= UINT64_C(1) << i;
}

static void walk_on(PortWatch *pw, PortWait *w, unsigned *budget)
{
        while (*budget > 0) {
                uint64_t inode;
                int r = socket_walk_step(&pw->walk, &inode);

                (*budget)--;
                if (r == 1)
                        mark(pw, w, inode);
                if (r < 0 || pw->found == all_of(w)) {
                        tell(pw, w, pw->found == all_of(w) ? 1 : r == -ENODATA ? 0 : r);
                        return;
                }
        }
}

/* Whose turn it is; NULL: the look is over. */
static PortWait *next_wait(const PortWatch *pw)
{
        List *first = list_first(&pw->waits);
        PortWait *w;

        if (pw->walked || !first)
                return pw->walked;
        w = container_of(first, PortWait, link);
        return w->round != pw->round ? w : NULL;
}

static void look_on(PortWatch *pw)
{
        unsigned budget = PORT_LINKS;
        PortWait *w;

        while (budget > 0 && (w = next_wait(pw))) {
                int r = 1;

                budget--;
                if (!pw->walked)
                        r = walk_begin(pw, w, &budget);
                if (r == 1)
                        walk_on(pw, w, &budget);
                else
                        tell(pw, w, r);
        }
}

static void on_timer(Timer *t, usec_t now)
{
        PortWatch *pw = container_of(t, PortWatch, timer);
        usec_t start = clock_monotonic();

        if (!pw->looking)
                look_begin(pw);
        look_on(pw);
        pw->ended = clock_monotonic();
        pw->spent += pw->ended - start;
        if (list_is_empty(&pw->waits)) {
                look_end(pw);
                return;
        }
        if (next_wait(pw)) {
                timer_arm(pw->timers, t, pw->ended);
                return;
        }
        look_end(pw);
        pw->rest = pw->spent * REST_FACTOR;
        timer_arm(pw->timers, t, usec_add(pw->ended, MAX(pw->delay, pw->rest)));
        pw->delay = MIN(pw->delay * 2, PORT_DELAY_MAX_USEC);
}
