/*
 * reevectl unit start, stop, restart, reload: an order for each of the units, all of them at once, so that
 * reeve sees to their order and it takes as long as the slowest. What is refused of one does not keep the
 * others from it.
 *
 * With --no-block there is one more call behind them, and its answer is all that is waited for: what reeve
 * refuses at once it has refused by then, for it answers in order.
 */

#include <errno.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/log-page.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/unit-text.h"
#include "ctl/verbs.h"

enum {
        OPTION_NO_BLOCK = 1,
};

const Option unit_order_options[] = {
                {OPTION_NO_BLOCK, 0, "no-block", NULL, "do not wait until it is done"},
                {0},
};

typedef struct UnitOrder {
        const char *member;
        const char *done; /* "stopped a.service, b.service"; NULL: the answer is a job, whose id is printed
                           */
} UnitOrder;

typedef struct UnitOrders {
        const UnitOrder *order;
        bool no_block;
        char **names;
        Call *calls; /* one a name, and one more */
        size_t n;
        Buffer done, unmet; /* names, as text or JSON */
} UnitOrders;

static int orders_set(void *object, const Verb *verb, int id, const char *value)
{
        UnitOrders *o = object;

        o->no_block = true;
        return 0;
}

static int read_names(UnitOrders *o, char *const *args)
{
        for (; *args; args++) {
                if (strv_consume(&o->names, unit_full_name(*args)) < 0)
                        return client_message_failed(-ENOMEM);
                o->n++;
        }
        o->calls = alloc_zero((o->n + 1) * sizeof(Call));
        return o->calls ? 0 : client_message_failed(-ENOMEM);
}

static int send_orders(UnitOrders *o, Client *c)
{
        int r;

        for (size_t i = 0; i < o->n; i++) {
                r = client_message(c, NULL, BUS_INTERFACE_MANAGER, o->order->member, &o->calls[i].message);
                if (r < 0)
                        return r;
                r = sd_bus_message_append_basic(o->calls[i].message, 's', o->names[i]);
                if (r < 0)
                        return client_message_failed(r);
        }
        if (!o->no_block)
                return client_call_all(c, o->calls, o->n);
        r = client_message(c, NULL, "org.freedesktop.DBus.Peer", "Ping", &o->calls[o->n].message);
        return r < 0 ? r : client_call_until_last(c, o->calls, o->n + 1);
}

/* The end of what the unit wrote, and of what reeve noted about it, for whoever asked for a start that has
 * failed: on stderr, as the reason is. Whatever goes wrong here is not worth a word of its own. */
static void say_log(Client *c, const char *name)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *path = NULL;

        if (c->json || client_message(c, NULL, BUS_INTERFACE_MANAGER, "GetJob", &m) < 0 ||
            sd_bus_message_append_basic(m, 's', name) < 0 || client_call_error(c, m, &error, &reply) < 0 ||
            client_read_path(reply, &path) < 0 || client_properties(c, path, BUS_INTERFACE_JOB, &job) < 0)
                return;
        if (log_page_append_tail(c, path, &job, "", &b) >= 0 && b.error >= 0)
                (void) output_bytes(STDERR_FILENO, b.data, b.size);
}

static void append_name(Buffer *b, const Client *c, const char *name)
{
        if (b->size > 0)
                buffer_append_string(b, c->json ? "," : ", ");
        c->json ? json_string(b, name) : text_escape(b, name);
}

/* The answer to StartUnit and RestartUnit. */
static int take_job(UnitOrders *o, Client *c, const char *name, sd_bus_message *reply)
{
        _cleanup_free_ char *id = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read_basic(reply, 'o', &path);
        if (r < 0)
                return client_message_failed(r);
        if (streq(path, "/")) {
                remark("%s is not started: a condition of it does not hold", name);
                append_name(&o->unmet, c, name);
                return 0;
        }
        r = sd_bus_path_decode(path, BUS_PATH_JOB, &id);
        if (r <= 0)
                return client_message_failed(r < 0 ? r : -EBADMSG);
        if (c->json)
                append_name(&o->done, c, name);
        else {
                text_escape(&o->done, id);
                buffer_append_string(&o->done, "\n");
        }
        return 0;
}

static int take_answer(UnitOrders *o, Client *c, const char *name, sd_bus_message *reply)
{
        int r;

        if (reply && sd_bus_message_is_method_error(reply, NULL) > 0) {
                r = client_report(c, sd_bus_message_get_error(reply));
                if (sd_bus_message_is_method_error(reply, BUS_ERROR_START_FAILED) > 0)
                        say_log(c, name);
                return r;
        }
        if (reply && !o->order->done)
                return take_job(o, c, name, reply);
        append_name(&o->done, c, name);
        return 0;
}

static int print_done(UnitOrders *o, Client *c)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;

        b.error = MIN(o->done.error, o->unmet.error);
        if (c->json)
                buffer_append_string(&b, "{\"units\":[");
        else if (o->done.size == 0 || o->no_block)
                return 0;
        else if (o->order->done)
                buffer_printf(&b, "%s ", o->order->done);
        buffer_append(&b, o->done.data, o->done.size);
        if (c->json && !o->order->done) {
                buffer_append_string(&b, "],\"unmet\":[");
                buffer_append(&b, o->unmet.data, o->unmet.size);
        }
        buffer_append_string(&b, c->json ? "]}\n" : o->order->done ? "\n" : "");
        return output_buffer(&b);
}

static int orders_run(UnitOrders *o, Client *c, char *const *args)
{
        int r, status = 0;

        r = read_names(o, args);
        if (r >= 0)
                r = send_orders(o, c);
        if (r < 0)
                return r;
        for (size_t i = 0; i < o->n; i++) {
                r = take_answer(o, c, o->names[i], o->calls[i].reply);
                if (r < 0)
                        status = r;
        }
        r = print_done(o, c);
        return r < 0 ? r : status;
}

static int give(const UnitOrder *order, const Verb *verb, Client *c, char **args)
{
        UnitOrders o = {.order = order};
        int r;

        r = args_parse(verb, c, args, orders_set, &o, &args);
        if (r > 0)
                r = orders_run(&o, c, args);
        if (o.calls)
                calls_free(o.calls, o.n + 1);
        strv_free(o.names);
        buffer_done(&o.done);
        buffer_done(&o.unmet);
        return r;
}

int verb_unit_start(const Verb *verb, Client *c, char **args)
{
        return give(&(const UnitOrder){.member = "StartUnit"}, verb, c, args);
}

int verb_unit_stop(const Verb *verb, Client *c, char **args)
{
        return give(&(const UnitOrder){.member = "StopUnit", .done = "stopped"}, verb, c, args);
}

int verb_unit_restart(const Verb *verb, Client *c, char **args)
{
        return give(&(const UnitOrder){.member = "RestartUnit"}, verb, c, args);
}

int verb_unit_reload(const Verb *verb, Client *c, char **args)
{
        return give(&(const UnitOrder){.member = "ReloadUnit", .done = "reloaded"}, verb, c, args);
}
