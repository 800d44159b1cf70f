/* The right-hand side of status, each kind of value in the words that people use. */

#include "ctl/status-lines.h"

#include <inttypes.h>
#include <stdio.h>

#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "ctl/job-text.h"
#include "ctl/output.h"
#include "ctl/properties.h"
#include "ctl/text.h"

static void append_words(Buffer *b, char **strv, bool command)
{
        if (command) {
                text_command(b, strv);
                return;
        }
        STRV_FOREACH (s, strv) {
                buffer_append_string(b, s == strv ? "" : " ");
                text_escape(b, *s);
        }
}

static void append_number(Buffer *b, StatusKind kind, uint64_t n)
{
        char text[40], ago[40];

        if (n == UINT64_MAX || (n == 0 && kind != STATUS_NUMBER))
                return;
        switch (kind) {
        case STATUS_BYTES: format_bytes(n, text, sizeof(text)); break;
        case STATUS_NSEC: format_timespan(n / NSEC_PER_USEC, text, sizeof(text)); break;
        case STATUS_TIME:
                format_timestamp_iso(n, text, sizeof(text));
                time_ago(n, now_realtime(), ago, sizeof(ago));
                buffer_printf(b, "%s (%s)", text, ago);
                return;
        default: snprintf(text, sizeof(text), "%" PRIu64, n);
        }
        buffer_append_string(b, text);
}

static void append_value(Buffer *b, const StatusLine *line, const Properties *p)
{
        char text[64];

        switch (line->kind) {
        case STATUS_STRING: text_escape(b, properties_string(p, line->property)); return;
        case STATUS_WORDS:
        case STATUS_COMMAND:
                append_words(b, properties_strv(p, line->property), line->kind == STATUS_COMMAND);
                return;
        case STATUS_STATE:
                job_state(p, text, sizeof(text));
                buffer_append_string(b, text);
                return;
        case STATUS_OUTCOME:
                job_outcome(p, text, sizeof(text));
                buffer_append_string(b, text);
                return;
        default: append_number(b, line->kind, properties_number(p, line->property, UINT64_MAX));
        }
}

void status_lines_append(Buffer *b, const StatusLine *lines, size_t n, const Properties *p)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_(buffer_done) Buffer value = BUFFER_INIT;

                append_value(&value, &lines[i], p);
                if (value.error < 0)
                        b->error = value.error;
                if (value.size == 0)
                        continue;
                buffer_printf(b, "%13s: ", lines[i].label);
                buffer_append(b, value.data, value.size);
                buffer_append_string(b, "\n");
        }
}
