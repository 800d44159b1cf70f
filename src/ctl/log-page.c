/*
 * ReadLog instead of FollowLog, though that would format as well: pages end where the caller wants, and
 * there is no pipe to wait for. The formats are those of src/journal on either side.
 */

#include "ctl/log-page.h"

#include <errno.h>
#include <sys/utsname.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl/client.h"
#include "ctl/output.h"

#define TAIL_LINES 10U

static int append_streams(sd_bus_message *m, unsigned streams)
{
        const char *names[_STREAM_MAX + 1] = {NULL};
        size_t n = 0;
        int r;

        for (Stream s = STREAM_STDOUT; s < _STREAM_MAX; s++)
                if (streams & STREAM_MASK(s))
                        names[n++] = stream_to_string(s);

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Streams");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) names);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int log_request_append(sd_bus_message *m, const LogRequest *request, const char *format)
{
        int r;

        r = sd_bus_message_append(m, "s", request->cursor);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && request->lines != UINT64_MAX)
                r = sd_bus_message_append(m, "{sv}", "Lines", "t", request->lines);
        if (r >= 0 && request->since > 0)
                r = sd_bus_message_append(m, "{sv}", "SinceUSec", "t", request->since);
        if (r >= 0 && format)
                r = sd_bus_message_append(m, "{sv}", "Format", "s", format);
        if (r >= 0 && request->streams != STREAM_MASK_ALL)
                r = append_streams(m, request->streams);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_record(sd_bus_message *m, Record *ret)
{
        const void *data;
        uint8_t stream;
        Record record;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(m, 'r', "tttyay");
        if (r <= 0)
                return r;
        r = sd_bus_message_read(m, "ttty", &record.seqnum, &record.realtime, &record.monotonic, &stream);
        if (r < 0)
                return r;
        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r < 0)
                return r;
        if (!stream_to_string(stream) || size > RECORD_DATA_MAX)
                return -EBADMSG; /* the formats rely on both */
        record.stream = stream;
        record.size = size;
        record.data[0] = (struct iovec){.iov_base = (void *) data, .iov_len = size};
        record.data[1] = (struct iovec){0};
        record.flags = size > 0 && ((const char *) data)[size - 1] == '\n' ? 0 : RECORD_PARTIAL;
        *ret = record;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int read_records(sd_bus_message *m, LogPage *p)
{
        size_t allocated = 0;
        Record record;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(tttyay)");
        if (r < 0)
                return r;
        while ((r = read_record(m, &record)) > 0) {
                if (p->n == allocated) {
                        Record *more = alloc_resize(p->records, allocated * 2 + 64, sizeof(Record));

                        if (!more)
                                return -ENOMEM;
                        p->records = more;
                        allocated = allocated * 2 + 64;
                }
                p->records[p->n++] = record;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int log_page_read(Client *c, const char *path, const LogRequest *request, LogPage *ret)
{
        _cleanup_(log_page_done) LogPage p = LOG_PAGE_INIT;
        _cleanup_message_ sd_bus_message *m = NULL;
        int r, eof;

        r = client_message(c, path, BUS_INTERFACE_JOB, "ReadLog", &m);
        if (r < 0)
                return r;
        r = log_request_append(m, request, NULL);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &p.message);
        if (r < 0)
                return r;
        r = read_records(p.message, &p);
        if (r >= 0)
                r = sd_bus_message_read(p.message, "stb", &p.next, &p.lost, &eof);
        if (r < 0)
                return client_message_failed(r);
        p.eof = eof;
        *ret = p;
        p = LOG_PAGE_INIT;
        return 0;
}

void log_page_done(LogPage *p)
{
        sd_bus_message_unref(p->message);
        free(p->records);
        *p = LOG_PAGE_INIT;
}

size_t log_page_lines(const LogPage *p)
{
        size_t lines = 0;

        for (size_t i = 0; i < p->n; i++)
                lines += !(p->records[i].flags & RECORD_PARTIAL) || i + 1 == p->n;
        return lines;
}

void log_page_format(const LogPage *p, LogFormat f, const LogContext *context, bool lost, Buffer *b)
{
        if (lost && p->lost > 0) {
                const LogPlace place = {.realtime = p->n > 0 ? p->records[0].realtime : now_realtime()};

                log_format_lost(f, context, p->lost, 0, &place, b);
        }
        for (size_t i = 0; i < p->n; i++)
                log_format_record(f, context, &p->records[i], i + 1 == p->n ? p->next : NULL, b);
}

int log_page_append_tail(Client *c, const char *path, const Properties *job, const char *before, Buffer *b)
{
        LogRequest request = {.cursor = "", .lines = TAIL_LINES, .streams = STREAM_MASK_ALL};
        _cleanup_(log_page_done) LogPage page = LOG_PAGE_INIT;
        LogContext context;
        int r;

        r = log_page_read(c, path, &request, &page);
        if (r < 0 || page.n == 0)
                return r;
        log_context_init(job, &context);
        buffer_append_string(b, before);
        log_page_format(&page, LOG_FORMAT_SHORT, &context, log_page_lines(&page) < TAIL_LINES, b);
        return 0;
}

void log_context_init(const Properties *job, LogContext *ret)
{
        static struct utsname names;
        char **command = properties_strv(job, "Command");
        const char *slash = command && *command ? strrchr(*command, '/') : NULL;

        if (!names.nodename[0])
                uname(&names);
        *ret = (LogContext){
                        .job = properties_string(job, "Id"),
                        .session = properties_string(job, "Session"),
                        .identifier = slash                 ? slash + 1
                                      : command && *command ? *command
                                                            : "",
                        .hostname = names.nodename,
                        .pid = properties_number(job, "PID", 0),
        };
}
