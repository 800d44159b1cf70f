/* Records as text. Each format follows the one of journalctl that people and programs know already, so that
 * nothing has to be learned and `jq` lines can stay. What a job writes may be anything, and a terminal obeys
 * control characters: what is not clean text is not shown in `short`, and is numbers in `json`. */

#include "journal/format.h"

#include <errno.h>
#include <inttypes.h>

#include "basic/buffer.h"
#include "basic/utf8.h"

static const char *const format_names[_LOG_FORMAT_MAX] = {
        [LOG_FORMAT_RAW] = "raw",
        [LOG_FORMAT_SHORT] = "short",
        [LOG_FORMAT_JSON] = "json",
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

/* UTF-8 without control characters, except tabs and newlines; C1, which is two bytes in UTF-8, are some,
 * too. */
static bool is_clean_text(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = s[i], before = i > 0 ? s[i - 1] : 0;

                if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f || (before == 0xc2 && c < 0xa0))
                        return false;
        }
        return utf8_is_valid(s, n);
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

static void json_bytes(Buffer *b, const char *s, size_t n)
{
        /* Not with printf: it is four characters for each byte of a binary. */
        for (size_t i = 0; i < n; i++) {
                unsigned char c = s[i];
                char text[4], *p = text + sizeof(text);

                do
                        *--p = '0' + c % 10;
                while ((c /= 10) > 0);
                *--p = i == 0 ? '[' : ',';
                buffer_append(b, p, text + sizeof(text) - p);
        }
        buffer_append(b, n > 0 ? "]" : "[]", n > 0 ? 1 : 2);
}

static void json_string(Buffer *b, const char *s, size_t n)
{
        size_t start = 0;

        buffer_append(b, "\"", 1);
        for (size_t i = 0; i < n; i++) {
                char escape = s[i] == '\n' ? 'n' : s[i] == '\t' ? 't' : s[i];

                if (escape == s[i] && s[i] != '"' && s[i] != '\\')
                        continue;
                buffer_append(b, s + start, i - start);
                buffer_append(b, (const char[]){'\\', escape}, 2);
                start = i + 1;
        }
        buffer_append(b, s + start, n - start);
        buffer_append(b, "\"", 1);
}

/* The first field opens the object. */
static void json_field(Buffer *b, bool first, const char *name, const char *value, size_t size)
{
        buffer_printf(b, "%c\"%s\":", first ? '{' : ',', name);
        if (is_clean_text(value, size))
                json_string(b, value, size);
        else
                json_bytes(b, value, size);
}

static void json_text(Buffer *b, bool first, const char *name, const char *value)
{
        json_field(b, first, name, value, strlen(value));
}

static void json_number(Buffer *b, bool first, const char *name, uint64_t value)
{
        buffer_printf(b, "%c\"%s\":\"%" PRIu64 "\"", first ? '{' : ',', name, value);
}

static void json_context(Buffer *b, const LogContext *c)
{
        json_text(b, false, "SYSLOG_IDENTIFIER", c->identifier);
        json_text(b, false, "REEVE_JOB", c->job);
        json_text(b, false, "REEVE_SESSION", c->session);
}

static void format_json(const LogContext *c, const Record *record, const char *cursor, Buffer *b)
{
        char scratch[RECORD_DATA_MAX];
        size_t size;
        const char *message = record_message(record, scratch, &size);

        if (cursor)
                json_text(b, true, "__CURSOR", cursor);
        json_number(b, !cursor, "__REALTIME_TIMESTAMP", record->realtime);
        json_number(b, false, "__MONOTONIC_TIMESTAMP", record->monotonic);
        json_text(b, false, "PRIORITY", stream_priority(record->stream));
        json_context(b, c);
        json_text(b, false, "REEVE_STREAM", stream_to_string(record->stream));
        json_number(b, false, "REEVE_SEQNUM", record->seqnum);
        if (record->flags & RECORD_PARTIAL)
                json_text(b, false, "REEVE_PARTIAL", "1");
        json_field(b, false, "MESSAGE", message, size);
        buffer_append(b, "}\n", 2);
}

void log_format_record(LogFormat f, const LogContext *c, const Record *record, const char *cursor, Buffer *b)
{
        switch (f) {
        case LOG_FORMAT_SHORT: format_short(c, record, b); break;
        case LOG_FORMAT_JSON: format_json(c, record, cursor, b); break;
        default: /* raw */
                if (!(STREAM_MASK_OUTPUT & STREAM_MASK(record->stream)))
                        break;
                buffer_append(b, record->data[0].iov_base, record->data[0].iov_len);
                buffer_append(b, record->data[1].iov_base, record->data[1].iov_len);
                break;
        }
}

void log_format_lost(LogFormat f, const LogContext *c, uint64_t bytes, uint64_t records, usec_t realtime,
                     Buffer *b)
{
        if (f == LOG_FORMAT_SHORT) {
                buffer_printf(b, "[%" PRIu64 " bytes lost]\n", bytes);
        } else if (f == LOG_FORMAT_JSON) {
                json_number(b, true, "__REALTIME_TIMESTAMP", realtime);
                json_text(b, false, "PRIORITY", "4");
                json_context(b, c);
                json_text(b, false, "REEVE_EVENT", "lost");
                json_number(b, false, "REEVE_LOST_BYTES", bytes);
                json_number(b, false, "REEVE_LOST_RECORDS", records);
                buffer_printf(b, ",\"MESSAGE\":\"[%" PRIu64 " bytes lost]\"}\n", bytes);
        }
}
