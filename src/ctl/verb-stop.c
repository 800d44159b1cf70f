/* reevectl stop: end jobs with all that they started, and come back when nothing of them is left. */

#include <signal.h>

#include "basic/parse.h"
#include "basic/time.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/reach.h"
#include "ctl/selector.h"
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
        int signal; /* 0: not given */
        usec_t timeout;
        bool timeout_given;
} Stop;

static int stop_set(void *object, const Verb *verb, int id, const char *value)
{
        Stop *s = object;

        switch (id) {
        case OPTION_ALL: s->selector.all = true; return 0;
        case OPTION_SIGNAL:
                if (parse_signal(value, &s->signal) < 0)
                        return misuse(verb,
                                      "--signal=%s: that is no signal, such as SIGTERM, HUP, RTMIN+3 or 9",
                                      value);
                return 0;
        case OPTION_TIMEOUT:
                if (parse_usec(value, &s->timeout) < 0)
                        return misuse(verb,
                                      "--timeout=%s: that is no span of time, such as 10, 500ms or 1min 30s",
                                      value);
                s->timeout_given = true;
                return 0;
        default: return selector_set(&s->selector, verb, id, value);
        }
}

static int stop_append(const void *object, sd_bus_message *m)
{
        const Stop *s = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && s->signal > 0)
                r = sd_bus_message_append(m, "{sv}", "Signal", "i", s->signal);
        if (r >= 0 && s->timeout_given)
                r = sd_bus_message_append(m, "{sv}", "TimeoutStopUSec", "t", s->timeout);
        return r < 0 ? r : sd_bus_message_close_container(m);
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
        if (reached.remaining > 0)
                return fail("%u process%s still there: the kernel cannot end a process that is stuck inside "
                            "it",
                            reached.remaining, reached.remaining == 1 ? " is" : "es are");
        return reached.failed ? FAILED : 0;
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
