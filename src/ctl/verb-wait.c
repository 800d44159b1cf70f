/*
 * reevectl wait: until jobs have come to a point. Its exit status is about the waiting, 0 or 124 as
 * timeout(1) has it: that of the job would leave a script unable to tell a job that failed from a wait that
 * did.
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

enum {
        OPTION_UNTIL = 1,
        OPTION_TIMEOUT,
};

const Option wait_options[] = {
                {OPTION_UNTIL, 0, "until", "exited|drained|finished",
                 "the leader ended; all of its output was taken; nothing of the job is left (default)"},
                {OPTION_TIMEOUT, 0, "timeout", "SPAN", "wait so long at most; 0 asks without waiting"},
                {0},
};

/* As options spell them, and as Job.Wait does. */
static const struct {
        const char *name, *key;
} moments[] = {{"exited", "Exited"}, {"drained", "Drained"}, {"finished", "Finished"}};

typedef struct Wait {
        const char *until;
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

static int wait_set(void *object, const Verb *verb, int id, const char *value)
{
        Wait *w = object;

        if (id == OPTION_TIMEOUT) {
                if (parse_usec(value, &w->timeout) < 0)
                        return misuse(verb,
                                      "--timeout=%s: that is no span of time, such as 10, 500ms or 1min 30s",
                                      value);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(moments); i++)
                if (streq(moments[i].name, value)) {
                        w->until = moments[i].name;
                        return 0;
                }
        return misuse(verb, "--until=%s: exited, drained or finished is needed", value);
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
        r = sd_bus_message_append(call->message, "a{sv}t", 1, moment_key(w->until), "b", 1, w->timeout);
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

static int append_text(sd_bus_message *m, const char *id, Buffer *b)
{
        _cleanup_(properties_done) Properties details = PROPERTIES_INIT;
        const char *reached;
        char outcome[64];
        int r;

        r = sd_bus_message_read_basic(m, 's', &reached);
        if (r < 0)
                return r;
        r = properties_read(m, &details);
        if (r < 0)
                return r;
        job_outcome(&details, outcome, sizeof(outcome));
        text_escape(b, id);
        buffer_printf(b, " %s%s%s\n", moment_name(reached), *outcome ? ": " : "", outcome);
        return 0;
}

/* One answer: prints it, or says why there is none. The exit status, or one of output.h. */
static int print_reply(const Wait *w, Client *c, const char *id, sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_TIMEOUT) > 0) {
                _cleanup_free_ char *message = NULL;
                char span[32];

                format_timespan(w->timeout, span, sizeof(span));
                message = str_printf("%s: not %s within %s", id, w->until, span);
                fail_bus(SD_BUS_ERROR_TIMEOUT, message ?: "the time is over", NULL);
                return STATUS_TIMEOUT;
        }
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                return client_report(c, sd_bus_message_get_error(m));

        r = c->json ? append_json(m, id, &b) : append_text(m, id, &b);
        return r < 0 ? client_message_failed(r) : output_buffer(&b);
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
        Wait w = {.until = "finished", .timeout = USEC_INFINITY};
        Call *calls;
        size_t n;
        int r;

        r = args_parse(verb, c, args, wait_set, &w, &args);
        if (r <= 0)
                return r;
        n = strv_length(args);
        calls = alloc_zero(n * sizeof(Call));
        if (!calls)
                return client_message_failed(-ENOMEM);
        r = wait_run(&w, c, args, calls, n);
        calls_free(calls, n);
        return r;
}
