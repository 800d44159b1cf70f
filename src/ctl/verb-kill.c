/* reevectl kill: one signal, now, once. What ends a job for good is stop. */

#include <signal.h>

#include "basic/parse.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/reach.h"
#include "ctl/selector.h"
#include "ctl/verbs.h"

enum {
        OPTION_ALL = 1,
        OPTION_SIGNAL,
        OPTION_WHOM,
};

const Option kill_options[] = {
                {OPTION_SIGNAL, 's', "signal", "SIGNAL", "TERM (default), SIGHUP, RTMIN+3, 9, …"},
                {OPTION_WHOM, 0, "whom", "all|main|process",
                 "all processes of the job (default), its leader, or the one of --pid"},
                {OPTION_ALL, 'a', "all", NULL, "all jobs"},
                {0},
};

typedef struct Kill {
        Selector selector;
        int signal;
        const char *whom;
} Kill;

static int kill_set(void *object, const Verb *verb, int id, const char *value)
{
        Kill *k = object;

        switch (id) {
        case OPTION_ALL: k->selector.all = true; return 0;
        case OPTION_SIGNAL:
                if (parse_signal(value, &k->signal) < 0)
                        return misuse(verb,
                                      "--signal=%s: that is no signal, such as SIGTERM, HUP, RTMIN+3 or 9",
                                      value);
                return 0;
        case OPTION_WHOM:
                if (!streq(value, "all") && !streq(value, "main") && !streq(value, "process"))
                        return misuse(verb, "--whom=%s: all, main or process is needed", value);
                k->whom = value;
                return 0;
        default: return selector_set(&k->selector, verb, id, value);
        }
}

static int kill_append(const void *object, sd_bus_message *m)
{
        const Kill *k = object;

        return sd_bus_message_append(m, "ia{sv}", k->signal, 1, "Whom", "s", k->whom);
}

static int kill_run(Kill *k, const Verb *verb, Client *c)
{
        _cleanup_(reached_done) Reached reached = REACHED_INIT;
        int r;

        r = selector_check(&k->selector, verb);
        if (r < 0)
                return r;
        if (streq(k->whom, "process") && k->selector.pid == 0)
                return misuse(verb, "--whom=process needs --pid=");
        r = reach_jobs(c, &k->selector, "Kill", kill_append, k, &reached);
        if (r < 0)
                return r;
        r = reached_print(&reached, c, "signalled");
        return r < 0 ? r : reached.failed ? FAILED : 0;
}

int verb_kill(const Verb *verb, Client *c, char **args)
{
        Kill k = {.signal = SIGTERM, .whom = "all"};
        int r;

        r = args_parse(verb, c, args, kill_set, &k, &k.selector.ids);
        if (r > 0)
                r = kill_run(&k, verb, c);
        selector_done(&k.selector);
        return r;
}
