/*
 * Why the pause: a writer of 100-byte lines wakes a reader that is always there for every other line, and
 * both spend their time on waking up. So after a small read that came soon after another, the pipe is left
 * alone for a millisecond, and made larger that it may hold what comes meanwhile: the same throughput for a
 * fraction of the time. A single line is never kept waiting by it.
 */

#include "core/capture.h"

#include <errno.h>
#include <unistd.h>

#include "basic/fd.h"
#include "core/relay.h"
#include "journal/ring.h"
#include "sys/clock.h"
#include "sys/stdio.h"

#define SMALL_READ ((size_t) 16 * 1024)
/* More than the kernel holds of a terminal's output: 8 KiB on the way, 4 KiB to be read (drivers/tty/pty.c,
 * n_tty.c). */
#define TERMINAL_SIZE ((size_t) 64 * 1024)

static const Stream stream_of[2] = {STREAM_STDOUT, STREAM_STDERR};

static void on_flush(Timer *t, usec_t now);
static void on_resume(Timer *t, usec_t now);

void capture_init(Capture *c, const CaptureHost *host, Ring *ring)
{
        *c = (Capture){.host = host, .ring = ring};
        timer_init(&c->flush, on_flush);
        timer_init(&c->resume, on_resume);
        for (size_t i = 0; i < 2; i++) {
                c->streams[i].capture = c;
                c->streams[i].fd = -EBADF;
                splitter_init(&c->streams[i].splitter, stream_of[i]);
        }
}

static void stream_close(CaptureStream *s)
{
        s->source = sd_event_source_disable_unref(s->source);
        s->fd = fd_close(s->fd);
}

void capture_set_terminal(Capture *c)
{
        c->terminal = true;
        c->streams[0].splitter.delay = SPLITTER_TERMINAL_DELAY_USEC;
}

void capture_done(Capture *c)
{
        if (!c->host)
                return;
        timer_disarm(c->host->timers, &c->flush);
        timer_disarm(c->host->timers, &c->resume);
        for (size_t i = 0; i < 2; i++) {
                stream_close(&c->streams[i]);
                c->streams[i].relay = relay_free(c->streams[i].relay);
                splitter_done(&c->streams[i].splitter);
        }
}

void capture_renew(Capture *c)
{
        size_t portion = c->portion;

        capture_done(c);
        capture_init(c, c->host, c->ring);
        c->portion = portion;
}

static bool stream_is_open(const CaptureStream *s)
{
        return s->fd >= 0 || (s->relay && !relay_is_done(s->relay));
}

bool capture_is_open(const Capture *c)
{
        return stream_is_open(&c->streams[0]) || stream_is_open(&c->streams[1]);
}

/* Whether it may be read now. */
static bool stream_is_held(const CaptureStream *s)
{
        return s->relay && !relay_is_done(s->relay) && !relay_has_room(s->relay);
}

static void stream_end(CaptureStream *s, usec_t realtime, usec_t monotonic)
{
        splitter_flush(&s->splitter, s->capture->ring, true, realtime, monotonic);
        stream_close(s);
        if (s->relay)
                relay_end(s->relay);
}

/* Its relay has room, or takes no more: then the stream is closed, and who writes to it learns so as if
 * nobody were in between. */
static void on_relay_ready(Relay *relay, void *userdata)
{
        CaptureStream *s = userdata;
        Capture *c = s->capture;

        if (relay_is_done(relay) && s->fd >= 0)
                stream_end(s, clock_realtime(), clock_monotonic());
        else if (s->source && !timer_is_armed(&c->resume))
                (void) sd_event_source_set_enabled(s->source, SD_EVENT_ON);
        if (!capture_is_open(c))
                c->host->progress(c, true);
}

void capture_set_relay(Capture *c, size_t stream, Relay *relay)
{
        c->streams[stream].relay = relay;
        relay->ready = on_relay_ready;
        relay->userdata = &c->streams[stream];
}

uint64_t capture_held(const Capture *c)
{
        return c->streams[0].splitter.n_held + c->streams[1].splitter.n_held;
}

static void arm_flush(Capture *c)
{
        usec_t a = splitter_deadline(&c->streams[0].splitter),
               b = splitter_deadline(&c->streams[1].splitter);
        usec_t next = MIN(a, b);

        /* Left standing when it would come too early: a line that ends in time costs the timer nothing. */
        if (next != USEC_INFINITY && (!timer_is_armed(&c->flush) || c->flush.deadline > next))
                timer_arm(c->host->timers, &c->flush, next);
}

static void on_flush(Timer *t, usec_t now)
{
        Capture *c = container_of(t, Capture, flush);
        uint64_t held = capture_held(c);
        usec_t realtime = clock_realtime();

        for (size_t i = 0; i < 2; i++)
                splitter_flush(&c->streams[i].splitter, c->ring, false, realtime, now);
        arm_flush(c);
        if (capture_held(c) != held)
                c->host->progress(c, false);
}

static void on_resume(Timer *t, usec_t now)
{
        Capture *c = container_of(t, Capture, resume);

        for (size_t i = 0; i < 2; i++)
                if (c->streams[i].source && !stream_is_held(&c->streams[i]))
                        sd_event_source_set_enabled(c->streams[i].source, SD_EVENT_ON);
}

void capture_flush(Capture *c)
{
        usec_t realtime = clock_realtime(), monotonic = clock_monotonic();

        for (size_t i = 0; i < 2; i++)
                splitter_flush(&c->streams[i].splitter, c->ring, true, realtime, monotonic);
}

static void feed(CaptureStream *s, const char *data, size_t size, usec_t realtime, usec_t monotonic)
{
        Capture *c = s->capture;

        while (c->portion > 0 && size > 0) {
                size_t portion = MIN(size, c->portion);

                splitter_feed(&s->splitter, c->ring, data, portion, realtime, monotonic);
                c->host->fed(c);
                data += portion;
                size -= portion;
        }
        if (size > 0)
                splitter_feed(&s->splitter, c->ring, data, size, realtime, monotonic);
}

/* Takes at most budget bytes; what it took, 0 for nothing there. Closes the stream at its end, or when it
 * cannot be read. */
static size_t stream_take(CaptureStream *s, size_t budget, usec_t monotonic)
{
        Capture *c = s->capture;
        usec_t realtime = clock_realtime();
        size_t total = 0;

        while (s->fd >= 0 && total < budget && !stream_is_held(s)) {
                size_t size = s->closing ? MIN(s->left, CAPTURE_BUFFER_SIZE) : CAPTURE_BUFFER_SIZE;
                ssize_t n = stdio_read(s->fd, c->host->buffer, size);

                if (n == -EAGAIN && !s->closing)
                        break;
                if (n <= 0) {
                        stream_end(s, realtime, monotonic);
                        break;
                }
                feed(s, c->host->buffer, (size_t) n, realtime, monotonic);
                if (s->relay)
                        relay_give(s->relay, c->host->buffer, (size_t) n);
                s->left -= s->closing ? (size_t) n : 0;
                total += (size_t) n;
                if (s->closing && s->left == 0)
                        stream_end(s, realtime, monotonic);
                /* A terminal gives 4 KiB at a time, however much there is. */
                if (!c->terminal && (size_t) n < CAPTURE_BUFFER_SIZE / 2)
                        break;
        }
        if (total > 0)
                c->last_output = monotonic;
        return total;
}

static void enlarge(int fd)
{
        if (stdio_enlarge_pipe(fd, CAPTURE_PIPE_SIZE) < 0)
                (void) stdio_enlarge_pipe(fd, CAPTURE_PIPE_SIZE / 4);
}

static void pause_if_small(CaptureStream *s, size_t taken, usec_t now)
{
        Capture *c = s->capture;
        bool soon = now - s->last_read < CAPTURE_PAUSE_USEC;

        s->last_read = now;
        if (s->source && stream_is_held(s))
                (void) sd_event_source_set_enabled(s->source, SD_EVENT_OFF);
        if (s->relay || c->terminal || !soon || taken == 0 || taken >= SMALL_READ || !s->source)
                return;
        if (!c->enlarged) {
                c->enlarged = true;
                for (size_t i = 0; i < 2; i++)
                        if (c->streams[i].fd >= 0)
                                enlarge(c->streams[i].fd);
        }
        if (sd_event_source_set_enabled(s->source, SD_EVENT_OFF) >= 0 && !timer_is_armed(&c->resume))
                timer_arm(c->host->timers, &c->resume, now + CAPTURE_PAUSE_USEC);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        CaptureStream *s = userdata;
        Capture *c = s->capture;
        usec_t now = clock_monotonic();
        size_t taken = stream_take(s, CAPTURE_BUDGET, now);

        arm_flush(c);
        pause_if_small(s, taken, now);
        if (taken > 0 || !capture_is_open(c))
                c->host->progress(c, !capture_is_open(c));
        return 0;
}

int capture_start(Capture *c, const int fds[static 2])
{
        int r;

        for (size_t i = 0; i < 2; i++) {
                CaptureStream *s = &c->streams[i];

                if (fds[i] < 0)
                        continue;
                r = sd_event_add_io(c->host->event, &s->source, fds[i], EPOLLIN, on_readable, s);
                if (r < 0) {
                        for (size_t j = 0; j < i; j++) {
                                c->streams[j].source = sd_event_source_disable_unref(c->streams[j].source);
                                c->streams[j].fd = -EBADF;
                        }
                        return r;
                }
                s->fd = fds[i];
        }
        return 0;
}

bool capture_take(Capture *c)
{
        bool was_open = capture_is_open(c);
        usec_t now = clock_monotonic();

        for (size_t i = 0; i < 2; i++) {
                CaptureStream *s = &c->streams[i];
                size_t left = c->terminal ? TERMINAL_SIZE : stdio_pipe_size(s->fd);

                /* A read may be short without the pipe being empty; that a dead process wrote more than the
                 * pipe holds cannot be. */
                while (s->fd >= 0) {
                        size_t taken = stream_take(s, MIN(left, CAPTURE_BUDGET), now);

                        left -= MIN(left, taken);
                        if (taken == 0 || left == 0)
                                break;
                }
        }
        arm_flush(c);
        return was_open && !capture_is_open(c);
}

bool capture_close(Capture *c)
{
        (void) capture_take(c);
        capture_flush(c);
        for (size_t i = 0; i < 2; i++) {
                CaptureStream *s = &c->streams[i];

                s->left = s->relay && s->fd >= 0 ? stdio_unread(s->fd) : 0;
                s->closing = s->left > 0;
                if (s->fd >= 0 && !s->closing)
                        stream_end(s, clock_realtime(), clock_monotonic());
        }
        if (capture_is_open(c))
                return false;
        timer_disarm(c->host->timers, &c->flush);
        timer_disarm(c->host->timers, &c->resume);
        return true;
}
