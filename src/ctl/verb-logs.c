/*
 * reevectl logs: what a job wrote, page by page from a cursor on, to the end of what was there when it was
 * asked: a job that writes faster than its log is read would otherwise never be done with. With --follow
 * reeve writes it into a pipe, with what comes.
 */

#include <inttypes.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/parse.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/log-follow.h"
#include "ctl/log-page.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

enum {
        OPTION_LINES = 1,
        OPTION_SINCE,
        OPTION_STDOUT,
        OPTION_STDERR,
        OPTION_OUTPUT,
        OPTION_CURSOR,
        OPTION_FOLLOW,
};

const Option logs_options[] = {
                {OPTION_LINES, 'n', "tail", "LINES", "the newest lines only"},
                {OPTION_SINCE, 0, "since", "SPAN|@SECONDS",
                 "what was written since so long ago (5min), or since a time of Unix"},
                {OPTION_STDOUT, 0, "stdout", NULL, "stdout only"},
                {OPTION_STDERR, 0, "stderr", NULL, "stderr only; both options: no notes of reeve"},
                {OPTION_OUTPUT, 'o', "output", "short|raw|json|export",
                 "as journalctl shows it (default); the bytes; an object a line (also with --json); for "
                 "systemd-journal-remote"},
                {OPTION_CURSOR, 0, "cursor", "CURSOR",
                 "what comes after that place, such as __CURSOR of the last object of JSON"},
                {OPTION_FOLLOW, 'f', "follow", NULL, "wait for more, until the job has ended"},
                {0},
};

typedef struct Logs {
        LogRequest request;
        LogFormat format;
        bool format_given, follow;
} Logs;

static int set_since(Logs *l, const Verb *verb, const char *value)
{
        usec_t time;

        if (parse_usec(value + (*value == '@'), &time) < 0)
                return misuse(verb,
                              "--since=%s: a span of time is needed, such as 5min, or @ and seconds since "
                              "1970",
                              value);
        l->request.since = *value == '@' ? time : usec_sub(now_realtime(), time);
        return 0;
}

static int logs_set(void *object, const Verb *verb, int id, const char *value)
{
        Logs *l = object;
        int r;

        switch (id) {
        case OPTION_LINES:
                if (parse_u64(value, &l->request.lines) < 0)
                        return misuse(verb, "--tail=%s: a number of lines is needed", value);
                return 0;
        case OPTION_SINCE: return set_since(l, verb, value);
        case OPTION_STDOUT: l->request.streams |= STREAM_MASK(STREAM_STDOUT); return 0;
        case OPTION_STDERR: l->request.streams |= STREAM_MASK(STREAM_STDERR); return 0;
        case OPTION_OUTPUT:
                r = log_format_from_string(value);
                if (r < 0)
                        return misuse(verb, "--output=%s: short, raw, json or export is needed", value);
                l->format = r;
                l->format_given = true;
                return 0;
        case OPTION_CURSOR: l->request.cursor = value; return 0;
        default: l->follow = true; return 0;
        }
}

/* A loss before the first of the newest LINES is none that was asked about, unless it is why there are
 * fewer. */
static bool loss_matters(const LogPage *p, const LogRequest *request)
{
        return p->lost > 0 && (request->lines == UINT64_MAX || log_page_lines(p) < request->lines);
}

static int print_page(const Logs *l, const LogPage *p, const LogContext *context)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        bool lost = loss_matters(p, &l->request);

        /* Among raw bytes there is no place to say it. */
        if (lost && l->format == LOG_FORMAT_RAW)
                remark("%" PRIu64 " bytes of the log are no longer held", p->lost);
        log_page_format(p, l->format, context, lost, &b);
        return output_buffer(&b);
}

/* Whether that page was the last one to be asked for. */
static bool page_is_last(const LogPage *p, usec_t started)
{
        if (p->eof)
                return true;
        return p->n == 0 || p->records[p->n - 1].realtime >= started;
}

static int print_pages(Logs *l, Client *c, const char *path, const LogContext *context)
{
        usec_t started = now_realtime();
        _cleanup_free_ char *cursor = NULL;
        bool last = false;
        int r;

        while (!last) {
                _cleanup_(log_page_done) LogPage p = LOG_PAGE_INIT;

                r = log_page_read(c, path, &l->request, &p);
                if (r < 0)
                        return r;
                r = print_page(l, &p, context);
                if (r < 0)
                        return r;
                last = page_is_last(&p, started);

                free(cursor);
                cursor = str_copy(p.next);
                if (!cursor)
                        return fail("out of memory");
                l->request.cursor = cursor;
                l->request.lines = UINT64_MAX; /* the newest are counted from the first page on */
        }
        return 0;
}

static int logs_run(Logs *l, Client *c, const char *id)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_free_ char *path = NULL;
        LogContext context;
        int r;

        if (l->request.streams == 0)
                l->request.streams = STREAM_MASK_ALL;
        if (c->json && !l->format_given)
                l->format = LOG_FORMAT_JSON;

        r = client_job_path(c, id, &path);
        if (r < 0)
                return r;
        if (l->follow)
                return log_follow(c, path, &l->request, l->format);
        r = client_properties(c, path, BUS_INTERFACE_JOB, &job);
        if (r < 0)
                return r;
        log_context_init(&job, &context);
        return print_pages(l, c, path, &context);
}

int verb_logs(const Verb *verb, Client *c, char **args)
{
        Logs l = {
                        .request = {.cursor = "", .lines = UINT64_MAX},
                        .format = LOG_FORMAT_SHORT,
        };
        int r;

        r = args_parse(verb, c, args, logs_set, &l, &args);
        return r > 0 ? logs_run(&l, c, args[0]) : r;
}
