/*
 * No more than a window of bytes is on the way at once: what the ring holds needs no second place, and so it
 * is known to the byte what was taken when somebody asks. While the window is full nobody looks at the ring,
 * so a descriptor that nobody reads costs nothing.
 *
 * The job is not drained before its tees are done: who has the answer of an Exec finds in his file what it
 * wrote, and what was not taken is noted before the log is said to be complete.
 */

#include "core/tee.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/fd.h"
#include "core/job-set.h"
#include "journal/ring.h"
#include "sys/clock.h"
#include "sys/tee.h"

static TimerQueue *timers(const Tee *t)
{
        return t->job->set->config.timers;
}

static const char *setting_name(const Tee *t)
{
        return settings[t->stream == STREAM_STDOUT ? SETTING_STANDARD_OUTPUT_FD : SETTING_STANDARD_ERROR_FD]
                        .name;
}

static _printf_(2, 3) void note(Tee *t, const char *format, ...)
{
        char text[256];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        if (n > 0)
                ring_append(t->job->ring, STREAM_NOTE, 0, clock_realtime(), clock_monotonic(), text,
                            MIN((size_t) n, sizeof(text) - 1));
}

static void stop(Tee *t)
{
        t->source = sd_event_source_disable_unref(t->source);
        t->fd = fd_close(t->fd);
        timer_disarm(timers(t), &t->patience);
        if (t->worker.fd >= 0) /* by its number alone it might be somebody else by now */
                (void) pidref_signal(&t->worker, SIGKILL);
        pidref_done(&t->worker);
}

bool tee_is_done(const Tee *t)
{
        return t->fd < 0;
}

/* error: of the descriptor, 0 where it only does not take any more. */
static void finish(Tee *t, int error)
{
        RingStat stat;

        stop(t);
        ring_stat(t->job->ring, &stat);
        if (error > 0)
                note(t, "%s takes no more: %s (%d %s)\n", setting_name(t), errno_text(error), error,
                     errno_name(error));
        if (t->ended && stat.bytes[t->stream] > t->n_taken)
                note(t, "%" PRIu64 " of %" PRIu64 " bytes were not taken by %s\n",
                     stat.bytes[t->stream] - t->n_taken, stat.bytes[t->stream], setting_name(t));
}

static void say_late(Tee *t)
{
        if (t->late)
                return;
        t->late = true;
        note(t, "%s does not keep up: from here on bytes are left out of it\n", setting_name(t));
}

/* Sends a part of one record; false: there is no room for all of it. */
static bool send_record(Tee *t, const Record *record)
{
        for (size_t i = 0, start = 0; i < ELEMENTSOF(record->data); start += record->data[i++].iov_len) {
                size_t size = record->data[i].iov_len, done = t->skip - MIN(t->skip, start);
                uint64_t room = TEE_WINDOW - (t->n_sent - t->n_taken);
                ssize_t n;

                if (done >= size)
                        continue;
                if (room == 0)
                        return false;
                n = tee_send(t->fd, (const char *) record->data[i].iov_base + done, MIN(size - done, room));
                if (n < 0) /* -EAGAIN cannot last; that the process is gone is told by its socket */
                        return false;
                t->n_sent += (uint64_t) n;
                t->skip += (size_t) n;
                if ((size_t) n < size - done)
                        return false;
        }
        t->skip = 0;
        return true;
}

/* Sends what there is room for. Whether all that the ring holds is on its way. */
static bool feed(Tee *t)
{
        RingPosition head;
        RingReader rr;
        Record record;

        ring_head(t->job->ring, &head);
        if (t->position.seqnum < head.seqnum) {
                t->position = head;
                t->skip = 0;
                say_late(t);
        }
        if (t->n_sent - t->n_taken >= TEE_WINDOW)
                return false;
        ring_reader_seek(&rr, t->job->ring, &t->position);
        while (ring_reader_next(&rr, &record)) {
                if (record.stream == t->stream && !send_record(t, &record))
                        return false;
                t->position = rr.position;
        }
        return true;
}

static void on_patience(Timer *timer, usec_t now)
{
        Tee *t = container_of(timer, Tee, patience);

        finish(t, 0);
        job_tee_done(t->job);
}

/* Feeds it, and when that was the last of all, tells the process so. */
static void go_on(Tee *t)
{
        if (feed(t) && t->ended)
                tee_send_end(t->fd);
        if (t->ended)
                timer_arm(timers(t), &t->patience, clock_monotonic() + TEE_PATIENCE_USEC);
}

static int on_report(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Tee *t = userdata;
        uint64_t taken = 0;
        int error = 0, r;

        r = tee_receive(fd, &taken, &error);
        if (r == -EAGAIN)
                return 0;
        t->n_taken += taken;
        if (r >= 0 && error == 0) {
                go_on(t);
                return 0;
        }
        finish(t, error);
        job_tee_done(t->job);
        return 0;
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        Tee *t = container_of(w, Tee, watch);

        if (moment == JOB_MOMENT_OUTPUT && !tee_is_done(t) && !t->ended)
                (void) feed(t);
}

void tee_end(Tee *t)
{
        if (t->ended)
                return;
        t->ended = true;
        if (tee_is_done(t)) /* it failed before: how much that was is known now */
                finish(t, 0);
        else
                go_on(t);
}

int tee_new(Job *job, Stream stream, int fd, Tee **ret)
{
        Tee *t = alloc_new(Tee);
        int r;

        if (!t)
                return -ENOMEM;
        t->job = job;
        t->stream = stream;
        t->fd = -EBADF;
        t->worker = PIDREF_NULL;
        t->watch.notify = on_moment;
        list_init(&t->watch.link);
        timer_init(&t->patience, on_patience);
        r = tee_start(fd, &t->worker, &t->fd);
        if (r >= 0) {
                job_set_expect_child(job->set, t->worker.pid);
                r = sd_event_add_io(job->set->config.event, &t->source, t->fd, EPOLLIN, on_report, t);
        }
        if (r < 0) {
                tee_free(t);
                return r;
        }
        job_watch_add(job, &t->watch);
        *ret = t;
        return 0;
}

Tee *tee_free(Tee *t)
{
        if (!t)
                return NULL;
        job_watch_remove(&t->watch);
        stop(t);
        free(t);
        return NULL;
}
