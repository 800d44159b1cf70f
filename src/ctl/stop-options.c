/* Nothing that is not given is sent: the defaults are each job's own. */

#include "ctl/stop-options.h"

#include "basic/parse.h"
#include "ctl/output.h"

int stop_options_set_signal(StopOptions *o, const Verb *verb, const char *value)
{
        if (parse_signal(value, &o->signal) < 0)
                return misuse(verb, "--signal=%s: that is no signal, such as SIGTERM, HUP, RTMIN+3 or 9",
                              value);
        return 0;
}

int stop_options_set_timeout(StopOptions *o, const Verb *verb, const char *value)
{
        if (parse_usec(value, &o->timeout) < 0)
                return misuse(verb, "--timeout=%s: that is no span of time, such as 10, 500ms or 1min 30s",
                              value);
        o->timeout_given = true;
        return 0;
}

int stop_options_append(const StopOptions *o, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && o->signal > 0)
                r = sd_bus_message_append(m, "{sv}", "Signal", "i", o->signal);
        if (r >= 0 && o->timeout_given)
                r = sd_bus_message_append(m, "{sv}", "TimeoutStopUSec", "t", o->timeout);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
