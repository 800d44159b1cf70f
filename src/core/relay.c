/*
 * The ring is no way for this: it overwrites what a slow reader has not had. So the piece that was read last
 * stays here until the process that writes has it, and the next one is read only then. What is under way is
 * bounded by that, and by the socket to the process.
 */

#include "core/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "sys/tee.h"

/* Reports read in one turn. */
#define TURN_REPORTS 16

static void stop(Relay *r)
{
        r->source = sd_event_source_disable_unref(r->source);
        r->fd = fd_close(r->fd);
        if (pidref_is_set(&r->worker))
                (void) pidref_signal(&r->worker, SIGKILL);
        pidref_done(&r->worker);
}

/* error: what the descriptor failed with; 0 where the process has ended. */
static void finish(Relay *r, int error)
{
        uint64_t lost = r->n_given - r->n_taken;

        if (error == 0 && lost == 0)
                pidref_done(&r->worker); /* it has ended by itself: its number may be somebody else's soon */
        stop(r);
        r->rest_size = 0;
        if (lost > 0)
                log_warning("%s: %" PRIu64 " of %" PRIu64
                            " bytes of COMMAND's output could not be written: %s",
                            r->name, lost, r->n_given,
                            error > 0 ? errno_text(error) : "it was not read in time");
}

static void watch(Relay *r)
{
        (void) sd_event_source_set_io_events(r->source, EPOLLIN | (r->rest_size > 0 ? EPOLLOUT : 0U));
}

/* Sends what it takes of the rest. That the process is gone is told by its socket. */
static void send_rest(Relay *r)
{
        while (r->rest_size > 0) {
                ssize_t n = tee_send(r->fd, r->rest + r->rest_at, r->rest_size);

                if (n < 0)
                        break;
                r->rest_at += (size_t) n;
                r->rest_size -= (size_t) n;
        }
        if (r->rest_size == 0 && r->ended)
                tee_send_end(r->fd);
        watch(r);
}

/* What it says, at most so many reports. 1: it writes on; 0: it has ended, or failed with *ret_error. */
static int take_reports(Relay *r, unsigned max, int *ret_error)
{
        for (unsigned n = 0; n < max; n++) {
                uint64_t taken = 0;
                int error = 0, q = tee_receive(r->fd, &taken, &error);

                if (q == -EAGAIN)
                        break;
                r->n_taken += taken;
                if (q >= 0 && error == 0)
                        continue;
                *ret_error = error;
                return 0;
        }
        return 1;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Relay *r = userdata;
        bool had_room = relay_has_room(r);
        int error;

        if (take_reports(r, TURN_REPORTS, &error) == 0) {
                finish(r, error);
                r->ready(r, r->userdata);
                return 0;
        }
        if (r->rest_size > 0 && (revents & EPOLLOUT))
                send_rest(r);
        if (!had_room && relay_has_room(r))
                r->ready(r, r->userdata);
        return 0;
}

bool relay_has_room(const Relay *r)
{
        return r->fd >= 0 && !r->ended && r->rest_size == 0;
}

bool relay_is_done(const Relay *r)
{
        return r->fd < 0;
}

void relay_give(Relay *r, const void *data, size_t size)
{
        ssize_t n;

        assert(relay_has_room(r) && size <= RELAY_PIECE_MAX);
        r->n_given += size;
        n = tee_send(r->fd, data, size);
        n = MAX(n, (ssize_t) 0);
        r->rest_at = 0;
        r->rest_size = size - (size_t) n;
        memcpy(r->rest, (const char *) data + n, r->rest_size);
        if (r->rest_size > 0)
                watch(r);
}

void relay_end(Relay *r)
{
        if (r->ended || relay_is_done(r))
                return;
        r->ended = true;
        if (r->rest_size == 0)
                tee_send_end(r->fd);
}

int relay_new(sd_event *event, int target, const char *name, Relay **ret)
{
        Relay *r = alloc_new(Relay);
        int q;

        if (!r)
                return -ENOMEM;
        r->name = name;
        r->fd = -EBADF;
        r->worker = PIDREF_NULL;
        r->rest = alloc_zero(RELAY_PIECE_MAX);
        q = r->rest ? tee_start(target, &r->worker, &r->fd) : -ENOMEM;
        if (q >= 0)
                q = sd_event_add_io(event, &r->source, r->fd, EPOLLIN, on_io, r);
        if (q < 0) {
                relay_free(r);
                return q;
        }
        *ret = r;
        return 0;
}

Relay *relay_free(Relay *r)
{
        int error = 0;

        if (!r)
                return NULL;
        if (!relay_is_done(r)) { /* reeve's own time is over: what it has written by now counts */
                (void) take_reports(r, UINT_MAX, &error);
                finish(r, error);
        }
        free(r->rest);
        free(r);
        return NULL;
}
