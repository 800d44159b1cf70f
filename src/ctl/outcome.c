/*
 * What Exec and Run have in common: to be like the command. What else there is to say goes to stderr, and
 * only when the output or the status would mislead without it.
 */

#include "ctl/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/buffer.h"
#include "basic/time.h"
#include "ctl/client.h"
#include "ctl/job-text.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "ctl/output.h"

#define STATUS_TIMEOUT 124
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

typedef struct Outcome {
        const char *id, *result;
        int exit_code, signal;
        const void *data[2]; /* stdout, stderr */
        size_t size[2];
        Properties details;
} Outcome;

bool foreground_set(Foreground *f, int id)
{
        switch (id) {
        case OPTION_VERBOSE: f->verbose = true; return true;
        case OPTION_KEEP: f->keep = true; return true;
        default: return false;
        }
}

static int set_default(JobOptions *o, const Verb *verb, SettingId id, const char *text)
{
        return o->given[id] ? 0 : job_options_set_text(o, verb, id, settings[id].name, text);
}

int foreground_prepare(const Foreground *f, JobOptions *o, const Verb *verb)
{
        int r;

        /* All that a message may carry: who sees no output in front wants to see the output. */
        r = set_default(o, verb, SETTING_OUTPUT_MAX_BYTES, "16M");
        /* A job in front ends with who waits for it, but not what it leaves behind. One that was given an id
         * is to be come back to: the same request is made again when the connection was lost, and must find
         * it running. */
        if (r >= 0 && !f->keep && !o->given[SETTING_ID])
                r = set_default(o, verb, SETTING_KILL_ON_CANCEL, "yes");
        return r;
}

static int read_outcome(sd_bus_message *m, Outcome *o)
{
        int r;

        r = sd_bus_message_read(m, "siis", &o->id, &o->exit_code, &o->signal, &o->result);
        for (size_t i = 0; r >= 0 && i < 2; i++)
                r = sd_bus_message_read_array(m, 'y', &o->data[i], &o->size[i]);
        return r < 0 ? r : properties_read(m, &o->details);
}

static int print_json(sd_bus_message *m)
{
        static const char *const names[] = {"id",     "exit_code", "signal",  "result",
                                            "stdout", "stderr",    "details", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r >= 0)
                r = json_arguments(&b, m, names);
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "\n");
        return output_buffer(&b);
}

static int print_output(const Outcome *o)
{
        /* Where they are, instead, with -p Text=yes. */
        static const char *const texts[] = {"StdoutText", "StderrText"};
        int r = 0;

        for (int i = 0; r >= 0 && i < 2; i++) {
                const char *text = properties_string(&o->details, texts[i]);

                r = output_bytes(STDOUT_FILENO + i, o->data[i], o->size[i]);
                if (r >= 0)
                        r = output_bytes(STDOUT_FILENO + i, text, strlen(text));
        }
        return r;
}

static void say_truncated(const Outcome *o)
{
        static const char *const keys[] = {"StdoutBytes", "StderrBytes"};
        static const char *const names[] = {"stdout", "stderr"};

        for (size_t i = 0; i < 2; i++) {
                uint64_t all = properties_number(&o->details, keys[i], 0);
                char text[16];

                if (all <= o->size[i])
                        continue;
                format_bytes(all - o->size[i], text, sizeof(text));
                remark("the first %" PRIu64 " bytes of %s (%s) are left out; what the log holds of them:"
                       " reevectl logs --%s %s",
                       all - o->size[i], names[i], text, names[i], o->id);
        }
}

/* job: of its properties, or of the details of an answer. */
static void say_end(const char *id, const char *outcome, const Properties *job, uint64_t tasks)
{
        usec_t time = usec_sub(properties_number(job, "ExitTimestamp", 0),
                               properties_number(job, "StartTimestamp", 0));
        char span[32];

        format_timespan(time, span, sizeof(span));
        remark("%s: %s after %s", id, outcome, span);
        if (properties_has(job, "StateKept", 'b') && !properties_boolean(job, "StateKept"))
                remark("%s: the session is as it was before: what the command set is not kept", id);
        if (tasks > 0)
                remark("%s: %" PRIu64 " process%s of it live%s on; to end %s: reevectl stop %s", id, tasks,
                       tasks == 1 ? "" : "es", tasks == 1 ? "s" : "", tasks == 1 ? "it" : "them", id);
}

static void say_outcome(const Outcome *o, bool verbose)
{
        static const struct {
                const char *result, *text;
        } reasons[] = {
                        {"timeout", "it ran longer than it may (RuntimeMaxSec), and was stopped"},
                        {"oom-kill", "there was not enough memory, and the kernel killed it"},
                        {"watchdog", "its watchdog was not fed, and it was stopped"},
                        {"resources", "reeve lacked the resources to go on with it"},
        };
        char outcome[64];

        if (properties_boolean(&o->details, "Truncated"))
                say_truncated(o);
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (streq(reasons[i].result, o->result))
                        remark("%s: %s", o->id, reasons[i].text);
        if (!verbose)
                return;

        outcome_format(o->result, o->exit_code, o->signal, outcome, sizeof(outcome));
        say_end(o->id, outcome, &o->details, properties_number(&o->details, "TasksRemaining", 0));
}

void foreground_say_job(const Foreground *f, Client *c, const char *id, const char *path)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        uint64_t tasks;
        char outcome[64];

        if (!f->verbose || client_properties(c, path, BUS_INTERFACE_JOB, &job) < 0)
                return;
        job_outcome(&job, outcome, sizeof(outcome));
        tasks = properties_number(&job, "TasksCurrent", 0);
        if (*outcome)
                say_end(id, outcome, &job, tasks == UINT64_MAX ? 0 : tasks);
}

/* A timeout that the command answered with 0 must not look like success. */
int outcome_status(const char *result, int exit_code, int sig)
{
        if (sig > 0)
                return STATUS_SIGNAL + sig;
        if (exit_code == 0 && streq(result, "timeout"))
                return STATUS_TIMEOUT;
        return exit_code >= 0 ? exit_code : FAILED;
}

static int finish(const Foreground *f, Client *c, sd_bus_message *reply)
{
        Outcome o = {.details = PROPERTIES_INIT};
        int r;

        r = read_outcome(reply, &o);
        if (r < 0)
                r = client_message_failed(r);
        else {
                r = c->json ? print_json(reply) : print_output(&o);
                if (r >= 0) {
                        say_outcome(&o, f->verbose);
                        r = outcome_status(o.result, o.exit_code, o.signal);
                }
        }
        properties_done(&o.details);
        return r;
}

int foreground_refused(Client *c, const sd_bus_error *error)
{
        client_report(c, error);
        if (sd_bus_error_has_name(error, BUS_ERROR_COMMAND_NOT_FOUND))
                return STATUS_NOT_FOUND;
        if (sd_bus_error_has_name(error, BUS_ERROR_COMMAND_NOT_EXECUTABLE))
                return STATUS_NOT_EXECUTABLE;
        return FAILED;
}

int foreground_call(const Foreground *f, Client *c, sd_bus_message *m)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_call_error(c, m, &error, &reply);
        if (r == -EREMOTEIO)
                return foreground_refused(c, &error);
        return r < 0 ? r : finish(f, c, reply);
}
