/*
 * reevectl session open: a name, and what its jobs have in common. Its settings are those of jobs that a
 * session has as well, by the same table, and two of its own.
 */

#include "basic/buffer.h"
#include "basic/parse.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

enum {
        OPTION_SHELL = 1,
        OPTION_CLEAN,
};

const Option session_open_options[] = {
                {OPTION_SHELL, 0, "shell", "FILE", "what runs the commands of run (default /bin/sh)"},
                {OPTION_CLEAN, 0, "clean", NULL, "begin with an empty environment, not with that of reeve"},
                {0},
};

typedef struct Opening {
        JobOptions job;
        const char *shell; /* NULL: not given */
        int clean;         /* -1: not given */
} Opening;

static int open_set(void *object, const Verb *verb, int id, const char *value)
{
        Opening *o = object;
        const char *text;

        switch (id) {
        case OPTION_SHELL: o->shell = value; return 0;
        case OPTION_CLEAN: o->clean = true; return 0;
        case OPTION_PROPERTY:
                text = startswith(value, "Shell=");
                if (text) {
                        o->shell = text;
                        return 0;
                }
                text = startswith(value, "CleanEnvironment=");
                if (text) {
                        o->clean = parse_bool(text);
                        return o->clean < 0 ? misuse(verb, "%s: yes or no is needed", value) : 0;
                }
                break;
        }
        return job_options_set(&o->job, verb, id, value);
}

static int append_options(const Opening *o, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = job_options_append_entries(&o->job, m);
        if (r >= 0 && o->shell)
                r = sd_bus_message_append(m, "{sv}", "Shell", "s", o->shell);
        if (r >= 0 && o->clean >= 0)
                r = sd_bus_message_append(m, "{sv}", "CleanEnvironment", "b", o->clean);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int print_json(sd_bus_message *m, const char *name)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        buffer_append_string(&b, "{\"name\":");
        json_string(&b, name);
        buffer_append_string(&b, ",\"session\":");
        r = json_value(&b, m);
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "}\n");
        return output_buffer(&b);
}

static int open_run(const Opening *o, Client *c, const char *name)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "OpenSession", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', name);
        if (r >= 0)
                r = append_options(o, m);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        return r < 0 || !c->json ? r : print_json(reply, name);
}

int verb_session_open(const Verb *verb, Client *c, char **args)
{
        Opening o = {.clean = -1};
        int r;

        r = args_parse(verb, c, args, open_set, &o, &args);
        if (r > 0)
                r = open_run(&o, c, args[0]);
        job_options_done(&o.job);
        return r;
}
