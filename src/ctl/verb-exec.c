/* reevectl exec: run a command and be like it: its bytes on stdout and stderr, its exit status. */

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/exec-terminal.h"
#include "ctl/options.h"
#include "ctl/outcome.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

enum {
        OPTION_TERMINAL = 1,
};

const Option exec_options[] = {
                FOREGROUND_OPTIONS,
                {OPTION_TERMINAL, 't', "tty", NULL,
                 "give it a terminal, and be in front of it; ^] three times leaves it"},
                {0},
};

typedef struct Exec {
        JobOptions job;
        Foreground foreground;
        bool terminal;
} Exec;

static int exec_set(void *object, const Verb *verb, int id, const char *value)
{
        Exec *e = object;

        if (id == OPTION_TERMINAL) {
                e->terminal = true;
                return 0;
        }
        return foreground_set(&e->foreground, id) ? 0 : job_options_set(&e->job, verb, id, value);
}

static int exec_run(Exec *e, const Verb *verb, Client *c, char **argv)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = foreground_prepare(&e->foreground, &e->job, verb);
        if (r < 0)
                return r;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "Exec", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, argv);
        if (r < 0)
                return client_message_failed(r);
        r = job_options_append(&e->job, m);
        return r < 0 ? r : foreground_call(&e->foreground, c, m);
}

int verb_exec(const Verb *verb, Client *c, char **args)
{
        Exec e = {0};
        int r;

        r = args_parse(verb, c, args, exec_set, &e, &args);
        if (r > 0)
                r = e.terminal ? exec_on_terminal(&e.job, &e.foreground, verb, c, args)
                               : exec_run(&e, verb, c, args);
        job_options_done(&e.job);
        return r;
}
