/* reevectl stop: end jobs with all that they started, and come back when nothing of them is left. */

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/reach.h"
#include "ctl/selector.h"
#include "ctl/stop-options.h"
#include "ctl/verbs.h"

enum {
        OPTION_ALL = 1,
        OPTION_SIGNAL,
        OPTION_TIMEOUT,
};

const Option stop_options[] = {
                {OPTION_SIGNAL, 's', "signal", "SIGNAL",
                 "what asks it to end (default: KillSignal of the job)"},
                {OPTION_TIMEOUT, 0, "timeout", "SPAN",
                 "time from that to SIGKILL (default: TimeoutStopSec of the job); 0 kills at once"},
                {OPTION_ALL, 'a', "all", NULL, "all jobs"},
                {0},
};

typedef struct Stop {
        Selector selector;
        StopOptions how;
} Stop;

static int stop_set(void *object, const Verb *verb, int id, const char *value)
{
        Stop *s = object;

        switch (id) {
        case OPTION_ALL: s->selector.all = true; return 0;
        case OPTION_SIGNAL: return stop_options_set_signal(&s->how, verb, value);
        case OPTION_TIMEOUT: return stop_options_set_timeout(&s->how, verb, value);
        default: return selector_set(&s->selector, verb, id, value);
        }
}

static int stop_append(const void *object, sd_bus_message *m)
{
        const Stop *s = object;

        return stop_options_append(&s->how, m);
}

static int stop_run(Stop *s, const Verb *verb, Client *c)
{
        _cleanup_(reached_done) Reached reached = REACHED_INIT;
        int r;

        r = selector_check(&s->selector, verb);
        if (r < 0)
                return r;
        r = reach_jobs(c, &s->selector, "Stop", stop_append, s, &reached);
        if (r < 0)
                return r;
        r = reached_print(&reached, c, "stopped");
        if (r < 0)
                return r;
        return reached_check(&reached);
}

int verb_stop(const Verb *verb, Client *c, char **args)
{
        Stop s = {0};
        int r;

        r = args_parse(verb, c, args, stop_set, &s, &s.selector.ids);
        if (r > 0)
                r = stop_run(&s, verb, c);
        selector_done(&s.selector);
        return r;
}
