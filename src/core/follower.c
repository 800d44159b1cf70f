/*
 * A follower writes in its own turns of the event loop, not when the record comes: as many as follow a
 * flood, each turn is bounded, and others have theirs in between. It asks for such a turn (EPOLLOUT) while
 * there is something to write; so one whose pipe is full is not heard of until somebody has read from it.
 *
 * The end is said when the leader's end is known and the output is drained, whichever comes last: an end of
 * file is often there a moment before the SIGCHLD.
 */

#include "core/follower.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "journal/ring.h"
#include "sys/clock.h"
#include "sys/hostname.h"
#include "sys/outlet.h"

#define TURN_BUDGET ((size_t) 64 * 1024) /* bytes written, or records looked at, in one turn */
#define BATCH ((size_t) 4096) /* formatted at once, up to the end of a record: a page of the pipe */
#define RETRY_USEC (100 * USEC_PER_MSEC)

static void forget_job(Follower *f)
{
        if (f->job)
                f->job->n_followers--;
        f->job = NULL;
        job_watch_remove(&f->watch);
}

static void follower_free(Follower *f)
{
        Followers *set = f->set;

        forget_job(f);
        list_remove(&f->by_owner);
        f->source = sd_event_source_disable_unref(f->source);
        f->fd = fd_close(f->fd);
        buffer_done(&f->rest);
        if (!list_is_empty(&f->link)) {
                list_remove(&f->link);
                set->n--;
                if (set->gone)
                        set->gone(set);
        }
        free(f);
}

static void follower_set_wants(Follower *f, bool wants)
{
        if (f->wants == wants)
                return;
        if (sd_event_source_set_io_events(f->source, wants ? EPOLLOUT : 0) >= 0)
                f->wants = wants;
        else if (wants) /* for want of memory */
                timer_arm(f->set->timers, &f->set->retry, clock_monotonic() + RETRY_USEC);
}

static void on_retry(Timer *t, usec_t now)
{
        LIST_FOREACH (&container_of(t, Followers, retry)->all, link)
                follower_set_wants(container_of(link, Follower, link), true);
}

/* The strings of a context are the job's, and good until it changes. */
static void context_of(const Follower *f, char hostname[static HOSTNAME_SIZE], LogContext *ret)
{
        const Job *job = f->job;
        const char *command = job->spec.argv && *job->spec.argv ? *job->spec.argv : "";
        const char *slash = strrchr(command, '/');

        hostname[0] = '\0';
        if (f->format == LOG_FORMAT_SHORT)
                hostname_get(hostname);
        *ret = (LogContext){
                        .job = job->id,
                        .session = job->session,
                        .identifier = slash ? slash + 1 : command,
                        .hostname = hostname,
                        .pid = (uint32_t) job->pid,
        };
}

/* The loss is said in the place where it was: with the time of what comes next. */
static void say_lost(Follower *f, const LogContext *c, uint64_t bytes, uint64_t records,
                     const RingPosition *resumed)
{
        LogPlace place = {.realtime = clock_realtime(), .monotonic = clock_monotonic()};
        char cursor[CURSOR_TEXT_MAX];
        RingReader rr;
        Record next;

        if (bytes == 0 && records == 0)
                return;
        ring_reader_seek(&rr, f->job->ring, resumed);
        if (ring_reader_next(&rr, &next)) {
                place.realtime = next.realtime;
                place.monotonic = next.monotonic;
        }
        cursor_format(&f->job->log, resumed, cursor);
        place.cursor = cursor;
        log_format_lost(f->format, c, bytes, records, &place, &f->rest);
}

static void say_end(Follower *f, const LogContext *c)
{
        const Job *job = f->job;
        LogEnd end = {
                        .result = job_result_to_string(job->result),
                        .exit_code = job->exit_code,
                        .signal = job->signal,
        };
        LogPlace place = {.realtime = job->exit_time, .monotonic = job->exit_monotonic};
        char cursor[CURSOR_TEXT_MAX];
        RingPosition tail;
        RingReader rr;
        Record newest;

        /* When it ended, which does not come before what was written after it. */
        if (!job_is_exited(job))
                place = (LogPlace){.realtime = clock_realtime(), .monotonic = clock_monotonic()};
        ring_reader_seek_tail(&rr, job->ring);
        if (ring_reader_previous(&rr, &newest)) {
                place.realtime = MAX(place.realtime, newest.realtime);
                place.monotonic = MAX(place.monotonic, newest.monotonic);
        }
        ring_tail(job->ring, &tail);
        cursor_format(&job->log, &tail, cursor);
        place.cursor = cursor;
        log_format_end(f->format, c, &end, &place, &f->rest);
}

static bool is_over(const Follower *f)
{
        return f->set->closing || (job_is_exited(f->job) && job_is_drained(f->job));
}

/* Formats the next records; *left is what the turn may still look at. False: there is nothing more to do
 * now. -ENOMEM: and nothing was done. */
static int format_more(Follower *f, size_t *left)
{
        RingPosition start = f->position, head;
        uint64_t lost_bytes, lost_records;
        char hostname[HOSTNAME_SIZE], cursor[CURSOR_TEXT_MAX];
        bool at_end = false;
        LogContext c;
        RingReader rr;

        context_of(f, hostname, &c);
        ring_head(f->job->ring, &head);
        if (f->position.seqnum < head.seqnum) {
                ring_lost_since(f->job->ring, &f->position, &lost_bytes, &lost_records);
                say_lost(f, &c, lost_bytes, lost_records, &head);
                f->position = head;
        }
        ring_reader_seek(&rr, f->job->ring, &f->position);
        while ((f->rest.size < BATCH) && (*left > 0)) {
                Record record;

                at_end = !ring_reader_next(&rr, &record);
                if (at_end)
                        break;
                *left -= MIN(*left, record_size(record.size));
                if (log_filter_match(&f->filter, &record)) {
                        cursor_format(&f->job->log, &rr.position, cursor);
                        log_format_record(f->format, &c, &record, cursor, &f->rest);
                }
        }
        f->position = rr.position;
        if (at_end && is_over(f)) {
                say_end(f, &c);
                f->ended = true;
        }
        if (f->rest.error) {
                buffer_done(&f->rest);
                f->position = start;
                f->ended = false;
                return -ENOMEM;
        }
        return !at_end || f->rest.size > 0 || f->ended;
}

/* It may have to be kept for long: no more than there is of it. For want of memory it stays as it is. */
static void compact_rest(Follower *f)
{
        Buffer b = BUFFER_INIT;

        if (f->rest.allocated <= 2 * BATCH)
                return;
        buffer_append(&b, f->rest.data + f->written, f->rest.size - f->written);
        if (b.error)
                return;
        buffer_done(&f->rest);
        f->rest = b;
        f->written = 0;
}

/* -EAGAIN: the pipe is full. */
static int write_rest(Follower *f, size_t *left)
{
        while (f->written < f->rest.size) {
                ssize_t n = outlet_write(f->fd, f->rest.data + f->written, f->rest.size - f->written);

                if (n < 0)
                        return (int) n;
                f->written += (size_t) n;
                if (f->set->closing && f->set->progress)
                        f->set->progress(f->set);
                *left -= MIN(*left, (size_t) n);
        }
        buffer_done(&f->rest);
        f->written = 0;
        return 0;
}

/* Afterwards it may be gone. */
static void follower_turn(Follower *f)
{
        size_t to_look_at = TURN_BUDGET, to_write = TURN_BUDGET;
        int r;

        do {
                r = write_rest(f, &to_write);
                if (r == -EAGAIN) { /* is heard of when somebody has read */
                        compact_rest(f);
                        return;
                }
                if (r < 0 || f->ended) { /* nobody reads it, or it has had everything */
                        follower_free(f);
                        return;
                }
                r = format_more(f, &to_look_at);
                if (r <= 0) {
                        follower_set_wants(f, false);
                        if (r < 0)
                                timer_arm(f->set->timers, &f->set->retry, clock_monotonic() + RETRY_USEC);
                        return;
                }
        } while (to_write > 0 && to_look_at > 0);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Follower *f = userdata;

        if (revents & EPOLLERR) /* the reader has closed it */
                follower_free(f);
        else
                follower_turn(f);
        return 0;
}

/* Whether there is output that it wants, read or not. */
static bool has_wanted(const Follower *f)
{
        RingStat stat;

        ring_stat(f->job->ring, &stat);
        for (unsigned i = 0; i < _STREAM_MAX; i++)
                if ((f->filter.streams & STREAM_MASK(i)) && i != STREAM_NOTE && stat.bytes[i] > 0)
                        return true;
        return false;
}

/* The log goes, now: what was not formatted is lost, of both streams as any loss, and that and the end is
 * all there is to say. Nothing of the log is gone through for that: there may be thousands of followers. */
static void job_is_removed(Follower *f)
{
        const RingPosition *from = &f->position;
        size_t size = f->rest.size;
        char hostname[HOSTNAME_SIZE];
        RingPosition tail;
        LogContext c;

        if (!f->ended) {
                context_of(f, hostname, &c);
                ring_tail(f->job->ring, &tail);
                if (has_wanted(f))
                        say_lost(f, &c, tail.bytes - MIN(from->bytes, tail.bytes),
                                 tail.records - MIN(from->records, tail.records), &tail);
                say_end(f, &c);
                if (f->rest.error) {
                        log_warning("A follower of job %s is not told of its end: out of memory",
                                    f->job->id);
                        f->rest.error = 0;
                        f->rest.size = size;
                }
                f->ended = true;
        }
        forget_job(f);
        follower_set_wants(f, true);
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        Follower *f = container_of(w, Follower, watch);

        if (moment == JOB_MOMENT_REMOVED)
                job_is_removed(f);
        else
                follower_set_wants(f, true);
}

static uint64_t count_lines(const LogFilter *filter, RingReader rr, uint64_t max)
{
        unsigned unfinished = 0; /* streams */
        uint64_t lines = 0;
        Record record;

        while (lines < max && ring_reader_next(&rr, &record)) {
                if (!log_filter_match(filter, &record))
                        continue;
                if (record.flags & RECORD_PARTIAL) {
                        unfinished |= STREAM_MASK(record.stream);
                } else {
                        unfinished &= ~STREAM_MASK(record.stream);
                        lines++;
                }
        }
        return lines + (uint64_t) __builtin_popcount(unfinished);
}

/* A loss before the newest lines is none that was asked about, unless it is why there are fewer. */
static int find_start(const Job *job, const FollowRequest *request, RingPosition *ret, Error *e)
{
        RingPosition start = {0}, found;
        RingReader rr;
        int r;

        r = job_parse_cursor(job, request->cursor, &rr, e);
        if (r < 0)
                return r;
        found = rr.position;
        if (!isempty(request->cursor) && cursor_parse(request->cursor, &job->log, &start) < 0)
                start = found; /* "tail" */
        if (request->lines != UINT64_MAX) {
                log_filter_seek_lines(&request->filter, job->ring, &found, request->lines, &rr);
                if (count_lines(&request->filter, rr, request->lines) >= request->lines)
                        start = rr.position;
        }
        *ret = start;
        return 0;
}

static int follower_open(Follower *f, int *ret_fd)
{
        int pipe[2], r;

        r = outlet_pipe(pipe);
        if (r < 0)
                return r;
        f->fd = pipe[1];
        r = sd_event_add_io(f->set->event, &f->source, f->fd, EPOLLOUT, on_io, f);
        if (r < 0) {
                fd_close(pipe[0]);
                return r;
        }
        *ret_fd = pipe[0];
        return 0;
}

int follower_new(Followers *set, Job *job, const FollowRequest *request, List *owner, int *ret_fd, Error *e)
{
        RingPosition start;
        Follower *f;
        int r, fd;

        r = find_start(job, request, &start, e);
        if (r < 0)
                return r;
        if (set->n >= FOLLOWERS_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED, "%u logs are followed, the most that may",
                                 set->n);
        f = alloc_new(Follower);
        if (!f)
                return error_no_memory(e);
        *f = (Follower){
                        .set = set,
                        .job = job,
                        .watch.notify = on_moment,
                        .format = request->format,
                        .filter = request->filter,
                        .position = start,
                        .fd = -EBADF,
                        .wants = true,
        };
        list_init(&f->link);
        list_init(&f->by_owner);
        list_init(&f->watch.link);
        job->n_followers++;
        r = follower_open(f, &fd);
        if (r < 0) {
                follower_free(f);
                return r == -EMFILE || r == -ENFILE
                                       ? error_set(e, ERROR_LIMITS_EXCEEDED, "No descriptor is left")
                                       : error_no_memory(e);
        }
        list_append(&set->all, &f->link);
        set->n++;
        list_append(owner, &f->by_owner);
        job_watch_add(job, &f->watch);
        *ret_fd = fd;
        return 0;
}

void followers_init(Followers *set, sd_event *event, TimerQueue *timers)
{
        *set = (Followers){.event = event, .timers = timers};
        list_init(&set->all);
        timer_init(&set->retry, on_retry);
}

void followers_done(Followers *set)
{
        if (!set->event)
                return;
        set->gone = set->progress = NULL;
        timer_disarm(set->timers, &set->retry);
        LIST_FOREACH_SAFE (&set->all, link)
                follower_free(container_of(link, Follower, link));
        set->event = NULL;
}

void followers_finish(Followers *set)
{
        set->closing = true;
        LIST_FOREACH (&set->all, link)
                follower_set_wants(container_of(link, Follower, link), true);
}
