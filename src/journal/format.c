/* Records as text. Each format follows the one of journalctl that people and programs know already, so that
 * nothing has to be learned and `jq` lines can stay. What a job writes may be anything, and a terminal obeys
 * control characters: what is not clean text is not shown in `short`, and is numbers in `json`. */

#include "journal/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/buffer.h"
#include "journal/format-entry.h"

static const char *const format_names[_LOG_FORMAT_MAX] = {
                [LOG_FORMAT_RAW] = "raw",
                [LOG_FORMAT_SHORT] = "short",
                [LOG_FORMAT_JSON] = "json",
                [LOG_FORMAT_EXPORT] = "export",
};

const char *log_format_to_string(LogFormat f)
{
        return (unsigned) f < _LOG_FORMAT_MAX ? format_names[f] : NULL;
}

int log_format_from_string(const char *s)
{
        for (int i = 0; i < _LOG_FORMAT_MAX; i++)
                if (streq(s, format_names[i]))
                        return i;
        return -EINVAL;
}

/* syslog(3): what journalctl colours by. */
static const char *stream_priority(Stream stream)
{
        return stream == STREAM_STDERR ? "3" : stream == STREAM_NOTE ? "5" : "6";
}

/* The message in one piece and without its newline; scratch is used where the ring ends within it. */
static const char *record_message(const Record *record, char scratch[static RECORD_DATA_MAX],
                                  size_t *ret_size)
{
        const char *message = record->data[0].iov_base;
        size_t size = record->size;

        if (record->data[1].iov_len > 0) {
                mempcpy(mempcpy(scratch, record->data[0].iov_base, record->data[0].iov_len),
                        record->data[1].iov_base, record->data[1].iov_len);
                message = scratch;
        }
        if (size > 0 && message[size - 1] == '\n')
                size--;
        *ret_size = size;
        return message;
}

/* Length of the escape sequence (ECMA-48) at s, 0 when there is none: colours "ESC [ … letter", titles and
 * links "ESC ] … BEL" or "ESC ] … ESC \". */
static size_t escape_length(const char *s, size_t n)
{
        size_t i = 2;

        if (n < 2 || s[0] != 0x1b)
                return 0;
        if (s[1] == '[') {
                while (i < n && s[i] >= 0x20 && s[i] <= 0x3f)
                        i++;
                return i < n && s[i] >= 0x40 && s[i] <= 0x7e ? i + 1 : 0;
        }
        if (s[1] == ']') {
                while (i < n && s[i] != '\a' && s[i] != 0x1b)
                        i++;
                if (i < n && s[i] == '\a')
                        return i + 1;
                return i + 1 < n && s[i + 1] == '\\' ? i + 2 : 0;
        }
        return 0;
}

/* As journalctl does: programs that think they are at a terminal write colours, and end lines with \r\n. */
static size_t strip_escapes(const char *s, size_t n, char stripped[static RECORD_DATA_MAX])
{
        size_t size = 0, length;

        while (n > 0 && s[n - 1] == '\r')
                n--;
        for (size_t i = 0; i < n; i += length) {
                length = escape_length(s + i, n - i);
                if (length == 0) {
                        stripped[size++] = s[i];
                        length = 1;
                }
        }
        return size;
}

static void format_short(const LogContext *c, const Record *record, Buffer *b)
{
        char scratch[RECORD_DATA_MAX], stripped[RECORD_DATA_MAX], text[40];
        size_t size, n_stripped;
        const char *message = record_message(record, scratch, &size);

        format_timestamp_iso(record->realtime, text, sizeof(text));
        buffer_printf(b, "%s %s %s", text, c->hostname, c->identifier);
        if (c->pid > 0)
                buffer_printf(b, "[%" PRIu32 "]", c->pid);
        buffer_append(b, ": ", 2);

        n_stripped = strip_escapes(message, size, stripped);
        if (is_clean_text(stripped, n_stripped)) {
                buffer_append(b, stripped, n_stripped);
                buffer_append(b, "\n", 1);
        } else {
                format_bytes(size, text, sizeof(text));
                buffer_printf(b, "[%s blob data]\n", text);
        }
}

static void entry_context(Entry *e, const LogContext *c)
{
        entry_text(e, "SYSLOG_IDENTIFIER", c->identifier);
        entry_text(e, "REEVE_JOB", c->job);
        entry_text(e, "REEVE_SESSION", c->session);
}

static void format_entry(Entry *e, const LogContext *c, const Record *record, const char *cursor)
{
        char scratch[RECORD_DATA_MAX];
        size_t size;
        const char *message = record_message(record, scratch, &size);

        if (cursor)
                entry_text(e, "__CURSOR", cursor);
        entry_number(e, "__REALTIME_TIMESTAMP", (int64_t) record->realtime);
        entry_number(e, "__MONOTONIC_TIMESTAMP", (int64_t) record->monotonic);
        entry_text(e, "PRIORITY", stream_priority(record->stream));
        entry_context(e, c);
        entry_text(e, "REEVE_STREAM", stream_to_string(record->stream));
        entry_number(e, "REEVE_SEQNUM", (int64_t) record->seqnum);
        if (record->flags & RECORD_PARTIAL)
                entry_text(e, "REEVE_PARTIAL", "1");
        entry_field(e, "MESSAGE", message, size);
        entry_end(e);
}

static Entry entry_of(LogFormat f, Buffer *b)
{
        return (Entry){.buffer = b, .json = f == LOG_FORMAT_JSON};
}

void log_format_record(LogFormat f, const LogContext *c, const Record *record, const char *cursor, Buffer *b)
{
        Entry e = entry_of(f, b);

        switch (f) {
        case LOG_FORMAT_SHORT: format_short(c, record, b); break;
        case LOG_FORMAT_JSON:
        case LOG_FORMAT_EXPORT: format_entry(&e, c, record, cursor); break;
        default: /* raw */
                if (!(STREAM_MASK_OUTPUT & STREAM_MASK(record->stream)))
                        break;
                buffer_append(b, record->data[0].iov_base, record->data[0].iov_len);
                buffer_append(b, record->data[1].iov_base, record->data[1].iov_len);
                break;
        }
}

/* What is said of the log itself, not by the job. */
static void entry_event(Entry *e, const LogContext *c, const LogPlace *place, const char *priority,
                        const char *event)
{
        if (place->cursor)
                entry_text(e, "__CURSOR", place->cursor);
        entry_number(e, "__REALTIME_TIMESTAMP", (int64_t) place->realtime);
        if (place->monotonic > 0)
                entry_number(e, "__MONOTONIC_TIMESTAMP", (int64_t) place->monotonic);
        entry_text(e, "PRIORITY", priority);
        entry_context(e, c);
        entry_text(e, "REEVE_EVENT", event);
}

void log_format_lost(LogFormat f, const LogContext *c, uint64_t bytes, uint64_t records,
                     const LogPlace *place, Buffer *b)
{
        Entry e = entry_of(f, b);
        char text[48];

        snprintf(text, sizeof(text), "[%" PRIu64 " bytes lost]", bytes);
        if (f == LOG_FORMAT_SHORT) {
                buffer_append_string(b, text);
                buffer_append(b, "\n", 1);
        } else if (f != LOG_FORMAT_RAW) {
                entry_event(&e, c, place, "4", "lost");
                entry_number(&e, "REEVE_LOST_BYTES", (int64_t) bytes);
                entry_number(&e, "REEVE_LOST_RECORDS", (int64_t) records);
                entry_text(&e, "MESSAGE", text);
                entry_end(&e);
        }
}

void log_format_end(LogFormat f, const LogContext *c, const LogEnd *end, const LogPlace *place, Buffer *b)
{
        Entry e = entry_of(f, b);
        char text[64];

        if (f == LOG_FORMAT_RAW || f == LOG_FORMAT_SHORT)
                return;
        if (!*end->result) /* reeve goes before it is known */
                snprintf(text, sizeof(text), "[ended]");
        else if (end->signal > 0)
                snprintf(text, sizeof(text), "[ended: %s, signal %d]", end->result, end->signal);
        else
                snprintf(text, sizeof(text), "[ended: %s, exit code %d]", end->result, end->exit_code);
        entry_event(&e, c, place, "5", "end");
        entry_text(&e, "REEVE_RESULT", end->result);
        entry_number(&e, "REEVE_EXIT_CODE", end->exit_code);
        entry_number(&e, "REEVE_SIGNAL", end->signal);
        entry_text(&e, "MESSAGE", text);
        entry_end(&e);
}
