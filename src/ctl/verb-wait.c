/*
 * reevectl wait: until jobs have come to a point, or one of several. Its exit status is about the waiting,
 * 0, 1 for a job that ended before it could come to that, or 124 as timeout(1) has it: that of the job would
 * leave a script unable to tell a job that failed from a wait that did.
 */

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/job-text.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

#define STATUS_TIMEOUT 124
#define STATUS_TOO_LATE 1

enum {
        OPTION_UNTIL = 1,
        OPTION_PORT,
        OPTION_LOG,
        OPTION_STDOUT,
        OPTION_STDERR,
        OPTION_TIMEOUT,
};

const Option wait_options[] = {
                {OPTION_UNTIL, 0, "until", "ready|exited|drained|finished",
                 "it runs; the leader ended; all of its output was taken; nothing of the job is left "
                 "(default, "
                 "where no port and no line is waited for)"},
                {OPTION_PORT, 0, "port", "PORT", "it listens on that TCP port; given again: on all of them"},
                {OPTION_LOG, 0, "log", "REGEX", "it has written a line that matches, or does"},
                {OPTION_STDOUT, 0, "stdout", NULL, "lines of stdout only"},
                {OPTION_STDERR, 0, "stderr", NULL, "lines of stderr only"},
                {OPTION_TIMEOUT, 0, "timeout", "SPAN", "wait so long at most; 0 asks without waiting"},
                {0},
};

/* As options spell them, and as Job.Wait does. */
static const struct {
        const char *name, *key;
} moments[] = {{"ready", "Ready"}, {"exited", "Exited"}, {"drained", "Drained"}, {"finished", "Finished"}};

#define PORTS_MAX 64U

typedef struct Wait {
        const char *until; /* NULL: not given */
        const char *log;
        bool on_stdout, on_stderr;
        uint16_t ports[PORTS_MAX];
        size_t n_ports;
        usec_t timeout;
} Wait;

static const char *moment_key(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(moments); i++)
                if (streq(moments[i].name, name))
                        return moments[i].key;
        return name;
}

static const char *moment_name(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(moments); i++)
                if (streq(moments[i].key, key))
                        return moments[i].name;
        return key;
}

static int set_port(Wait *w, const Verb *verb, const char *value)
{
        uint64_t port;

        if (parse_u64(value, &port) < 0 || port == 0 || port > UINT16_MAX)
                return misuse(verb, "--port=%s: a number from 1 to 65535 is needed", value);
        if (w->n_ports == PORTS_MAX)
                return misuse(verb, "--port=%s: one too many, %u are the most", value, PORTS_MAX);
        w->ports[w->n_ports++] = (uint16_t) port;
        return 0;
}

static int wait_set(void *object, const Verb *verb, int id, const char *value)
{
        Wait *w = object;

        switch (id) {
        case OPTION_PORT: return set_port(w, verb, value);
        case OPTION_LOG: w->log = value; return 0;
        case OPTION_STDOUT: w->on_stdout = true; return 0;
        case OPTION_STDERR: w->on_stderr = true; return 0;
        case OPTION_TIMEOUT:
                if (parse_usec(value, &w->timeout) < 0)
                        return misuse(verb,
                                      "--timeout=%s: that is no span of time, such as 10, 500ms or 1min 30s",
                                      value);
                return 0;
        default: break;
        }
        for (size_t i = 0; i < ELEMENTSOF(moments); i++)
                if (streq(moments[i].name, value)) {
                        w->until = moments[i].name;
                        return 0;
                }
        return misuse(verb, "--until=%s: ready, exited, drained or finished is needed", value);
}

static int append_ports(const Wait *w, sd_bus_message *m)
{
        int r;

        if (w->n_ports == 1)
                return sd_bus_message_append(m, "{sv}", "Port", "q", w->ports[0]);
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Ports");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "aq");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'q', w->ports, w->n_ports * sizeof(w->ports[0]));
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_until(const Wait *w, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && w->until)
                r = sd_bus_message_append(m, "{sv}", moment_key(w->until), "b", 1);
        if (r >= 0 && w->n_ports > 0)
                r = append_ports(w, m);
        if (r >= 0 && w->log)
                r = sd_bus_message_append(m, "{sv}", "LogPattern", "s", w->log);
        if (r >= 0 && w->on_stdout != w->on_stderr)
                r = sd_bus_message_append(m, "{sv}", "LogStreams", "as", 1,
                                          w->on_stdout ? "stdout" : "stderr");
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int make_call(const Wait *w, Client *c, const char *id, Call *call)
{
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_job_path(c, id, &path);
        if (r < 0)
                return r;
        r = client_message(c, path, BUS_INTERFACE_JOB, "Wait", &call->message);
        if (r < 0)
                return r;
        r = append_until(w, call->message);
        if (r >= 0)
                r = sd_bus_message_append(call->message, "t", w->timeout);
        return r < 0 ? client_message_failed(r) : 0;
}

static int append_json(sd_bus_message *m, const char *id, Buffer *b)
{
        int r;

        buffer_append_string(b, "{\"id\":");
        json_string(b, id);
        buffer_append_string(b, ",\"reached\":");
        r = json_value(b, m);
        if (r < 0)
                return r;
        buffer_append_string(b, ",\"details\":");
        r = json_value(b, m);
        buffer_append_string(b, "}\n");
        return r;
}

/* "web listens on 80 443", "web: Server started", "web exited: exit-code 3". */
static int append_text(const Wait *w, const char *reached, sd_bus_message *m, const char *id, Buffer *b)
{
        _cleanup_(properties_done) Properties details = PROPERTIES_INIT;
        char outcome[64];
        int r;

        r = properties_read(m, &details);
        if (r < 0)
                return r;
        text_escape(b, id);
        if (startswith(reached, "Port")) {
                buffer_append_string(b, " listens on");
                for (size_t i = 0; i < w->n_ports; i++)
                        buffer_printf(b, " %u", w->ports[i]);
        } else if (streq(reached, "LogPattern")) {
                size_t size;
                const char *line = properties_bytes(&details, "Line", &size);

                buffer_append_string(b, ": ");
                text_escape_bytes(b, line, size);
        } else {
                job_outcome(&details, outcome, sizeof(outcome));
                buffer_printf(b, " %s%s%s", moment_name(reached), *outcome ? ": " : "", outcome);
        }
        buffer_append_string(b, "\n");
        return 0;
}

/* The job ended, and that was not what was asked for. */
static bool is_too_late(const Wait *w, const char *reached)
{
        return streq(reached, "Finished") && !(w->until && streq(w->until, "finished"));
}

static int print_answer(const Wait *w, Client *c, const char *id, sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *reached;
        int r;

        r = sd_bus_message_read_basic(m, 's', &reached);
        if (r >= 0 && c->json) {
                r = sd_bus_message_rewind(m, true);
                if (r >= 0)
                        r = append_json(m, id, &b);
        } else if (r >= 0) {
                r = append_text(w, reached, m, id, &b);
        }
        if (r < 0)
                return client_message_failed(r);
        r = output_buffer(&b);
        if (r < 0 || !is_too_late(w, reached))
                return r;
        remark("%s ended before what was waited for came true", id);
        return STATUS_TOO_LATE;
}

/* One answer: prints it, or says why there is none. The exit status, or one of output.h. */
static int print_reply(const Wait *w, Client *c, const char *id, sd_bus_message *m)
{
        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_TIMEOUT) > 0) {
                _cleanup_free_ char *message = NULL;
                char span[32];

                format_timespan(w->timeout, span, sizeof(span));
                if (w->n_ports == 0 && !w->log)
                        message = str_printf("%s: not %s within %s", id, w->until, span);
                else
                        message = str_printf("%s: what was waited for did not come true within %s", id,
                                             span);
                fail_bus(SD_BUS_ERROR_TIMEOUT, message ?: "the time is over", NULL);
                return STATUS_TIMEOUT;
        }
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                return client_report(c, sd_bus_message_get_error(m));
        return print_answer(w, c, id, m);
}

static int wait_run(const Wait *w, Client *c, char **ids, Call *calls, size_t n)
{
        int r, status = 0;

        for (size_t i = 0; i < n; i++) {
                r = make_call(w, c, ids[i], &calls[i]);
                if (r < 0)
                        return r;
        }
        r = client_call_all(c, calls, n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = print_reply(w, c, ids[i], calls[i].reply);
                if (r == FAILED || (r > 0 && status == 0)) /* the worst counts: others are still printed */
                        status = r;
                r = r == CLOSED ? r : 0;
        }
        return r < 0 ? r : status;
}

int verb_wait(const Verb *verb, Client *c, char **args)
{
        Wait w = {.timeout = USEC_INFINITY};
        Call *calls;
        size_t n;
        int r;

        r = args_parse(verb, c, args, wait_set, &w, &args);
        if (r <= 0)
                return r;
        if ((w.on_stdout || w.on_stderr) && !w.log)
                return misuse(verb, "--%s is of --log, which is not given",
                              w.on_stdout ? "stdout" : "stderr");
        if (!w.until && w.n_ports == 0 && !w.log)
                w.until = "finished";
        n = strv_length(args);
        calls = alloc_zero(n * sizeof(Call));
        if (!calls)
                return client_message_failed(-ENOMEM);
        r = wait_run(&w, c, args, calls, n);
        calls_free(calls, n);
        return r;
}
