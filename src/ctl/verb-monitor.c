/*
 * reevectl monitor: what happens, as it happens, until one has seen enough. A direct connection gets every
 * signal once a call of it was answered: the call that asks how reeve stands opens the list, and nothing is
 * missed between the two.
 */

#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/event.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

static int print_start(Events *e, Client *c)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = client_get_all(c, NULL, BUS_INTERFACE_MANAGER, &reply);
        if (r < 0)
                return r;
        r = events_begin(e, reply, now_realtime(), &b);
        return r < 0 ? client_message_failed(r) : output_buffer(&b);
}

static int print_signal(void *object, sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = events_append(object, m, now_realtime(), &b);
        if (r < 0)
                return client_message_failed(r);
        return output_buffer(&b);
}

int verb_monitor(const Verb *verb, Client *c, char **args)
{
        Events e;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        events_init(&e, c->json);
        r = print_start(&e, c);
        if (r >= 0)
                r = client_listen(c, print_signal, &e);
        events_done(&e);
        return r;
}
