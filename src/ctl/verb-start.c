/* reevectl start: run a command in the background. On stdout is its id, alone on a line, for $(…). */

#include <errno.h>
#include <unistd.h>

#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/exec-terminal.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

enum {
        OPTION_INITIAL_OUTPUT = 1,
        OPTION_TERMINAL,
};

const Option start_options[] = {
                {OPTION_INITIAL_OUTPUT, 'w', "initial-output", "SPAN",
                 "wait so long, or until it ends, and show its first output, below the id"},
                {OPTION_TERMINAL, 't', "tty", NULL, "give it a terminal, of the size of yours: see attach"},
                {0},
};

typedef struct StartOptions {
        JobOptions job;
        bool terminal;
} StartOptions;

static int start_set(void *object, const Verb *verb, int id, const char *value)
{
        StartOptions *o = object;

        if (id == OPTION_TERMINAL) {
                o->terminal = true;
                return 0;
        }
        if (id == OPTION_INITIAL_OUTPUT)
                return job_options_set_text(&o->job, verb, SETTING_INITIAL_OUTPUT, "initial-output", value);
        return job_options_set(&o->job, verb, id, value);
}

static int print_json(sd_bus_message *m)
{
        static const char *const names[] = {"id", "job", "pid", "details", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = json_arguments(&b, m, names);
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "\n");
        return output_buffer(&b);
}

static int print_text(sd_bus_message *m)
{
        static const char *const keys[] = {"InitialStdout", "InitialStderr"};
        _cleanup_(properties_done) Properties details = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *id;
        int r;

        r = sd_bus_message_read(m, "sou", &id, NULL, NULL);
        if (r >= 0)
                r = properties_read(m, &details);
        if (r < 0)
                return client_message_failed(r);

        buffer_printf(&b, "%s\n", id);
        r = output_buffer(&b);
        for (int i = 0; r >= 0 && i < 2; i++) {
                size_t size;
                const void *data = properties_bytes(&details, keys[i], &size);

                r = output_bytes(STDOUT_FILENO + i, data, size);
        }
        return r;
}

static int start_run(StartOptions *o, const Verb *verb, Client *c, char **argv)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        Terminal t;
        int r;

        if (o->terminal) {
                terminal_find(&t);
                r = job_options_set_terminal(&o->job, verb, &t);
                if (r < 0)
                        return r;
        }
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "Start", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, argv);
        if (r < 0)
                return client_message_failed(r);
        r = job_options_append(&o->job, m);
        if (r < 0)
                return r;
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        return c->json ? print_json(reply) : print_text(reply);
}

int verb_start(const Verb *verb, Client *c, char **args)
{
        StartOptions o = {0};
        int r;

        r = args_parse(verb, c, args, start_set, &o, &args);
        if (r > 0)
                r = start_run(&o, verb, c, args);
        job_options_done(&o.job);
        return r;
}
