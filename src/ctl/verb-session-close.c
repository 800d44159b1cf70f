/* reevectl session close: end all jobs of sessions, and the sessions with them. All at once, as stop does.
 */

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/reach.h"
#include "ctl/stop-options.h"
#include "ctl/verbs.h"

enum {
        OPTION_SIGNAL = 1,
        OPTION_TIMEOUT,
};

const Option session_close_options[] = {
                {OPTION_SIGNAL, 's', "signal", "SIGNAL",
                 "what asks its jobs to end (default: KillSignal of each)"},
                {OPTION_TIMEOUT, 0, "timeout", "SPAN",
                 "time from that to SIGKILL (default: TimeoutStopSec of each); 0 kills at once"},
                {0},
};

static int close_set(void *object, const Verb *verb, int id, const char *value)
{
        return id == OPTION_SIGNAL ? stop_options_set_signal(object, verb, value)
                                   : stop_options_set_timeout(object, verb, value);
}

static int close_calls(const StopOptions *o, Client *c, char **names, Call *calls, size_t n)
{
        _cleanup_(reached_done) Reached reached = REACHED_INIT;
        int r;

        for (size_t i = 0; i < n; i++) {
                r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "CloseSession", &calls[i].message);
                if (r < 0)
                        return r;
                r = sd_bus_message_append_basic(calls[i].message, 's', names[i]);
                if (r >= 0)
                        r = stop_options_append(o, calls[i].message);
                if (r < 0)
                        return client_message_failed(r);
        }
        r = reach_calls(c, calls, n, &reached);
        if (r >= 0 && (c->json || reached.ids))
                r = reached_print(&reached, c, "stopped");
        return r < 0 ? r : reached_check(&reached);
}

int verb_session_close(const Verb *verb, Client *c, char **args)
{
        StopOptions o = {0};
        Call *calls;
        size_t n;
        int r;

        r = args_parse(verb, c, args, close_set, &o, &args);
        if (r <= 0)
                return r;
        n = strv_length(args);
        calls = alloc_zero(n * sizeof(Call));
        if (!calls)
                return client_message_failed(-ENOMEM);
        r = close_calls(&o, c, args, calls, n);
        calls_free(calls, n);
        return r;
}
