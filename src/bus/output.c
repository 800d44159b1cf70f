/*
 * Output goes from the ring straight into the message: what is asked for is measured first, then copied
 * once.
 */

#include "bus/output.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/utf8.h"
#include "core/job.h"
#include "journal/filter.h"
#include "journal/ring.h"

static const Stream streams[] = {STREAM_STDOUT, STREAM_STDERR};
static const char *const text_keys[] = {"StdoutText", "StderrText"};

typedef struct Newest {
        LogFilter filter;
        RingReader reader;
        size_t skip;
        uint64_t size;
} Newest;

static void measure(const Job *job, Stream stream, const OutputRequest *request, Newest *ret,
                    OutputResult *result)
{
        uint64_t cut = 0;

        *ret = (Newest){.filter = {.streams = STREAM_MASK(stream), .since = request->since}};
        if (!(request->streams & STREAM_MASK(stream)))
                return;
        log_filter_newest(&ret->filter, job->ring, request->max_bytes, request->lines, &ret->reader,
                          &ret->skip, &ret->size, &cut);
        result->size[stream] = ret->size;
        result->cut += cut;
}

static void copy(Newest *n, char *to)
{
        uint64_t left = n->size;
        Record record;

        while (left > 0 && ring_reader_next(&n->reader, &record)) {
                if (!log_filter_match(&n->filter, &record))
                        continue;
                for (size_t i = 0; i < 2; i++) {
                        size_t skip = MIN(n->skip, record.data[i].iov_len);
                        size_t size = MIN(record.data[i].iov_len - skip, left);

                        memcpy(to, (const char *) record.data[i].iov_base + skip, size);
                        to += size;
                        left -= size;
                        n->skip -= skip;
                }
        }
}

int output_append_array(sd_bus_message *m, const Job *job, Stream stream, const OutputRequest *request,
                        OutputResult *ret)
{
        void *space;
        Newest n = {0};
        int r;

        if (!request->text)
                measure(job, stream, request, &n, ret);
        r = sd_bus_message_append_array_space(m, 'y', n.size, &space);
        if (r < 0)
                return r;
        copy(&n, space);
        return 0;
}

int output_append_arrays(sd_bus_message *m, const Job *job, const OutputRequest *request, OutputResult *ret)
{
        int r;

        r = output_append_array(m, job, STREAM_STDOUT, request, ret);
        return r < 0 ? r : output_append_array(m, job, STREAM_STDERR, request, ret);
}

int output_append_text(sd_bus_message *m, const Job *job, const OutputRequest *request, OutputResult *ret)
{
        for (size_t i = 0; request->text && i < ELEMENTSOF(streams); i++) {
                _cleanup_free_ char *bytes = NULL, *text = NULL;
                Newest n;
                int r;

                measure(job, streams[i], request, &n, ret);
                bytes = alloc_zero(n.size + 1);
                if (!bytes)
                        return -ENOMEM;
                copy(&n, bytes);
                text = utf8_sanitize(bytes, n.size);
                if (!text)
                        return -ENOMEM;
                r = sd_bus_message_append(m, "{sv}", text_keys[i], "s", text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int output_append_cursor(sd_bus_message *m, const char *key, const Job *job)
{
        char text[CURSOR_TEXT_MAX];
        RingPosition tail;

        ring_tail(job->ring, &tail);
        cursor_format(&job->log, &tail, text);
        return sd_bus_message_append(m, "{sv}", key, "s", text);
}
