/*
 * Reading a job's log: its newest bytes, or its records from a cursor on. A reader is its cursor and nothing
 * else; only ReadLog with WaitUSec is kept, until there is a record for it or nothing more will come.
 */

#include "bus/job-log.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/output.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "journal/filter.h"
#include "journal/ring.h"

#define OUTPUT_MAX (UINT64_C(16) * 1024 * 1024)
#define TEXT_MAX (UINT64_C(8) * 1024 * 1024) /* a byte may become three, and an array has 64 MiB */
#define READ_DEFAULT (UINT64_C(256) * 1024)
#define READ_MAX (UINT64_C(8) * 1024 * 1024)

int bus_streams_from_strv(const char *key, char *const *words, unsigned allowed, unsigned *ret, Error *e)
{
        unsigned mask = 0;

        if (!words) {
                *ret = allowed;
                return 0;
        }
        for (; *words; words++) {
                int stream = stream_from_string(*words);

                if (stream < 0 || !(allowed & STREAM_MASK(stream)))
                        return error_set(e, ERROR_INVALID_ARGS, "%s: \"%s\" is not one of stdout|stderr%s",
                                         key, *words, allowed & STREAM_MASK(STREAM_NOTE) ? "|note" : "");
                mask |= STREAM_MASK(stream);
        }
        if (!mask)
                return error_set(e, ERROR_INVALID_ARGS, "%s: is empty", key);
        *ret = mask;
        return 0;
}

static int read_output_request(sd_bus_message *m, OutputRequest *ret, Error *e)
{
        _cleanup_strv_ char **streams = NULL;
        const DictKey keys[] = {
                        {"MaxBytes", SETTING_TYPE_BYTES, &ret->max_bytes, OUTPUT_MAX},
                        {"Lines", SETTING_TYPE_UINT64, &ret->lines},
                        {"Streams", SETTING_TYPE_STRV, &streams},
                        {"SinceUSec", SETTING_TYPE_USEC, &ret->since},
                        {"Text", SETTING_TYPE_BOOL, &ret->text},
        };
        int r;

        *ret = (OutputRequest){.max_bytes = EXEC_OUTPUT_DEFAULT, .lines = UINT64_MAX};
        r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r < 0)
                return r;
        if (ret->text)
                ret->max_bytes = MIN(ret->max_bytes, TEXT_MAX);
        return bus_streams_from_strv("Streams", streams, STREAM_MASK_OUTPUT, &ret->streams, e);
}

int bus_job_method_get_output(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        OutputResult carried = {0};
        OutputRequest request;
        Error e = ERROR_NULL;
        RingStat stat;
        int r;

        r = read_output_request(m, &request, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        ring_stat(job->ring, &stat);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = output_append_arrays(reply, job, &request, &carried);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = output_append_text(reply, job, &request, &carried);
        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}", "LostBytes", "t", stat.lost_bytes,
                                          "CutBytes", "t", carried.cut, "EOF", "b",
                                          (int) job_is_drained(job));
        if (r >= 0)
                r = output_append_cursor(reply, "LogCursor", job);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = peer_send(peer, reply);
        if (r < 0)
                return r;
        peer_sent(peer, carried.size[STREAM_STDOUT] + carried.size[STREAM_STDERR]);
        return 1;
}

typedef struct ReadRequest {
        char *cursor;
        LogFilter filter;
        uint64_t max_bytes, lines, wait;
} ReadRequest;

static void read_request_done(ReadRequest *request)
{
        free(request->cursor);
        request->cursor = NULL;
}

typedef struct PendingRead {
        Pending pending;
        JobWatch watch;
        Job *job;
        ReadRequest request;
} PendingRead;

static int read_read_request(sd_bus_message *m, ReadRequest *ret, Error *e)
{
        _cleanup_strv_ char **streams = NULL;
        const DictKey keys[] = {
                        {"MaxBytes", SETTING_TYPE_BYTES, &ret->max_bytes, READ_MAX},
                        {"Lines", SETTING_TYPE_UINT64, &ret->lines},
                        {"Streams", SETTING_TYPE_STRV, &streams},
                        {"SinceUSec", SETTING_TYPE_USEC, &ret->filter.since},
                        {"WaitUSec", SETTING_TYPE_USEC, &ret->wait},
        };
        const char *cursor;
        int r;

        *ret = (ReadRequest){.max_bytes = READ_DEFAULT, .lines = UINT64_MAX};
        r = sd_bus_message_read(m, "s", &cursor);
        if (r < 0)
                return r;
        r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r >= 0)
                r = bus_streams_from_strv("Streams", streams, STREAM_MASK_ALL, &ret->filter.streams, e);
        if (r < 0)
                return r;
        ret->cursor = str_copy(cursor);
        return ret->cursor ? 0 : error_no_memory(e);
}

static int append_record(sd_bus_message *m, const Record *record)
{
        int r;

        r = sd_bus_message_open_container(m, 'r', "tttyay");
        if (r >= 0)
                r = sd_bus_message_append(m, "ttty", record->seqnum, record->realtime, record->monotonic,
                                          (uint8_t) record->stream);
        if (r >= 0)
                r = sd_bus_message_append_array_iovec(m, 'y', record->data,
                                                      record->data[1].iov_len > 0 ? 2 : 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Records from the reader on, as many as fit, at least one; the reader is left behind the last one looked
 * at. */
static int append_records(sd_bus_message *m, const ReadRequest *request, RingReader *reader,
                          uint64_t *ret_bytes)
{
        uint64_t bytes = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(tttyay)");
        while (r >= 0) {
                RingReader before = *reader;
                Record record;

                if (!ring_reader_next(reader, &record))
                        break;
                if (!log_filter_match(&request->filter, &record))
                        continue;
                if (bytes > 0 && bytes + record.size > request->max_bytes) {
                        *reader = before;
                        break;
                }
                bytes += record.size;
                r = append_record(m, &record);
        }
        *ret_bytes = bytes;
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Where the answer starts, and what was lost before it. "" is the beginning of the log: reading goes on at
 * the oldest held. */
static int seek(const Job *job, const ReadRequest *request, RingReader *ret, uint64_t *ret_lost, Error *e)
{
        RingPosition start = {0};
        int r;

        r = job_parse_cursor(job, request->cursor, ret, e);
        if (r < 0)
                return r;
        *ret_lost = 0;
        if (isempty(request->cursor))
                ring_lost_since(job->ring, &start, ret_lost, NULL);
        else if (!streq(request->cursor, "tail") && cursor_parse(request->cursor, &job->log, &start) >= 0)
                ring_lost_since(job->ring, &start, ret_lost, NULL);
        if (request->lines != UINT64_MAX) {
                start = ret->position;
                log_filter_seek_lines(&request->filter, job->ring, &start, request->lines, ret);
        }
        return 0;
}

static int read_reply_new(sd_bus_message *call, const Job *job, const ReadRequest *request,
                          sd_bus_message **ret, uint64_t *ret_bytes, Error *e)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char next[CURSOR_TEXT_MAX];
        RingPosition tail;
        RingReader reader;
        uint64_t lost;
        bool eof;
        int r;

        r = seek(job, request, &reader, &lost, e);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(call, &m);
        if (r >= 0)
                r = append_records(m, request, &reader, ret_bytes);
        if (r < 0)
                return r;
        ring_tail(job->ring, &tail);
        eof = job_is_drained(job) && reader.position.seqnum == tail.seqnum;
        cursor_format(&job->log, &reader.position, next);
        r = sd_bus_message_append(m, "stb", next, lost, (int) eof);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* Whether there is a record for this reader, or never will be. */
static bool read_is_ready(const Job *job, const ReadRequest *request)
{
        RingReader reader;
        Record record;

        if (job_is_drained(job) || job_parse_cursor(job, request->cursor, &reader, NULL) < 0)
                return true;
        while (ring_reader_next(&reader, &record))
                if (log_filter_match(&request->filter, &record))
                        return true;
        return false;
}

static void read_answer(PendingRead *pr)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Error e = ERROR_NULL;
        uint64_t bytes = 0;
        int r;

        r = read_reply_new(pr->pending.call, pr->job, &pr->request, &m, &bytes, &e);
        if (r < 0 && e.kind != ERROR_NONE)
                pending_fail(&pr->pending, &e);
        else
                pending_reply(&pr->pending, r < 0 ? NULL : m, bytes);
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        PendingRead *pr = container_of(w, PendingRead, watch);
        Error e;

        if (moment == JOB_MOMENT_REMOVED) {
                error_set(&e, ERROR_NO_SUCH_JOB, "Job \"%s\" was let go meanwhile", job->id);
                pending_fail(&pr->pending, &e);
        } else if ((moment == JOB_MOMENT_OUTPUT || moment == JOB_MOMENT_DRAINED) &&
                   read_is_ready(job, &pr->request)) {
                read_answer(pr);
        }
}

static void on_timeout(Pending *p, usec_t now)
{
        read_answer(container_of(p, PendingRead, pending));
}

static void on_destroy(Pending *p)
{
        PendingRead *pr = container_of(p, PendingRead, pending);

        job_watch_remove(&pr->watch);
        read_request_done(&pr->request);
        free(pr);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

/* "tail" of one who waits is where the log ends now, not where it will when something has come. */
static int pin_tail(const Job *job, ReadRequest *request)
{
        RingPosition tail;
        char text[CURSOR_TEXT_MAX];

        if (!streq(request->cursor, "tail"))
                return 0;
        ring_tail(job->ring, &tail);
        cursor_format(&job->log, &tail, text);
        free(request->cursor);
        request->cursor = str_copy(text);
        return request->cursor ? 0 : -ENOMEM;
}

static int read_later(sd_bus_message *m, Peer *peer, Job *job, ReadRequest *request, Error *e)
{
        _cleanup_free_ PendingRead *pr = alloc_new(PendingRead);
        int r;

        if (!pr || pin_tail(job, request) < 0)
                return error_no_memory(e);
        list_init(&pr->watch.link);
        pr->watch.notify = on_moment;
        pr->job = job;
        r = pending_init(&pr->pending, &ops, peer, m, e);
        if (r < 0)
                return r;
        pr->request = *request;
        request->cursor = NULL;
        job_watch_add(job, &pr->watch);
        pending_arm(&pr->pending, usec_add(manager_now(), pr->request.wait));
        TAKE_PTR(pr);
        return 1;
}

int bus_job_method_read_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(read_request_done) ReadRequest request = {0};
        Error e = ERROR_NULL;
        uint64_t bytes = 0;
        int r;

        r = read_read_request(m, &request, &e);
        if (r >= 0 && request.wait > 0 && !read_is_ready(job, &request)) {
                r = read_later(m, peer, job, &request, &e);
                return r < 0 ? bus_error_set(ret_error, &e, r) : r;
        }
        if (r >= 0)
                r = read_reply_new(m, job, &request, &reply, &bytes, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = peer_send(peer, reply);
        if (r < 0)
                return r;
        peer_sent(peer, bytes);
        return 1;
}
