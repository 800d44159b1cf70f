/* reevectl session list: the sessions, oldest first. */

#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/job-text.h"
#include "ctl/output.h"
#include "ctl/selector.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

/* The sessions of all jobs of which something lives, each as often as it has such: what a session calls its
 * jobs are finished ones as well. */
static int read_live(Client *c, char ***ret_sessions)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        Selector live = {0};
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListJobs", &m);
        if (r >= 0)
                r = selector_choose_live(&live);
        if (r >= 0 && selector_append(&live, NULL, m) < 0)
                r = fail("out of memory");
        selector_done(&live);
        if (r >= 0)
                r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
        while (r >= 0 && sd_bus_message_at_end(reply, false) == 0) {
                _cleanup_(properties_done) Properties job = PROPERTIES_INIT;

                r = properties_read(reply, &job);
                if (r >= 0)
                        r = strv_append(ret_sessions, properties_string(&job, "Session"));
        }
        return r < 0 ? client_message_failed(r) : 0;
}

static size_t count(char **strings, const char *string)
{
        size_t n = 0;

        STRV_FOREACH (s, strings)
                n += streq(*s, string);
        return n;
}

static void add_row(Table *t, const Properties *session, char **live, usec_t now)
{
        const char *name = properties_string(session, "Name");
        char created[40];

        time_ago(properties_number(session, "CreatedTimestamp", 0), now, created, sizeof(created));
        table_cell(t, "%s", name);
        table_cell(t, "%zu%s", count(live, name), properties_boolean(session, "Frozen") ? ", frozen" : "");
        table_cell(t, "%s", properties_string(session, "User"));
        table_cell(t, "%s", created);
        table_cell(t, "%s", properties_string(session, "WorkingDirectory"));
}

static int print_table(Client *c, sd_bus_message *m)
{
        static const char *const headers[] = {"NAME", "JOBS", "USER", "CREATED", "DIRECTORY", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_(table_done) Table t = TABLE_INIT(headers);
        _cleanup_strv_ char **live = NULL;
        usec_t now = now_realtime();
        int r;

        r = read_live(c, &live);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        while (r >= 0 && sd_bus_message_at_end(m, false) == 0) {
                _cleanup_(properties_done) Properties session = PROPERTIES_INIT;

                r = properties_read(m, &session);
                if (r >= 0)
                        add_row(&t, &session, live, now);
        }
        if (r < 0)
                return client_message_failed(r);
        table_format(&t, output_columns(), &b);
        return output_buffer(&b);
}

int verb_session_list(const Verb *verb, Client *c, char **args)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListSessions", &m);
        if (r < 0)
                return r;
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        return c->json ? client_print_json(reply) : print_table(c, reply);
}
