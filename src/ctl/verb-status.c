/*
 * reevectl status: reeve itself, or all that is known of a job and the end of its log. What is shown of a
 * property is in a table: a label and how to read the value; what is empty, or not known, is left out.
 */

#include <inttypes.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/job-text.h"
#include "ctl/log-page.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

#define LOG_LINES 10U

typedef enum Kind {
        KIND_STRING,
        KIND_WORDS,
        KIND_COMMAND,
        KIND_NUMBER, /* 0 is shown */
        KIND_COUNT,  /* 0 is left out */
        KIND_BYTES,
        KIND_NSEC,
        KIND_TIME,
        KIND_STATE, /* of several properties */
        KIND_OUTCOME,
} Kind;

typedef struct Line {
        const char *label, *property;
        Kind kind;
} Line;

static const Line job_lines[] = {
                {"Description", "Description", KIND_STRING},
                {"Unit", "Unit", KIND_STRING},
                {"Session", "Session", KIND_STRING},
                {"Labels", "Labels", KIND_WORDS},
                {"Command", "Command", KIND_COMMAND},
                {"Directory", "WorkingDirectory", KIND_STRING},
                {"User", "User", KIND_STRING},
                {"State", "State", KIND_STATE},
                {"Status", "StatusText", KIND_STRING},
                {"Result", "Result", KIND_OUTCOME},
                {"PID", "PID", KIND_COUNT},
                {"Restarts", "NRestarts", KIND_COUNT},
                {"Started", "StartTimestamp", KIND_TIME},
                {"Exited", "ExitTimestamp", KIND_TIME},
                {"Finished", "FinishTimestamp", KIND_TIME},
                {"Cgroup", "ControlGroup", KIND_STRING},
                {"Tasks", "TasksCurrent", KIND_COUNT},
                {"CPU time", "CPUUsageNSec", KIND_NSEC},
                {"Memory", "MemoryCurrent", KIND_BYTES},
                {"Memory peak", "MemoryPeak", KIND_BYTES},
                {"Read", "IOReadBytes", KIND_BYTES},
                {"Written", "IOWriteBytes", KIND_BYTES},
                {"OOM kills", "OOMKills", KIND_COUNT},
                {"Ports", "ListeningPorts", KIND_WORDS},
                {"Output", "LogBytes", KIND_BYTES},
                {"Output lost", "LogLostBytes", KIND_BYTES},
};

static const Line reeve_lines[] = {
                {"Version", "Version", KIND_STRING},      {"State", "State", KIND_STRING},
                {"Started", "StartTimestamp", KIND_TIME}, {"Containment", "Containment", KIND_STRING},
                {"Cgroup", "ControlGroup", KIND_STRING},  {"Controllers", "Controllers", KIND_WORDS},
                {"Jobs", "NJobs", KIND_NUMBER},           {"Running", "NRunning", KIND_NUMBER},
                {"Reaped", "NReaped", KIND_NUMBER},       {"Orphans", "NOrphansReaped", KIND_NUMBER},
                {"Log", "LogBytes", KIND_BYTES},          {"Log budget", "LogMaxBytes", KIND_BYTES},
};

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

static void append_number(Buffer *b, Kind kind, uint64_t n)
{
        char text[40], ago[40];

        if (n == UINT64_MAX || (n == 0 && kind != KIND_NUMBER))
                return;
        switch (kind) {
        case KIND_BYTES: format_bytes(n, text, sizeof(text)); break;
        case KIND_NSEC: format_timespan(n / NSEC_PER_USEC, text, sizeof(text)); break;
        case KIND_TIME:
                format_timestamp_iso(n, text, sizeof(text));
                time_ago(n, now_realtime(), ago, sizeof(ago));
                buffer_printf(b, "%s (%s)", text, ago);
                return;
        default: snprintf(text, sizeof(text), "%" PRIu64, n);
        }
        buffer_append_string(b, text);
}

static void append_value(Buffer *b, const Line *line, const Properties *p)
{
        char text[64];

        switch (line->kind) {
        case KIND_STRING: text_escape(b, properties_string(p, line->property)); return;
        case KIND_WORDS:
        case KIND_COMMAND:
                append_words(b, properties_strv(p, line->property), line->kind == KIND_COMMAND);
                return;
        case KIND_STATE:
                job_state(p, text, sizeof(text));
                buffer_append_string(b, text);
                return;
        case KIND_OUTCOME:
                job_outcome(p, text, sizeof(text));
                buffer_append_string(b, text);
                return;
        default: append_number(b, line->kind, properties_number(p, line->property, UINT64_MAX));
        }
}

static void append_lines(Buffer *b, const Line *lines, size_t n, const Properties *p)
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

/* All properties of an interface as one JSON object. */
static int print_json(Client *c, const char *path, const char *interface)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_get_all(c, path, interface, &reply);
        return r < 0 ? r : client_print_json(reply);
}

static int status_reeve(Client *c)
{
        _cleanup_(properties_done) Properties p = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        if (c->json)
                return print_json(c, NULL, BUS_INTERFACE_MANAGER);
        r = client_properties(c, NULL, BUS_INTERFACE_MANAGER, &p);
        if (r < 0)
                return r;
        buffer_printf(&b, "reeve at %s\n", c->address);
        append_lines(&b, reeve_lines, ELEMENTSOF(reeve_lines), &p);
        return output_buffer(&b);
}

static int append_log(Client *c, const char *path, const Properties *job, Buffer *b)
{
        LogRequest request = {.cursor = "", .lines = LOG_LINES, .streams = STREAM_MASK_ALL};
        _cleanup_(log_page_done) LogPage page = LOG_PAGE_INIT;
        LogContext context;
        int r;

        r = log_page_read(c, path, &request, &page);
        if (r < 0 || page.n == 0)
                return r;
        log_context_init(job, &context);
        buffer_append_string(b, "\n");
        log_page_format(&page, LOG_FORMAT_SHORT, &context, log_page_lines(&page) < LOG_LINES, b);
        return 0;
}

/* first: else an empty line sets it off from the one before. */
static int status_job(Client *c, const char *id, bool first)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_job_path(c, id, &path);
        if (r < 0)
                return r;
        if (c->json)
                return print_json(c, path, BUS_INTERFACE_JOB);
        r = client_properties(c, path, BUS_INTERFACE_JOB, &job);
        if (r < 0)
                return r;
        buffer_append_string(&b, first ? "" : "\n");
        text_escape(&b, properties_string(&job, "Id"));
        buffer_append_string(&b, "\n");
        append_lines(&b, job_lines, ELEMENTSOF(job_lines), &job);
        r = append_log(c, path, &job, &b);
        return r < 0 ? r : output_buffer(&b);
}

int verb_status(const Verb *verb, Client *c, char **args)
{
        int r, status = 0;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        if (!*args)
                return status_reeve(c);
        for (char **id = args; *id; id++) {
                r = status_job(c, *id, id == args);
                if (r == CLOSED)
                        return r;
                if (r < 0)
                        status = r; /* said; the others may be there */
        }
        return status;
}
